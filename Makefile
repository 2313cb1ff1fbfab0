# The two commands: `make demo` shows the product, `make test` proves it. `make help` lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv --quiet
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
# Where the environment forbids it, every start would compile the libraries anew.
unexport PYTHONDONTWRITEBYTECODE
# uv does not read pip's configuration: hand it the package index that pip was told to use here, if any.
PIP_INDEX := $(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null)
ifneq ($(PIP_INDEX),)
export UV_DEFAULT_INDEX ?= $(PIP_INDEX)
endif

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo demo-real airflow containers test bench bench-build soak lint lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: setup ## the whole way on simulated extracts, from files to scorecard and regulator package
	@$(BIN)/c360 demo $(if $(SCALE),--scale $(SCALE)) $(if $(SEED),--seed $(SEED))

demo-real: setup ## the real data sets beside the demo: make demo-real DATA=FOLDER
	@test -n "$(DATA)" || { echo "Say where the real data sets lie: make demo-real DATA=FOLDER (their sources: docs/real_data.md)"; exit 2; }
	@$(BIN)/c360 demo-real "$(DATA)"

airflow: setup ## Airflow on this machine, until Ctrl-C
	@$(BIN)/c360 airflow

containers: ## the images and containers tried for real: built, up, two business dates, restarted, removed (needs Docker)
	@PIP_INDEX_URL="$${PIP_INDEX_URL:-$(PIP_INDEX)}" $(PYTHON) deploy/smoke.py

test: setup-test lint ## unit, dbt, integration on a real PostgreSQL, the whole way simulated and on real data, a date through a real Airflow
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

bench: setup-test .venv-dlt/installed ## ratios against baselines measured in the same run; appends to docs/benchmarks/results.jsonl
	@$(BIN)/python -m benchmarks.run

bench-build: setup-test ## the build against hand-written SQL, a day on long and short histories (SCALE=0.1, ROUNDS=3, DAYS=5)
	@$(BIN)/python -m benchmarks.build $(if $(SCALE),--scale $(SCALE)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(DAYS),--days $(DAYS))

soak: setup-test ## hundreds of random kills of loads (KILLS=300, SEED=…); writes docs/benchmarks/soak.json
	@$(BIN)/python -m benchmarks.soak $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

lint: setup-test ## style of Python and SQL, and the import rules of the rooms
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@said=$$($(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project/models dbt_project/tests 2>&1) || { echo "$$said"; exit 1; }
	@said=$$($(BIN)/lint-imports 2>&1) || { echo "$$said"; exit 1; }

setup: $(VENV)/installed ## the environment: everything pinned, every file hashed

setup-test: $(VENV)/installed-test

$(VENV)/installed: requirements.txt requirements-bootstrap.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 …")'
	@echo "Setting up $(VENV) (once; about a minute)"
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is incomplete here: install it (Debian: python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@$(UV) pip install --python $(BIN)/python --require-hashes -r requirements.txt
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed requirements-dev.txt
	@$(UV) pip install --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

.venv-dlt/installed: benchmarks/requirements-dlt.txt  # what ingestion is measured against
	@$(PYTHON) -m venv .venv-dlt
	@$(UV) pip install --python .venv-dlt/bin/python --require-hashes -r benchmarks/requirements-dlt.txt
	@touch $@

lock: ## write the pinned and hashed requirements anew
	@for name in requirements requirements-dev requirements-bootstrap benchmarks/requirements-dlt; do \
	  $(UV) pip compile --python-version 3.11 --universal --generate-hashes --no-strip-extras --no-emit-index-url \
	    --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) $$name.in -o $$name.txt; done

clean: ## stop the embedded PostgreSQL and remove the demo's state (the environment stays)
	@if [ -x $(BIN)/c360 ]; then $(BIN)/c360 db remove; fi
	@rm -rf .c360
