"""Ask every hour whether the sources have sent what they owe."""

import wiring
from airflow.sdk import DAG, CronTriggerTimetable, Param, task

with DAG(
    dag_id="source_freshness",
    schedule=CronTriggerTimetable("5 * * * *", timezone=wiring.TIMEZONE),
    default_args=wiring.DEFAULTS,
    params={"source": Param("all", enum=["all", *wiring.SOURCES], title="Source 来源", description="Whose tables.")},
    max_active_runs=1,
    catchup=False,
    tags=["ingestion", "quality"],
    doc_md=f"""
### Source freshness 数据新鲜度
A source that sends nothing starts no run that could notice. So every hour dbt asks for each table of each source
whether all came that its contract owes by now, on the bank calendar. A table that is behind is counted in the quality
results.
{wiring.PAGES}""",
) as dag:

    @task
    def check_freshness(source: str) -> str:
        """Ask for each table; what is behind is a result, not a failure."""
        return wiring.run("check_freshness", source)

    check_freshness("{{ params.source }}")
