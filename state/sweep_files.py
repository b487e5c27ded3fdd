"""The files of parameter sweeps: finished runs, to resume from, and every trial ever run (AN-05).

    .sweeps/runs-0f3c….jsonl    {"run":"8a1c…","result":{…},"sum":"…"}
    .sweeps/trials.jsonl        {"strategy":"vwap","trial":"…","at":"…","sharpe":-0.31,"returns":4,"sum":"…"}

A run file is named by a digest of the bars, the seed and the program's own code, a run by a digest of its settings and
days. So a line is used again only where the same backtest would give it again.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from core.files.regular_file import bytes_of
from core.research.sweeps.deflated_sharpe import SweepTrial
from core.research.sweeps.results import RunResult, Span
from core.settings.settings import Settings
from core.settings.types import WHOLE
from state.files import Home, make_folder
from state.json_lines import JsonLines, JsonLinesError

ROOT = Path(__file__).resolve().parents[1]
CODE = ("core", "state", "console/commands/assembly")
"""The parts of the program that a backtest's result depends on."""
TRIALS = "trials.jsonl"
NOT_TRADED = {"display", "keys", "notify"}
"""Tables of the settings that no backtest reads."""
TRIAL = TypeAdapter(SweepTrial)


def digest_of(value: object) -> str:
    """Return 32 hex digits of a SHA-256 over a plain value."""
    return sha256(orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def digest_of_settings(settings: Settings) -> str:
    """Return a digest of the settings that a backtest can depend on."""
    return digest_of(settings.model_dump(mode="json", context=WHOLE, exclude=NOT_TRADED))


def digest_of_code(root: Path = ROOT) -> str:
    """Return a digest of the program's own source files."""
    total = sha256()
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            content = bytes_of(path)
            total.update(f"{path.relative_to(root)} {len(content)}\n".encode() + content)
    return total.hexdigest()[:32]


def run_key(settings_digest: str, span: Span | None) -> str:
    """Return the name of a run in its file."""
    return settings_digest if span is None else f"{settings_digest} {span.first}..{span.last}"


class WrittenRun(BaseModel):
    """A `RunResult` in its file; its columns are lists there."""

    profit: Decimal
    profits: str
    open_profits: str
    open_since: date | None
    closed: list[int]
    overnight: tuple[tuple[date, date], ...]
    days: tuple[date, ...]
    equity: list[float]
    failed_profits: str = ""


class RunFile:
    """The finished runs of one sweep. One process at a time.

    Parameters
    ----------
    made_of
        What all runs of the file have in common, as plain values.

    Raises
    ------
    JsonLinesError
        Another process has it open, or a line is damaged.
    """

    def __init__(self, home: Home, made_of: Mapping[str, object]) -> None:
        make_folder(home.state)
        self._lines = JsonLines(home.sweeps / f"runs-{digest_of(made_of)}.jsonl", is_exclusive=True)
        self._days: dict[tuple[date, ...], tuple[date, ...]] = {}
        try:
            self.results = dict(self._run(number, record) for number, record in enumerate(self._lines.records(), 1))
        except BaseException:
            self._lines.close()
            raise

    def append(self, key: str, result: RunResult) -> None:
        """Write a finished run. Raises OSError."""
        values = {each.name: getattr(result, each.name) for each in fields(result)}
        columns = {"closed": result.closed.tolist(), "equity": result.equity.tolist()}
        self._lines.append([{"run": key, "result": values | columns}])
        self.results[key] = self._sharing_days(result)

    def sync(self) -> None:
        self._lines.sync()

    def close(self) -> None:
        self._lines.close()

    def _run(self, number: int, record: dict[str, Any]) -> tuple[str, RunResult]:
        try:
            written = WrittenRun.model_validate(record["result"])
            columns = {"closed": array("i", written.closed), "equity": array("d", written.equity)}
            return str(record["run"]), self._sharing_days(RunResult(**{**dict(written), **columns}))
        except (KeyError, ValidationError):
            raise JsonLinesError(
                f"{self._lines.path}, line {number}: it is no run; move the file away and run again"
            ) from None

    def _sharing_days(self, result: RunResult) -> RunResult:
        """Return a result that shares its days with those of other runs."""
        return replace(result, days=self._days.setdefault(result.days, result.days))


def count_trials(home: Home, strategy: str) -> int:
    """Return how many trials of a strategy all sweeps have run. Raises `JsonLinesError`, OSError."""
    if not (home.sweeps / TRIALS).exists():
        return 0
    with closing(TrialRegistry(home)) as registry:
        return len(registry.of(strategy))


class TrialRegistry:
    """Every trial ever run, by strategy; append only. Several processes may use it.

    Raises
    ------
    JsonLinesError
        A line is damaged.
    """

    def __init__(self, home: Home) -> None:
        make_folder(home.state)
        self._lines = JsonLines(home.sweeps / TRIALS)
        try:
            self._known = {(trial.strategy, trial.trial) for trial in self._trials()}
        except BaseException:
            self._lines.close()
            raise

    def add(self, trials: Iterable[SweepTrial]) -> None:
        """Write the trials that were not in it. Raises OSError."""
        for trial in trials:
            name = trial.strategy, trial.trial
            if name not in self._known:
                self._lines.append([TRIAL.dump_python(trial, mode="json")])
                self._known.add(name)

    def of(self, strategy: str) -> list[SweepTrial]:
        """Return the trials of a strategy, the oldest first, each once. Raises `JsonLinesError`, OSError."""
        found: dict[str, SweepTrial] = {}
        for trial in self._trials():
            if trial.strategy == strategy:
                found.setdefault(trial.trial, trial)
        return list(found.values())

    def sync(self) -> None:
        self._lines.sync()

    def close(self) -> None:
        self._lines.close()

    def _trials(self) -> Iterator[SweepTrial]:
        for number, record in enumerate(self._lines.records(), 1):
            try:
                yield TRIAL.validate_python(record)
            except ValidationError:
                raise JsonLinesError(
                    f"{self._lines.path}, line {number}: it is no trial; take the line out, or a backup of the file"
                ) from None
