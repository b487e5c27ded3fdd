"""A pool of worker processes: each builds its function once and then calls it for one task at a time.

A worker that dies is replaced, and its task is given out once more; a task whose worker dies again has failed. Other
tasks are not touched. A worker ends when its parent does: its pipe is closed then.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

TRIES = 2
"""How often a task is given out whose worker dies."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Finished(Generic[Result]):
    """A task's number and its result."""

    number: int
    result: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """A task's number, and why it has no result."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """A worker ended before its task. `is_retried` is false if the task has failed with it."""

    number: int
    reason: str
    is_retried: bool


@dataclass(frozen=True, slots=True)
class WorkerLeft:
    """A worker of a cluster is gone; its tasks are done by others."""

    address: str


Outcome = Finished[Result] | Failed | WorkerDied | WorkerLeft


class _Worker:
    """One process and the numbers of its tasks, in their order: it does the first, the others wait in its pipe."""

    def __init__(self, make: Callable[..., Callable[..., object]], arguments: tuple[object, ...]) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs, make, arguments))
        self.process.start()
        theirs.close()
        self.tasks: deque[int] = deque()

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


class WorkerPool(Generic[Result]):
    """Workers are started when the first tasks come.

    Parameters
    ----------
    many
        The number of processes.
    make, arguments
        Called in each worker to build the function that does the tasks. All must be picklable.
    ahead
        The tasks that a worker has: with two, one that takes milliseconds need not wait for this process.
    """

    def __init__(
        self,
        many: int,
        make: Callable[..., Callable[..., Result]],
        arguments: tuple[object, ...],
        ahead: int = 1,
    ) -> None:
        self._many = many
        self._make = make
        self._arguments = arguments
        self._ahead = ahead
        self._workers: list[_Worker] = []

    def __enter__(self) -> WorkerPool[Result]:
        return self

    def __exit__(self, *_: object) -> None:
        """End every worker, also in the middle of a task."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    @property
    def process_ids(self) -> list[int]:
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def run(self, tasks: Iterable[tuple[object, ...]]) -> Iterator[Outcome[Result]]:
        """Yield what becomes of each task, in the order in which they end; a task is the function's arguments."""
        every = list(tasks)
        waiting, died = deque(range(len(every))), [0] * len(every)
        self.start(min(self._many, len(every)))
        left = len(every)
        while left:
            for many in range(self._ahead):  # each worker has its first task before any has a second
                for worker in self._workers:
                    if len(worker.tasks) <= many and waiting:
                        number = waiting.popleft()
                        worker.tasks.append(number)
                        with suppress(BrokenPipeError):  # it has died: its pipe tells, and the task is given out again
                            worker.pipe.send(every[number])
            busy = {each.pipe: place for place, each in enumerate(self._workers) if each.tasks}
            for pipe in wait(list(busy)):
                place = busy[pipe]  # type: ignore[index]
                queued = self._workers[place].tasks
                outcome = self._heard(place, died)
                if isinstance(outcome, WorkerDied):
                    waiting.extendleft(reversed(queued))
                    if outcome.is_retried:
                        waiting.appendleft(outcome.number)
                left -= not (isinstance(outcome, WorkerDied) and outcome.is_retried)
                yield outcome

    def start(self, many: int | None = None) -> None:
        """Start so many workers, by default all, before there are tasks."""
        while len(self._workers) < (self._many if many is None else many):
            self._workers.append(_Worker(self._make, self._arguments))

    def _heard(self, place: int, died: list[int]) -> Outcome[Result]:
        worker = self._workers[place]
        number = worker.tasks.popleft()
        try:
            is_done, answer = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            worker.process.join()
            reason = _how_it_ended(worker.process.exitcode)
            worker.end()
            self._workers[place] = _Worker(self._make, self._arguments)
            died[number] += 1
            return WorkerDied(number, reason, died[number] < TRIES)
        return Finished(number, answer) if is_done else Failed(number, answer)


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with code {code}"


def _serve(pipe: Connection, make: Callable[..., Callable[..., object]], arguments: tuple[Any, ...]) -> None:
    """Do tasks until the pipe is closed. Ctrl-C reaches the whole group; the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    do: Callable[..., object] | None = None
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task = pipe.recv()
            try:
                do = do or make(*arguments)
                answer = (True, do(*task))
            except OperatorError as error:
                answer = (False, str(error))
            except Exception as error:  # one run's fault is that run's result, and the sweep goes on
                answer = (False, f"{type(error).__name__}: {error}")
            pipe.send(answer)
