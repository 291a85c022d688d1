# One-word verbs. On a machine with Python, make and git, nothing else is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install run dev serve test test-all fault check bench lock audit demo reference linking clean

install: $(VENV)/.installed ## Create the environment and install what `qfq` needs

run: install ## Do everything on what is in raw/, then say where the pages are
	$(BIN)/qfq run

dev: install ## Open the Dagster interface (port 3000)
	$(BIN)/qfq dev

serve: install ## Serve the pages (port 8000)
	$(BIN)/qfq serve

test: $(VENV)/.dev ## Run the fast tests
	$(BIN)/python -m pytest -m "not slow and not fault" -n auto --dist loadfile --no-loadscope-reorder

fault: $(VENV)/.dev ## Run the long tests of faults and print their figures
	$(BIN)/python -m pytest -m fault -s

test-all: $(VENV)/.dev ## Run every test
	$(BIN)/python -m pytest

check: $(VENV)/.dev ## Lint and check types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev ## Print measured times and ratios; LINES=5000000 for a warehouse of that size
	$(BIN)/python -m tests.bench $(LINES)

demo: $(VENV)/.dev ## Write the demonstration deposits again
	$(BIN)/python -m pipelines.demo

linking: $(VENV)/.dev ## Train the model that links names again (needs the real files)
	$(BIN)/python -m tests.train_linking --write

reference: $(VENV)/.dev ## Write the territory tables again from their package (needs npm)
	$(BIN)/python -m schemas.refresh_reference

lock: $(VENV)/.dev ## Compile the lock files from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --no-strip-extras --group build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --no-strip-extras --group build --extra dev pyproject.toml -o requirements-dev.lock

audit: $(VENV)/.dev ## List the pinned dependencies with their days and licences, then ask for known flaws (needs uv and the network)
	$(BIN)/python -m tests.dependencies
	uvx pip-audit --strict --disable-pip --no-deps --progress-spinner off -r requirements.lock

clean: ## Remove what a run makes; raw/ and the memory of what was published and fetched are left alone
	find warehouse -mindepth 1 -maxdepth 1 ! -name publications ! -name feeds -exec rm -rf {} + 2>/dev/null || true
	rm -rf reports/* $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q pipelines schemas
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.lock
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
