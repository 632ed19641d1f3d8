# Every target makes its own environment first; Python 3.11 or newer and make are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOWEST := .venv-lowest
PEERS := .venv-peers
NODE_PEERS := .npm-peers
COMPILED := .compiled
BESIDE := tests fixtures artifacts benchmarks docs .ci pyproject.toml Makefile README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE

.PHONY: help run test test-compiled test-faults test-lowest test-soak soak fuzz check bench bench-compiled bench-docs bench-memory bench-page bench-peers clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,cli]'
	@touch $@

run: $(STAMP) ## decide requests of a shop, against stand-ins on this machine
	@$(BIN)/python -m fixtures.demo

test: $(STAMP) ## run the tests, but for the fault cases
	$(BIN)/pytest -q --ignore=tests/faults

test-compiled: $(COMPILED)/.ready ## run the tests, or those in TESTS, on the package with its hot path compiled
	cd $(COMPILED)/project && ../venv/bin/pytest -q --ignore=tests/faults $(TESTS)

test-faults: $(STAMP) ## run the fault cases: servers that misbehave, processes that die, full disks
	$(BIN)/pytest -q tests/faults -m 'not soak'

test-soak: $(STAMP) ## run those fault cases in full that are cut short elsewhere
	$(BIN)/pytest -q tests/faults -m soak

test-lowest: ## run the tests with the lowest versions of the dependencies that are allowed
	@test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	@$(LOWEST)/bin/python .ci/lowest.py > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(LOWEST)/constraints.txt \
		--editable '.[dev,cli,geo]'
	$(LOWEST)/bin/python -m pytest -q --ignore=tests/faults --ignore=tests/benchmarks -p no:cacheprovider

soak: $(STAMP) ## hold four workers under load and random faults to their invariants for SECONDS (600); SEED repeats
	@$(BIN)/python -m fixtures.soak --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

fuzz: $(STAMP) ## fuzz artifacts, conditions, cookies and requests, SECONDS each (10), where atheris can be had
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]' || echo 'atheris cannot be had here'
	@for target in artifact condition cookie request; do \
		$(BIN)/python -m tests.fuzz.run $$target --seconds $(or $(SECONDS),10) || exit 1; done

check: $(STAMP) ## lint, format, types, layers, and whether the wheel builds: what CI runs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --strict --explicit-package-bases fixtures artifacts benchmarks
	$(BIN)/lint-imports
	@$(BIN)/python .ci/audit.py
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

bench: $(STAMP) ## measure decisions and what else was promised, and print tables
	@$(BIN)/python -m benchmarks.bench

bench-compiled: $(COMPILED)/.ready ## the same with the hot path compiled
	@cd $(COMPILED)/project && ../venv/bin/python -m benchmarks.bench
	@mkdir -p benchmarks/results && cp $(COMPILED)/project/benchmarks/results/compiled-*.json benchmarks/results

bench-memory: $(STAMP) ## see whether memory stays flat over a million visitors
	@$(BIN)/python -m benchmarks.memory

bench-docs: bench bench-compiled bench-peers bench-memory ## measure everything, and write docs/performance.md anew: twenty minutes
	@$(BIN)/python -m benchmarks.profile
	@$(BIN)/python -m benchmarks.growth
	@$(MAKE) --no-print-directory bench-page

bench-page: $(VENV)/.installed-bench ## write the tables and plots of docs/performance.md from what was last measured
	@$(BIN)/python -m benchmarks.page

$(VENV)/.installed-bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

bench-peers: $(STAMP) $(PEERS)/.installed $(NODE_PEERS)/.installed ## measure the same requests on other SDKs, in turns
	@$(BIN)/python -m benchmarks.peers.compare --python $(PEERS)/bin/python --node-folder $(NODE_PEERS)

$(PEERS)/.installed: benchmarks/peers/requirements.txt
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

$(NODE_PEERS)/.installed: benchmarks/peers/package.json
	@mkdir -p $(NODE_PEERS) && cp $< $(NODE_PEERS)
	npm install --silent --no-audit --no-fund --prefix $(NODE_PEERS)
	@touch $@

# Beside its sources Python would take those instead, so what is compiled stands apart, with all else copied beside it.
$(COMPILED)/.ready: $(COMPILED)/.installed
	@rm -rf $(COMPILED)/project && mkdir $(COMPILED)/project && cp -R $(BESIDE) $(COMPILED)/project
	@test ! -d ../shared || ln -sfn ../../shared $(COMPILED)/shared
	@cd $(COMPILED)/project && ../venv/bin/python .ci/compiled.py

$(COMPILED)/.installed: pyproject.toml $(shell find target_decisioning -name '*.py')
	@rm -rf $(COMPILED)/source && mkdir -p $(COMPILED)/source
	@cp -R target_decisioning pyproject.toml README.md LICENSE $(COMPILED)/source
	@test -x $(COMPILED)/venv/bin/python || $(PYTHON) -m venv $(COMPILED)/venv
	HATCH_BUILD_HOOKS_ENABLE=1 $(COMPILED)/venv/bin/python -m pip install --quiet --disable-pip-version-check \
		'./$(COMPILED)/source[dev,cli]'
	@touch $@

clean: ## remove what the other targets made
	rm -rf $(VENV) $(COMPILED) $(LOWEST) $(PEERS) $(NODE_PEERS) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
