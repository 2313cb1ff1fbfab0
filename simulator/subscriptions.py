"""Services that customers signed for (签约): electronic banking, cash management, notices, custody, safe-deposits."""

from __future__ import annotations

from datetime import date

import polars as pl

from simulator import parameters as p
from simulator import parties
from simulator.changes import history
from simulator.customers import Customers
from simulator.frames import text
from simulator.randomness import Streams, choose, pick

CHANNELS = {"firm": ("low_counter", "customer_manager", "net_bank"), "person": ("low_counter", "mobile_bank")}


def subscriptions(streams: Streams, customers: Customers, start: date, horizon: date) -> pl.DataFrame:
    """Change log of `service_subscription`: signed, most of them put to use some days later, a few ended.

    Args:
        start: first day of the facts; what was signed before it is known from its signing.
        horizon: last day on which anything happens.
    """
    parts = []
    for kind, shares in p.SERVICE_SHARES.items():
        of_kind = customers.frame.filter(pl.col("party_kind") == kind)
        for product, share in shares.items():
            rng = streams("service subscriptions", product, kind)
            signs = choose(rng, of_kind.height, share)
            signs[:1] = True  # one at least, however small the world
            who = of_kind.filter(pl.Series(signs))
            opened = who["opened_on"].to_numpy().astype("datetime64[D]")
            parts.append(
                pl.DataFrame(
                    {
                        "customer_id": who["customer_id"],
                        "product_id": pl.Series([product] * who.height, dtype=pl.String),
                        "channel_id": text(pick(rng, CHANNELS[kind], None, who.height)),
                        "signed_on": opened + rng.integers(0, p.SERVICE_SIGNED_WITHIN_DAYS, who.height),
                    }
                )
            )
    base = pl.concat(parts).filter(pl.col("signed_on") <= horizon)
    base = base.with_columns(
        subscription_id=text([f"SV{i + 1:08d}" for i in range(base.height)]),
        activated_on=pl.lit(None, pl.Date),
        ended_on=pl.lit(None, pl.Date),
        status=pl.lit("signed"),
    )
    rng = streams("service subscriptions")
    used = base.filter(pl.Series(choose(rng, base.height, p.SERVICE_ACTIVATED_SHARE)))
    first = used["signed_on"].to_numpy().astype("datetime64[D]") + rng.integers(1, 40, used.height)
    activated = used.select("subscription_id", effective_date=pl.Series(first), activated_on=pl.Series(first))
    left = base.filter(pl.Series(choose(rng, base.height, p.SERVICE_ENDED_SHARE)))
    last = parties.later(left["signed_on"].to_numpy().astype("datetime64[D]") + 40, rng, start, horizon)
    ended = left.select("subscription_id", effective_date=pl.Series(last), ended_on=pl.Series(last))
    updates = [activated.with_columns(status=pl.lit("active")), ended.with_columns(status=pl.lit("ended"))]
    return history(base, "subscription_id", "signed_on", updates)
