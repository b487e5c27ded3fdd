"""Daily files: splits are found and named, bad rows are refused with their place (AN-02, MD-08)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from core.model.values import Symbol
from core.ports import OperatorError
from core.research.portfolio_risk.history import History, read_closes, read_history
from tests.data import days_of
from tests.kit.rows import cases
from tests.unit.core.research.book import bars_file, sessions

SPY = Symbol("SPY")
FLAT = [100.0] * 300


def read(folder: Path, *symbols: str, moves: tuple[tuple[Symbol, date], ...] = ()) -> History:
    return read_history([folder], map(Symbol, symbols), moves, lambda _done, _whole: None)


@cases(
    "symbol splits",
    ("AAPL", {"2014-06-09": "7 for 1", "2020-08-31": "4 for 1"}),
    ("EEM", {"2008-07-24": "3 for 1"}),
    ("USO", {"2020-03-09": "", "2020-04-29": "1 for 8"}),
)
def test_recorded_splits_are_found(symbol: str, splits: dict[str, str]) -> None:
    """AN-02: and no return is of a split's size after them; USO opened 22 % lower on 2020-03-09"""
    found = read_closes(days_of(symbol), Symbol(symbol))

    assert {str(jump.day): jump.split for jump in found.jumps} == splits
    moves = [after / before for before, after in zip(found.adjusted, found.adjusted[1:], strict=False)]
    assert min(moves) > 0.7
    assert max(moves) < 1.3
    assert found.adjusted[-1] == float(found.last)


def test_a_jump_may_be_confirmed_as_a_move(tmp_path: Path) -> None:
    """AN-02: halved for good is no split where the operator says so; a day without a jump is an error"""
    closes, day = [100.0] * 200 + [50.0] * 100, sessions(201)[200]
    bars_file(tmp_path / "SPY.csv", closes, opens={200: 50.0})

    assert read(tmp_path, "SPY").returns([SPY])["SPY"].min() == 0
    found = read(tmp_path, "SPY", moves=((SPY, day),))
    assert found.returns([SPY])["SPY"].min() == -0.5
    assert [jump.split for jump in found.jumps] == [""]
    with pytest.raises(OperatorError, match=str(sessions(2)[1])):
        read(tmp_path, "SPY", moves=((SPY, sessions(2)[1]),))


Rows = list[str]


def repeated(rows: Rows) -> Rows:
    return [*rows[:10], rows[9], *rows[10:]]


def without_a_week(rows: Rows) -> Rows:
    return [*rows[:10], *rows[15:]]


def on_a_saturday(rows: Rows) -> Rows:
    return [*rows[:5], "2019-07-06,100,100,100,100,1", *rows[5:]]


def with_a_figure(figure: str) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows[:10], rows[10].replace("100.0", figure), *rows[11:]]


def of_two_symbols(rows: Rows) -> Rows:
    return [f"{rows[0]},symbol", *(f"{row},{'SPY' if at != 9 else 'IBM'}" for at, row in enumerate(rows[1:]))]


@cases(
    "spoil line",
    (repeated, 11),
    (without_a_week, 11),
    (on_a_saturday, 6),
    (with_a_figure("0"), 11),
    (with_a_figure("-5"), 11),
    (with_a_figure("nan"), 11),
    (with_a_figure("1e14"), 11),
    (with_a_figure("240"), 11),
    (of_two_symbols, 11),
    (lambda rows: [rows[0], rows[2], rows[1], *rows[3:]], 3),
)
def test_a_bad_row_is_refused_with_its_place(tmp_path: Path, spoil: Callable[[Rows], Rows], line: int) -> None:
    """AN-02, MD-08"""
    path = bars_file(tmp_path / "SPY.csv", FLAT)
    path.write_text("\n".join(spoil(path.read_text().splitlines())) + "\n")

    with pytest.raises(OperatorError, match=rf"SPY\.csv:{line}: "):
        read(tmp_path, "SPY")


def test_no_return_leads_over_a_missing_day(tmp_path: Path) -> None:
    """AN-02: each missing day takes two returns from every symbol"""
    path = bars_file(tmp_path / "SPY_daily.csv", FLAT)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:100], *lines[101:]]) + "\n")
    bars_file(tmp_path / "IBM.csv", FLAT)

    found = read(tmp_path, "SPY", "IBM")

    assert [(gap.place, gap.sessions) for gap in found.gaps] == [("SPY_daily.csv:101", 1)]
    assert len(found.returns([Symbol("IBM")])) == 299
    assert len(found.returns([SPY, Symbol("IBM")])) == 297


def test_unusable_files_are_missing_with_a_reason(tmp_path: Path) -> None:
    """AN-02: none, too short, ended long ago; two files of a symbol are an error"""
    for name, count in (("SPY", 300), ("NEW", 249), ("OLD", 290)):
        bars_file(tmp_path / f"{name}.csv", [100.0] * count)

    found = read(tmp_path, "SPY", "NEW", "OLD", "GONE")

    assert list(found.closes.columns) == ["SPY"]
    assert {symbol: any(digits in reason for digits in ("249", "10 sessions", tmp_path.name))
            for symbol, reason in found.missing.items()} == {"NEW": True, "OLD": True, "GONE": True}  # fmt: skip
    bars_file(tmp_path / "SPY_too.csv", FLAT)
    with pytest.raises(OperatorError, match=r"SPY_too\.csv"):
        read(tmp_path, "SPY")
