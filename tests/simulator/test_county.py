"""The tobacco county: plans cascade, sales are priced, what is reported can be computed again."""

from datetime import date

import polars as pl

COUNTY = "Y0101"


def test_plans_cascade_from_the_county_to_its_managers(table) -> None:
    """KPI-08: the county's first version is the sum of its managers' plans, on every day and of every brand."""
    heads = table("retail", "plan").select("plan_id", "owner_kind", "plan_year", "plan_version", "annual_cases")
    days = table("retail", "plan_day").join(heads, on="plan_id").filter(pl.col("plan_version") == 1)
    sums = days.group_by("owner_kind", "brand_id", "plan_date").agg(pl.col("cases").sum())
    both = sums.pivot("owner_kind", index=["brand_id", "plan_date"], values="cases")
    assert both.height and both.filter(pl.col("employee") != pl.col("organisation")).is_empty()
    told = table("retail", "plan_day").group_by("plan_id").agg(pl.col("cases").sum()).join(heads, on="plan_id")
    assert told.filter(pl.col("cases") != pl.col("annual_cases")).is_empty()


def test_the_countys_plan_is_raised_before_its_year(table) -> None:
    """KPI-06: a second version, in force from the last day of the year before."""
    heads = table("retail", "plan").filter((pl.col("owner_kind") == "organisation") & (pl.col("plan_year") == 2026))
    first, second = heads.sort("plan_version").iter_rows(named=True)
    assert second["in_force_from"] == date(2025, 12, 31) > first["in_force_from"]
    assert second["annual_cases"] > first["annual_cases"]


def test_sales_stand_at_the_wholesale_price_of_the_day(table) -> None:
    prices = table("retail", "brand").select("brand_id", "effective_date", "wholesale_price").sort("effective_date")
    sold = table("retail", "sale").sort("sale_date")
    priced = sold.join_asof(
        prices, left_on="sale_date", right_on="effective_date", by="brand_id", check_sortedness=False
    ).with_columns(off=(pl.col("amount") - pl.col("cases") * pl.col("wholesale_price")).abs())
    assert priced.height == sold.height and priced["off"].cast(pl.Float64).max() <= 0.01
    assert priced.filter(pl.col("brand_id") == "P004")["wholesale_price"].n_unique() == 2


def test_a_retailer_is_handed_over_where_his_sales_say_so(table) -> None:
    moved = table("retail", "retailer").filter(pl.col("change_flag") == "U")
    assert moved.height
    for row in moved.iter_rows(named=True):
        sold = table("retail", "sale").filter(pl.col("retailer_no") == row["retailer_no"])
        later = sold.filter(pl.col("sale_date") >= row["effective_date"])
        assert later["manager_no"].unique().to_list() == [row["manager_no"]]
        assert row["manager_no"] not in sold.filter(pl.col("sale_date") < row["effective_date"])["manager_no"]


def test_a_lead_by_the_calendar_is_reported_in_some_months(table) -> None:
    """GT-05: those that the plan's curve does not give."""
    figures = table("retail", "reported_figure").filter((pl.col("scope") == "all") & (pl.col("figure") == "lead"))
    plan = table("retail", "plan_day").filter(pl.col("plan_id").str.ends_with(f"{COUNTY}2"))
    sold = table("retail", "sale")
    off = []
    for row in figures.iter_rows(named=True):
        first = row["as_of"].replace(day=1)
        month = plan.filter(pl.col("plan_date").dt.truncate("1mo") == first)
        whole = month["cases"].sum()
        due = month.filter(pl.col("plan_date") <= row["as_of"])["cases"].sum()
        done = sold.filter(pl.col("sale_date").is_between(first, row["as_of"]))["cases"].sum()
        off.append(abs(float((done - due) / whole * 100) - float(row["printed_value"])) > 1)
    assert 0 < sum(off) < len(off)
