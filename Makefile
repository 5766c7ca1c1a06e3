# Everything runs in a local environment, .venv; nothing is installed anywhere else.
#   make demo    install, train on a real table, show the result
#   make test    every check: formatting, lint, types, layers, build, tests
#   make lint    only the static checks
#   make docs    the documentation, in docs/_build/html
#   make page    the playground's page, from its TypeScript in page/; make page-check compares the two
#   make bench   the benchmarks
#   make crash   trainings killed 200 times, each of which ends with the same bits
#   make odd     the tests under other machines' settings: locale, user, terminal, one core, Python …
#   make sanitize  the compiled core's tests under the address, undefined and thread sanitizers
#   make fuzz    a minute of each fuzz target; FUZZ_SECONDS=600 for longer
#   make lock    renew requirements/dev.lock, which development and tests are installed from
#   make test-minimum  the tests on the lowest versions that pyproject.toml allows, on MINIMUM_PYTHON
#   make audit   known vulnerabilities of the packages in the lock file; asks a server
#   make wheel   the Linux wheel: built from the sdist, repaired, tested without a compiler
#   make clean   remove everything that these targets create

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src native -type f -not -name '*.pyc') CMakeLists.txt pyproject.toml README.md

.PHONY: demo test lint page page-check docs bench crash odd sanitize fuzz lock test-minimum audit wheel clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed
	$(BIN)/chainrule train examples/wdbc.csv --target diagnosis --out demo --overwrite
	@printf '%s\n' '' 'Next, for example:' \
		'  $(BIN)/chainrule play examples/wdbc.csv --target diagnosis' \
		'  $(BIN)/chainrule predict demo/model.safetensors examples/wdbc.csv -o predictions.csv' \
		'  $(BIN)/chainrule explain demo/model.safetensors examples/wdbc.csv --row 3' \
		'  $(BIN)/chainrule trace demo/model.safetensors examples/wdbc.csv --row 3' \
		'  $(BIN)/chainrule drift demo/model.safetensors examples/wdbc.csv' \
		'  $(BIN)/chainrule export demo/model.safetensors model.c' \
		'  $(BIN)/chainrule train --config demo/run.toml --out again'

# worksteal gives each worker a stretch of tests that share fixtures; what is left is divided anew.
test: lint $(VENV)/browser
	$(BIN)/python -m pytest -n 2 --dist worksteal tests --pyargs chainrule
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

lint: $(VENV)/installed $(VENV)/dev page-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/clang-format --dry-run -Werror native/*.cpp native/*.hpp native/layers/*.hpp tests/native/*.cpp

page: $(VENV)/dev
	$(BIN)/python page/build.py

page-check: $(VENV)/dev
	$(BIN)/python page/build.py --check

# Not a part of `make test`: it takes an hour. ODD='--only "C locale" tests/cli' for a part.
odd: $(VENV)/installed $(VENV)/dev
	$(BIN)/python -m tests.odd $(ODD)

docs: $(VENV)/installed $(VENV)/dev
	$(BIN)/sphinx-build -W -b html docs docs/_build/html

bench: $(VENV)/installed
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/prediction.py
	$(BIN)/python benchmarks/estimators.py
	$(BIN)/python benchmarks/checkpoint.py
	$(BIN)/python benchmarks/command_line.py

crash: $(VENV)/installed $(VENV)/dev
	$(BIN)/python -m tests.crash.harness --kills 200
	$(BIN)/python -m pytest -q tests/crash

# The engine's tests on an extension built with sanitizers, in a copy of the package; then the thread
# team, without Python (whose own threads and libraries the thread sanitizer does not know).
SANITIZE := build/sanitize
CONFIGURE := $(BIN)/cmake -S . -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja \
	-DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python
sanitize: $(VENV)/dev
	$(CONFIGURE) -B $(SANITIZE)/address -DCHAINRULE_SANITIZE=address,undefined \
		-Dnanobind_DIR=$$($(BIN)/python -m nanobind --cmake_dir)
	$(BIN)/cmake --build $(SANITIZE)/address --target _native
	rm -rf $(SANITIZE)/package && mkdir -p $(SANITIZE)/package
	cp -r src/chainrule $(SANITIZE)/package/
	cp $(SANITIZE)/address/_native*.so $(SANITIZE)/package/chainrule/
	LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)" \
		ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		PYTHONPATH=$(SANITIZE)/package PYTHONMALLOC=malloc \
		$(BIN)/python -m pytest -q -p no:cacheprovider tests/engines
	$(CONFIGURE) -B $(SANITIZE)/thread -DCHAINRULE_SANITIZE=thread \
		-Dnanobind_DIR=$$($(BIN)/python -m nanobind --cmake_dir)
	$(BIN)/cmake --build $(SANITIZE)/thread --target threads
	TSAN_OPTIONS=halt_on_error=1 $(SANITIZE)/thread/threads

# Each target for a while, on seeds and on what earlier runs found worth keeping (build/fuzz).
FUZZ_TARGETS := $(patsubst fuzz/corpus/%/,%,$(wildcard fuzz/corpus/*/))
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/installed $(VENV)/dev $(VENV)/fuzz
	for target in $(FUZZ_TARGETS); do \
		mkdir -p build/fuzz/$$target && \
		$(BIN)/python -W ignore fuzz/$$target.py -max_total_time=$(FUZZ_SECONDS) \
			-artifact_prefix=build/fuzz/found- build/fuzz/$$target fuzz/corpus/$$target || exit 1; \
	done

# For every platform and Python at once, with hashes.
lock: $(VENV)/supply
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --upgrade \
		--custom-compile-command "make lock" --group dev pyproject.toml -o requirements/dev.lock

# Old releases warn of what newer ones have changed; all else is an error as ever.
MINIMUM := build/minimum
MINIMUM_PYTHON ?= python3.11
# (tests/estimators/test_same_as_scikit_learn.py asks the scikit-learn of the lock file.)
MINIMUM_TESTS ?= tests/bad_input tests/cli tests/engines tests/equations tests/estimators tests/files \
	tests/model tests/network tests/report tests/runs tests/tables tests/training
test-minimum: $(VENV)/supply
	rm -rf $(MINIMUM) && $(MINIMUM_PYTHON) -m venv $(MINIMUM)
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 pyproject.toml \
		-o $(MINIMUM)/constraints.txt
	$(MINIMUM)/bin/python -m pip install --quiet 'pip>=25.1'
	PIP_CONSTRAINT=$(MINIMUM)/constraints.txt $(MINIMUM)/bin/python -m pip install --quiet --group test
	$(MINIMUM)/bin/python -m pip install --quiet --constraint $(MINIMUM)/constraints.txt .
	$(MINIMUM)/bin/python -m pytest -n 2 -W default::DeprecationWarning \
		-W default::PendingDeprecationWarning $(MINIMUM_TESTS) \
		--ignore tests/estimators/test_same_as_scikit_learn.py

audit: $(VENV)/supply
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements/dev.lock

# The sdist holds all that a build needs, and the wheel all that runs: in an environment whose PATH
# has no compiler, it must install, find its compiled core and train.
WHEELS := build/wheels
wheel: $(VENV)/supply
	rm -rf $(WHEELS) && $(BIN)/python -m build --outdir $(WHEELS)/raw .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --wheel-dir $(WHEELS) $(WHEELS)/raw/*.whl
	$(PYTHON) -m venv $(WHEELS)/venv
	env -i HOME="$$HOME" PATH=$(CURDIR)/$(WHEELS)/venv/bin \
		$(WHEELS)/venv/bin/python -m pip install --quiet --only-binary :all: $(WHEELS)/*.whl
	cd $(WHEELS) && env -i PATH=$(CURDIR)/$(WHEELS)/venv/bin python $(CURDIR)/tests/wheel.py

clean:
	rm -rf $(VENV) build demo docs/_build docs/api

$(VENV)/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chainrule needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	touch $@

$(VENV)/installed: $(VENV)/pip $(SOURCES)
	$(BIN)/python -m pip install --quiet '.[play]'
	touch $@

$(VENV)/dev: $(VENV)/pip requirements/dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	touch $@

$(VENV)/browser: $(VENV)/pip
	sh tests/playground/browser/install.sh
	touch $@

$(VENV)/supply $(VENV)/fuzz: $(VENV)/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --group $(notdir $@)
	touch $@
