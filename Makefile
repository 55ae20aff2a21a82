# Two commands do everything: `make demo` and `make test`. Both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One known pair: PyPI's torchvision is built against exactly one torch.
TORCH ?= torch==2.13.0
TORCHVISION ?= torchvision==0.28.0
DATA ?=
KEEP ?=

.PHONY: demo test lint types coverage bench clean

demo: $(VENV)/.demo
	$(BIN)/sagehound demo $(if $(DATA),--data "$(DATA)") $(if $(KEEP),--keep)

test: $(VENV)/.test lint types
	$(BIN)/python -m pytest

lint: $(VENV)/.test
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples

types: $(VENV)/.test
	$(BIN)/mypy

# Writes COVERAGE.md anew from the operations, their tables and the tests.
coverage: $(VENV)/.test
	$(BIN)/python -m sagehound.api.coverage > COVERAGE.md

bench: $(VENV)/.test
	for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

# torch comes first: asked for by another package, it would bring the newest build and its CUDA libraries.
$(VENV)/.torch:
	@echo "Making $(VENV) and installing into it: a few minutes, once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet $(TORCH)
	touch $@

$(VENV)/.demo: $(VENV)/.torch pyproject.toml
	$(BIN)/pip install --quiet $(TORCH) $(TORCHVISION) --editable ".[demo]"
	touch $@

$(VENV)/.test: $(VENV)/.torch pyproject.toml
	$(BIN)/pip install --quiet $(TORCH) $(TORCHVISION) --editable ".[test]"
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache
