# make demo   set up, then tell Clever Hans from the real thing
# make test   set up, then run the tests
# make help   everything else
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export MUJOCO_GL ?= egl

.PHONY: help demo test test-rlbench lint setup browser clean

help:
	@sed -n 's/^# make /make /p' Makefile
	@echo "make setup  virtual environment, packages, OpenGL"
	@echo "make test-rlbench  the tests that need CoppeliaSim and RLBench (docs/rlbench.md)"
	@echo "make lint   ruff and mypy"
	@echo "make clean  remove the virtual environment"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml .ci/setup
	@sh .ci/setup "$(PYTHON)" "$(VENV)"
	@touch $@

demo: setup
	@$(BIN)/python -m hansgym.benchmarks.demo --out runs/demo

browser:
	@sh .ci/browser

test: setup browser
	@$(BIN)/python -m pytest $(PYTEST)

test-rlbench: setup
	@sh .ci/rlbench $(BIN)/python $(PYTEST)

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python .ci/typecheck.py

clean:
	rm -rf $(VENV)
