"""Saved models of market states, and the labels that each gave to days: a label is written once (AN-07).

`regimes/NAME.json` beside the settings is a model, `regimes/NAME.csv` its labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from core.analytics.found_regimes import FoundRegime, by_state
from core.facts import FillReversed, TradeClosed
from core.files.csv_files import Table, text_of
from core.files.regular_file import bytes_of
from core.model.position import AnyTrade
from core.model.session import HOME
from core.ports import OperatorError
from state.files import Home, make_folder, replace_file
from state.journal import days_of
from state.past_days import asked, records_of

FOLDER = "regimes"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
LARGEST = 1_000_000
"""Bytes of a model."""
COLUMNS = ("day", "state")
NO_MODEL = "no model of market states is saved; `keyturn regime-study --save NAME` makes one"


def models_of(home: Home) -> list[Path]:
    """Return the files of the saved models, by name."""
    folder = home.of_the_operator(FOLDER)
    return sorted(path for path in folder.glob("*.json") if NAME.fullmatch(path.stem)) if folder.is_dir() else []


def place_of(home: Home, name: str) -> Path:
    """Return the file of a new model. Raises `OperatorError` for a wrong name, and one that is taken."""
    if not NAME.fullmatch(name):
        raise OperatorError(f"--save {name}: small letters, digits and '-', at most 32, the first no '-'")
    path = home.of_the_operator(FOLDER) / f"{name}.json"
    if path.exists() or path.with_suffix(".csv").exists():
        raise OperatorError(f"--save {name}: {path} is there already, and its labels stay its own; choose another name")
    return path


def save_model(path: Path, text: str) -> None:
    make_folder(path.parent)
    replace_file(path, text.encode())


def text_of_model(path: Path) -> bytes:
    """Raises `OperatorError`."""
    try:
        return bytes_of(path, LARGEST)
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror}") from None


def labels_of(model: Path) -> dict[date, int]:
    """Return the labels of a model that were written, in order. Raises `OperatorError`."""
    path = model.with_suffix(".csv")
    if not path.exists():
        return {}
    return dict(_rows(path))


def write_labels(model: Path, labels: Mapping[date, int]) -> None:
    """Write the file of a model's labels, those of before included."""
    rows = (f"{day},{state}" for day, state in labels.items())
    replace_file(model.with_suffix(".csv"), "\n".join((",".join(COLUMNS), *rows, "")).encode())


def by_found_regimes(home: Home, folder: Path, what: str | None) -> list[FoundRegime]:
    """Return the closed trades of a range of a journal, by the labels of each model (see `past_days.asked`).

    Raises `OperatorError`, `JournalDamagedError`.
    """
    models = models_of(home)
    if not models:
        return []
    first, last = asked(folder, what)
    trades: list[AnyTrade] = []
    for record in records_of(folder, days_of(folder), (TradeClosed, FillReversed)):
        match record.fact:
            case TradeClosed(trade=trade):
                trades.append(trade)
            case FillReversed(undone=trade, corrected=corrected) if trade in trades:
                at = trades.index(trade)
                trades[at : at + 1] = [] if corrected is None else [corrected]
    within = [trade for trade in trades if first <= HOME.day_of(trade.exit_time) <= last]
    return [by_state(model.stem, labels_of(model), within, HOME.day_of) for model in models]


def _rows(path: Path) -> Iterator[tuple[date, int]]:
    last = date.min
    for row in Table(path, text_of(path), "day", may_be_none=True).records(COLUMNS):
        try:
            day, state = date.fromisoformat(row["day"]), int(row["state"])
        except ValueError:
            raise OperatorError(
                f"{row.place}: is no day and state; move the file away, and label the days again"
            ) from None
        if day <= last:
            raise row.fault("day", f"is not after {last}; move the file away, and label the days again")
        yield day, state
        last = day
