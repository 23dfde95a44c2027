# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUST_SOURCES := $(shell find rust -name '*.rs' -o -name 'Cargo.toml') Cargo.toml Cargo.lock
INSTALLED := $(VENV)/.installed
TOOLS := $(VENV)/.tools
# A third worker keeps two cores busy while others wait for time limits.
PYTEST_ARGUMENTS ?= -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo test check format bench bench-peers soak docs wheel clean
.DELETE_ON_ERROR:

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: $(INSTALLED)  ## make .venv, install tacit and its tools, build the Rust extension

$(BIN)/python:
	@command -v cargo >/dev/null || { echo "tacit needs a Rust toolchain (1.89 or later): https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "tacit needs a C compiler, for instance Debian's package gcc" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tacit needs Python 3.11 or later; name one: make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python cannot make environments; on Debian install python3-venv" >&2; exit 1; }

$(TOOLS): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

$(INSTALLED): $(TOOLS) pyproject.toml $(RUST_SOURCES)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

demo: setup  ## the main job: three banks and a regulator train a fraud network over TLS
	$(BIN)/tacit demo fraud --protocol fantastic4 --model mlp --out report

test: setup  ## all tests
	cargo test --workspace --exclude tacit-python --release --quiet
	$(BIN)/python -m pytest -q tests/alone  # they measure time, so nothing else may run beside them
	$(BIN)/python -m pytest --ignore tests/alone $(PYTEST_ARGUMENTS)

check: setup  ## format, lint, types, layers, clippy, licences, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/stubtest --concise tacit._native
	$(BIN)/lint-imports --no-logo
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --release --quiet -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --log-level error check; \
	else echo "cargo-deny is not installed, so licences and advisories were not checked (cargo install cargo-deny)"; fi
	$(MAKE) --no-print-directory docs

format: setup  ## format Python and Rust
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cargo fmt --all

bench: setup  ## kernels, primitives and the main job: seconds, rounds, bytes, memory
	$(BIN)/python -m bench

bench-peers: setup  ## the same workloads beside SPU, MPyC and CrypTen, in one run
	$(BIN)/python bench/peers/setup.py
	$(BIN)/python -m bench.peers

soak: setup  ## half an hour of jobs under kills, pauses and tampering; MINUTES=30 SEED=1
	$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1)

docs: setup  ## the documentation as HTML in docs/_build/html, warnings as errors
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

wheel: setup  ## a wheel in dist/, for Python 3.11 and later
	$(BIN)/maturin build --release --compatibility pypi --auditwheel check --out dist

clean:  ## remove everything that was built
	rm -rf $(VENV) target dist docs/_build docs/api .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src -name '*.so' -delete
