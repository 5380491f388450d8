# One obvious way to run each thing. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := .cache/tools
PYTEST_FLAGS ?=
# Most tests wait for servers, so there are more processes than cores; each has servers of its own. A file's tests
# stay together, the longest files first (tests/conftest.py).
PARALLEL ?= -n 3 --dist loadfile --no-loadscope-reorder
LOCK_FLAGS ?=
# What is installed is what is in the files with hashes, byte for byte; `make lock` writes those.
PIP_INSTALL := pip install --quiet --disable-pip-version-check --require-hashes
CHECK_PYTHON := $(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Tailrace needs Python 3.11 or newer: make PYTHON=python3.11 ...")'

.DEFAULT_GOAL := help
.PHONY: help venv demo drill test test-fast check format generated lock audit bench fuzz soak mutate clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
		|| grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST)

venv: $(STAMP)  ## make the virtual environment with all pinned requirements

$(STAMP): requirements-dev.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

$(VENV)/.demo: requirements-demo.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP_INSTALL) -r requirements-demo.txt
	@touch $@

# PORT also from the environment, as the tools for a Procfile take it.
demo: $(VENV)/.demo  ## run everything here: embedded Redis, all processes, traffic; make demo PORT=5600
	@$(BIN)/python -m demo $(if $(PORT),--port '$(PORT)') $(DEMO_FLAGS)

drill: $(VENV)/.demo  ## an incident to find your way in, with the answers at the end; make drill PORT=5600
	@$(BIN)/python -m demo --drill $(if $(PORT),--port '$(PORT)') $(DEMO_FLAGS)

test: $(STAMP)  ## every test, on a real Redis, a real Kafka and a real browser
	$(BIN)/python -m pytest $(PARALLEL) $(PYTEST_FLAGS)

FAST := not kafka and not browser and not go and not slow and not processes

test-fast: $(STAMP)  ## what needs neither broker nor browser nor processes: about five minutes on two cores
	$(BIN)/python -m pytest -q $(PARALLEL) -m '$(FAST)' --hypothesis-profile=fast $(PYTEST_FLAGS)

check: $(STAMP)  ## formatter, linter, type checker
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)  ## put the code into the formatter's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generated: $(STAMP)  ## write the rules and the dashboard in deploy/ anew, from drain/monitoring
	$(BIN)/python -m drain.monitoring.exports

$(TOOLS)/.installed: requirements-tools.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/$(PIP_INSTALL) -r requirements-tools.txt
	@touch $@

# requirements-dev.txt comes first: it holds all, and the others must not differ from what is tested.
# It keeps the versions that are there already; LOCK_FLAGS=--upgrade takes newer ones of what the .in files
# do not name.
COMPILE = $(TOOLS)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(LOCK_FLAGS)

lock: $(TOOLS)/.installed  ## write requirements*.txt anew from requirements*.in: all versions, with hashes
	$(COMPILE) requirements-dev.in -o requirements-dev.txt >/dev/null
	$(COMPILE) requirements-tools.in -o requirements-tools.txt >/dev/null
	$(COMPILE) -c requirements-dev.txt requirements-mutate.in -o requirements-mutate.txt >/dev/null
	for kind in '' -fast -demo; do \
		$(COMPILE) -c requirements-dev.txt requirements$$kind.in -o requirements$$kind.txt >/dev/null || exit 1; \
	done

# Asks PyPI for its advisories, so it is no part of `make check`. --strict: without an answer pip-audit would
# skip the package and report success.
audit: $(TOOLS)/.installed  ## ask for known vulnerabilities in all pinned versions; needs the internet
	@$(TOOLS)/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes \
		-r requirements-mutate.txt -r requirements-tools.txt \
		|| { echo "make audit: there are known vulnerabilities, or PyPI cannot be asked for its advisories: see above" >&2; exit 1; }

bench: $(STAMP)  ## all benchmarks, about 15 minutes; figures and limits are in bench/README.md
	$(BIN)/python -m bench.parser
	$(BIN)/python -m bench.templates
	$(BIN)/python -m bench.drain
	$(BIN)/python -m bench.metrics
	$(BIN)/python -m bench.atomic_step
	$(BIN)/python -m bench.memory
	$(BIN)/python -m bench.dynos
	$(BIN)/python -m bench.replay
	$(BIN)/python -m bench.requests

fuzz: $(STAMP)  ## feed the parsers mutated input for a minute
	$(BIN)/python -m tests.fuzz --seconds 60

soak: $(STAMP)  ## real and hostile senders for an hour, while every process is killed in turn; MINUTES=5 for less
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),60)

MUTATE := .cache/mutate

$(MUTATE)/.installed: requirements-mutate.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(MUTATE)
	$(MUTATE)/bin/$(PIP_INSTALL) -r requirements-mutate.txt
	@touch $@

mutate: $(MUTATE)/.installed  ## change the pure modules and see which tests notice, about an hour; MODULES=app.routes
	$(MUTATE)/bin/python -m tests.mutation $(MODULES)

clean:  ## remove the environment, caches and artefacts
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis artifacts mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
