# Two commands do all the set-up: `make build` and `make test`. They need Python 3.11 to 3.13 and make.
PYTHON ?= python3
VENV   := .venv
PEER   := .venv-peer
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# One worker per core.
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: build test test-full test-newest lint benchmark constraints clean

## Build the example mesh and publish it.
build: $(VENV)/.built-for
	@$(BIN)/factory build $(ARGS)

## Run the linters, the types and the tests, at reduced counts where a test has hundreds of rounds.
test: $(VENV)/.tested-with $(PEER)/.installed lint
	$(PYTEST) $(ARGS)

## The same tests at their full counts.
test-full: $(VENV)/.tested-with $(PEER)/.installed lint
	FACTORY_TEST_COUNTS=full $(PYTEST) $(ARGS)

## The lineage tests with the newest sqlglot, in an environment of their own: its attributes change between releases.
test-newest: $(VENV)/.tested-with
	@$(PYTHON) -m venv --clear .venv-newest
	@.venv-newest/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt '.[test]'
	@.venv-newest/bin/python -m pip --disable-pip-version-check install --quiet --upgrade --no-deps sqlglot sqlglotc
	.venv-newest/bin/python -m pytest tests/test_lineage.py tests/test_lineage_dialects.py tests/test_lineage_guard.py $(ARGS)

lint: $(VENV)/.tested-with
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

## Measure speed and memory against plain dbt (some minutes).
benchmark: $(VENV)/.built-for
	$(BIN)/python benchmarks/build.py $(ARGS)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "$(PYTHON) is not Python 3.11 to 3.13: name one with  make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.built-for: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (half a minute) ..."
	@$(PIP) --editable .
	@touch $@

$(VENV)/.tested-with: $(VENV)/.built-for
	@echo "Installing what the tests need ..."
	@$(PIP) --editable '.[dev]'
	@touch $@

# The public contract linter, as a witness: in an environment of its own, since it pins other versions.
$(PEER)/.installed:
	@echo "Installing the public contract linter ..."
	@$(PYTHON) -m venv $(PEER)
	@$(PEER)/bin/python -m pip --disable-pip-version-check install --quiet "datacontract-cli[duckdb]==1.2.8"
	@touch $@

## Write constraints.txt anew from what is installed.
constraints: $(VENV)/.tested-with
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --all --exclude-editable | grep -v '^pip=='; } > $(VENV)/constraints.txt
	@mv $(VENV)/constraints.txt constraints.txt

clean:
	rm -rf target registry ports ports.duckdb dbt_packages packages.yml profiles.yml logs
