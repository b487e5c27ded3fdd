"""What every run has in common: drawn examples are the same each time, and the last lines state cost and seed."""

from __future__ import annotations

import gc
import os
import shlex
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from syrupy.data import SnapshotCollections
from syrupy.report import SnapshotReport

from core.market import synthetic
from tests.kit.shares import shares_of

LONGEST = 24
"""Characters of the folder for temporary files: a socket's whole path has about a hundred."""

settings.register_profile("same in each run", max_examples=50, deadline=None, derandomize=True, database=None)
settings.load_profile("same in each run")

for name in [name for name in os.environ if name.startswith(("KEYTURN_", "APCA_")) or name == "NO_COLOR"]:
    del os.environ[name]  # an exported variable must not decide a test

os.umask(0o022)
if len(tempfile.gettempdir()) > LONGEST:
    tempfile.tempdir = os.environ["TMPDIR"] = "/tmp"

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
"""Short cases of the research kernel take less than compiling it; `make soak PART=kernel` and `make bench` compile."""

if not __debug__:
    raise pytest.UsageError("python -O and PYTHONOPTIMIZE leave out what the tests assert")

synthetic.synthetic_day = lru_cache(maxsize=64)(synthetic.synthetic_day.__wrapped__)
"""Before anybody imports it: many tests play the same seeded days, of which the program itself keeps four."""

HERE = Path(__file__).parent
CPU = "cpu_seconds"


@pytest.fixture(autouse=True, scope="session")
def fewer_collections() -> None:
    """The program's modules are never garbage, and a test makes many objects: a sixth of the time was collecting."""
    gc.freeze()
    gc.set_threshold(200_000, 10, 25)


@pytest.fixture(autouse=True, scope="module")
def strategy_processes() -> Iterator[None]:
    """They begin by a fork of a warm one, and end with their module."""
    from tests.kit.warm_processes import ended, warm

    with ended(), warm():
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--share", help="K/N: collect only the files of share K of N (tests/kit/shares.py)")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    share = config.getoption("--share")
    if share is None or not collection_path.is_file():
        return None
    number, shares = map(int, share.split("/"))
    seed = int(config.getoption("randomly_seed"))
    its = shares_of(HERE, seed, shares).get(str(collection_path.relative_to(HERE)), number)
    return True if its != number else None


def cpu_seconds() -> float:
    """Of this process and of the processes that it has waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[CPU] = cpu_seconds()


class Cost:
    """CPU seconds of the workers, as each ends, and seconds of each file."""

    def __init__(self) -> None:
        self.of_workers = 0.0
        self.of_files = Counter[str]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.of_files[report.nodeid.partition("::")[0].removeprefix("tests/")] += report.duration

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.of_workers += getattr(node, "workeroutput", {}).get(CPU, 0.0)

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        report = terminalreporter.write_line
        seed = config.getoption("randomly_seed", None)
        for failed in (*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")):
            words = shlex.quote(f"--randomly-seed={seed} {shlex.quote(failed.nodeid)}")
            report(f"again: make {tier_of(failed.nodeid)} ARGS={words}")
        cost = sum(os.times()[:2]) + self.of_workers if self.of_workers else cpu_seconds()
        report(f"seed {seed}, {cost:.0f} CPU seconds")
        if config.getoption("--share"):
            for name, seconds in self.of_files.items():
                report(f"cost {name} {seconds:.1f}")


def tier_of(nodeid: str) -> str:
    return "test-real" if nodeid.startswith("tests/real") else "test"


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--share"):  # a process would take what the others use for unused, and look for it long
        SnapshotReport.unused = property(lambda _: SnapshotCollections())  # type: ignore[method-assign, assignment]
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Cost())
