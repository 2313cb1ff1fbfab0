"""Statements, design documents, stages and capture are as their firms, projects and changes have them."""

from datetime import date

import polars as pl

from simulator.connections import FLOWS


def test_reported_sales_are_overstated_where_the_truth_says_so(table, truth) -> None:
    sent = table("core_banking", "financial_statement")
    joined = sent.join(truth("statements"), on="statement_id")
    assert joined.height == sent.height > 200
    ratio = pl.col("reported_sales").cast(pl.Float64) / (pl.col("true_sales") / 100)
    assert joined.filter(pl.col("is_overstated") != (ratio > 1.5)).height == 0
    assert 0.05 < joined["is_overstated"].mean() < 0.25
    again = sent.filter(pl.col("version_no") == 2)
    assert again.height and (again["verification_state"] != "unverified").all()
    assert set(sent.filter(pl.col("version_no") == 1)["verification_state"]) == {"unverified"}
    assert (sent["audit_firm"].is_null() == (sent["audit_state"] == "unaudited")).all()


def test_a_stage_is_sent_back_as_often_as_its_documents_are_handed_in_again(table) -> None:
    documents, stages = table("grid_billing", "design_document"), table("grid_billing", "connection_stage")
    rounds = documents.group_by("project_id").agg(again=pl.col("submission_no").max() - 1)
    rework = (
        stages.filter((pl.col("stage") == "design_review") & (pl.col("event") == "rework"))
        .group_by("project_id")
        .agg(sent_back=pl.len())
    )
    reviewed = stages.filter((pl.col("stage") == "design_review") & (pl.col("event") == "end"))["project_id"]
    joined = rounds.join(rework, on="project_id", how="left").filter(pl.col("project_id").is_in(reviewed.implode()))
    assert joined.height and joined["again"].sum() > 0
    assert (joined["again"] == joined["sent_back"].fill_null(0)).all()


def test_projects_go_through_all_stages_of_their_voltage(table) -> None:
    stages = table("grid_billing", "connection_stage")
    projects = table("grid_billing", "connection_project").filter(pl.col("state") == "energised")
    ended = (
        stages.filter(pl.col("event") == "end").group_by("project_id", maintain_order=True).agg(stages=pl.col("stage"))
    )
    for row in projects.join(ended, on="project_id").iter_rows(named=True):
        flow = list(FLOWS[row["voltage_level"]])
        assert row["stages"] in (flow, flow[:-1]), row["project_id"]
    assert len(FLOWS["10kV"]) == len(set(FLOWS["10kV"])) == 18
    assert {"start", "end", "rework", "pause", "resume"} == set(stages["event"])


def test_leaders_visit_their_projects(table) -> None:
    projects = table("grid_billing", "connection_project").filter(pl.col("state") == "energised")
    visits = table("grid_billing", "visit").filter(pl.col("project_id").is_not_null())
    joined = visits.join(projects, on="project_id", suffix="_project")
    assert joined.height and (joined["employee_no"] == joined["leader_no"]).all()


def test_every_change_of_a_customer_says_who_took_it_down(table) -> None:
    for source, name, electronic in (
        ("core_banking", "customer", {"mobile_bank", "net_bank"}),
        ("card", "cardholder", {"mobile_bank"}),
        ("grid_billing", "consumer", {"grid_app"}),
    ):
        rows = table(source, name)
        assert rows["capture_channel"].null_count() == 0 and electronic < set(rows["capture_channel"])
        himself = rows["capture_channel"].is_in(sorted(electronic))
        assert (rows["capture_operator"].is_null() == himself).all()
        day = rows["captured_at"].str.replace_all("-", "").str.slice(0, 8).str.to_date("%Y%m%d")
        assert (day == rows["effective_date"]).all()
        assert rows["effective_date"].min() < date(2026, 1, 1)


def test_applications_end_before_their_loans_are_paid_out(table) -> None:
    stages = table("core_banking", "loan_application_stage")
    approved = stages.filter(pl.col("decision") == "approved")
    loans = table("core_banking", "loan").unique("contract_no", keep="first")
    joined = approved.join(loans, on="contract_no", suffix="_loan")
    assert joined.height and (joined["customer_id"] == joined["customer_id_loan"]).all()
    assert (joined["ended_at"].cast(pl.String) < joined["disbursed_on"].cast(pl.String)).all()
    assert (stages["ended_at"] >= stages["started_at"]).all()
    assert (
        stages.filter(pl.col("decision") == "rejected")["contract_no"].null_count()
        == stages.filter(pl.col("decision") == "rejected").height
        > 0
    )
    by_stage = stages.sort("application_id", "started_at").with_columns(
        before=pl.col("ended_at").shift().over("application_id")
    )
    assert (by_stage["started_at"] >= by_stage["before"]).drop_nulls().all()


def test_services_are_signed_by_customers_and_used_afterwards(table) -> None:
    signed = table("core_banking", "service_subscription")
    opened = table("core_banking", "customer").group_by("customer_id").agg(pl.col("opened_on").min())
    joined = signed.join(opened, on="customer_id", how="left")
    assert (joined["signed_on"] >= joined["opened_on"]).all()
    assert (signed["activated_on"] > signed["signed_on"]).drop_nulls().all()
    assert set(signed["product_id"]) <= set(table("core_banking", "product")["product_id"])
    assert set(signed["status"]) == {"signed", "active", "ended"}


def test_firms_keep_accounts_for_guarantees(table) -> None:
    kept = table("core_banking", "account").filter(pl.col("product_id").is_in(["DD12", "DD13"]))
    assert set(kept["product_id"]) == {"DD12", "DD13"}
    assert set(kept["account_type"]) == {"corporate_general"}
