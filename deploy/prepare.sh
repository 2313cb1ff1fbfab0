#!/bin/sh
# Once before the services start, and after every change of version: schemas, Airflow's user, database and pools.
set -eu
case "$POSTGRES_PASSWORD" in
*[!A-Za-z0-9_-]*)
  echo "POSTGRES_PASSWORD stands in addresses: it may have letters, digits, - and _ only (.env.example makes one)." >&2
  exit 1
  ;;
esac
c360 db start
python <<'END'
import json
import os
from pathlib import Path

from pipeline.airflow import DATABASE, USER
from warehouse.connection import create_database
from warehouse.secret import write_whole

create_database(DATABASE)
passwords = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
write_whole(passwords, json.dumps({USER: os.environ["AIRFLOW_PASSWORD"]}))
END
airflow db migrate
airflow pools import dags/pools.json
