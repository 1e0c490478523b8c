# Every target sets up .venv by itself. Another Python: make test PYTHON=/path/to/python3.12

.DEFAULT_GOAL := help
SHELL := /bin/sh

RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c '$(RECENT)' 2>/dev/null && { echo "$$p"; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.PHONY: help demo test check check-all chaos bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: .venv/with-cli ## see networks learn a table, pictures and a series, all real; drawings go to demo/
	@mkdir -p demo
	$(BIN)/pellucid fit examples/penguins.csv --target species \
		--output demo/penguins.safetensors --plot demo/penguins.png
	@echo
	$(BIN)/pellucid predict demo/penguins.safetensors examples/penguins.csv \
		--output demo/predictions.csv
	@echo
	@rm -rf demo/digits
	$(BIN)/python examples/digits.py demo/digits
	$(BIN)/pellucid fit demo/digits --network cnn --test-fraction 0.25 --seed 1 \
		--output demo/digits.safetensors --mistakes demo/mistakes.png
	@echo
	$(BIN)/pellucid fit examples/seattle_weather.csv --network lstm --target temp_max \
		--time date --steps 30 --horizon 7 --output demo/weather.safetensors --plot demo/weather.png
	@echo
	@echo "The seven days after the last:"
	$(BIN)/pellucid predict demo/weather.safetensors examples/seattle_weather.csv
	@echo
	@echo "The curves of the penguins:  $(CURDIR)/demo/penguins.png"
	@echo "Its wrong answers on digits: $(CURDIR)/demo/mistakes.png"

test: .venv/with-test ## run the tests
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

check: .venv/with-test .venv/with-check ## lint, type check, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

check-all: .venv/with-test .venv/with-check ## check, and the tests that take minutes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 --every-float32

chaos: .venv/with-test ## signals, forks, kills, full disks and clocks at hundreds of random moments
	$(BIN)/python tests/chaos/driver.py

bench: .venv/with-cli .venv/with-bench ## time pellucid beside its peers
	$(BIN)/python -m benchmarks

clean: ## remove .venv, demo and caches
	rm -rf .venv demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed. Install it, or: make PYTHON=/path/to/python"; exit 2; }
	@echo "Making .venv with $(PYTHON)"
	@"$(PYTHON)" -c '$(RECENT)' || { echo "$(PYTHON) must be Python 3.11 or later."; exit 2; }
	@"$(PYTHON)" -m venv .venv

# The package itself is installed as a link to src/: only pyproject.toml calls for a new install.
.venv/with-%: pyproject.toml | .venv/bin/python
	@echo "Installing pellucid[$*] into .venv (a minute or two, once)"
	@$(PIP) install -e ".[$*]"
	@touch $@
