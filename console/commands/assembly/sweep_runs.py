"""Run a parameter sweep: resume finished runs, do the others on all cores, keep each, and count every trial (AN-05)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from console.commands.assembly.engine_runs import BarFiles, EngineRunner
from console.commands.assembly.engines import own_files
from console.commands.assembly.host import Host
from console.commands.assembly.kernel_runs import ENGINE, KERNEL, KernelRunner, read_bars, require_runner
from console.commands.assembly.recordings import require_files, settings_to_play
from console.commands.assembly.settings import backtest_settings
from console.commands.assembly.sweep_space import SpaceSettings
from console.commands.assembly.worker_pool import Failed, Finished, WorkerDied, WorkerLeft, WorkerPool
from core.io.wall_clock import utc_now
from core.model.lazy_dataclass import dataclass
from core.model.values import Money, plain
from core.ports import OperatorError
from core.research.sweeps.deflated_sharpe import SweepTrial
from core.research.sweeps.report import SweepOutcome, SweepReport, report_of
from core.research.sweeps.results import Goal, RunResult, Span, daily_sharpe, difference, score
from core.research.sweeps.sampling import sampled_by_optuna
from core.research.sweeps.space import Point, Space
from core.research.sweeps.walk_forward import WalkForward, WindowPlan, chosen, joined, span_of, windows_of
from state.simulated_logs import file_played
from state.sweep_files import RunFile, TrialRegistry, digest_of, digest_of_code, run_key

if TYPE_CHECKING:
    from console.commands.assembly.cluster_pool import ClusterPool
    from core.settings.settings import Settings

SYNC_EVERY = 8
"""Finished runs between two waits for the disk; each is written at once, so a killed process loses none of them."""


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """What to vary, and how.

    Attributes
    ----------
    random
        The number of combinations to draw; None runs all of them.
    trials
        The number of choices of Optuna's sampler; None does not use it.
    workers
        The number of processes.
    cluster
        The address of a Dask scheduler whose workers do the runs; empty runs them in processes of this machine.
    on
        What runs it: `engine`, or `kernel`, the compiled one.
    """

    bars: BarFiles
    space: Space
    goal: Goal
    random: int | None
    trials: int | None
    windows: WindowPlan | None
    workers: int
    cluster: str = ""
    on: str = ENGINE


@dataclass(frozen=True, slots=True)
class SweepWatch:
    """Called while a sweep runs: with finished runs and their total, and with a line on something unusual."""

    progress: Callable[[int, int], None]
    note: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One backtest to do. `settings_digest` is that of `settings`; `span` None is all days."""

    settings_digest: str
    settings: Settings
    span: Span | None = None

    @property
    def key(self) -> str:
        return run_key(self.settings_digest, self.span)


class Sweep:
    """One sweep, from its checked options to its figures.

    Raises
    ------
    OperatorError
        A file, a setting or a window cannot be used; nothing has run then.
    """

    def __init__(self, host: Host, options: SweepOptions, watch: SweepWatch) -> None:
        require_runner(options.on)
        require_files(options.bars.files)
        self._host, self._options, self._watch = host, options, watch
        self._engine = EngineRunner(host.environ, options.bars)
        self._settings = SpaceSettings(options.space, self._settings_of)
        self._settings.require_values()
        if options.windows is not None:
            windows_of(len(self._engine.days), options.windows)
        self._read = read_bars(self._engine) if options.on == KERNEL else None
        self._strategy = self._engine.strategy
        for jump in self._engine.recording.jumps:
            if jump.split:
                opened = f"{jump.symbol} opens at {plain(jump.opened)} after a close of {plain(jump.before)}"
                watch.note(
                    f"{jump.at:%Y-%m-%d}: {opened}, as a split {jump.split}; prices are not adjusted: "
                    "runs that hold it are wrong"
                )
        self._data = [file_played(path).digest for path in options.bars.every_file]
        self._runs: dict[Point, RunResult] = {}
        self._failed: dict[Point, str] = {}
        self._resumed = self._done = self._total = 0
        self._stack = ExitStack()

    def __enter__(self) -> Sweep:
        bars, home = self._options.bars, self._host.home
        own = [file.digest for file in own_files(self._host, self._engine.recording.settings)]
        made_of: dict[str, object] = {
            "data": self._data,
            "zone": bars.zone,
            "seed": bars.seed,
            "own": own,
            "code": digest_of_code(),
        }
        if self._options.on == KERNEL:
            made_of["on"] = KERNEL
        with ExitStack() as stack:
            self._file = stack.enter_context(closing(RunFile(home, made_of)))
            self._registry = stack.enter_context(closing(TrialRegistry(home)))
            self._pool = self._new_pool(own)
            stack.push(self._pool)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self) -> SweepReport:
        """Do every run that is not in the run file, and return the figures. Raises `OperatorError`, OSError."""
        options, space = self._options, self._options.space
        if options.trials is not None:
            self._total = options.trials
            sampled_by_optuna(space, options.trials, options.bars.seed, self._evaluate)
        else:
            points = space.grid() if options.random is None else space.sampled(options.random, options.bars.seed)
            self._total = len(points)
            self._evaluate(points)
        found = self._settings
        if found.rejected and not found.settings:
            first = next(iter(found.rejected.values()))
            raise OperatorError(f"all {len(found.rejected):,} combinations are rejected; the first: {first}")
        runs = {point: self._runs[point] for point in sorted(self._runs)}
        outcome = SweepOutcome(
            space, options.goal, self._strategy, runs, found.rejected, self._failed, found.repeated, self._resumed
        )
        walked = None if options.windows is None or not runs else self._walk_forward(outcome, options.windows)
        return report_of(outcome, self._registry.of(self._strategy), self._difference, walked)

    def _new_pool(self, own: Sequence[str]) -> WorkerPool[RunResult] | ClusterPool[RunResult]:
        options, environ = self._options, dict(self._host.environ)
        if not options.cluster and self._read is not None:
            pool = WorkerPool(options.workers, KernelRunner, (environ, options.bars, self._read), ahead=2)
            pool.start()
            return pool
        runner = KernelRunner if options.on == KERNEL else EngineRunner
        if not options.cluster:
            return WorkerPool(options.workers, runner, (environ, options.bars))
        if own:
            raise OperatorError("--cluster: a strategy of your own runs on this machine alone; leave out --cluster")
        from console.commands.assembly.cluster_pool import CheckedRunner, ClusterPool

        places = {name: environ[name] for name in ("HOME", "KEYTURN_HOME") if name in environ}  # no key of a broker
        arguments = (runner, places, options.bars, digest_of_code(), tuple(self._data))
        return ClusterPool(options.cluster, CheckedRunner, arguments)

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _evaluate(self, points: Sequence[Point]) -> dict[Point, float]:
        """Run these combinations, except for those that were run before; return the scores of those that have one."""
        new = [point for point in points if point not in self._runs and point not in self._failed]
        checked = self._settings.checked(new)
        runs = {point: Run(digest, settings) for point, (digest, settings) in checked.items()}
        if self._options.on == KERNEL:
            self._require_modelled(runs.values())
        kept = [run for run in runs.values() if run.key in self._file.results]
        self._resumed += len(kept)
        self._registry.add(self._trial(run) for run in kept)
        self._done = len(self._settings.seen) - len(runs) + len(kept)
        self._watch.progress(self._done, self._total)
        reasons = self._do(list(runs.values()))
        for point, run in runs.items():
            if run.key in reasons:
                self._failed[point] = reasons[run.key]
            else:
                self._runs[point] = self._file.results[run.key]
        scores = {point: score(self._runs[point], self._options.goal) for point in points if point in self._runs}
        return {point: figure for point, figure in scores.items() if figure is not None}

    def _require_modelled(self, runs: Iterable[Run]) -> None:
        """Refuse a sweep on the kernel of which a combination is not modelled. Raises `OperatorError`."""
        kernel = KernelRunner(self._host.environ, self._options.bars, self._read)
        for run in runs:
            kernel.require(run.settings)

    def _do(self, runs: Sequence[Run]) -> dict[str, str]:
        """Do the runs that are not in the file, and keep each there. Return the reasons of those that failed."""
        left = [run for run in runs if run.key not in self._file.results]
        reasons: dict[str, str] = {}
        for outcome in self._pool.run((run.settings, run.span) for run in left):
            match outcome:
                case WorkerLeft(address):
                    self._watch.note(f"the worker {address} left the cluster; its runs start again elsewhere")
                    continue
                case WorkerDied(_, reason, True):
                    self._watch.note(f"a worker was replaced, {reason}; its run starts again")
                    continue
                case WorkerDied(number, reason, False) | Failed(number, reason):
                    reasons[left[number].key] = reason
                case Finished(number, result):
                    run = left[number]
                    self._file.append(run.key, result)
                    if run.span is None:
                        self._registry.add([self._trial(run)])
            self._done += 1
            if self._done % SYNC_EVERY == 0:
                self._sync()
            self._watch.progress(self._done, self._total)
        self._sync()
        return reasons

    def _sync(self) -> None:
        self._file.sync()
        self._registry.sync()

    def _trial(self, run: Run) -> SweepTrial:
        """Return a run as a trial; the program's version is no part of it."""
        result = self._file.results[run.key]
        returns = result.returns
        digest = digest_of([run.settings_digest, self._data, self._options.bars.zone, self._options.bars.seed])
        return SweepTrial(self._strategy, digest, utc_now(), daily_sharpe(returns, result.cent), len(returns))

    def _settings_of(self, overrides: tuple[str, ...]) -> Settings:
        bars, is_daily = self._options.bars, self._engine.recording.is_daily
        laid_over = (*bars.laid_over(), *overrides)
        return settings_to_play(self._host, laid_over, backtest_settings, bars.names, is_daily=is_daily)[0]

    def _difference(self, point: Point) -> Money:
        """Run a combination once more on the engine, in this process; return the difference, USD."""
        _digest, settings = self._settings.settings[point]
        return difference(self._runs[point], self._engine(settings, None))

    # ── walk-forward ─────────────────────────────────────────────────────────────────────────────────────────────

    def _walk_forward(self, outcome: SweepOutcome, plan: WindowPlan) -> WalkForward:
        points, results = list(outcome.runs), list(outcome.runs.values())
        choices = [chosen(results, window, outcome.goal) for window in windows_of(len(self._engine.days), plan)]
        made = [choice for choice in choices if choice is not None]
        tests = [
            Run(
                *self._settings.settings[points[each.run]],
                span_of(results[0], each.window.test_first, each.window.test_end),
            )
            for each in made
        ]
        self._total = self._done + len(tests)
        if reasons := self._do(tests):
            raise OperatorError(f"a test window cannot be run: {next(iter(reasons.values()))}")
        found = [
            (choice, outcome.space.labels(points[choice.run]), self._file.results[test.key])
            for choice, test in zip(made, tests, strict=True)
        ]
        return joined(results, found, len(choices) - len(made))
