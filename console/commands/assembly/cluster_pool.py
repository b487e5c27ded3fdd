"""The runs of a sweep on a Dask cluster (the extra `research`): the same function in the workers of other machines.

Each worker needs the same version of Keyturn and the same files at the same paths, which is checked before the first
run, and again in workers that join later. A worker that leaves is reported; the scheduler gives its runs to others.
"""

from __future__ import annotations

import logging
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic

from console.commands.assembly.engine_runs import BarFiles
from console.commands.assembly.worker_pool import Failed, Finished, Outcome, Result, WorkerLeft
from core.ports import OperatorError
from state.simulated_logs import file_played
from state.sweep_files import digest_of_code

if TYPE_CHECKING:
    from core.research.sweeps.results import Runner, RunResult, Span
    from core.settings.settings import Settings

PATIENCE = 5
"""Seconds in which a scheduler must answer."""
AHEAD = 4
"""Tasks given out for each worker: one runs, and the others spare it the wait for the line."""


MakeRunner = Callable[[Mapping[str, str], BarFiles], "Runner"]


class CheckedRunner:
    """A runner on a machine that has the same program and the same files. Raises `OperatorError`."""

    def __init__(
        self, make: MakeRunner, environ: Mapping[str, str], bars: BarFiles, code: str, files: tuple[str, ...]
    ) -> None:
        if digest_of_code() != code:
            raise OperatorError("it runs another version of Keyturn; install the same one there")
        for path, digest in zip(bars.every_file, files, strict=True):
            try:
                is_same = file_played(path).digest == digest
            except OSError as error:
                raise OperatorError(f"its {path} cannot be read: {error.strerror}; copy the file there") from None
            if not is_same:
                raise OperatorError(f"its {path} has other bars; copy the file there")
        self._run = make(environ, bars)

    def __call__(self, settings: Settings, span: Span | None) -> RunResult:
        return self._run(settings, span)


class ClusterPool(Generic[Result]):
    """A pool as `WorkerPool` is, whose workers are those of a scheduler.

    Parameters
    ----------
    address
        Of the scheduler, as in `tcp://10.0.0.2:8786`.
    make, arguments
        Called once in each worker to build the function that does the tasks. All must be picklable.

    Raises
    ------
    OperatorError
        Dask is not installed, the scheduler does not answer, it has no worker, or a worker cannot build the function.
    """

    def __init__(self, address: str, make: Callable[..., Callable[..., Result]], arguments: tuple[object, ...]) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise OperatorError("--cluster: Dask is not installed; run: pip install 'keyturn[research]'") from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is reported by its own words
        self._recipe = pickle.dumps((make, arguments))
        try:
            self._client: Any = Client(address, timeout=PATIENCE)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, TypeError):
            raise OperatorError(
                f"--cluster {address}: no scheduler answers; start one with: dask scheduler, or check the address"
            ) from None
        try:
            self._require_workers(address)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> ClusterPool[Result]:
        return self

    def __exit__(self, *_: object) -> None:
        """Forget every task that has not ended."""
        self._client.close()

    def run(self, tasks: Iterable[tuple[object, ...]]) -> Iterator[Outcome[Result]]:
        """Yield what becomes of each task, in the order in which they end; a task is the function's arguments."""
        from distributed import as_completed

        waiting = enumerate(tasks)
        known = self._workers()
        given = {self._give(task): number for number, task in islice(waiting, AHEAD * len(known))}
        ended: Any = as_completed(given)  # type: ignore[no-untyped-call]
        for future in ended:
            now = self._workers()
            yield from map(WorkerLeft, sorted(known - now))
            known = now
            number = given.pop(future)
            yield _outcome(number, future)
            for following, task in islice(waiting, 1):
                given[added := self._give(task)] = following
                ended.add(added)

    def _give(self, task: tuple[object, ...]) -> Any:
        return self._client.submit(_do, self._recipe, task, pure=False)

    def _workers(self) -> frozenset[str]:
        """Return the addresses of the workers."""
        return frozenset(self._client.scheduler_info(n_workers=-1)["workers"])

    def _require_workers(self, address: str) -> None:
        """Build the function in every worker, so that nothing has run if one cannot."""
        workers = sorted(self._workers())
        if not workers:
            raise OperatorError(f"--cluster {address}: it has no worker; start one with: dask worker {address}")
        built = deque((each, self._client.submit(_build, self._recipe, workers=[each], pure=False)) for each in workers)
        for worker, future in built:
            if reason := future.result():
                raise OperatorError(f"--cluster {address}: the worker {worker} cannot take part: {reason}")


def _outcome(number: int, future: Any) -> Outcome[Any]:
    error = future.exception()
    if error is not None:  # the scheduler gave it up: its workers died one after the other
        return Failed(number, f"it was given up: {error}".splitlines()[0])
    is_done, answer = future.result()
    return Finished(number, answer) if is_done else Failed(number, answer)


# ── in a worker ──────────────────────────────────────────────────────────────────────────────────────────────────────

_one_at_a_time = Lock()
_built: dict[bytes, Callable[..., object]] = {}
"""The function of the last sweep."""


def _build(recipe: bytes) -> str:
    """Build the function. Return why that cannot be; empty if it was built."""
    try:
        with _one_at_a_time:
            _function(recipe)
    except OperatorError as error:
        return str(error)
    return ""


def _do(recipe: bytes, task: tuple[object, ...]) -> tuple[bool, object]:
    """Do one task: whether it succeeded, and its result or the reason. A worker with threads does one at a time."""
    try:
        with _one_at_a_time:
            return True, _function(recipe)(*task)
    except OperatorError as error:
        return False, str(error)
    except Exception as error:  # one run's fault is that run's result, and the sweep goes on
        return False, f"{type(error).__name__}: {error}"


def _function(recipe: bytes) -> Callable[..., object]:
    if recipe not in _built:
        _built.clear()
        make, arguments = pickle.loads(recipe)
        _built[recipe] = make(*arguments)
    return _built[recipe]
