# Omonat: `make demo` shows it, `make test` checks it. Everything else is below; `make help` lists it.

PYTHON = .venv/bin/python
# Many images set it; every process would then compile all it imports again, which doubles the start of each.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-long bench bench-long lint format screenshots lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Install what the service needs into .venv
	@scripts/setup run

setup-dev: ## Install what tests, lint and bench need as well
	@scripts/setup dev

demo: setup ## Run the whole idea on this machine with made-up people; Ctrl-C stops
	@$(PYTHON) -m omonat demo

# One process for each processor, each with a PostgreSQL of its own. A file stays together, for what its tests share.
TESTS = $(PYTHON) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: setup-dev ## Check the arrows between the rooms, then run every test
	@arrows=$$(.venv/bin/lint-imports --no-cache 2>&1) || { echo "$$arrows"; exit 1; }
	@$(TESTS)

test-long: setup-dev ## The same tests with many more examples, and the long ones
	@$(TESTS) --long

bench: setup-dev ## Measure the promised figures, side by side; writes build/bench.json
	@$(PYTHON) -m bench

bench-long: setup-dev ## The same, each measured longer, in larger sizes
	@$(PYTHON) -m bench --long

lint: setup-dev ## Style, types, and the arrows between the rooms
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

format: setup-dev ## Put the code into its one form
	@.venv/bin/ruff check --quiet --fix . || true
	@.venv/bin/ruff format .

screenshots: setup-dev ## Look at every page of a running demo, on desktop and phone; writes build/screenshots
	@$(PYTHON) scripts/screenshots.py

lock: ## Pin the dependencies anew (needs uv)
	@scripts/lock

clean: ## Remove what was made in this clone: environment, caches, the demo's data
	@scripts/clean
