# Each target sets up what it needs on a fresh machine: Python 3.11 and make are enough for `make run`.
PYTHON ?= python3
BIN := .venv/bin
# uv installs in a tenth of pip's CPU time. Where it fails, as behind an index that only pip's configuration names, pip is asked.
UV := $(shell command -v uv)
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Without compiled modules every process compiles Dagster anew: 4 s of CPU time for each run. Containers often set this variable.
unexport PYTHONDONTWRITEBYTECODE
# Two makes that install into one .venv at once break it, so the second one waits. The lock is not inherited by what is started.
ALONE := $(if $(shell command -v flock),flock --close Makefile)

.PHONY: run test test-faults test-api lint docs bench clean
.DELETE_ON_ERROR:

run:  ## a day of a fleet of real servers, collected through Dagster
	@$(ALONE) $(MAKE) --no-print-directory .venv/demo.installed
	@$(BIN)/whalefall demo

test: .venv/dev.installed  ## everything that is tested, on real servers, but the slow rows of the fault matrix
	@sh whalefall_pipelines_tests/servers/install.sh
	$(BIN)/python -m pytest -n 3 --dist worksteal

test-faults: .venv/dev.installed  ## every fault of the matrix, the slow ones too; prints the table
	@sh whalefall_pipelines_tests/servers/install.sh
	$(BIN)/python -m pytest -n 3 --dist worksteal -m faults whalefall_pipelines_tests/faults

test-api: .venv/dev.installed  ## every route with requests that schemathesis makes up from the OpenAPI document
	@sh whalefall_pipelines_tests/servers/install.sh
	$(BIN)/python -m pytest -n 3 --dist worksteal -m slow whalefall_pipelines_tests/api/test_schema.py

lint: .venv/dev.installed  ## what CI checks besides the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/basedpyright --pythonpath $(BIN)/python --project whalefall_pipelines_tests
	$(BIN)/lint-imports --no-logo
	$(BIN)/sqlfluff lint --processes 2 sql

docs: .venv/dev.installed  ## the generated reference, and the documentation as a site in site/
	$(BIN)/python -m whalefall_pipelines_tests.documents.reference
	$(BIN)/zensical build --strict

bench: .venv/dev.installed .venv/opponent/installed  ## ratios, measured side by side on this machine
	$(BIN)/python -m whalefall_pipelines_tests.benchmarks

# The servers of the demo and the store run programs of .venv, so they are stopped before it goes.
clean:
	@test ! -x $(BIN)/whalefall || env -u WHALEFALL_DATABASE_URL $(BIN)/whalefall demo --stop
	rm -rf .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "whalefall needs Python 3.11 or later; name one with PYTHON=python3.11")'
	@echo "Making .venv …"
	@$(if $(UV),$(UV) venv -q --seed --python $(PYTHON) .venv || )$(PYTHON) -m venv .venv

WHAT = --constraint constraints.txt --editable '.[$(if $(filter dev,$*),demo$(comma)oracle$(comma)dev,demo)]'

.venv/%.installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing whalefall and what it needs (once) …"
	@$(if $(UV),$(UV) pip install -q --python $(BIN)/python $(WHAT) || )$(BIN)/pip install -qq --no-compile $(WHAT)
	@touch $@

# A folder of its own, because it needs another pandas than dev. Without it the benchmark says that AutoETS is not measured.
OPPONENT := whalefall_pipelines_tests/benchmarks/opponent.txt

.venv/opponent/installed: $(OPPONENT) | .venv/dev.installed
	@echo "Installing AutoETS, which forecasts are measured against (once) …"
	@rm -rf $(@D)
	-@$(BIN)/pip install -qq --no-compile --no-deps --target $(@D) --requirement $(OPPONENT) && touch $@

comma := ,
