"""What tasks would each import for seconds, imported once by the scheduler: LocalExecutor forks every task from it.

Airflow imports this module in all its services. Only libraries belong here, so that a change of our own code needs no
restart, and none whose threads a fork would lose, as it does polars' (docs/decisions/0009).
"""

import sys

if "scheduler" in sys.argv:
    import dbt.cli.main  # noqa: F401
    import great_expectations  # noqa: F401
