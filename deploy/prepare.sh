#!/bin/sh
# Once before the services start, and after every change of version: schemas, Airflow's database, user and pool.
set -eu
mkdir -p "$AIRFLOW_HOME"
(umask 077 && printf '{"%s": "%s"}\n' "$AIRFLOW_USER" "$AIRFLOW_PASSWORD" > "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE")
c360 db start
python -c 'from warehouse.connection import create_database; create_database("airflow")'
airflow db migrate
airflow pools set warehouse 1 "One writer from stage to publish, so that no two business dates build at once."
airflow pools set arrivals 1 "One source after the other says that it has arrived, so that what waits for all of them starts."
