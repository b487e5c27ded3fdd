"""Figures and words that are the same everywhere, and whole."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.desks import need_a_terminal
from console.panes import PANES
from core.model.desk import DeskNumber
from core.model.values import Fraction, Money
from core.ports import OperatorError
from tests.desk.still_house import a_view, open_still
from widgets import format as f
from widgets.lines import joined
from widgets.pane import WithoutEngine


def test_money_rounds_half_up_everywhere() -> None:
    """OP-03: −0.005 is −0.01 in a line, in a pane and with an arrow"""
    amount = Decimal("-0.005")

    assert (f.signed(amount), f.arrowed(amount), f.money(amount)) == ("−0.01", "▼ −0.01", "-0.01")
    assert f.signed_percent(Decimal("-0.00005")) == "−0.01 %"
    assert f.tone_of(amount) == "loss"


async def test_a_silent_engine_has_no_present_tense(snapshot: SnapshotAssertion) -> None:
    """SY-01: whose key it is, whether entries are on, and that it has stopped are known of no engine that is away."""
    async with open_still(a_view()) as house:
        view = a_view()
        board, at = house.desk.board, view.status.at
        away = WithoutEngine("ENGINE AWAY: the link is lost", has_stopped=False)
        board.show(replace(view, number=view.number + 1), at, house.desk.size, away, DeskNumber(1))

        lines = [joined(line) for line in board.status.lines]
        assert lines == snapshot
        assert lines[1].endswith(f"AS OF {f.clock(at)}")
        assert not any("ENTRIES ON" in line or "key: " in line for line in lines)
        assert {pane.state for name, pane in board.panes.items() if PANES[name].has_state} == {"AWAY"}


async def test_status_lines_say_age_cash_and_margin(snapshot: SnapshotAssertion) -> None:
    """OP-03, RK-14: near and under differ in words, not in colour alone; without margin nothing is said of it."""
    view = a_view()
    now = view.status.at
    cash = {
        "day_change": Money(Decimal("-0.012")),
        "day_fraction": Decimal("-0.00006"),
        "buying_power": Money(Decimal("150.41")),
        "unsettled": Money(Decimal("49.55")),
    }
    in_use = {"equity": Money(Decimal("100034.43")), "buying_power": Money(Decimal("186155.89"))}
    async with open_still(view) as house:
        status = house.desk.board.status
        assert "argin" not in "".join(map(joined, status.lines)).lower()

        def said(width: int, **parts: Any) -> list[str]:
            status.show_desk(replace(view, status=replace(view.status, **parts)), now, width, None)
            lines = [joined(line) for line in status.lines]
            assert all(len(line) <= width for line in lines)
            return lines

        for age, words in ((34, "data  34 s, bars"), (91, "data STALE  91 s, bars")):
            assert words in said(118, quote_at=now - timedelta(seconds=age), feed="bars")[0]
        for width in (118, 78):
            lines = said(width, **cash)
            assert lines == snapshot
            assert f"day  −0.01{' USD' if width > 100 else ''},  −0.01 %" in lines[1]
            for distance, is_near, words in (
                ("0.421", False, ("excess liquidity 42.1 %", "excess 42.1 %")),
                ("0.092", True, ("EXCESS LIQUIDITY 9.2 %", "EXCESS 9.2 %")),
                ("-0.03", True, ("MARGIN 3.0 % UNDER maintenance",)),
            ):
                said(width, **in_use, margin_distance=Fraction(Decimal(distance)), is_margin_near=is_near)
                cells = [cell for line in status.lines for cell in line if cell.text.strip() in words]
                assert [cell.tone for cell in cells] == ["warning" if is_near else ""]


def test_each_missing_thing_has_its_sentence(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-03"""
    said = []
    for missing, name in (("stdin", "xterm"), ("stderr", "xterm"), ("", "dumb")):
        for stream in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(
                getattr(sys, stream), "isatty", lambda stream=stream, missing=missing: stream != missing
            )
        monkeypatch.setitem(os.environ, "TERM", name)
        with pytest.raises(OperatorError) as error:
            need_a_terminal()
        said.append(str(error.value).split(";")[0].split(",")[0])

    assert said == snapshot
