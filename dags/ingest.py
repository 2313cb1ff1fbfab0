"""One DAG per source that has contracts: load what it landed for one business date."""

import wiring
from airflow.sdk import DAG, task


def ingest_dag(source: str) -> DAG:
    """Return the DAG of one source."""
    tables = ", ".join(sorted(f"`{file.stem}`" for file in (wiring.CONTRACTS / source).glob("*.yaml")))
    with DAG(
        dag_id=f"ingest_{source}",
        schedule=wiring.ingest_schedule(),
        default_args=wiring.DEFAULTS,
        params={"business_date": wiring.date_form(required=not wiring.NIGHT)},
        user_defined_macros=wiring.MACROS,
        max_active_runs=4,
        catchup=False,
        tags=["ingestion", source],
        doc_md=f"""
### Ingest `{source}`
Receives and loads the files that `{source}` landed for one business date, as its contracts say: {tables}.

Every good row lands once; every bad row goes to quarantine with file, line and rule; rows and amounts are proven
against the sender's control record. The same files again are a no-op. A refused file is named below in the log: put
it right in the landing folder, then clear the task. When all is complete, *arrived* emits the partition *business date*
of asset `raw_{source}`.
{wiring.PAGES}""",
    ) as dag:

        @task
        def ingest(source: str, business_date: str) -> str:
            """Load the files of one business date; refuse the ones that break their contract."""
            return wiring.run("ingest", source, business_date)

        @task(pool=wiring.ARRIVALS, outlets=[wiring.RAW[source]])
        def arrived(source: str, business_date: str, outlet_events=None) -> None:
            """Say that the source is complete for the date; what waits for all sources then starts."""
            outlet_events[wiring.RAW[source]].add_partitions(business_date)

        ingest(source, wiring.BUSINESS_DATE) >> arrived(source, wiring.BUSINESS_DATE)
    return dag


for name in wiring.SOURCES:
    globals()[f"ingest_{name}"] = ingest_dag(name)
