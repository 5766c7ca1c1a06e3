# Everything runs in a local environment, .venv; nothing is installed anywhere else.
#   make demo    install, train on a real table, show the result
#   make test    every check: formatting, lint, types, layers, build, tests
#   make lint    the static checks alone
#   make docs    the documentation, in docs/_build/html
#   make bench   the benchmarks
#   make clean   remove what these made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src native -type f -not -name '*.pyc') CMakeLists.txt pyproject.toml README.md

.PHONY: demo test lint docs bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed
	$(BIN)/chainrule train examples/wdbc.csv --target diagnosis --out demo

test: lint
	$(BIN)/python -m pytest -n 2 tests --pyargs chainrule
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

lint: $(VENV)/installed $(VENV)/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/clang-format --dry-run -Werror native/*.cpp native/*.hpp

docs: $(VENV)/installed $(VENV)/dev
	$(BIN)/sphinx-build -W -b html docs docs/_build/html

bench: $(VENV)/installed
	$(BIN)/python benchmarks/training.py --workloads 0,1,2

clean:
	rm -rf $(VENV) build demo docs/_build docs/api

$(VENV)/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chainrule needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	touch $@

$(VENV)/installed: $(VENV)/pip $(SOURCES)
	$(BIN)/python -m pip install --quiet .
	touch $@

$(VENV)/dev: $(VENV)/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --group dev
	touch $@
