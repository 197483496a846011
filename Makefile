# Futstar. `make help` lists the targets. Everything lives in .venv/ and .tools/ in this folder.
SHELL := /bin/sh
PY := .venv/bin/python
MATCH ?=
PROVIDER ?= statsperform
SPEED ?= 60
HEADLESS ?=
PORT ?= 8080
INPUT ?=
SEED ?= 7
DATA ?= ../shared/data
CHECK ?=
FUZZ_HOURS ?= 1
FUZZ_SEED ?= 1
DAYS ?= 1
MATCHES ?= 10

.PHONY: help demo test coverage test-bus lint format programs test-rust fuzz mutants chaos soak bench economics train clients clean
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## A real match becomes a market (MATCH= PROVIDER= SPEED=60 HEADLESS=1 PORT= SEED=)
	@scripts/bootstrap.sh run
	@$(PY) -m backend.cli.main demo --provider $(PROVIDER) --speed $(SPEED) --port $(PORT) --seed $(SEED) \
	  $(if $(MATCH),--match $(MATCH)) $(if $(HEADLESS),--headless)

test: ## The whole test suite (no Rust, no Node needed)
	@scripts/bootstrap.sh dev
	@scripts/test.sh

coverage: ## The same with every line traced, at least 85 % of them (20 min)
	@scripts/bootstrap.sh dev
	@scripts/test.sh --cov

test-bus: ## The bus on memory, Valkey and a real Kafka, fetched once (needs Java 17 and Maven)
	@scripts/bootstrap.sh dev
	@scripts/ci_bus.sh

lint: ## ruff, strict types, one-way imports
	@scripts/bootstrap.sh dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

format: ## Let ruff rewrite what it can
	@scripts/bootstrap.sh dev
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

programs: ## Rebuild the on-chain programs and compare with the committed hashes (needs Rust)
	@scripts/build_programs.sh --check

test-rust: ## The programs' own tests on the host (needs Rust)
	@scripts/test_rust.sh

fuzz: ## Random actors against the programs for hours (FUZZ_HOURS=1 FUZZ_SEED=1)
	@scripts/bootstrap.sh dev
	@$(PY) -m tests.fuzz --hours $(FUZZ_HOURS) --seed $(FUZZ_SEED) --steps 200000

mutants: ## Plant bugs in copies of the programs; the fuzzer must find each (needs Rust)
	@scripts/bootstrap.sh dev
	@$(PY) -m scripts.mutants

chaos: ## Days of matches with every fault of every feed, from a random seed or SEED= (DAYS=1 MATCHES=10)
	@scripts/bootstrap.sh dev
	@$(PY) -m tests.chaos --days $(DAYS) --matches $(MATCHES) \
	  $(if $(filter command% environment%,$(origin SEED)),--seed $(SEED))

soak: ## 30 days of ten matches with faults, compressed (two processes)
	@scripts/bootstrap.sh dev
	@$(PY) -m tests.chaos --seed $(if $(filter command% environment%,$(origin SEED)),$(SEED),1) --days 30 --matches 10 --faults rough --poll 120 --archive --workers 2

train: ## Fit xg/1 and model/1 again from recorded matches (10 min; DATA=folder CHECK=1: compare, write nothing)
	@scripts/bootstrap.sh train
	@mkdir -p artifacts
	@.venv-train/bin/python -m training.xg --data $(DATA)
	@.venv-train/bin/python -m training.model --data $(DATA) $(if $(CHECK),--check)

clients: ## Regenerate the Python clients from the committed IDL
	@scripts/bootstrap.sh dev
	@$(PY) -m chain.codegen

bench: ## Run the quick benches and write artifacts/bench-*.json
	@scripts/bootstrap.sh run
	@mkdir -p artifacts
	@for name in $$($(PY) -m backend.cli.main bench --list); do \
	  $(PY) -m backend.cli.main bench $$name --quick --json artifacts/bench-$$name.json || exit 1; done

economics: ## 200 recorded matches through the programs: pool and traders (4 min; INPUT=folder of Wyscout matches)
	@scripts/bootstrap.sh run
	@mkdir -p artifacts
	@$(PY) -m bench.economics $(if $(INPUT),--input $(INPUT)) --json artifacts/economics.json

clean: ## Remove the environment, the tools and what runs left behind
	rm -rf .venv .venv-train .tools .futstar artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis
