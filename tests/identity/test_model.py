"""The model: committed weights belong to the definition, are learned without the truth, and weigh as they should."""

import json
import math

import polars as pl
import pytest

from identity.linkage import score
from identity.model import KINDS, ModelError, load_model, weighted
from identity.standardise import COMPARED
from identity.training import TrainingError, train, usable

MODEL = load_model()


@pytest.mark.parametrize("kind", KINDS)
def test_the_committed_weights_are_those_of_the_definition(kind: str) -> None:
    settings = weighted(MODEL, kind)
    defined = MODEL.of(kind).comparisons
    assert [comparison["output_column_name"] for comparison in settings["comparisons"]] == [one.name for one in defined]
    for kept, comparison in zip(settings["comparisons"], defined, strict=True):
        levels = kept["comparison_levels"]
        assert [level["label_for_charts"] for level in levels] == [level.label for level in comparison.levels]
        odds = {
            level["label_for_charts"]: math.log2(level["m_probability"] / level["u_probability"])
            for level in levels
            if not level.get("is_null_level")
        }
        best = next(label for label, weight in odds.items() if weight == max(odds.values()))
        assert best.startswith("same") and odds[best] > 0 > odds["other"]


def test_weights_of_another_version_are_refused(tmp_path) -> None:
    (tmp_path / "person.json").write_text(json.dumps({"version": "1900.1", "settings": {}}), "utf-8")
    with pytest.raises(ModelError, match="c360 identity train"):
        weighted(MODEL, "person", tmp_path)


def _customers(count: int) -> pl.DataFrame:
    """Persons of two sources who share a number; of every second one the second source lacks the phone."""
    rows = []
    for source in ("core_banking", "card"):
        for n in range(count):
            number = f"3301061980{n % 12 + 1:02d}{n % 28 + 1:02d}{n:04d}"
            phone = f"139{n:08d}" if source == "core_banking" or n % 2 else None
            rows.append(
                dict.fromkeys(COMPARED)
                | {"source_system": source, "customer_id": f"{source}{n:05d}", "party_kind": "person"}
                | {"name_key": f"王{chr(0x4E00 + n)}", "name_sound": f"W{n}", "phone_key": phone, "sex": "MF"[n % 2]}
                | {"building": f"西湖区|路{n}号|1", "door": f"西湖区|路{n}号|1|{n}", "division": "330106"}
                | {"identifier_kind": "resident_id", "identifier": number, "id_written": number}
                | {"born_on": f"1980-{n % 12 + 1:02d}-{n % 28 + 1:02d}"}
            )
    firms = [row | {"party_kind": "firm", "identifier_kind": "uscc", "name_sound": None} for row in rows]
    return pl.DataFrame(rows + firms, schema=dict.fromkeys(rows[0], pl.String))


def test_training_learns_from_identifiers_and_repeats_itself(tmp_path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        train(_customers(120).sample(fraction=1, shuffle=True, seed=len(folder.name)), folder)
    one, two = ([(folder / f"{kind}.json").read_bytes() for kind in KINDS] for folder in folders)
    assert one == two
    learned = json.loads(one[0])
    assert learned["version"] == MODEL.version and learned["learned_from"]["pairs_by_identifier"] == 120
    levels = {comparison["output_column_name"]: comparison for comparison in learned["settings"]["comparisons"]}
    same_phone = levels["phone"]["comparison_levels"][1]
    assert same_phone["m_probability"] == 1 and same_phone["u_probability"] < 0.001, "unknown phones do not count"
    with pytest.raises(TrainingError, match="too few"):
        train(_customers(20), tmp_path)


def test_scores_rise_with_what_two_customers_share() -> None:
    base = dict.fromkeys(COMPARED) | {"name_key": "张伟民", "name_sound": "ZHANGWEIMIN"}
    home = {"building": "西湖区|路1号|2", "door": "西湖区|路1号|2|101", "division": "330106"}
    people = [
        base | {"phone_key": "13957112345"} | home,
        base | {"phone_key": "13957112345"} | home,
        base | {"phone_key": "13957112345"},
        base | {"phone_key": "13600001111"} | home,
        base,
        base | {"phone_key": "13957112345", "name_key": "李芳", "name_sound": "LIFANG", "sex": "F"} | home,
    ]
    customers = pl.DataFrame(people, schema=dict.fromkeys(COMPARED, pl.String)).with_row_index("customer_no")
    customers = customers.with_columns(pl.col("customer_no").cast(pl.Int64))
    pairs = pl.DataFrame({"left_no": [0] * 5, "right_no": [1, 2, 3, 4, 5]})
    scored = dict(score(customers, pairs, weighted(MODEL, "person")).select("right_no", "match_weight").iter_rows())
    match = MODEL.person.bands.match
    assert scored[1] > scored[2] > match and scored[1] > scored[3] > match
    assert scored[4] < MODEL.person.bands.review, "a bare name is nothing"
    assert scored[5] < scored[1] - 20


def test_what_many_share_counts_as_unknown() -> None:
    customers = pl.DataFrame(
        {
            "name_key": [*"甲乙丙丁戊", "己", ""],
            "name_sound": [""] * 7,
            "phone_key": ["1"] * 5 + ["2"] * 2,
            "door": [None] * 7,
        }
    )
    assert usable(customers, 4)["phone_key"].to_list() == [None] * 5 + ["2"] * 2
    assert usable(customers, 4)["name_key"].to_list()[-1] is None
