"""Run one approved backfill: a range of business dates through all steps, in order."""

import wiring
from airflow.sdk import DAG, Param, task

with DAG(
    dag_id="run_backfill",
    schedule=None,
    default_args=wiring.DEFAULTS,
    params={"backfill": Param(type="integer", minimum=1, title="Backfill 补数", description="Number of the request.")},
    max_active_runs=1,
    catchup=False,
    tags=["warehouse", "backfill"],
    doc_md=f"""
### Run a backfill 补数
A backfill is asked for and approved by two people first: `c360 backfill request`, `c360 backfill approve`
(docs/runbooks/backfill.md). *Trigger*, give its number: its dates go through ingest, checks, build and publication one
after the other. What fails is named in the log; put it right and clear the task: it goes on at the date where it
stopped. All that writes waits for the one slot of pool `{wiring.POOL}`.
{wiring.PAGES}""",
) as dag:

    @task(pool=wiring.POOL)
    def run_backfill(number: str) -> str:
        """Take the dates that are left the whole way."""
        return wiring.run("run_backfill", number)

    run_backfill("{{ params.backfill }}")
