"""The customers of a simulated world without its facts: what identity resolution reads, as of any day."""

from __future__ import annotations

from datetime import date

import polars as pl

from simulator import difficulty
from simulator import parameters as p
from simulator.simulate import Run
from warehouse.settings import get_settings

CONTROLLERS = {"core_banking": "bank", "card": "bank", "grid_billing": "grid"}


class Population:
    """The customers of all sources of one world, and the truth about them.

    Args:
        seed: Of the whole world.
        scale: 1 is 100,000 parties (DESIGN, Scale).
    """

    def __init__(self, seed: int, scale: float) -> None:
        self._run = Run(
            get_settings(), seed, scale, p.HISTORY_START, p.HISTORY_END, list(p.DAILY_DATES), lambda *_: None
        )
        self._run.found()

    def customers(self, as_of: date) -> pl.DataFrame:
        """The last word of each source about each of its customers, in the columns of `int_customer__identifiers`."""
        run, parts = self._run, []
        for source, log, consents, key, kind, name in (
            ("core_banking", run.customers.log, run.customers.consents, "customer_id", "party_kind", "customer_name"),
            ("card", run.cards.holders, None, "cardholder_id", "party_kind", "cardholder_name"),
            ("grid_billing", run.grid.log, run.grid.consents, "consumer_no", "consumer_kind", "consumer_name"),
        ):
            known = log.filter(pl.col("effective_date") <= as_of)
            last = known.unique(key, keep="last", maintain_order=True)
            absent = {"birth_date": pl.Date, "gender": pl.String}
            last = last.with_columns(
                pl.lit(None, dtype).alias(column) for column, dtype in absent.items() if column not in last.columns
            )
            agreed = [] if consents is None else self._agreed(consents, key, as_of)
            parts.append(
                last.select(
                    source_system=pl.lit(source),
                    customer_id=key,
                    controller_id=pl.lit(CONTROLLERS[source]),
                    party_kind=kind,
                    customer_name=name,
                    id_type="id_type",
                    id_number="id_number",
                    phone="mobile",
                    address="address",
                    birth_date="birth_date",
                    gender="gender",
                    has_matching_basis=pl.col(key).is_in(agreed),
                )
            )
        return pl.concat(parts)

    @staticmethod
    def _agreed(consents: pl.DataFrame, key: str, as_of: date) -> list[str]:
        known = consents.filter((pl.col("effective_date") <= as_of) & (pl.col("purpose") == "party_matching"))
        last = known.unique("consent_id", keep="last", maintain_order=True)
        in_force = (pl.col("given_on") <= as_of) & (pl.col("withdrawn_on").is_null() | (pl.col("withdrawn_on") > as_of))
        return last.filter(in_force)[key].unique().to_list()

    def truth(self, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The tables `identities` and `pairs` of the ground truth."""
        identities = self._run.identities(as_of)
        return identities, difficulty.pairs(identities)
