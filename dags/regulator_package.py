"""Make one regulator package: declared, validated, numbered, reproducible."""

import wiring
from airflow.sdk import DAG, Param, task

with DAG(
    dag_id="regulator_package",
    schedule=None,
    default_args=wiring.DEFAULTS,
    params={
        "profile": Param(
            wiring.PROFILES[0], enum=wiring.PROFILES, title="Profile 报送口径", description="What is reported."
        ),
        "period": wiring.month_form(),
    },
    user_defined_macros=wiring.MACROS,
    max_active_runs=1,
    catchup=False,
    tags=["regulatory"],
    doc_md=f"""
### Make a regulator package 监管报送
*Trigger*, choose profile and month. Rows that break the specification stop it and are named in the log; no package is
made then. Packages lie under `out/packages` in the warehouse's home and are not shown in the browser.
{wiring.PAGES}""",
) as dag:

    @task
    def extract(profile: str, period: str) -> str:
        """Read the published marts, validate every row, write data, log and archive."""
        return wiring.run("extract", profile, period)

    extract("{{ params.profile }}", wiring.PERIOD)
