# Commands of the project. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
QUARTER ?= 2023-Q1
PACKAGES := orchestration ingestion expectations publication sample common
# What tests drive beside Python: a browser, an office suite, a PDF reader, a database server, a tracer of system calls,
# and what a host of the service has.
DEBIAN_PACKAGES := chromium chromium-driver libreoffice-writer libreoffice-calc poppler-utils mupdf-tools qpdf postgresql strace restic \
    systemd nginx-light openssl logrotate shellcheck minisign faketime
# What Apache Spark runs on.
SPARK_PACKAGES := openjdk-17-jre-headless

# One more than there are cores: tests of runs wait for processes, files that rest, and browsers.
WORKERS = $$(($$(nproc) + 1))

# Without compiled modules every process would compile them again, for ever.
unexport PYTHONDONTWRITEBYTECODE
export DAGSTER_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false

.PHONY: help setup setup-spark packages run test short-tests test-long test-spark mutants lint ui bench docs contracts lock wheel audit sbom clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## make the virtual environment from the hashed lock file

$(VENV)/.ready: requirements.lock pyproject.toml .ci/make-venv
	@.ci/make-venv $(VENV) $(PACKAGES)
	@touch $@

setup-spark: $(VENV)/.spark ## add Apache Spark, an engine beside DuckDB, from its own hashed lock file (docs/spark.md)

$(VENV)/.spark: requirements-spark.lock $(VENV)/.ready
	@.ci/debian-packages $(SPARK_PACKAGES)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-spark.lock
	@touch $@

packages:
	@.ci/debian-packages $(DEBIAN_PACKAGES)

run: setup ## sample deliveries of one district, then a published release of QUARTER (default 2023-Q1)
	@$(BIN)/cchc sample
	@$(BIN)/cchc run $(QUARTER)

test: setup packages ## lint, types and layers beside every test but the long ones
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line lint short-tests  # the type checker has one core's work

short-tests: setup
	@$(BIN)/python -m pytest -m "not long" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

test-long: setup packages ## the tests that take minutes, and every property test with new examples
	@$(BIN)/python -m pytest -m "long or hypothesis" --numprocesses logical --dist loadfile --no-loadscope-reorder

test-spark: setup-spark ## whole runs on a Spark cluster of this machine against those of DuckDB, table by table
	@$(BIN)/python -m pytest tests/spark

build/mutants/.ready: .ci/mutants.lock $(VENV)/.ready
	@mkdir -p build
	@$(BIN)/python -m venv build/mutants
	@build/mutants/bin/pip install --quiet --require-hashes -r .ci/mutants.lock
	@$(BIN)/python -c 'import site; print(site.getsitepackages()[0])' >build/project.pth
	@mv build/project.pth build/mutants/lib/python3.11/site-packages/
	@touch $@

mutants: setup build/mutants/.ready ## changes the code in small ways and sees whether a test notices; GROUP names one
	@build/mutants/bin/python .ci/mutants.py $(GROUP)

lint: setup ## ruff, its layout, mypy and the layers between rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/python -m orchestration.generated --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

ui: setup ## Dagster and the office's page in the browser, on this machine only; Ctrl-C stops them
	@$(BIN)/python -m orchestration.ui

bench: setup ## measure the main job beside its floor; writes docs/performance.md
	@$(BIN)/python -m benchmarks.bench --write

docs: setup ## dbt's documentation as one page, build/dbt-docs/index.html
	@$(BIN)/python -m orchestration.dbt_docs build/dbt-docs

contracts: setup ## write what is generated from declarations; refuses where a published table lacks its version
	@$(BIN)/python -m orchestration.generated $(if $(REMOVE),--remove $(REMOVE))

lock: setup ## resolve requirements.lock again (needs the network)
	@test -x build/lock/bin/uv || { $(BIN)/python -m venv build/lock && build/lock/bin/pip install --quiet uv; }
	@build/lock/bin/uv pip compile pyproject.toml --extra dev --generate-hashes --no-strip-extras \
	    --no-emit-index-url --universal --quiet -o requirements.lock
	@echo 'cyclonedx-bom>=7' | build/lock/bin/uv pip compile - --generate-hashes --no-emit-index-url --universal \
	    --python-version 3.11 --quiet -o .ci/sbom.lock
	@echo 'mutmut>=3.8' | build/lock/bin/uv pip compile - --constraint requirements.lock --generate-hashes \
	    --no-emit-index-url --universal --python-version 3.11 --quiet -o .ci/mutants.lock
	@$(BIN)/python -c 'import tomllib; found = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*found["optional-dependencies"]["spark"], sep="\n")' | build/lock/bin/uv pip compile - \
	    --constraint requirements.lock --generate-hashes --no-strip-extras --no-emit-index-url --universal \
	    --python-version 3.11 --quiet -o requirements-spark.lock
	@! grep -n '://' requirements.lock requirements-spark.lock .ci/sbom.lock .ci/mutants.lock

wheel: setup ## what a host needs, from what is committed: wheel, locked requirements, deploy/; in build/wheel
	@rm -rf build/wheel && mkdir -p build/wheel/sources
	@git archive HEAD | tar -x -C build/wheel/sources
	@$(BIN)/python -m pip wheel --quiet --no-index --no-deps --no-build-isolation -w build/wheel build/wheel/sources
	@$(BIN)/python .ci/runtime_lock.py >build/wheel/requirements.lock
	@mv build/wheel/sources/deploy build/wheel/sources/requirements-spark.lock build/wheel/
	@mkdir build/wheel/docs && mv build/wheel/sources/docs/deploy.md build/wheel/docs/
	@rm -r build/wheel/sources
	@ls build/wheel

audit: setup ## the lock against known vulnerabilities, of the folder ADVISORIES (OSV files) where one is given
	@$(BIN)/python .ci/audit.py $(ADVISORIES)

build/sbom/.ready: .ci/sbom.lock
	@mkdir -p build
	@$(BIN)/python -m venv build/sbom
	@build/sbom/bin/pip install --quiet --require-hashes -r .ci/sbom.lock
	@touch $@

sbom: setup build/sbom/.ready ## what the program is made of, as CycloneDX: build/sbom.cdx.json; the same lock gives the same bytes
	@$(BIN)/python .ci/runtime_lock.py >build/runtime.lock
	@build/sbom/bin/python -W ignore -m cyclonedx_py requirements build/runtime.lock --pyproject pyproject.toml --mc-type application \
	    --output-reproducible --of JSON -o build/sbom.cdx.json
	@ls build/sbom.cdx.json

clean: ## remove what was built; keeps the data and the virtual environment
	@rm -rf build dbt_project/target dbt_project/logs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find $(PACKAGES) tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
