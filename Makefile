# One obvious way to run each thing. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help venv demo test check format bench fuzz clean

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
		|| grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST)

venv: $(STAMP)  ## make the virtual environment with all pinned requirements

$(STAMP): requirements.txt requirements-fast.txt requirements-demo.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Tailrace needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.demo: requirements.txt requirements-demo.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Tailrace needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-demo.txt
	@touch $@

# PORT also from the environment, as the tools for a Procfile take it.
demo: $(VENV)/.demo  ## run everything here: embedded Redis, all processes, traffic; make demo PORT=5600
	@$(BIN)/python -m demo $(if $(PORT),--port '$(PORT)') $(DEMO_FLAGS)

test: $(STAMP)  ## every test, on a real Redis, a real Kafka and a real browser
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

check: $(STAMP)  ## formatter, linter, type checker
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)  ## put the code into the formatter's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)  ## all benchmarks, about 15 minutes; figures and limits are in bench/README.md
	$(BIN)/python -m bench.parser
	$(BIN)/python -m bench.drain
	$(BIN)/python -m bench.metrics
	$(BIN)/python -m bench.atomic_step
	$(BIN)/python -m bench.memory
	$(BIN)/python -m bench.replay

fuzz: $(STAMP)  ## feed the parsers mutated input for a minute
	$(BIN)/python -m tests.fuzz --seconds 60

clean:  ## remove the environment, caches and artefacts
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
