# `make` lists what can be made. `make up` runs Routiq, `make test` tests it.
.DEFAULT_GOAL := help
.PHONY: help up down test test-compose lint types lock schemas documents environment bench-gateway bench-sync bench-reads bench-recovery bench-tracing

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
PROJECTS := libs/contracts libs/chassis services/gateway services/patients services/sync services/analytics services/admin \
	emulators/cliniko emulators/clerk emulators/rabbitmq cli
MANIFESTS := pyproject.toml $(PROJECTS:%=%/pyproject.toml)
UV := $(VENV)/bin/uv
export UV_SYSTEM_CERTS ?= true
UP_OPTIONS := $(if $(DETACH),--detach)

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1|/' | column -t -s '|'

up: $(STAMP) ## set everything up, run Routiq and sync two demo clinics (DETACH=1: return once healthy)
	@$(VENV)/bin/routiq up $(UP_OPTIONS)

down: $(STAMP) ## stop what `make up` started
	@$(VENV)/bin/routiq down

test: $(STAMP) ## every test, on real PostgreSQL and every broker this machine has
	$(VENV)/bin/pytest --numprocesses 4 --dist loadgroup --no-loadscope-reorder services libs emulators cli
	$(VENV)/bin/pytest tests # whole systems, which would be in each other's way

ON_COMPOSE := tests/deploy/test_compose_engine.py $(addprefix tests/e2e/test_,reading.py audit.py contract.py)

test-compose: $(STAMP) ## the compose file and what end-to-end tests can ask of it (needs a Docker engine, ports 80 and 443)
	ROUTIQ_REQUIRE_ENGINE=1 $(VENV)/bin/pytest $(ON_COMPOSE)

bench-gateway: $(STAMP) ## the gateway beside a bare server, a plain proxy and HAProxy (needs wrk)
	@$(VENV)/bin/python bench/gateway_cost.py

bench-sync: $(STAMP) ## seconds, records a second and memory of syncs (LARGE=1: also a million appointments)
	@$(VENV)/bin/python bench/sync_speed.py

bench-reads: $(STAMP) ## lists and figures beside a baseline, at 1,000 clinics (CLINICS=10: a small one; needs wrk)
	@$(VENV)/bin/python bench/read_speed.py

bench-recovery: $(STAMP) ## how long a backup, its restore and the replay take, and bytes on disk (CLINICS=20: the larger of two sizes)
	@$(VENV)/bin/python bench/recovery_time.py

bench-tracing: $(STAMP) ## what traces cost a request: off, on and not recorded, recorded
	@$(VENV)/bin/python bench/tracing_cost.py

lint: $(STAMP) ## style, imports between the parts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports

types: $(STAMP) ## mypy, strict
	$(VENV)/bin/mypy

lock: $(STAMP) ## resolve the dependencies again into requirements/ (keeps pins that still fit)
	$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		$(foreach m,$(PROJECTS),--no-emit-package $$(sed -n 's/^name = "\(.*\)"/\1/p' $(m)/pyproject.toml)) \
		$(MANIFESTS) --group dev -o requirements/dev.txt
	$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		$(foreach m,$(PROJECTS),--no-emit-package $$(sed -n 's/^name = "\(.*\)"/\1/p' $(m)/pyproject.toml)) \
		$(filter libs/% services/%,$(MANIFESTS)) -c requirements/dev.txt -o requirements/runtime.txt

schemas: $(STAMP) ## take today's event schemas as the ones later changes are compared with
	$(VENV)/bin/python -m contracts.schemas libs/contracts/schemas

documents: $(STAMP) ## write docs/openapi.json, docs/asyncapi.json and the TypeScript client's types anew (needs npm)
	$(VENV)/bin/python docs/openapi.py docs/openapi.json
	$(VENV)/bin/python -m contracts.asyncapi docs/asyncapi.json
	npm --prefix clients/typescript ci
	npm --prefix clients/typescript run generate

environment: $(STAMP) ## the Python environment in .venv, from the hashed lock files

$(STAMP): requirements/uv.txt requirements/dev.txt $(MANIFESTS)
	@echo "Preparing the Python environment in $(VENV) (once; needs a package index) ..."
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(UV) pip sync -q --python $(VENV)/bin/python --require-hashes requirements/uv.txt requirements/dev.txt
	@$(UV) pip install -q --python $(VENV)/bin/python --offline --no-deps $(PROJECTS:%=-e %)
	@touch $@
