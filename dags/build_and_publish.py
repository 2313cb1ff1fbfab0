"""Build and publish one business date when every source of the bank and the grid has arrived."""

from functools import reduce
from operator import and_

import wiring
from airflow.sdk import DAG, PartitionedAssetTimetable, chain, task

with DAG(
    dag_id="build_and_publish",
    schedule=PartitionedAssetTimetable(assets=reduce(and_, (wiring.RAW[name] for name in wiring.SIMULATED_SOURCES))),
    default_args=wiring.DEFAULTS,
    params={"business_date": wiring.date_form(required=False)},
    user_defined_macros=wiring.MACROS,
    max_active_runs=1,
    catchup=False,
    tags=["warehouse", "publication"],
    doc_md=f"""
### Build and publish one business date
Runs by itself when the partitions of one business date have arrived from {", ".join(wiring.SIMULATED_SOURCES)}; or by
hand: *Trigger*, and give the date (after a correction, or for a source that stands alone).

check raw → stage → identify → build → check marts → publish → document. Nothing is published unless the gate
*check_marts* opens; until then readers keep the publication in force. Every task may be cleared and run again. All
that writes waits for the one slot of pool `{wiring.POOL}`.
{wiring.PAGES}""",
) as dag:

    @task
    def check_raw(business_date: str) -> str:
        """Volumes, distributions and reconciliation between the sources, as loaded."""
        return wiring.run("check_raw", business_date)

    @task(pool=wiring.POOL)
    def stage(business_date: str) -> str:
        """The staging views, and what identity reads."""
        return wiring.run("stage", business_date)

    @task(pool=wiring.POOL)
    def identify(business_date: str) -> str:
        """Place new and changed customers into parties; decisions are appended as events."""
        return wiring.run("identify", business_date)

    @task(pool=wiring.POOL)
    def build(business_date: str) -> str:
        """Change logs, star and marts from all batches not yet taken up, with their tests."""
        return wiring.run("build", business_date)

    @task(pool=wiring.POOL)
    def check_marts(business_date: str) -> str:
        """The gate: a check of severity *fail* keeps the old publication in force."""
        return wiring.run("check_marts", business_date)

    @task(pool=wiring.POOL, outlets=[wiring.MARTS])
    def publish(business_date: str, outlet_events=None) -> str:
        """Make all marts current at once."""
        summary = wiring.run("publish", business_date)
        outlet_events[wiring.MARTS].add_partitions(business_date)
        return summary

    @task
    def document() -> str:
        """Write the dbt documentation of what was built."""
        return wiring.run("document")

    day = wiring.BUSINESS_DATE
    chain(check_raw(day), stage(day), identify(day), build(day), check_marts(day), publish(day), document())
