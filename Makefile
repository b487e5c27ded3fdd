# What a developer does here, one word each. Python 3.11 or newer, pip and make are all it takes: the first target that
# needs it builds .venv from requirements.lock, and builds it again when the lock changes.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
CODE := app.py console core state widgets

# What was compiled is kept: each worker of the tests, and each desk that they start, would compile it all again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help venv demo test check bench bench-desk bench-start bench-wire bench-lanes bench-notify bench-frames bench-attach month bench-rest bench-bounded bench-backtest bench-strategies bench-flattery lock docs man wheel property crashes sigkill snapshots accidents keys key-counts chord \
  exchange simulate risk-days contract test-socket accidents-processes faults remote forgeries

help:
	@echo 'make demo    the desk on a simulated exchange: no account, no network (ARGS="--seed 7" passes arguments)'
	@echo 'make test    the tests, and the coverage of core/ and state/ (ARGS="-k kill" for some of them, unmeasured)'
	@echo 'make check   style, types, import contracts, dependencies, dead code, secrets, what is built'
	@echo 'make bench   the measurements'
	@echo 'make bench-desk  those of the full desk in a terminal alone (ARGS="120x40" for one size)'
	@echo 'make bench-start  a start on a journal of 1,000,000 facts, with and without a checkpoint (ARGS=100000 for fewer)'
	@echo 'make bench-wire  a session of orders on the loopback exchange: every part of their way (ARGS=20 for fewer rounds)'
	@echo 'make bench-lanes  an exit and the cancel of a kill while ten other requests hang, and at rest (ARGS=20 for fewer rounds)'
	@echo 'make bench-notify  an exit beside a flood of events, told to nobody and to three receivers (ARGS=10 for fewer rounds)'
	@echo 'make bench-frames  a picture and its changes on their way to a desk: bytes and processor time (ARGS=50 for fewer)'
	@echo 'make bench-attach  a desk on an engine of another process: attach, bytes, keys, the latch, memory, processor time'
	@echo 'make key-counts  how many keys the usual things take, typed into a demo in tmux (ARGS="half" for one of them)'
	@echo 'make month   30 days of sessions in virtual time, a desk that comes and goes every hour (ARGS="5 1800" days, speed)'
	@echo 'make bench-bounded  comparison, picture, checkpoint and start after 100 to 100,000 closed orders (ARGS="100 1000" for fewer)'
	@echo 'make bench-rest  memory and processor time at Alpaca, at rest and under 200,000 messages of the stream'
	@echo 'make bench-backtest  five years of minutes through a backtest: time, bars a second, memory (ARGS="sma" for one strategy)'
	@echo 'make bench-strategies  a bar to a strategy of your own in its process, live and in a backtest (ARGS=live for one)'
	@echo 'make bench-flattery  what the first rules of the exchange paid the five strategies beyond today'"'"'s (ARGS="sma" for one)'
	@echo 'make risk-days  what the protections did on recorded days: October 2013, 2008, 2020 (ARGS=FOLDER of the figures)'
	@echo 'make property  the stateful property test in full (N=3200 sequences, four fifths of them of 30 steps and more)'
	@echo 'make crashes   a crash at every place of a day, in each of three ways to come back (one of them in turn in the tests)'
	@echo 'make sigkill   a busy demo killed at random instants (N=50)'
	@echo 'make simulate SESSIONS=20000   sessions with faults and crashes anywhere (SEED=7 ONLY=1234 plays one again)'
	@echo 'make snapshots  the kept pictures of the desk anew: look at each that git shows as changed. A test that found another'
	@echo '               picture writes snapshot_report.html: the kept one and its own side by side, for a browser'
	@echo 'make accidents N=100000   what hands, links, other desks and lost engines do (SEED=7 ONLY=1234 plays one again)'
	@echo 'make forgeries N=10000     of a day, and a fiftieth as many of a year: what a stranger finds in an export that was changed'
	@echo 'make accidents-processes N=200   the same to real processes, killed, stopped or hung up (SEED=7 ONLY=40 plays one again)'
	@echo 'make faults   real processes: killed, stopped for more than a minute, on a full disk, upgraded, two at once (10 minutes)'
	@echo 'make keys N=40   what is not a key, on each armed screen of a pty: Alt, cut sequences, mice, answers, pastes'
	@echo 'make chord   the kill chord to the latch, wherever the hands are (N=200 presses each)'
	@echo 'make remote  a desk over a real sshd on loopback, typed through: cut, handed over, killed (ARGS=FOLDER keeps screens)'
	@echo 'make exchange   a broker on this machine that speaks as Alpaca does (ARGS="--market-time 09:45" opens its market)'
	@echo 'make contract   what the broker promises of each field that is read, and which of them go when (ARGS=--due for these)'
	@echo 'make docs    the generated parts of README.md and docs/'
	@echo 'make wheel   dist/: the wheel, the sdist, and the locked versions for whoever installs them'
	@echo 'make man     the manual page, docs/keyturn.1'
	@echo 'make venv    the environment in .venv; its program is .venv/bin/keyturn'
	@echo 'make lock    requirements.lock anew from pyproject.toml'

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

PYTEST := -q --dist worksteal --durations=10

# Coverage is of the units and short stories alone (tests/conftest.py), in a run of their own: what is instrumented runs a
# third slower. Its total is printed; which lines were missed stands in .venv/coverage.txt.
test: .venv/.ready
ifeq ($(ARGS),)
	@$(BIN)/python -m slipcover --json --out .venv/coverage.json -m pytest $(PYTEST) -n 2 -m measured tests/unit tests/scenarios
	@$(BIN)/python -m slipcover --fail-under 90 --out .venv/coverage.sum --merge .venv/coverage.json \
	  >.venv/coverage.txt; rc=$$?; tail -n 1 .venv/coverage.txt; exit $$rc
	@$(BIN)/pytest $(PYTEST) -n 4 -m 'not measured' --ignore=tests/package --ignore=tests/service tests
else
	@$(BIN)/pytest $(PYTEST) -n 4 $(ARGS) tests
endif

CHECKS := types package style contracts dependencies dead-code secrets
.PHONY: $(CHECKS)

# Two beside each other: reading the types takes as long as all else together.
check: .venv/.ready
	@$(MAKE) --no-print-directory -j 2 $(CHECKS)

types: .venv/.ready
	@echo 'check: types (mypy)'
	@$(BIN)/mypy --strict --no-error-summary $(CODE)

style: .venv/.ready
	@echo 'check: style (ruff)'
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

contracts: .venv/.ready
	@echo 'check: import contracts (import-linter)'
	@$(BIN)/lint-imports --no-logo >.venv/contracts.log || { cat .venv/contracts.log; exit 1; }

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

bench-desk: .venv/.ready
	@$(BIN)/python -m tests.bench.desk $(ARGS)

bench-start: .venv/.ready
	@$(BIN)/python -m tests.bench.start $(ARGS)

bench-wire: .venv/.ready
	@$(BIN)/python -m tests.bench.wire $(ARGS)

bench-lanes: .venv/.ready
	@$(BIN)/python -m tests.bench.lanes $(ARGS)

bench-notify: .venv/.ready
	@$(BIN)/python -m tests.bench.notify $(ARGS)

# The suite of the desk once more, its engine at the other end of a socket.
test-socket: .venv/.ready
	@KEYTURN_TESTS_OVER=socket $(BIN)/pytest -q -n 2 tests/desk $(ARGS)

bench-frames: .venv/.ready
	@$(BIN)/python -m tests.bench.frames $(ARGS)

bench-bounded: .venv/.ready
	@$(BIN)/python -m tests.bench.bounded $(ARGS)

bench-attach: .venv/.ready
	@$(BIN)/python -m tests.bench.attach

key-counts: .venv/.ready
	@$(BIN)/python -m tests.keys_counted $(ARGS)

month: .venv/.ready
	@$(BIN)/python -m tests.bench.month $(ARGS)

bench-rest: .venv/.ready
	@$(BIN)/python -m tests.bench.rest

bench-flattery: .venv/.ready
	@$(BIN)/python -m tests.bench.flattery $(ARGS)

bench-backtest: .venv/.ready
	@$(BIN)/python -m tests.bench.backtest $(ARGS)

bench-strategies: .venv/.ready
	@$(BIN)/python -m tests.bench.strategies $(ARGS)

risk-days: .venv/.ready
	@$(BIN)/python -m tests.bench.risk_days $(ARGS)

N ?= 0
property: .venv/.ready
	@SEQUENCES=$(if $(filter 0,$(N)),3200,$(N)) $(BIN)/pytest -q -n 2 --timeout 3600 tests/simulation/test_property.py

crashes: .venv/.ready
	@LIVES=all $(BIN)/pytest -q -n 2 --timeout 3600 tests/simulation/test_crash_points.py

sigkill: .venv/.ready
	@SIGKILLS=$(if $(filter 0,$(N)),50,$(N)) $(BIN)/pytest -q -s --timeout 3600 tests/simulation/test_sigkill.py

SEED ?=
ONLY ?=
CORES ?=
accidents: .venv/.ready
	@$(BIN)/python -m tests.accidents.run $(if $(filter 0,$(N)),,--many $(N)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(ONLY),--only $(ONLY)) $(if $(CORES),--cores $(CORES)) $(ARGS)

# Each account has an engine's process and a desk's in a terminal; SIGSTOP for more than a minute is the second one's.
accidents-processes: .venv/.ready
	@PYTHONPATH=. $(BIN)/python -m tests.service.run_accidents $(if $(filter 0,$(N)),,--many $(N)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(ONLY),--only $(ONLY)) $(if $(CORES),--together $(CORES)) $(ARGS)

faults: .venv/.ready
	@STANDSTILL=80 $(BIN)/pytest -q --timeout 900 tests/service $(ARGS)

keys: .venv/.ready
	@$(BIN)/python -m tests.terminal.keys_run $(if $(filter 0,$(N)),,--many $(N)) $(if $(SEED),--seed $(SEED)) $(ARGS)

SESSIONS ?= 2000
simulate: .venv/.ready
	@PYTHONPATH=tests $(BIN)/python -m simulation.run --sessions $(SESSIONS) $(if $(SEED),--seed $(SEED)) \
	  $(if $(ONLY),--only $(ONLY)) $(if $(CORES),--cores $(CORES)) $(ARGS)

forgeries: .venv/.ready
	@$(BIN)/python -m tests.proof.run $(if $(filter 0,$(N)),,--many $(N)) $(if $(SEED),--seed $(SEED)) $(ARGS)

chord: .venv/.ready
	@$(BIN)/python -m tests.bench.chord $(if $(filter 0,$(N)),,--many $(N)) $(ARGS)

remote: .venv/.ready
	@$(BIN)/python -m tests.remote.run $(ARGS)

exchange: .venv/.ready
	@$(BIN)/python -m tests.wire.exchange.run $(ARGS)

contract: .venv/.ready
	@PYTHONPATH=. $(BIN)/python docs/contract.py $(ARGS)

man: .venv/.ready
	@$(BIN)/python docs/man.py

docs: man
	@$(BIN)/python docs/execution.py
	@$(BIN)/python docs/risk.py
	@$(BIN)/python docs/controls.py
	@$(BIN)/python docs/measures.py
	@$(BIN)/python docs/requirements.py
	@$(BIN)/python docs/keys.py
	@$(BIN)/python docs/house.py
	@$(BIN)/python docs/picture.py

lock: .venv/.locked
	@echo 'lock: requirements.lock from pyproject.toml'
	@$(BIN)/pip-compile --quiet --no-header --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --extra dev --allow-unsafe --strip-extras -o requirements.lock pyproject.toml

# What the screens are compared with; a picture is kept only after it was looked at. In one process: it alone deletes the
# pictures of tests that are gone.
snapshots: .venv/.ready
	@$(BIN)/pytest -q tests/snapshots --snapshot-update $(ARGS)
