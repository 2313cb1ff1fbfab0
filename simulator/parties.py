"""The parties of the world, and how each source holds them (numbers and forms of its own)."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import addresses, difficulty, firms, people
from simulator import parameters as p
from simulator.frames import text
from simulator.identifiers import fifteen_digit, wrong_check
from simulator.randomness import Streams, choose, pick


def draw(streams: Streams, count: int, history_start: date, horizon: date) -> pl.DataFrame:
    """Draws the parties.

    Returns:
        One row a party: `party_id`, `party_kind`, person and firm columns, address parts, `since` (first relation with
        any source), `agrees` (gives a basis for matching wherever it is a customer), `tie` (what all its sources share
        of it) and `wealth` (factor of income and balances, median 1).
    """
    persons_n = round(count * p.PERSON_SHARE)
    persons = people.draw(streams("persons"), persons_n, history_start)
    persons = difficulty.households(streams, persons.hstack(addresses.draw(streams("homes"), persons_n)))
    business = firms.draw(streams("firms"), count - persons_n)
    rng = streams("parties")
    frame = pl.concat(
        [
            persons.with_columns(party_kind=pl.lit("person")),
            business.with_columns(party_kind=pl.lit("firm")),
        ],
        how="diagonal",
    )
    order = rng.permutation(count)
    frame = frame[order]
    year = (horizon - history_start).days
    old = np.datetime64(history_start) - rng.integers(30, 18 * 365, count).astype("timedelta64[D]")
    fresh = np.datetime64(history_start) + rng.integers(1, year, count).astype("timedelta64[D]")
    since = np.where(choose(rng, count, p.NEW_CUSTOMER_SHARE_A_YEAR * year / 365), fresh, old)
    adult = frame["birth_date"].to_numpy().astype("datetime64[D]") + np.timedelta64(6575, "D")
    since = np.where(~np.isnat(adult) & (since < adult), np.minimum(adult, np.datetime64(history_start)), since)
    return frame.with_columns(
        party_id=pl.Series([f"P{i + 1:07d}" for i in range(count)]),
        since=pl.Series(since.astype("datetime64[D]")),
        wealth=pl.Series(np.exp(rng.normal(0, 0.7, count))),
        size_factor=pl.col("size_factor").fill_null(1.0),
        agrees=pl.Series(choose(rng, count, p.MATCHING_BASIS_SHARE)),
        is_dead=pl.col("is_dead").fill_null(False),
        tie=difficulty.ties(streams, count),
    )


def numbers(rng: np.random.Generator, size: int, prefix: str, width: int) -> np.ndarray:
    """Distinct customer numbers that tell nothing of the order of entry."""
    step = 7  # gaps, as in life
    return np.array([f"{prefix}{n:0{width}d}" for n in rng.permutation(size * step)[:size] + 10_001])


def source_rows(
    streams: Streams, source: str, members: pl.DataFrame, customer_ids: np.ndarray, world: pl.DataFrame
) -> pl.DataFrame:
    """How a source holds its members.

    Args:
        members: Rows of `draw` that are customers of the source.
        customer_ids: The source's numbers, in the same order.
        world: All parties.

    Returns:
        `customer_id`, `party_id`, `party_kind`, `held_name`, `id_type`, `held_id`, `held_mobile`, `held_address`,
        `id_fault` ('wrong_check' where the check digit is wrong on purpose), what `difficulty.loosen` adds, and the
        parties' own columns.
    """
    rng, size = streams("forms", source), members.height
    person = (members["party_kind"] == "person").to_numpy()
    mix = p.IDENTITY_MIX[source]
    true_ids = members["id_number"].to_numpy().astype(object)
    held, kind = true_ids.copy(), np.where(person, "resident_id", "uscc").astype(object)
    held[~person] = members["uscc"].to_numpy()[~person]
    fate = rng.random(size)
    fault = np.full(size, None, dtype=object)
    edges = np.cumsum([mix["id15"], mix["wrong_check"], mix["missing"], mix["passport"], mix["lower_x"]])
    born_then = (members["birth_date"].fill_null(date(2001, 1, 1)) < date(2000, 1, 1)).to_numpy()
    at = person & (fate < edges[0]) & born_then
    held[at] = fifteen_digit(held[at])
    at = person & (fate >= edges[0]) & (fate < edges[1])
    held[at], fault[at] = wrong_check(held[at]), "wrong_check"
    at = person & (fate >= edges[1]) & (fate < edges[2])
    held[at], kind[at] = None, None
    at = person & (fate >= edges[2]) & (fate < edges[3])
    held[at] = np.array([f"E{n:08d}" for n in rng.integers(0, 10**8, int(at.sum()))], dtype=object)
    kind[at] = "passport"
    at = person & (fate >= edges[3]) & (fate < edges[4])
    held[at] = np.array([value.lower() for value in held[at]], dtype=object)
    at = ~person & (fate < p.USCC_AS_OLD_LICENCE[source])
    held[at] = np.array([f"330100{n:09d}" for n in rng.integers(0, 10**9, int(at.sum()))], dtype=object)
    kind[at] = "old_licence"

    mobile = members["mobile"].to_numpy().astype(object)
    other = choose(rng, size, p.OTHER_PHONE_SHARE[source])
    mobile[other] = people.mobiles(rng, int(other.sum()))
    placeholder = choose(rng, size, p.PLACEHOLDER_PHONE_SHARE[source])
    mobile[placeholder] = pick(rng, p.PLACEHOLDER_PHONES, None, int(placeholder.sum()))

    forms = {"core_banking": (80, 8, 8, 2, 2), "card": (40, 40, 10, 5, 5), "grid_billing": (30, 10, 20, 20, 20)}[source]
    parts = members.select(difficulty.HOME)
    elsewhere = pl.Series(choose(rng, size, p.OTHER_ADDRESS_SHARE[source]))
    drawn = addresses.draw(rng, size)
    parts = parts.select(pl.when(elsewhere).then(drawn[c]).otherwise(pl.col(c)).alias(c) for c in parts.columns)
    form = pick(rng, np.arange(5), forms, size)
    held = (
        members.drop(difficulty.HOME)
        .hstack(parts)
        .with_columns(
            customer_id=pl.Series(customer_ids),
            held_name=text(_held_names(rng, members["name"].to_numpy().astype(object), person, source)),
            id_type=text(kind),
            held_id=text(held),
            held_mobile=text(mobile),
            id_fault=text(fault),
        )
    )
    held = difficulty.loosen(streams, source, held, world)
    return held.with_columns(held_address=addresses.text(held.select(difficulty.HOME), form, ~person))


def _held_names(rng: np.random.Generator, names: np.ndarray, person: np.ndarray, source: str) -> np.ndarray:
    """Variants of names [domain E3]: spaces, other separators, lost rare characters, forms and brackets of firms."""
    held = names.copy()
    for place in np.flatnonzero(choose(rng, len(names), p.NAME_VARIANT_SHARE[source])):
        name, turn = names[place], rng.integers(0, 3)
        if not person[place]:
            held[place] = (
                name.replace("有限责任公司", "有限公司")
                if turn == 0
                else name.replace("杭州市", "").replace("杭州", "", 1) + "(杭州)"
                if turn == 1
                else name.replace("有限公司", "")
            )
        elif "·" in name:
            held[place] = name.replace("·", ("•", ".", "")[turn])
        elif any(c in people.RARE for c in name):
            held[place] = "".join("?" if c in people.RARE else c for c in name)
        elif turn == 0:
            held[place] = " ".join(name)
        elif turn == 1 and source == "grid_billing":
            held[place] = name + "(户)"
    return held


def later(day: np.ndarray, rng: np.random.Generator, first: date, last: date) -> np.ndarray:
    """Random days of a range, at least one day after `day`."""
    span = (last - first).days + 1
    drawn = np.datetime64(first) + rng.integers(0, span, len(day)).astype("timedelta64[D]")
    return np.maximum(drawn, day.astype("datetime64[D]") + np.timedelta64(1, "D"))
