# Two commands matter: `make demo` and `make test`. Both set up first, quickly when nothing changed.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
NATIVE := $(wildcard src/bise/ops/cpu/native/*)

.PHONY: setup demo test test-full check web clean help

help:
	@echo "make demo       set up, then ask nano questions and grade its answers"
	@echo "make test       set up, then run the tests"
	@echo "make test-full  the same and the heavy checks"
	@echo "make check      format, lint, types and the quick tests"
	@echo "make web        build the page at / anew from web/ (wants Node)"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt scripts/setup setup.py $(NATIVE)
	@PYTHON="$(PYTHON)" VENV="$(VENV)" bash scripts/setup
	@touch $(STAMP)

demo: setup
	@$(BIN)/bise demo $(if $(SEED),--seed $(SEED))

test: setup
	@$(BIN)/python -m pytest -m "not full and not gpu" -n $(or $(JOBS),2)

test-full: setup
	@$(BIN)/python -m pytest -m "not gpu" -n $(or $(JOBS),2) -rxs

check: setup
	@bash scripts/check

web:
	cd web && npm ci && npm run check && npm run build

clean:
	rm -rf $(VENV) build dist web/node_modules .pytest_cache .ruff_cache .hypothesis
