"""Exit 0 where the named part of Airflow is healthy: `healthy.py scheduler`. Used by the container health checks."""

import json
import sys
from urllib.request import urlopen

with urlopen("http://api-server:8080/api/v2/monitor/health", timeout=5) as answer:
    health = json.load(answer)
sys.exit(health[sys.argv[1]]["status"] != "healthy")
