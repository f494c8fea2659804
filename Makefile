# The two commands of a new user: `make demo`, then `make test`. Everything installs itself into .venv.
PY ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo test check static quick bench lock festivals format clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml deploy/setup.sh
	@PY="$(PY)" bash deploy/setup.sh

demo: setup
	@$(BIN)/guanxi demo

check: setup
	@$(MAKE) --no-print-directory --output-sync=target -j2 static quick

static: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

quick: setup
	@$(BIN)/python -m pytest -q -n auto -m "not cluster and not slow"

test: setup
	@$(BIN)/python -m tests.servers.install
	@$(BIN)/python -m pytest -q -n auto -m "not cluster" --hypothesis-profile=thorough; quick=$$?; \
	$(BIN)/python -m pytest -m cluster --hypothesis-profile=thorough && exit $$quick

bench: setup
	@$(BIN)/python -m tests.servers.install
	@$(BIN)/python -m benchmarks

lock: setup
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --extra dev pyproject.toml -o requirements.lock

# The dates of the festivals, worked out anew: nothing that a setup or a test needs.
festivals: setup
	@$(BIN)/uv run --quiet --no-project --with lunar_python==1.4.8 python -m tests.festival_table \
		> infra/rules/data/festivals.toml

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
