"""A sweep on a Dask cluster: the same table as on this machine, and a worker that cannot take part is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from console.commands.assembly import cluster_pool
from console.commands.assembly.cluster_pool import CheckedRunner, ClusterPool
from console.commands.assembly.engine_runs import BarFiles, EngineRunner
from console.commands.assembly.host import Host
from console.commands.assembly.sweep_runs import Sweep, SweepOptions, SweepWatch
from console.commands.assembly.sweep_space import space_of
from console.commands.assembly.worker_pool import Failed, Finished
from core.ports import OperatorError
from core.research.sweeps.results import Goal
from state.simulated_logs import file_played
from state.sweep_files import digest_of_code
from tests.scenarios.backtests import Answer, keyturn_at, minutes_of, only_before

SILENT = SweepWatch(lambda _done, _whole: None, lambda _line: None)
GRID = ("--strategy", "vwap", "--grid", "strategies.vwap.entry_deviation=0.001,0.003")


@pytest.fixture(autouse=True)
def waits_for_slow_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_pool, "PATIENCE", 600)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of SPY."""
    place = tmp_path_factory.mktemp("cluster")
    return only_before("15:30", minutes_of(place / "SPY_seeded.csv", last=date(2026, 1, 5)))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a scheduler with two workers, all within this process."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, worker_dashboard_address=None
    ) as found:
        yield str(found.scheduler_address)


def swept(bars: Path, home: str, *words: str) -> Answer:
    return keyturn_at(bars.parent / home)("sweep", bars, *GRID, "--json", *words)


def test_a_cluster_gives_the_table_of_this_machine(bars: Path, cluster: str) -> None:
    """AN-05"""
    here, there = swept(bars, "here", "--workers", "1"), swept(bars, "there", "--cluster", cluster)

    assert (here.code, there.code) == (0, 0)
    assert there.json == here.json
    assert len(there.json["runs"]) == 2


def test_no_key_of_a_broker_is_sent_to_a_cluster(bars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AN-05, SY-06: only where the home is; the rest of the environment stays on this machine"""
    sent: list[Any] = []

    def refuse(_address: str, _make: object, arguments: tuple[Any, ...]) -> None:
        sent.append(arguments[1])
        raise OperatorError("not sent")

    monkeypatch.setattr(cluster_pool, "ClusterPool", refuse)
    home = {"KEYTURN_HOME": str(bars.parent / "home")}
    options = SweepOptions(
        BarFiles((bars,), "vwap", None, (), True, 1, None, None, ""),
        space_of(["strategies.vwap.entry_deviation=0.001,0.003"], None),
        Goal.PROFIT,
        None,
        None,
        None,
        1,
        cluster="tcp://127.0.0.1:9",
    )

    with (
        pytest.raises(OperatorError, match="not sent"),
        Sweep(Host.of({**home, "APCA_API_KEY_ID": "x", "KEYTURN_RECORD_KEY": "x"}), options, SILENT),
    ):
        pass

    assert sent == [home]


def raises_at(odd: int) -> Any:
    def do(number: int) -> int:
        if number == odd:
            raise ValueError(number)
        return number * 10

    return do


def test_a_task_that_raises_is_its_own_result(cluster: str) -> None:
    """AN-05: more tasks than are given out at once, and each has one outcome"""
    with ClusterPool(cluster, raises_at, (3,)) as pool:
        found = list(pool.run((number,) for number in range(20)))

    assert {each.number: each.result for each in found if isinstance(each, Finished)} == {
        number: number * 10 for number in range(20) if number != 3
    }
    assert [(each.number, each.reason) for each in found if isinstance(each, Failed)] == [(3, "ValueError: 3")]


def test_another_version_or_other_bars_are_refused(bars: Path, cluster: str) -> None:
    """AN-05: before anything has run"""
    files = BarFiles((bars,), "vwap", None, (), True, 1, None, None, "")
    digest = file_played(bars).digest
    for code, data in ((f"{digest_of_code()}x", digest), (digest_of_code(), f"{digest}x")):
        with pytest.raises(OperatorError, match="cannot take part"):
            ClusterPool(cluster, CheckedRunner, (EngineRunner, {}, files, code, (data,)))


def test_a_scheduler_that_does_not_answer_is_one_line(bars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AN-05"""
    monkeypatch.setattr(cluster_pool, "PATIENCE", 0.1)
    found = swept(bars, "none", "--cluster", "tcp://127.0.0.1:9")

    assert found.code == 2
    assert len(found.err.splitlines()) == 1
    assert "dask scheduler" in found.err


def test_workers_and_a_cluster_exclude_each_other(bars: Path) -> None:
    """AN-05"""
    assert swept(bars, "both", "--cluster", "tcp://127.0.0.1:9", "--workers", "2").code == 2
