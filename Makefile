# Every task of the project. `make run` and `make test` set up what they need by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run dev test check fmt bench crash cases schemas clean

help:  ## what each target does
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.run: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("statek needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

run: $(VENV)/.run  ## the quake desk over a week of events, once, to the end
	@$(BIN)/statek apply . --yes
	@$(BIN)/statek submit --queue quakes --from quakes/data/week.jsonl --key id
	@$(BIN)/statek work --until-idle --no-watch
	@$(BIN)/python -m quakes.report

dev: $(VENV)/.run  ## the same fleet, kept running, watching the files
	@$(BIN)/statek apply . --yes
	@$(BIN)/statek work --watch

test: $(VENV)/.dev  ## the test suite
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 2 --dist worksteal

check: $(VENV)/.dev  ## formatter, linter, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 2 --dist worksteal

fmt: $(VENV)/.dev  ## format and mend what can be mended safely
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## speed, as ratios measured in one run
	$(BIN)/python -m benchmarks.run

crash: $(VENV)/.dev  ## kill a small fleet again and again and count what went wrong; KILLS=30 SEED=...
	$(BIN)/python -m tests.crash.campaign $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

cases: $(VENV)/.dev  ## try the checker on 10,000 generated projects and edits; CASES=...
	CASES=$(or $(CASES),10000) $(BIN)/pytest -q tests/compiler/test_properties.py tests/compiler/test_incremental.py

schemas: $(VENV)/.run  ## write schemas/ anew from their one source
	$(BIN)/python -m statek.spec.schema.kinds schemas
	$(BIN)/python -m statek.cli.schemas schemas/cli

clean:  ## forget the environment and the desk's stores
	rm -rf $(VENV) .statek
