# make demo: everything from a fresh machine to picks with intervals. make test: everything to a green suite.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CACHE ?= $(abspath .cache)
# Threads that wait sleep. Spinning, which is the default, made the demo five times as slow beside another program
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test lint docs clean
demo: $(READY)
	XDG_CACHE_HOME=$(CACHE) $(BIN)/seisloom demo --out demo

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)
	$(BIN)/mkdocs build --strict

# torch first and alone: pip then finds the CPU build where one is provided, and nothing else asks for another
$(READY): pyproject.toml constraints.txt Makefile
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -c "import sys; assert sys.version_info[:2] >= (3, 11), 'seisloom needs Python 3.11 or newer'"
	$(BIN)/python -m pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[all,dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) demo site dist .mypy_cache .ruff_cache .pytest_cache
