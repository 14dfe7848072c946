# Each target does its own set-up. `make` alone lists them.
# PYTHON is the interpreter to make .venv from (3.11 or newer); pip's own settings are honoured.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PACKAGES := cli connectors engine notifiers runtime
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup types format lint check test quick bench demo docs picture soak ablations golden lock up down clean redis

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(READY) types ## .venv with everything that the lock file pins, and `belfry` in .venv/bin

# The stamp holds what the environment was made from: a second call is free, a changed lock is not.
$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "belfry needs Python 3.11 or newer: make setup PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "this Python has no venv; on Debian: apt-get install python3-venv" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Without root and without it, the tests about it fail and say what to install.
redis: setup ## redis-server for the tests, installed if this is root
	@command -v redis-server >/dev/null || [ "$$(id -u)" != 0 ] \
	  || { apt-get update -qq; apt-get install -y -qq redis-server; } >/dev/null 2>&1 || true

types: ## the links in .typing that show type checkers the import name `belfry`
	@mkdir -p .typing/belfry
	@for folder in $(PACKAGES); do ln -sfn ../../$$folder .typing/belfry/$$folder; done

format: setup ## rewrites the code as `make lint` wants it
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lint: setup ## style, types, direction of imports, the shipped rules and the tests in them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/belfry lint
	$(BIN)/belfry test

test: setup redis ## all tests; ARGS="-k quiet" picks some
	$(BIN)/python -m pytest $(ARGS)

quick: setup redis ## all tests but those that build the wheel
	$(BIN)/python -m pytest -m "not packaging" $(ARGS)

check: lint test ## exactly what CI runs

bench: setup ## measures, prints a table, writes bench/results/latest.json
	$(BIN)/python bench/run.py $(ARGS)

demo: setup ## a synthetic bank under the shipped rules; live on a terminal, until Ctrl-C
	$(BIN)/belfry demo $(ARGS)

docs: setup ## writes docs/reference/ from the code
	$(BIN)/python docs/generate_reference.py

picture: setup ## writes the picture in README.md from what the demo prints
	$(BIN)/python docs/generate_picture.py

soak: setup ## 10,000 seeds of the simulation (an hour on a core); ARGS="--seeds 1..500" runs fewer
	$(BIN)/belfry sim --seeds 1..10000 $(ARGS)

ablations: setup ## takes one safeguard away at a time; writes the table of docs/reliability.md
	$(BIN)/belfry sim --ablations

golden: setup ## rewrites the expected outputs of tests; read the diff
	BELFRY_GOLDEN=rewrite $(BIN)/python -m pytest -m "not packaging" --quiet || true
	git status --short tests

lock: setup ## resolves the dependencies anew, with hashes
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet --upgrade -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet --upgrade \
	  -c requirements.lock -o requirements-dev.lock

COMPOSE := docker compose --env-file deploy/images.env --env-file .env $(if $(PROFILE),--profile $(PROFILE))

up: ## Belfry, Kafka, Redis, Prometheus, Grafana and a mail catcher in containers; PROFILE=three
	@command -v docker >/dev/null || { echo "make up needs Docker with its compose plugin" >&2; exit 2; }
	@test -f .env || { echo "copy .env.example to .env and fill it in" >&2; exit 2; }
	$(COMPOSE) up --build --detach --wait

down: ## stops them; their data stays in Docker's volumes
	@test -f .env || { echo "there is no .env, so nothing that 'make up' started" >&2; exit 2; }
	docker compose --env-file deploy/images.env --env-file .env --profile '*' down

clean: ## removes everything that make made
	rm -rf .venv .typing build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
