"""A pool of workers outlives the death of one of them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from console.commands.assembly.worker_pool import Failed, Finished, WorkerDied, WorkerPool
from core.ports import OperatorError
from tests.kit.rows import cases


def a_worker(folder: str) -> Worker:
    return Worker(Path(folder))


class Worker:
    """Doubles a number. `-1` kills its process once, `-2` each time; `-3` is refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, number: int) -> int:
        mark = self._folder / f"killed{number}"
        if number == -2 or (number == -1 and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == -3:
            raise OperatorError("refused")
        return 2 * number


@cases("ahead", 1, 2)
def test_a_dead_worker_is_replaced(tmp_path: Path, ahead: int) -> None:
    """AN-05: its run starts again once, and no other run is lost, nor one that waits behind it"""
    with WorkerPool(2, a_worker, (str(tmp_path),), ahead) as pool:
        outcomes = list(pool.run([(1,), (-1,), (2,), (-2,), (-3,), (3,)]))

    results = {each.number: each.result for each in outcomes if isinstance(each, Finished)}
    assert results == {0: 2, 1: -2, 2: 4, 5: 6}
    assert [each for each in outcomes if isinstance(each, Failed)] == [Failed(4, "refused")]
    died = [(each.number, each.is_retried) for each in outcomes if isinstance(each, WorkerDied)]
    assert sorted(died) == [(1, True), (3, False), (3, True)]
