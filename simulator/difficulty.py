"""How hard the parties of this world are to resolve: what the sources share of one party, and who is easily mistaken.

The truth beside the files names for every two customers of one party what they share (the stratum) and whether that
suffices to know them for one without guessing.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import opencc
import polars as pl

from simulator import firms, people
from simulator import parameters as p
from simulator.frames import text
from simulator.identifiers import fifteen_digit, mistyped, resident_ids
from simulator.randomness import Streams, choose, pick

HOME = ("region_code", "district", "street", "road", "number", "estate", "block", "unit", "floor", "door")
STRATA = ("id", "name_phone", "name_address", "nothing")


def households(streams: Streams, persons: pl.DataFrame) -> pl.DataFrame:
    """Lets some persons live with their twin or spouse, and some die.

    Args:
        persons: Rows of `people.draw` with their homes.

    Returns:
        The persons with `kin` ('twin', 'spouse', else NULL), `kin_mobile` of the other one and `is_dead`.
    """
    rng = streams("households")
    pairs = round(persons.height * p.KIN_SHARE / 2)
    order = rng.permutation(persons.height)[: 2 * pairs]
    elder, younger = order[:pairs], order[pairs:]
    kin = np.full(persons.height, None, dtype=object)
    kin[order] = np.tile(np.where(choose(rng, pairs, 0.5), "twin", "spouse"), 2)
    columns = {name: persons[name].to_numpy().astype(object).copy() for name in (*HOME, "name", "id_number", "mobile")}
    birth, area, gender = (persons[name].to_numpy().copy() for name in ("birth_date", "birth_area", "gender"))
    for name in HOME:
        columns[name][younger] = columns[name][elder]
    taken = set(columns["id_number"])
    given = people.GIVEN_MALE + people.GIVEN_FEMALE
    for one, other in zip(elder, younger, strict=True):
        first = columns["name"][one]
        if kin[one] != "twin" or "·" in first or len(first) < 3:
            kin[one] = kin[other] = "spouse"
            continue
        birth[other], area[other], gender[other] = birth[one], area[one], gender[one]
        day = str(birth[one]).replace("-", "")
        for sequence in range(int(columns["id_number"][one][14:17]) + 2, 1_000 + 498, 2):
            number = resident_ids(area[[one]], np.array([day]), np.array([sequence % 996 + (sequence >= 996)]))[0]
            if number not in taken:
                break
        taken.add(number)
        columns["id_number"][other] = number
        last = [c for c in given if c != first[-1]]
        columns["name"][other] = first[:-1] + last[int(rng.integers(0, len(last)))]
    kin_mobile = np.full(persons.height, None, dtype=object)
    kin_mobile[elder], kin_mobile[younger] = columns["mobile"][younger], columns["mobile"][elder]
    dtypes = {name: persons.schema[name] for name in columns}
    return persons.with_columns(
        *(pl.Series(name, values.tolist(), dtype=dtypes[name]) for name, values in columns.items()),
        pl.Series("birth_date", birth),
        pl.Series("birth_area", area),
        pl.Series("gender", gender),
        kin=text(kin),
        kin_mobile=text(kin_mobile),
        is_dead=pl.Series(choose(rng, persons.height, p.DEAD_SHARE)),
    )


def ties(streams: Streams, count: int) -> pl.Series:
    """Draws for every party by what all its sources know it: one of `STRATA`."""
    return text(pick(streams("ties"), STRATA, p.TIE_MIX, count))


def loosen(streams: Streams, source: str, held: pl.DataFrame, world: pl.DataFrame) -> pl.DataFrame:
    """Takes from a source what its tie does not share, and puts in what deceives.

    Core banking keeps what it holds: it sees the document. Elsewhere a party tied by its phone has no valid number and
    another address, and so on.

    Args:
        held: Rows of a source: `held_id`, `id_type`, `id_fault`, `held_name`, `held_mobile`, the parts of the address
            and the party's own columns.
        world: All parties, among whom strangers are found.

    Returns:
        The rows with these columns changed, `held_birth_date`, `trait` (what deceives, else NULL), and `shows_id`,
        `shows_phone`, `shows_address`, `shows_name`: whether the source holds the party's own.
    """
    rng, size = streams("ties", source), held.height
    person = (held["party_kind"] == "person").to_numpy()
    tie = held["tie"].to_numpy()
    at_bank = np.full(size, source == "core_banking")
    ids, kinds, faults = (held[c].to_numpy().astype(object).copy() for c in ("held_id", "id_type", "id_fault"))
    mobiles, names = (held[c].to_numpy().astype(object).copy() for c in ("held_mobile", "held_name"))
    own = held["id_number"].to_numpy().astype(object)
    own[~person] = held["uscc"].to_numpy()[~person]

    known = (tie == "id") & ~at_bank
    ids[known], faults[known] = own[known], None
    kinds[known] = np.where(person[known], "resident_id", "uscc")
    born_then = (held["birth_date"].fill_null(date(2001, 1, 1)) < date(2000, 1, 1)).to_numpy()
    old = known & person & born_then & choose(rng, size, p.IDENTITY_MIX[source]["id15"])
    ids[old] = fifteen_digit(ids[old])
    lost = (tie != "id") & ~at_bank
    fate = rng.random(size)
    ids[lost], kinds[lost], faults[lost] = None, None, None
    wrong = lost & person & (fate < p.MISTYPED_SHARE)
    ids[wrong], kinds[wrong], faults[wrong] = mistyped(rng, own[wrong]), "resident_id", "wrong_check"
    abroad = lost & person & (fate >= p.MISTYPED_SHARE) & (fate < p.MISTYPED_SHARE + p.PASSPORT_SHARE)
    ids[abroad] = np.array([f"E{n:08d}" for n in rng.integers(0, 10**8, int(abroad.sum()))], dtype=object)
    kinds[abroad] = "passport"

    trait = np.full(size, None, dtype=object)
    by_phone, by_address = (tie == "name_phone"), (tie == "name_address")
    mobiles[by_phone] = held["mobile"].to_numpy().astype(object)[by_phone]
    other = ~at_bank & (by_address | (tie == "nothing"))
    mobiles[other] = people.mobiles(rng, int(other.sum()))
    stranger = rng.integers(0, world.height, size)

    def deceive(name: str, share: float, among: np.ndarray, phones: np.ndarray) -> None:
        mask = among & (trait == None) & choose(rng, size, share)  # noqa: E711
        trait[mask], mobiles[mask] = name, phones[mask]

    free = ~by_phone & ~at_bank
    companies = world.filter(pl.col("party_kind") == "firm")["mobile"].to_numpy().astype(object)
    companies = companies[: max(1, world.height // 500)]
    deceive("recycled_phone", p.RECYCLED_PHONE_SHARE, free, world["mobile"].to_numpy().astype(object)[stranger])
    deceive("company_phone", p.COMPANY_PHONE_SHARE, free & person, companies[rng.integers(0, len(companies), size)])
    has_kin = held["kin"].is_not_null().to_numpy()
    deceive("family_phone", 0.5, free & has_kin, held["kin_mobile"].to_numpy().astype(object))
    heir = np.where(has_kin, held["kin_mobile"].to_numpy(), world["mobile"].to_numpy()[stranger]).astype(object)
    dead = held["is_dead"].to_numpy() & (source == "grid_billing")
    deceive("heir_phone", 0.8, free & dead, heir)  # the meter runs on in the name of the dead
    prefixed = ~at_bank & choose(rng, size, p.PHONE_PREFIX_SHARE)
    mobiles[prefixed] = np.array([f"+86 {value}" for value in mobiles[prefixed]], dtype=object)

    moved_in = ~at_bank & ~by_address & (trait == None) & choose(rng, size, p.LANDLORD_SHARE)  # noqa: E711
    moved_in &= person & (source == "grid_billing")
    trait[moved_in] = "landlord"
    elsewhere = ~at_bank & (by_phone | (tie == "nothing"))
    drawn = world.select(HOME)[rng.permutation(world.height)[np.arange(size) % world.height]]
    drawn = drawn.with_columns(pl.Series("door", rng.integers(5, 9, size)))  # nobody's own door
    tenants = world.select(HOME)[stranger]
    keep, back = pl.Series(elsewhere), pl.Series(by_address)
    true_home = world.select("party_id", *HOME)
    home = held.select("party_id").join(true_home, on="party_id", how="left", maintain_order="left")
    parts = [
        pl.when(pl.Series(moved_in))
        .then(tenants[name])
        .when(keep)
        .then(drawn[name])
        .when(back)
        .then(home[name])
        .otherwise(held[name])
        .alias(name)
        for name in HOME
    ]
    renamed = ~person & ~at_bank & choose(rng, size, p.RENAMED_FIRM_SHARE)
    trait[renamed] = "renamed_firm"
    names[renamed] = firms.draw(rng, size)["name"].to_numpy().astype(object)[renamed]
    to_traditional = opencc.OpenCC("s2t")
    for place in np.flatnonzero(~renamed & choose(rng, size, p.TRADITIONAL_NAME_SHARE)):
        names[place] = to_traditional.convert(names[place])
    held = held.with_columns(*parts)
    at_home = held.select(pl.all_horizontal(held[name] == home[name] for name in HOME)).to_series()
    valid = np.isin(kinds.astype(str), ("resident_id", "uscc")) & (faults == None)  # noqa: E711
    own_phone = held["mobile"].to_numpy()
    return held.with_columns(
        held_id=text(ids),
        id_type=text(kinds),
        id_fault=text(faults),
        held_mobile=text(mobiles),
        held_name=text(names),
        trait=text(trait),
        held_birth_date=pl.when(pl.Series(at_bank | valid)).then("birth_date"),
        shows_id=pl.Series(valid),
        shows_phone=pl.Series([own_phone[i] == str(mobiles[i])[-11:] for i in range(size)], dtype=pl.Boolean),
        shows_address=at_home,
        shows_name=pl.Series(~renamed),
    )


def pairs(customers: pl.DataFrame) -> pl.DataFrame:
    """Names every two customers of one party, with what they share.

    Args:
        customers: One row a customer: party, source and number, the four `shows_` columns as of a day.

    Returns:
        `party_id`, `party_kind`, both customers (`left_`, `right_`), `stratum` (one of `STRATA`, 'same_source', or
        'duplicate' where the party has two numbers in one of the two sources, of which only one can be linked) and
        `is_resolvable`.
    """
    several = pl.len().over("party_id", "source_system") > 1
    keys = ["source_system", "customer_id"]
    order = pl.concat_str(keys, separator=" ")
    shows = ["shows_id", "shows_phone", "shows_address", "shows_name"]
    side = customers.select("party_id", "party_kind", *keys, *shows, several=several, order=order)
    both = side.join(side, on=["party_id", "party_kind"], suffix="_right")
    both = both.filter(pl.col("order") < pl.col("order_right"))

    def shared(name: str) -> pl.Expr:
        return pl.col(f"shows_{name}") & pl.col(f"shows_{name}_right")

    one_source = pl.col("source_system") == pl.col("source_system_right")
    stratum = (
        pl.when(one_source)
        .then(pl.lit("same_source"))
        .when(pl.col("several") | pl.col("several_right"))
        .then(pl.lit("duplicate"))
        .when(shared("id"))
        .then(pl.lit("id"))
        .when(shared("name") & shared("phone"))
        .then(pl.lit("name_phone"))
        .when(shared("name") & shared("address"))
        .then(pl.lit("name_address"))
        .otherwise(pl.lit("nothing"))
    )
    named = both.with_columns(stratum=stratum)
    by_id_alone = (pl.col("stratum") == "id") & ~shared("name") & ~shared("phone") & ~shared("address")
    return named.select(
        "party_id",
        "party_kind",
        left_source_system="source_system",
        left_customer_id="customer_id",
        right_source_system="source_system_right",
        right_customer_id="customer_id_right",
        stratum="stratum",
        is_resolvable=pl.col("stratum").is_in(STRATA[:3]) & ~by_id_alone,
    ).sort("left_source_system", "left_customer_id", "right_source_system", "right_customer_id")
