# Everything here sets itself up: it needs Python 3.11 or newer, and nothing else.

SHELL  := /bin/sh
VENV   := .venv
BIN    := $(VENV)/bin
HERE   := $(abspath .)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python on the path that is new enough; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo test check bench faults fuzz neo4j graphiql wheel clean

help:
	@echo "make demo       start Twinfall with a city and a plant, on http://localhost:8000/"
	@echo "make test       run the tests"
	@echo "make check      format, lint, types, layers"
	@echo "make bench      measure, and write docs/benchmarks.md"
	@echo "make faults     kill and stop everything while readings come in, and count what is left"
	@echo "make fuzz       give every parser strange input for MINUTES=10, and keep what breaks it"
	@echo "make neo4j      start a local Neo4j for trying and testing (needs Java and Maven)"
	@echo "make graphiql   rebuild the query page in api/static (needs Node 20)"
	@echo "make wheel      build the package into dist/"
	@echo "make clean      remove the environment and everything built; keeps .twinfall"

demo: $(VENV)/.made-demo
	@$(BIN)/twinfall demo $(ARGS)

test: $(VENV)/.made-test
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.made-check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs

bench: $(VENV)/.made-bench
	@$(BIN)/python -m benchmarks $(ARGS)

faults: $(VENV)/.made-test
	@$(BIN)/python -m tests.faults $(ARGS)

MINUTES ?= 10
fuzz: $(VENV)/.made-fuzz
	@$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(ARGS)

neo4j: $(VENV)/.made-demo
	@$(BIN)/python -m tests.servers.neo4j $(ARGS)

wheel: $(VENV)/.made-test
	@$(BIN)/python -m build --outdir dist

graphiql:
	@node -e 'process.exit(+process.versions.node.split(".")[0] < 20)' 2>/dev/null \
		|| { echo "make graphiql needs Node.js 20 or newer and npm."; exit 1; }
	cd api/graphiql && npm ci && npm run build

clean:
	rm -rf $(VENV) dist build api/graphiql/node_modules .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .fuzz .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment; a mark says which set of packages is in it, and is renewed with pyproject.toml.
$(VENV)/.made-demo: EXTRAS :=
$(VENV)/.made-test: EXTRAS := [test]
$(VENV)/.made-bench: EXTRAS := [test,bench]
$(VENV)/.made-check: EXTRAS := [test,check]
$(VENV)/.made-fuzz: EXTRAS := [test,fuzz]
$(VENV)/.made-browser: EXTRAS := [test,browser]

$(VENV)/.made-%: pyproject.toml | $(BIN)/python
	@echo "Installing Twinfall$(EXTRAS) and what it needs into $(VENV) (a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --editable ".$(EXTRAS)"
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Twinfall needs Python 3.11 or newer, and found none."; \
		echo "Install one (https://www.python.org/downloads/), or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot create an environment;"; \
		echo "on Debian and Ubuntu: apt install python3-venv"; exit 1; }
