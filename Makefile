# Every target makes its own environment first; Python 3.11 or newer and make are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help run test check bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,cli]'
	@touch $@

run: $(STAMP) ## decide requests of a shop, against stand-ins on this machine
	@$(BIN)/python -m fixtures.demo

test: $(STAMP) ## run all tests
	$(BIN)/pytest -q

check: $(STAMP) ## lint, format, types, layers, and whether the wheel builds: what CI runs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --strict --explicit-package-bases fixtures artifacts benchmarks
	$(BIN)/lint-imports
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

bench: $(STAMP) ## measure decisions, and print a table
	@$(BIN)/python -m benchmarks.bench

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
