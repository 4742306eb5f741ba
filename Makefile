# make solve | test | lint | docs | docs-check | notebooks | figures | soak | fuzz | coverage | mutants | packages | bench-smoke | bench: each sets up what it needs, and starts at once the second time.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet

MANIFESTS := pyproject.toml $(wildcard plugins/*/pyproject.toml) requirements/constraints.txt

PROBLEM ?= problems/bilevel/coupled-merely-convex/problem.yaml
METHOD  ?= lv-hba
MINUTES ?= 5

# Pinned, so that figures compare and two cores are not oversubscribed by the test workers.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: solve test lint docs docs-check notebooks figures soak fuzz coverage mutants scoreboard packages bench-smoke bench format clean

solve: $(VENV)/.run
	$(BIN)/solverkit solve $(PROBLEM) --method $(METHOD)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "written to build/site: open build/site/index.html"

notebooks: $(VENV)/.dev
	$(BIN)/python -m docs._build.notebooks

docs-check: docs
	$(BIN)/python -m docs._build.look

figures: $(VENV)/.dev
	$(BIN)/python -m tests.figures

soak: $(VENV)/.dev
	$(BIN)/python -m tests.soak

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(if $(FORMAT),--format $(FORMAT))

mutants: $(VENV)/.dev
	$(BIN)/python -m tests.mutation

coverage: $(VENV)/.dev
	$(BIN)/python -m tests.branches

scoreboard: $(VENV)/.dev
	$(BIN)/python -m tests.scoreboard

packages: $(VENV)/.dev
	$(BIN)/python -m tests.packages

bench-smoke: $(VENV)/.dev
	$(BIN)/solverkit bench problems/suites/smoke.yaml --jobs 2 --out results/smoke
	$(BIN)/solverkit report results/smoke --html results/smoke/report.html

bench: $(VENV)/.dev
	for suite in $(filter-out smoke,$(basename $(notdir $(wildcard problems/suites/*.yaml)))); do \
	  $(BIN)/solverkit bench problems/suites/$$suite.yaml --jobs 2 --out results/$$suite && \
	  $(BIN)/solverkit report results/$$suite --html results/$$suite/report.html || exit $$?; \
	done

clean:
	rm -rf $(VENV) build dist *.egg-info plugins/*/build plugins/*/*.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "SolverKit needs Python >= 3.11; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setting up $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt $(MANIFESTS) | $(BIN)/python
	@$(PIP) -c requirements/constraints.txt -r requirements/run.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/docs.txt requirements/notebooks.txt $(VENV)/.run
	@$(PIP) -c requirements/constraints.txt -r requirements/dev.txt
	@touch $@
