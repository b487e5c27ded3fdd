"""A saved model labels the days after its fit, each once, and `keyturn measures` shows trades by the labels (AN-07)."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hmmlearn.hmm import GaussianHMM

from core.facts import FillReversed, TradeClosed
from core.facts.orders import Source
from core.files.csv_files import read_daily_values
from core.model.order import Side
from core.model.position import Trade
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, Money, Price, Quantity, Symbol
from core.research.portfolio_risk.history import read_closes
from core.research.regimes.models import features_of
from state.files import JournalFolder
from state.journal import FileJournal
from state.regime_files import write_labels
from tests.data import days_of
from tests.kit.rows import cases
from tests.scenarios.backtests import Answer, Keyturn

ROOT = Path(__file__).resolve().parents[2]
SPY = Symbol("SPY")
FITTED = 500
"""Rows of the file that the models are fitted on; 40 more are labelled."""
MODELS = ("hidden", "nearest")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def models(keyturn: Keyturn, place: Path) -> list[Path]:
    """A hidden Markov model and k-means, on the first rows."""
    the_bars(place, FITTED)
    for name, method in zip(MODELS, ("hidden-markov", "k-means"), strict=True):
        assert keyturn("regime-study", "--save", name, "--method", method).code == 0
    return [place / "regimes" / f"{name}.json" for name in MODELS]


def the_bars(place: Path, rows: int, changed: range = range(0)) -> None:
    """The first rows of SPY and of the VIX, in the folder that is read; the VIX closes at 80 in the changed rows."""
    (place / "bars").mkdir(parents=True, exist_ok=True)
    for symbol in ("SPY", "VIX"):
        lines = days_of(symbol).read_text().splitlines()[: rows + 1]
        for row in changed if symbol == "VIX" else ():
            day, *figures = lines[row].split(",")
            lines[row] = ",".join([day, *["80"] * len(figures)])
        (place / "bars" / f"{symbol}_daily.csv").write_text("\n".join([*lines, ""]))


def labels_in(model: Path) -> dict[date, int]:
    rows = (row.split(",") for row in model.with_suffix(".csv").read_text().splitlines()[1:])
    return {date.fromisoformat(day): int(state) for day, state in rows}


def labelled(keyturn: Keyturn) -> list[dict[str, Any]]:
    found = keyturn("regime-label", "--json")
    assert found.code == 0, found.err
    return found.json["models"]  # type: ignore[no-any-return]


def test_days_after_the_fit_are_labelled_as_the_libraries_do(keyturn: Keyturn, models: list[Path], place: Path) -> None:
    """AN-07: an oracle of hmmlearn's own posterior of the days so far, and of the nearest centre"""
    the_bars(place, FITTED + 40)

    hidden, nearest = labelled(keyturn)

    assert [(each["new"], each["state"] in (1, 2, 3)) for each in (hidden, nearest)] == [(40, True), (40, True)]
    text = [pd.read_json(model, typ="series") for model in models]
    features = the_features(place)
    scaled = (features - np.array(text[0]["mean"])) / np.array(text[0]["deviation"])
    fresh = [day for day in features.index if day > date.fromisoformat(text[0]["last"])]
    assert sorted(labels_in(models[0])) == sorted(labels_in(models[1])) == fresh
    theirs = GaussianHMM(3, covariance_type="diag")
    theirs.startprob_, theirs.transmat_ = np.array(text[0]["start"]), np.array(text[0]["moves"])
    theirs.means_, theirs.covars_ = np.array(text[0]["means"]), np.array(text[0]["variances"])
    rows = scaled.loc[fresh].to_numpy()
    assert list(labels_in(models[0]).values()) == [
        int(theirs.predict_proba(rows[: number + 1])[-1].argmax()) + 1 for number in range(len(rows))
    ]
    centres = np.array(text[1]["means"])
    assert list(labels_in(models[1]).values()) == [int(((row - centres) ** 2).sum(axis=1).argmin()) + 1 for row in rows]


def the_features(place: Path) -> pd.DataFrame:
    read = read_closes(place / "bars" / "SPY_daily.csv", SPY)
    closes = dict(zip(read.days, read.adjusted, strict=True))
    return features_of(closes, read_daily_values(place / "bars" / "VIX_daily.csv"))


def test_a_label_never_changes(keyturn: Keyturn, models: list[Path], place: Path) -> None:
    """AN-07: day by day as all at once, and also where a bar of a labelled day is corrected"""
    seen: dict[Path, dict[date, int]] = {model: {} for model in models}
    for rows in range(FITTED + 1, FITTED + 31, 3):
        the_bars(place, rows)
        labelled(keyturn)
        for model in models:
            assert labels_in(model).items() >= seen[model].items()
            seen[model] = labels_in(model)

    the_bars(place, FITTED + 40, range(FITTED + 10, FITTED + 20))
    told = labelled(keyturn)
    for model, each in zip(models, told, strict=True):
        found = labels_in(model)
        assert list(found.items())[: len(seen[model])] == list(seen[model].items())
        assert (each["labels"], each["kept_although_changed"] > 0, each["fitted_on_the_same_bars"]) == (40, True, True)

    for model in models:
        model.with_suffix(".csv").unlink()
    the_bars(place, FITTED + 28)
    labelled(keyturn)
    assert [labels_in(model) for model in models] == [seen[model] for model in models]


def test_no_day_of_the_fit_and_no_unended_day_is_labelled(
    keyturn: Keyturn, models: list[Path], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AN-07: their own future is in the figures; a day that goes on has no close"""
    assert [each["new"] for each in labelled(keyturn)] == [0, 0]
    the_bars(place, FITTED + 2)
    last = date.fromisoformat(days_of("SPY").read_text().splitlines()[FITTED + 2][:10])
    noon = datetime(last.year, last.month, last.day, 17, tzinfo=UTC)
    monkeypatch.setattr("core.io.wall_clock.utc_now", lambda: noon)

    assert [each["new"] for each in labelled(keyturn)] == [1, 1]
    monkeypatch.setattr("core.io.wall_clock.utc_now", lambda: noon + timedelta(hours=5))
    assert [each["new"] for each in labelled(keyturn)] == [1, 1]


def test_changed_bars_of_the_fit_are_told(keyturn: Keyturn, models: list[Path], place: Path) -> None:
    """AN-07: by the fingerprint that the model keeps"""
    the_bars(place, FITTED + 5, range(FITTED - 100, FITTED - 99))

    assert [each["fitted_on_the_same_bars"] for each in labelled(keyturn)] == [False, False]


def test_without_a_model_a_line_says_how_to_make_one(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-07"""
    label, measures = keyturn("regime-label"), keyturn("measures", "--journal-dir", a_journal(tmp_path, {}))

    assert (label.code, measures.code) == (1, 0)
    assert label.lines[-1] == measures.lines[-1]
    assert "regime-study --save NAME" in label.out


@cases(
    "old new",
    ('"version": 1', '"version": 2'),
    ('"start"', '"begin"'),
    ('"variances": [', '"variances": [[1.0, 1.0, 1.0],'),
    ('"mean": [', '"mean": [1e999, '),
    ("{", ""),
)
def test_a_damaged_model_is_one_line(keyturn: Keyturn, models: list[Path], old: str, new: str) -> None:
    """AN-07, MD-08: nothing is run that a file says, and nothing is labelled by half a model"""
    text = models[0].read_text()
    models[0].write_text(text.replace(old, new, 1))

    found = keyturn("regime-label")

    assert (found.code, len(found.out.splitlines()), len(found.err.splitlines())) == (2, 1, 1)
    assert found.out.startswith("nearest: "), "the other model is labelled all the same"
    assert "hidden.json" in found.err


def test_a_name_is_taken_once(keyturn: Keyturn, models: list[Path]) -> None:
    """AN-07: the labels of a model stay its own"""
    before = models[0].read_bytes()

    found: list[Answer] = [keyturn("regime-study", "--save", name) for name in ("hidden", "../x", "A b")]

    assert [each.code for each in found] == [2, 2, 2]
    assert models[0].read_bytes() == before


def test_trades_are_shown_by_the_state_before_their_entry(
    keyturn: Keyturn, models: list[Path], place: Path, tmp_path: Path
) -> None:
    """AN-07, EX-18: an oracle of pandas; failed executions stand apart, and a fill taken back counts no more"""
    the_bars(place, FITTED + 40)
    labelled(keyturn)
    labels = pd.Series({day: 1 + number * number % 3 for number, day in enumerate(labels_in(models[0]))})
    write_labels(models[0], dict(labels.items()))  # type: ignore[arg-type]
    days = [*labels.index[1:30], labels.index[0] - timedelta(days=30)]
    profits = {day: Decimal(number * number % 17 - 6) for number, day in enumerate(days)}
    journal = a_journal(tmp_path, profits)

    found = keyturn("measures", "--journal-dir", journal, "--json")
    shown = keyturn("measures", "--journal-dir", journal)

    rows = [row for row in found.json["found_regimes"] if row["model"] == "hidden"]
    states = labels.shift().reindex(days[:29])
    frame = pd.DataFrame({"state": states, "profit": [float(profits[day]) for day in days[:29]]})
    expected = frame.groupby("state")["profit"].agg(["count", "sum", "mean"])
    assert [(row["state"], row["trades"]) for row in rows] == [
        *((f"state {int(state)}", int(each["count"])) for state, each in expected.iterrows()),
        ("not labelled", 1),
        ("failed in execution", 1),
    ]
    assert [float(row["profit"]) for row in rows[: len(expected)]] == expected["sum"].tolist()
    assert [float(row["expectancy"]) for row in rows[: len(expected)]] == pytest.approx(expected["mean"], abs=0.006)
    assert sum("by found regime" in line for line in shown.lines) == 2


def a_journal(folder: Path, profits: dict[date, Decimal]) -> Path:
    """A trade a day, one that failed in execution on the first, and one that was taken back on the last."""
    with closing(FileJournal(JournalFolder(folder / "journal"))) as journal:
        for day, profit in sorted(profits.items()) or [(date(2009, 12, 1), Decimal(1))]:
            journal.append(noon(day), TradeClosed(a_trade(day, profit)))
        if profits:
            day = max(profits)
            failed = a_trade(day, Decimal(-500), ExitReason.EXECUTION_ERROR)
            undone = a_trade(day, Decimal(900))
            for fact in (TradeClosed(failed), TradeClosed(undone), a_reversal(undone)):
                journal.append(noon(day), fact)
        journal.sync()
    return folder / "journal"


def a_trade(day: date, profit: Decimal, reason: ExitReason = ExitReason.STOP_LOSS) -> Trade:
    name = f"{day}{profit}"
    return Trade(
        SPY, "vwap", ClientOrderId(name), ClientOrderId(f"x{name}"), noon(day), Price(Decimal(100)),
        Quantity(Decimal(10)), noon(day) + timedelta(minutes=9), Price(Decimal(101)), reason, None,
        None, None, Money(profit), Money(Decimal(0)),
    )  # fmt: skip


def a_reversal(undone: Trade) -> FillReversed:
    none = Money(Decimal(0))
    order = undone.exit_order
    return FillReversed(
        order, SPY, "vwap", Side.SELL, undone.quantity, none, Quantity(Decimal(0)), Source.STREAM, none, undone
    )


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)


def test_no_module_of_the_engine_reads_a_label() -> None:
    """AN-07: commands alone do"""
    readers = {
        str(path.relative_to(ROOT))
        for folder in ("core", "state", "console", "widgets")
        for path in (ROOT / folder).rglob("*.py")
        if any(word in path.read_text() for word in ("regime_files", "found_regimes", "saved_model"))
    }

    assert readers == {
        "console/commands/analysis.py",
        "console/commands/evidence.py",
        "state/regime_files.py",
    }
