# usadelfem: everything a fresh machine needs is Python >= 3.11 and make. `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install -qq --no-input --disable-pip-version-check
# Further arguments of pytest: make test ARGS="-k sns -x"
ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-fast lint types docs bench dist clean distclean

help:
	@echo "make demo       solve the SFS junction of meshes/sfs.msh, print its current-phase relation, fill output/"
	@echo "make test       all tests"
	@echo "make test-fast  the tests without the slow ones"
	@echo "make lint       ruff on everything"
	@echo "make types      mypy on the package"
	@echo "make docs       the documentation with its gallery, in docs/_build/html; a warning is an error"
	@echo "make bench      the timings of docs/performance.md"
	@echo "make dist       wheel and source distribution, in dist/"
	@echo "make clean      remove everything that was built; 'make distclean' also removes $(VENV)"
	@echo "The first of them makes $(VENV) with '$(PYTHON)'; another Python: make PYTHON=/path/to/python test"

$(VENV)/.stamp-venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "usadelfem needs Python >= 3.11, but '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 || true)" >&2; \
	  echo "Name another one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.stamp-test: pyproject.toml $(VENV)/.stamp-venv
	@echo "installing usadelfem[test] into $(VENV) (a few minutes the first time)"
	@$(PIP) -e ".[test]"
	@touch $@

$(VENV)/.stamp-docs: pyproject.toml $(VENV)/.stamp-venv
	@echo "installing usadelfem[test,docs] into $(VENV)"
	@$(PIP) -e ".[test,docs]"
	@touch $@

demo: $(VENV)/.stamp-test
	@mkdir -p output
	@MPLBACKEND=Agg $(RUN) examples/sfs_junction.py

# One BLAS thread for each of the two workers.
test: $(VENV)/.stamp-test
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(VENV)/.stamp-test
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" $(ARGS)

lint: $(VENV)/.stamp-test
	@$(RUN) -m ruff check .

types: $(VENV)/.stamp-test
	@$(RUN) -m mypy

docs: $(VENV)/.stamp-docs
	@$(RUN) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/.stamp-test
	@$(RUN) benchmarks/equilibrium.py
	@$(RUN) benchmarks/selfconsistent.py

dist: $(VENV)/.stamp-test
	@rm -rf dist
	@$(RUN) -m build --no-isolation
	@ls dist

clean:
	rm -rf build dist output docs/_build docs/gallery docs/sg_execution_times.rst
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -path ./.git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) usadelfem.egg-info
