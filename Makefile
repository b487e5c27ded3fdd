# What a developer does here, one word each. Python 3.11 or newer, pip and make are all it takes: the first target that
# needs it builds .venv from requirements.lock, and builds it again when the lock changes.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
CODE := app.py console core state widgets

# What was compiled is kept: each worker of the tests, and each desk that they start, would compile it all again.
unexport PYTHONDONTWRITEBYTECODE PYTHONOPTIMIZE

.DEFAULT_GOAL := help

.PHONY: help venv demo test costs test-real soak forgeries steady coverage mutants check check-spec bench month lock docs man sessions wheel snapshots \
  key-counts chord exchange risk-days contract

help:
	@echo 'make demo       the desk on a simulated exchange: no account, no network (ARGS="--seed 7" passes arguments)'
	@echo 'make test       the tests, in random order: 5 minutes on two cores (ARGS="-k kill" for some of them)'
	@echo 'make test-real  terminals, tmux, sshd, processes that are killed, full disks: 5 minutes (ARGS="-k tmux" for some)'
	@echo 'make costs      the tests once more, and the seconds of each dear file, by which they are shared among the cores'
	@echo 'make soak       long seeded runs, each goes on where it was broken off: hours (PART=sessions N=20000 SEED=7 ONLY=1234)'
	@echo 'make forgeries N=10000   exports that the holder of the key forged field by field, and true ones: 5 minutes'
	@echo 'make check      style, types, import contracts, dependencies, dead code, secrets, what is built'
	@echo 'make steady N=20    make test twenty times with busy cores (TIER=test-real for that one, DISK=1 for a busy disk)'
	@echo 'make coverage   the tests once more, and which lines of core/ and state/ they miss'
	@echo 'make mutants N=400   how many small changes of the code the tests notice'
	@echo 'make snapshots  the kept pictures and texts written again: look at each that git shows as changed'
	@echo 'make bench      every measurement beside its baseline (make bench-NAME for one: desk, start, wire, lanes, notify, frames,'
	@echo '                attach, agents, bounded, kill, day, symbols, rest, backtest, files, kernel, strategies, flattery; ARGS="120x40" passes arguments)'
	@echo 'make month      30 days of sessions in virtual time, a desk that comes and goes every hour (ARGS="5 600" days, speed)'
	@echo 'make key-counts how many keys the common tasks take, typed into a demo in tmux (ARGS="half" for one of them)'
	@echo 'make chord      the kill chord to the latch, from each screen (N=200 presses each)'
	@echo 'make risk-days  what the protections did on recorded days: October 2013, 2008, 2020'
	@echo 'make exchange   a broker on this machine that speaks as Alpaca does (ARGS="--market-time 09:45" opens its market)'
	@echo 'make contract   what the broker promises of each field that is read, and which of them go when (ARGS=--due for these)'
	@echo 'make docs       the generated parts of README.md and docs/'
	@echo 'make check-spec SPEC=FILE   compares the requirements with the page that they are taken from'
	@echo 'make wheel      dist/: the wheel, the sdist, and the locked versions for whoever installs them'
	@echo 'make man        the manual page, docs/keyturn.1'
	@echo 'make venv       the environment in .venv; its program is .venv/bin/keyturn'
	@echo 'make sessions   the table of New York sessions again from exchange-calendars'
	@echo 'make lock       requirements.lock again from pyproject.toml'

venv: .venv/.ready

# The packages, exactly as locked: a change of the lock starts from an empty environment.
.venv/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Keyturn needs Python 3.11 or newer, and "$(PYTHON)" is not: try  make PYTHON=python3.11 …' >&2; exit 1; }
	@echo 'venv: an empty environment in .venv'
	@$(PYTHON) -m venv --clear .venv
	@echo 'venv: the packages of requirements.lock (half a minute)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# Keyturn itself, editable; `pip check` fails when pyproject.toml asks for what the lock does not hold.
.venv/.ready: .venv/.locked pyproject.toml
	@echo 'venv: keyturn itself'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check >.venv/check.log || { cat .venv/check.log; echo 'run: make lock' >&2; exit 1; }
	@touch $@

demo: .venv/.ready
	@$(BIN)/keyturn demo $(ARGS)

REAL := -q -rs -n 3 --maxschedchunk 1
N ?= 0
SEED ?=
ONLY ?=
PART ?=
CORES ?=

test: .venv/.ready
ifeq ($(ARGS),)
	@$(BIN)/python -m tests.kit.shares $(if $(SEED),--seed $(SEED)) -q -rs --durations=5
else
	@$(BIN)/pytest -q -rs $(if $(SEED),--randomly-seed=$(SEED)) $(ARGS)
endif

# Which share of the tests a file belongs to depends on its seconds.
costs: .venv/.ready
	@$(BIN)/python -m tests.kit.shares --measure -q

test-real: .venv/.ready
	@$(BIN)/pytest $(REAL) $(if $(SEED),--randomly-seed=$(SEED)) $(if $(findstring tests/real,$(ARGS)),,tests/real) $(ARGS)

soak: .venv/.ready
	@$(BIN)/python -m tests.soak.run $(if $(PART),--part $(PART)) $(if $(filter 0,$(N)),,--many $(N)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(CORES),--cores $(CORES)) $(ARGS)

forgeries: PART := forgeries
forgeries: soak

TIER ?= test
steady: .venv/.ready
	@$(BIN)/python -m tests.kit.steady $(TIER) $(if $(filter 0,$(N)),20,$(N)) $(if $(filter 1,$(DISK)),--disk)

# Instrumented code runs a third slower, so this is apart. Its total is printed; which lines were missed: .venv/coverage.txt.
coverage: .venv/.ready
	@$(BIN)/python -m slipcover --json --out .venv/coverage.json -m pytest -q -n 2 tests/unit tests/scenarios $(ARGS)
	@$(BIN)/python -m slipcover --fail-under 90 --out .venv/coverage.sum --merge .venv/coverage.json \
	  >.venv/coverage.txt; rc=$$?; tail -n 1 .venv/coverage.txt; exit $$rc

mutants: .venv/.ready
	@$(BIN)/python -m tests.soak.mutants $(if $(filter 0,$(N)),,--many $(N)) $(if $(SEED),--seed $(SEED)) $(ARGS)

CHECKS := types package kernel style contracts dependencies dead-code secrets
.PHONY: $(CHECKS)

# Two beside each other: reading the types takes as long as all else together.
check: .venv/.ready
	@$(MAKE) --no-print-directory -j 2 $(CHECKS)

types: .venv/.ready
	@echo 'check: types (mypy), and that no call of an agent leads to an order'
	@$(BIN)/mypy --strict --no-error-summary $(CODE)
	@$(BIN)/pytest -q --no-header tests/static >.venv/static.log || { cat .venv/static.log; exit 1; }

# The tests run it as plain Python.
kernel: .venv/.ready
	@echo 'check: the research kernel, compiled'
	@NUMBA_DISABLE_JIT=0 $(BIN)/pytest -q --no-header tests/scenarios/test_research_kernel.py -k 'plays_arrays or 195' \
	  >.venv/kernel.log || { cat .venv/kernel.log; exit 1; }

style: .venv/.ready
	@echo 'check: style (ruff)'
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

contracts: .venv/.ready
	@echo 'check: import contracts (import-linter)'
	@$(BIN)/lint-imports --no-logo >.venv/contracts.log || { cat .venv/contracts.log; exit 1; }
	@$(BIN)/python -c 'import sys, console.desk; slow = {"core.facts", "core.settings", "pydantic", "numpy"} & set(sys.modules); \
	  sys.exit(f"console.desk loads {sorted(slow)}: its start waits for them" if slow else 0)'

dependencies: .venv/.ready
	@echo 'check: dependencies (deptry)'
	@$(BIN)/deptry . >.venv/dependencies.log 2>&1 || { cat .venv/dependencies.log; exit 1; }

dead-code: .venv/.ready
	@echo 'check: dead code (vulture)'
	@$(BIN)/vulture

secrets: .venv/.ready
	@echo 'check: secrets (detect-secrets)'
	@{ git ls-files -z --cached --others --exclude-standard -- ':!tests/snapshots/*.svg' 2>/dev/null || \
	  find . \( -name .git -o -name .venv -o -name '.*_cache' -o -name __pycache__ \) -prune -o -type f -print0; } | \
	  xargs -0 -P 2 -n 200 $(BIN)/detect-secrets-hook --no-verify --baseline .secrets.baseline

package: .venv/.ready
	@echo 'check: wheel and sdist, and an empty environment with the wheel'
	@$(BIN)/pytest -q --no-header tests/package >.venv/package.log || { cat .venv/package.log; exit 1; }

# What pipx and uv install; the constraints are the lock without its sums, which no local wheel has.
wheel: .venv/.ready
	@rm -rf dist keyturn.egg-info
	@$(BIN)/python -m build --no-isolation --outdir dist >.venv/wheel.log 2>&1 || { cat .venv/wheel.log; exit 1; }
	@rm -rf keyturn.egg-info
	@sed -n 's/^\([a-z0-9][^ ]*==[^ ]*\).*/\1/p' requirements.lock >dist/constraints.txt
	@ls dist/*

bench: .venv/.ready
	@$(BIN)/python -m tests.bench.run $(ARGS)

bench-%: .venv/.ready
	@$(BIN)/python -m tests.bench.$* $(ARGS)

key-counts: .venv/.ready
	@$(BIN)/python -m tests.keys_counted $(ARGS)

month: .venv/.ready
	@$(BIN)/python -m tests.bench.month $(ARGS)

risk-days: .venv/.ready
	@$(BIN)/python -m tests.bench.risk_days $(ARGS)

chord: .venv/.ready
	@$(BIN)/python -m tests.bench.chord $(if $(filter 0,$(N)),,--many $(N)) $(ARGS)

exchange: .venv/.ready
	@$(BIN)/python -m tests.wire.exchange.run $(ARGS)

contract: .venv/.ready
	@PYTHONPATH=. $(BIN)/python docs/contract.py $(ARGS)

man: .venv/.ready
	@$(BIN)/python docs/man.py

SPEC ?=
check-spec: .venv/.ready
	@test -n '$(SPEC)' || { echo 'name the page with the requirements: make check-spec SPEC=FILE' >&2; exit 2; }
	@$(BIN)/python docs/requirements.py --spec $(SPEC)

sessions: .venv/.ready
	@$(BIN)/python -m core.market.calendar

docs: man
	@$(BIN)/python docs/execution.py
	@$(BIN)/python docs/risk.py
	@$(BIN)/python docs/built_in_strategies.py
	@$(BIN)/python docs/controls.py
	@$(BIN)/python docs/measures.py
	@$(BIN)/python docs/requirements.py
	@$(BIN)/python docs/keys.py
	@$(BIN)/python docs/picture.py
	@$(BIN)/python docs/record_forms.py

lock: .venv/.locked
	@echo 'lock: requirements.lock from pyproject.toml'
	@$(BIN)/pip-compile --quiet --no-header --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --extra dev --allow-unsafe --strip-extras -o requirements.lock pyproject.toml

# What the screens are compared with; a picture is kept only after it was looked at. In one process: it alone deletes the
# pictures of tests that are gone.
snapshots: .venv/.ready
	@$(BIN)/pytest -q -p no:randomly --snapshot-update $(ARGS)
