# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUST_SOURCES := $(shell find rust -name '*.rs' -o -name 'Cargo.toml') Cargo.toml
STAMP := $(VENV)/.tacit-installed

.PHONY: help setup build demo test check bench bench-peers docs clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: $(STAMP)  ## make .venv, install tacit and its tools, build the Rust extension

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python pyproject.toml $(RUST_SOURCES)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

build: setup  ## build the Rust extension again if its sources changed

demo: setup  ## the main job: three banks train one fraud model over TLS
	$(BIN)/tacit demo fraud --out report

test: setup  ## all tests
	cargo test --workspace --exclude tacit-python --release --quiet
	$(BIN)/python -m pytest

check: setup  ## format, lint, types, layers, clippy, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --release -- -D warnings
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html

bench: setup  ## kernels, primitives and the main job: seconds, rounds, bytes, memory
	$(BIN)/python -m bench

bench-peers: setup  ## the same workloads beside SPU, MPyC and CrypTen, in one run
	$(BIN)/python bench/peers/setup.py
	$(BIN)/python -m bench.peers

docs: setup  ## the documentation as HTML
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html

clean:  ## remove everything that was built
	rm -rf $(VENV) target docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis
