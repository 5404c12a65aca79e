# Each target sets up what it needs by itself, in .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check install -q -c constraints.txt

.PHONY: run test test-fast lint bench clean

run: .venv/run.stamp
	$(BIN)/twosessions run data/raw --store sqlite:///twosessions.db --table

test: .venv/test.stamp
	$(BIN)/python -m pytest

test-fast: .venv/test.stamp
	$(BIN)/python -m pytest -m "not slow"

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e .
	@touch $@

# torch comes first: with the pinned build in place nothing pulls a larger one.
.venv/test.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) torch
	$(PIP) -e '.[train,test]'
	@touch $@ .venv/run.stamp

bench: .venv/test.stamp
	$(BIN)/python benchmarks/speed.py

clean:
	rm -rf .venv build dist *.egg-info
