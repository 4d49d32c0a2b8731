# From a fresh clone with nothing installed: `make demo` or `make test`.
# PYTHON picks the interpreter (3.10 or newer), RUN the folder of the demo, WORKERS the test processes.

PYTHON ?= python3
RUN ?= runs/quick
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-package lint install clean

demo: $(VENV)/library
	$(BIN)/dislib_train --gin_config=gin/quickstart.gin --model_dir=$(RUN) --overwrite
	$(BIN)/dislib_evaluate --model_dir=$(RUN) --preset=fast --overwrite
	$(BIN)/dislib_visualize --model_dir=$(RUN) --overwrite
	@echo "demo: model, scores and pictures are in $(RUN); open $(RUN)/pictures/report.html in a browser"

# One thread a test process: two processes fill two cores.
test: $(VENV)/tests
	TF_NUM_INTRAOP_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) $(ARGS)

# Builds sdist and wheel, installs the wheel into an empty environment and runs it there.
test-package: $(VENV)/tests
	$(BIN)/python -m pytest -q -m slow tests/test_packaging.py

# Style, and who may import whom: the contracts of pyproject.toml, read in the built package.
lint: $(VENV)/tests
	$(BIN)/ruff check .
	rm -rf build/lint
	$(BIN)/python setup.py --quiet build_py --build-lib build/lint
	cp pyproject.toml build/lint
	cd build/lint && ../../$(BIN)/lint-imports

install: $(VENV)/library

$(VENV)/library: setup.py $(wildcard bin/*) | $(VENV)/made
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/tests: $(VENV)/library
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	@touch $@

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "dislib-plus needs Python 3.10 or newer; set PYTHON, as in: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

clean:
	rm -rf $(VENV) build dist dislib_plus.egg-info .pytest_cache
