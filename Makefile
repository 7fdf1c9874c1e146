# make demo   set up, then tell Clever Hans from the real thing
# make test   set up, then run the tests
# make help   everything else
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export MUJOCO_GL ?= egl

.PHONY: help demo test test-lerobot test-vla-eval test-openvla test-rlbench lint setup browser clean

help:
	@sed -n 's/^# make /make /p' Makefile
	@echo "make setup  virtual environment, packages, OpenGL"
	@echo "make lint   ruff and mypy"
	@echo "make clean  remove the virtual environment"
	@echo "Against other projects, each in an environment of its own:"
	@echo "make test-lerobot   LeRobot 0.4.4, and 0.6.1 where a Python 3.12 is found"
	@echo "make test-vla-eval  vla-eval"
	@echo "make test-openvla   OpenVLA with the libraries it wants"
	@echo "make test-rlbench   CoppeliaSim and RLBench (docs/rlbench.md)"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml .ci/setup .ci/need
	@sh .ci/setup "$(PYTHON)" "$(VENV)"
	@touch $@

demo: setup
	@$(BIN)/python -m hansgym.benchmarks.demo --out runs/demo

browser:
	@sh .ci/browser

# One thread for Torch: the tests' networks are small, and threads that wait for each other crawl on a busy machine.
test: setup browser
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest $(PYTEST)

# Each version lives in a virtual environment of its own under ~/.cache/hansgym.
PYTHON311 ?= python3.11
PYTHON312 ?= python3.12
PYENV := $(wildcard $(HOME)/.pyenv/versions)

test-lerobot:
	@sh .ci/test-lerobot 0.4.4 smolvla 11 $(PYTHON311) $(wildcard $(PYENV)/3.11.*/bin/python) $(PYTHON) $(PYTHON312)
	@sh .ci/test-lerobot 0.6.1 smolvla,pi,diffusion,dataset,training,evaluation 12 $(PYTHON312) $(wildcard $(PYENV)/3.12.*/bin/python) $(PYTHON)

test-vla-eval:
	@sh .ci/test-vla-eval "$(PYTHON)"

test-openvla:
	@sh .ci/test-openvla "$(PYTHON)"

test-rlbench: setup
	@sh .ci/rlbench $(BIN)/python $(PYTEST)

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python .ci/typecheck.py

clean:
	rm -rf $(VENV)
