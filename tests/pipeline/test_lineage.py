"""From which columns a column takes its value: read from SQL, one step back."""

import pytest

from pipeline.lineage import Query, column_lineage

COLUMNS = {
    "raw.customer": ["customer_id", "name", "mobile", "city"],
    "raw.cardholder": ["holder_id", "holder_name", "phone"],
}
NAME, MOBILE, HOLDER = ("raw.customer", "name"), ("raw.customer", "mobile"), ("raw.cardholder", "holder_name")


@pytest.mark.parametrize(
    ("select", "places"),
    [
        ("select name as told from raw.customer", {NAME}),
        ("select left(c.name, 1) || '*' as told from raw.customer as c", {NAME}),
        ("select coalesce(name, mobile) as told from raw.customer", {NAME, MOBILE}),
        ("with one as (select * from raw.customer) select name as told from one", {NAME}),
        ("select told from (select name as told from raw.customer union all select holder_name from raw.cardholder "
         "union all select null) as both", {NAME, HOLDER}),
        ("select max(name) filter (where mobile is not null) as told from raw.customer", {NAME}),
        ("select lag(name) over (partition by city order by mobile) as told from raw.customer", {NAME}),
        ("select case when mobile is null then name else city end as told from raw.customer",
         {NAME, ("raw.customer", "city")}),
        ("select v.told from raw.customer as c cross join lateral (values ('mobile', c.mobile)) as v (kind, told)",
         {MOBILE}),
        ("select v.kind as told from raw.customer as c cross join lateral (values ('mobile', c.mobile)) as v (kind, x)",
         set()),
        ("select (select max(holder_name) from raw.cardholder where holder_id = c.customer_id) as told "
         "from raw.customer as c", {HOLDER}),
        ("select head.holder_name as told from raw.customer as c inner join lateral (select * from raw.cardholder as h "
         "where h.phone = c.mobile limit 1) as head on true", {HOLDER}),
        ("select count(distinct name) as told from raw.customer", set()),
        ("select name is not null as told from raw.customer", set()),
        ("select customer_id as told from raw.customer where name like 'A%' order by mobile",
         {("raw.customer", "customer_id")}),
    ],
)  # fmt: skip
def test_a_value_is_followed_and_a_condition_is_not(select: str, places: set[tuple[str, str]]) -> None:
    assert column_lineage([Query("core.t", select)], COLUMNS)["core.t", "told"] == places
