# What you can do here; `make` alone says it.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
NEWEST ?= .venv-newest
BUDGET ?= 60s
DEMO := examples/data/letter.csv
DEMO_TARGET := letter

# Files of tests run side by side, each in one thread.
WORKERS ?= 2
TESTS := -n $(WORKERS) --dist loadfile
export OMP_NUM_THREADS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-newest lint docs site size clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## race a shipped table (20,000 letters) for a minute; BUDGET=5m races longer
	$(BIN)/deepenough race $(DEMO) --target $(DEMO_TARGET) --budget $(BUDGET) --out runs/demo-$$(date +%Y%m%d-%H%M%S)
	@echo "The report: $$(ls -td runs/demo-*/ | head -1)report.html"

test test-all test-newest: export OMP_NUM_THREADS := 1

test: lint ## what guards a change: ruff, mypy, and every test that is not slow
	$(BIN)/python -m pytest $(TESTS) -m "not slow"

test-all: lint ## everything, the slow tests too
	$(BIN)/python -m pytest $(TESTS)

test-newest: ## the fast tests with the newest versions that are allowed; PYTHON=python3.13 says in which Python
	test -x $(NEWEST)/bin/python || $(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable '.[dev]'
	$(NEWEST)/bin/python -m pytest $(TESTS) -m "not slow"

lint: $(VENV)/installed-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed-dev ## write anew what the docs quote from the program
	$(BIN)/python docs/write.py

site: $(VENV)/installed-dev ## build the documentation's site into build/site, without a warning
	$(BIN)/properdocs build --strict --quiet --config-file properdocs.yml
	@echo "Open build/site/index.html."

size: ## how long files and functions are
	@$(PYTHON) benchmarks/size.py src/deepenough

clean: ## remove what was built, not what was raced
	rm -rf $(VENV) $(NEWEST) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch goes first and alone: what follows then finds it there and doesn't ask for another build of it.
$(VENV)/torch: constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet torch==2.13.0 -c constraints.txt
	touch $@

$(VENV)/installed: $(VENV)/torch pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[all]' -c constraints.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/torch pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[dev]' -c constraints.txt
	touch $@ $(VENV)/installed
