# Two commands for a newcomer: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
NPM = $(shell $(PYTHON) -c 'import json; print(json.load(open(".cache/tools.json"))["npm"])')

# Pass more to a program: make demo ARGS="--port 9000", make test ARGS="-k offer".
ARGS ?=

# How many processes share the tests, but for the end-to-end ones: those listen to sound and want the machine to themselves.
JOBS ?= 2
SPREAD := $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist loadfile)

# Plain output where nobody looks at a terminal.
ifeq ($(CI),true)
export NO_COLOR := 1
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test check system-packages lint types test-page bench hil soak docs lock clean
.NOTPARALLEL:

help: ## Show this list
	@echo "modembank: make <target>   (V=1 shows the output of every step)"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Create .venv with everything, and build the page
	@$(PYTHON) scripts/setup.py

demo: setup ## Run modembank on 16 emulated modems until Ctrl-C
	@$(BIN)/modembank demo $(ARGS)

test: system-packages setup lint types test-page ## Install what the tests need and run all of them
	@echo "[pytest] all but the end-to-end tests"
	@$(BIN)/pytest -m "not e2e and not soak" $(SPREAD) $(ARGS)
	@echo "[pytest] end to end, one after the other: they listen to sound"
	@$(BIN)/pytest -m e2e $(ARGS)

check: lint types ## The quick look before a commit: lint, types, layers, fast tests
	@echo "[pytest] fast tests"
	@$(BIN)/pytest -q -m "not e2e and not soak" $(SPREAD) $(ARGS)

system-packages: ## Install Debian's chromium, espeak-ng, gammu, postgresql, gcc …, where they are missing
	@$(PYTHON) scripts/system_packages.py

lint: setup ## ruff: rules and format
	@echo "[ruff] rules and format"
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .

types: setup ## mypy, strict
	@echo "[mypy] strict types"
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary scripts

test-page: setup ## The page's own tests
	@echo "[vitest] the page"
	@cd modembank/web && PATH="$(dir $(NPM)):$$PATH" $(NPM) run --silent test

bench: setup ## Measure the media path against a plain aiortc bridge
	@$(BIN)/python benchmarks/media.py $(ARGS)

hil: setup ## The tests that run on real modems too: make hil ARGS="--hil hardware/rack.toml"
	@$(BIN)/pytest -m hil tests/hil $(ARGS)

soak: setup system-packages ## The tests that take minutes
	@$(BIN)/pytest -m soak --timeout 3600 $(ARGS)

docs: setup ## Write the generated reference pages anew
	@$(BIN)/python scripts/write_reference.py

lock: ## Resolve the dependencies of pyproject.toml into requirements.lock
	@$(PYTHON) scripts/lock.py $(ARGS)

clean: ## Remove everything that was made, the environment included
	rm -rf .venv .cache .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
		modembank/web/dist modembank/web/node_modules dist tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
