"""Assess the customer managers (客户经理) for one month and write their scorecards."""

import wiring
from airflow.sdk import DAG, CronTriggerTimetable, Param, task

with DAG(
    dag_id="assess_managers",
    schedule=CronTriggerTimetable("0 6 3 * *", timezone=wiring.TIMEZONE),
    default_args=wiring.DEFAULTS,
    params={
        "period": wiring.month_form(),
        "kind": Param("final", enum=["final", "provisional"], title="Kind 性质", description="A final run is sealed."),
    },
    user_defined_macros=wiring.MACROS,
    max_active_runs=1,
    catchup=False,
    tags=["assessment", "scorecard"],
    doc_md=f"""
### Assess the customer managers 客户经理考核
On the third of each month at 06:00 Beijing time for the month that has ended; by hand for any month that is closed
and published. The run pins rules and data and seals its evidence: the same month again changes nothing, and later
facts only *propose* a re-assessment.
{wiring.PAGES}""",
) as dag:

    @task(pool=wiring.POOL)
    def assess(period: str, kind: str) -> str:
        """Score every manager, seal the evidence, build and publish the scorecards."""
        return wiring.run("assess", period, kind)

    @task
    def report(period: str) -> str:
        """Write the scorecard pages from what is published."""
        return wiring.run("report", period)

    assess(wiring.PERIOD, "{{ params.kind }}") >> report(wiring.PERIOD)
