# Every target sets up .venv by itself. Another Python: make test PYTHON=/path/to/python3.12

.DEFAULT_GOAL := help
SHELL := /bin/sh

RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c '$(RECENT)' 2>/dev/null && { echo "$$p"; break; }; done)
BIN := .venv/bin
INSTALL = -m pip --disable-pip-version-check -qq install
OLDEST := .venv-oldest/bin
NEWEST := .venv-newest/bin
PYTEST := -m pytest -q -n 2 -m "not slow"

.PHONY: help demo test test-oldest test-newest check check-all fuzz chaos bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 21

demo: .venv/with-cli ## see networks learn a table, pictures and a series, all real; drawings go to demo/
	@mkdir -p demo
	$(BIN)/pellucid fit examples/penguins.csv --target species \
		--output demo/penguins.safetensors --plot demo/penguins.png --report demo/penguins.html
	@echo
	$(BIN)/pellucid predict demo/penguins.safetensors examples/penguins.csv \
		--output demo/predictions.csv
	@echo
	@rm -rf demo/digits
	$(BIN)/python examples/digits.py demo/digits
	$(BIN)/pellucid fit demo/digits --network cnn --test-fraction 0.25 --seed 1 \
		--output demo/digits.safetensors --mistakes demo/mistakes.png --report demo/digits.html
	@echo
	$(BIN)/pellucid fit examples/seattle_weather.csv --network lstm --target temp_max \
		--time date --steps 30 --horizon 7 --output demo/weather.safetensors --plot demo/weather.png \
		--report demo/weather.html
	@echo
	@echo "The seven days after the last, and between what they lie eight times in ten:"
	$(BIN)/pellucid predict demo/weather.safetensors examples/seattle_weather.csv --intervals 0.8
	@echo
	@echo "Look inside, in a browser: every number of each model, and rows on their way through it:"
	@echo "  $(CURDIR)/demo/penguins.html"
	@echo "  $(CURDIR)/demo/digits.html"
	@echo "  $(CURDIR)/demo/weather.html"
	@echo "The curves of the penguins:  $(CURDIR)/demo/penguins.png"
	@echo "Its wrong answers on digits: $(CURDIR)/demo/mistakes.png"
	@echo "Its forecasts of the weather: $(CURDIR)/demo/weather.png"

test: .venv/with-test ## run the tests
	$(BIN)/python $(PYTEST)

test-oldest: .venv-oldest/with-test ## run them with the oldest libraries that pyproject.toml allows
	$(OLDEST)/python $(PYTEST)

test-newest: .venv-newest/bin/python ## run them with the newest libraries there are
	@echo "Bringing .venv-newest up to date"
	@$(NEWEST)/python $(INSTALL) --upgrade --upgrade-strategy eager -e ".[test]"
	$(NEWEST)/python $(PYTEST)

check: .venv/with-test .venv/with-check ## lint, type check, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python $(PYTEST)

check-all: .venv/with-test .venv/with-check ## check, and the tests that take minutes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 --every-float32

CASES ?= 1000000
KEPT ?= .fuzz
fuzz: .venv/with-test ## try damaged and crafted files, CASES=1000000 a kind; goes on where it stopped
	$(BIN)/python tests/fuzz/driver.py models tables pictures --cases $(CASES) --kept $(KEPT)

chaos: .venv/with-test ## signals, forks, kills, full disks and clocks at hundreds of random moments
	$(BIN)/python tests/chaos/driver.py

bench: .venv/with-cli .venv/with-bench ## time pellucid beside its peers
	$(BIN)/python -m benchmarks

clean: ## remove .venv and its like, demo and caches
	rm -rf .venv .venv-oldest .venv-newest demo build dist .fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python $(OLDEST)/python $(NEWEST)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed. Install it, or: make PYTHON=/path/to/python"; exit 2; }
	@echo "Making $(@:/bin/python=) with $(PYTHON)"
	@"$(PYTHON)" -c '$(RECENT)' || { echo "$(PYTHON) must be Python 3.11 or later."; exit 2; }
	@"$(PYTHON)" -m venv $(@:/bin/python=)

# The package itself is installed as a link to src/: only pyproject.toml calls for a new install.
.venv/with-%: pyproject.toml | .venv/bin/python
	@echo "Installing pellucid[$*] into .venv (a minute or two, once)"
	@$(BIN)/python $(INSTALL) -e ".[$*]"
	@touch $@

# uv takes the lower bounds of pyproject.toml as they stand; pip knows no such way.
.venv-oldest/with-test: pyproject.toml | $(OLDEST)/python
	@echo "Installing the oldest libraries into .venv-oldest (a minute or two, once)"
	@$(OLDEST)/python $(INSTALL) uv
	@$(OLDEST)/uv pip install -q --python $(OLDEST)/python --resolution lowest-direct --upgrade -e ".[test]"
	@touch $@
