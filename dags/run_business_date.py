"""One form for a whole business date: starts the ingestion of every source; the rest follows from their assets."""

import wiring
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

with DAG(
    dag_id="run_business_date",
    schedule=None,
    default_args=wiring.DEFAULTS,
    params={"business_date": wiring.date_form(required=True)},
    catchup=False,
    max_active_runs=1,
    tags=["warehouse", "start here"],
    doc_md=f"""
### Run one business date
*Trigger*, choose the date: the sources {", ".join(wiring.SIMULATED_SOURCES)} are ingested side by side, and when all
four have arrived `build_and_publish` starts by itself. Running a date again is safe: what is loaded stays loaded.
{wiring.PAGES}""",
) as dag:
    for source in wiring.SIMULATED_SOURCES:
        TriggerDagRunOperator(
            task_id=f"start_{source}",
            trigger_dag_id=f"ingest_{source}",
            conf={"business_date": "{{ params.business_date }}"},
            doc_md=f"Starts `ingest_{source}` for the date of the form; the link *Triggered DAG* leads to its run.",
        )
