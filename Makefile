# Two commands matter: `make demo` and `make test`. Both set up first, quickly when nothing changed.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
NATIVE := $(wildcard src/bise/ops/cpu/native/*)

.PHONY: setup lean client demo test test-full test-clients soak check web clean help

help:
	@echo "make demo       set up, then ask nano questions and grade its answers"
	@echo "make test       set up, then run the tests"
	@echo "make test-full  the same and the heavy checks"
	@echo "make test-clients   install real clients, try them on the server, write docs/clients.md"
	@echo "make soak       load a server of nano for 30 minutes: nothing may be left behind"
	@echo "make check      format, lint, types and the quick tests"
	@echo "make web        build the page at / anew from web/ (wants Node)"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt scripts/setup setup.py $(NATIVE)
	@PYTHON="$(PYTHON)" VENV="$(VENV)" bash scripts/setup
	@touch $(STAMP)

# The Lean that proofs are checked with: 180 MB are fetched once; everything but proofs works without.
lean: setup
	@$(BIN)/bise prove setup || echo "going on without Lean: proofs are not shown and not tested"

demo: setup lean
	@$(BIN)/bise demo $(if $(SEED),--seed $(SEED))

# A client that does not fit into the environment of the others, for its tests.
client: setup
	@$(BIN)/python -m tests.clients.environments litellm

test: setup lean client
	@$(BIN)/python -m pytest -m "not full and not gpu" -n $(or $(JOBS),2)

test-full: setup lean client
	@$(BIN)/python -m pytest -m "not gpu" -n $(or $(JOBS),2) -rxs

test-clients: setup
	@$(BIN)/python -m tests.clients

soak: setup
	@$(BIN)/python -m tests.serve.soak --minutes $(or $(MINUTES),30)

check: setup
	@bash scripts/check

web:
	cd web && npm ci && npm run check && npm run build

clean:
	rm -rf $(VENV) .clients build dist web/node_modules .pytest_cache .ruff_cache .hypothesis
