"""The account's figures on the status line, and how old they are (DESK: what can be stale shows its age)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.model.account import Mode
from core.model.codes import DeskState, HaltCause
from core.model.entry_blocks import EntryBlock, EntryCause
from core.model.values import Fraction, Money
from core.views import HaltRow, KillView, StatusView
from tests.desk.still_house import a_position, a_view, an_order
from tests.kit.rows import each
from tests.snapshots.day import NOW, STATUS
from widgets.lines import joined
from widgets.status_lines import _banners, account_lines, first_line, what_stops_entries

ROOM = 78
"""Cells of a status line of 80 columns."""


def told(status: StatusView, now: datetime = NOW, width: int = ROOM) -> list[str]:
    return [joined(line) for line in account_lines(status, now, width)]


def money(text: str) -> Money:
    return Money(Decimal(text))


@each(
    ("seconds", "age"),
    [(4, ""), (5.5, "  5 s old"), (17, " 17 s old"), (59, " 59 s old"), (61, "  1 m old"), (7300, "  2 h old")],
)
def test_old_equity_says_its_age(seconds: float, age: str) -> None:
    """OP-07: at every width, and nothing else moves as it begins to"""
    status = replace(STATUS, equity_at=NOW - timedelta(seconds=seconds))

    for width in (ROOM, 118, 198):
        (line,) = told(status, width=width)
        assert line.partition("equity 100,034.43")[2].startswith(f"{age:9} ")


def test_a_digit_more_of_equity_moves_no_figure() -> None:
    """OP-07"""
    lines = [told(replace(STATUS, equity=money(equity)))[0] for equity in ("99999.98", "100034.43")]
    assert [line.index("day") for line in lines] == [lines[0].index("day")] * 2


def test_what_stands_at_the_broker_is_said_in_words() -> None:
    """OP-07"""
    rows = tuple(a_position(symbol) for symbol in ("SPY", "IBM", "AIG"))
    stops = tuple(an_order(number) for number in (1, 2, 3))
    killed = replace(STATUS, killed_by="key", killed_at=NOW)
    view = replace(a_view(positions=rows), status=killed, kill=KillView((), stops, ()))
    assert "3 stops at the broker for 3 positions" in joined(_banners(view, NOW, ROOM, "Ctrl+K")[0])


def test_what_is_very_old_warns() -> None:
    """OP-07"""
    fresh, old = (replace(STATUS, equity_at=NOW - timedelta(seconds=seconds)) for seconds in (60, 120))

    tones = [[cell.tone for line in account_lines(status, NOW, ROOM) for cell in line] for status in (fresh, old)]

    assert "warning" not in tones[0]
    assert "warning" in tones[1]


@each("refused", [None, "killed"])
@each(
    ("equity", "day", "power"),
    [
        ("200.00", "-12.00", "200.00"), ("4991.60", "-18.30", "9983.20"), ("99999.98", "-1234.56", "186155.89"),
        ("100034.43", "-12345.67", "400137.72"), ("1234567.89", "-12345.67", "2345678.90"),
    ],
)  # fmt: skip
def test_the_age_pushes_no_figure_out(equity: str, day: str, power: str, refused: str | None) -> None:
    """OP-07: what has no room beside it goes under it, whole"""
    status = replace(
        STATUS, equity=money(equity), day_change=money(day), buying_power=money(power), entries_refused=refused
    )

    lines = told(status)

    assert f"{Decimal(equity):,.2f} 12 s" in lines[0].replace("  ", " ")
    for figure in (f"−{-Decimal(day):,.2f}", f"power {Decimal(power):,.2f}", "ENTRIES O", "EXITS ON"):
        assert any(figure in line.replace("  ", " ") for line in lines), lines
    assert all(len(line) <= ROOM and "…" not in line for line in lines)


def test_open_risk_stands_beside_the_limit(snapshot: SnapshotAssertion) -> None:
    """RK-21: on the account's line from 110 columns, beside the margin where that takes a line of its own"""
    status = replace(STATUS, at_risk=Fraction(Decimal("0.0503")), risk_budget=Fraction(Decimal("0.15")))
    lent = replace(status, margin_distance=Fraction(Decimal("0.62")))

    assert told(status, width=108)[0] == snapshot
    assert told(status, width=78) == told(STATUS, width=78)
    assert told(lent, width=78)[1] == snapshot
    at_120 = told(lent, width=118)
    assert len(at_120) == 1
    for figure in (
        "100,034.43",
        "12 s",
        "+34.43",
        "+0.03 %",
        "186,155.89",
        "5.0 of 15 %",
        "62.0 %",
        "ENTRIES ON",
        "EXITS ON",
    ):
        assert figure in at_120[0]
    assert told(lent, width=178)[0].count("excess liquidity") == 1
    assert told(replace(status, at_risk=None), width=198) == told(STATUS, width=198)


@each("width", range(78, 200))
def test_no_width_cuts_a_figure_of_the_account(width: int) -> None:
    """RK-21"""
    status = replace(STATUS, at_risk=Fraction(Decimal("0.0503")), risk_budget=Fraction(Decimal("0.15")))

    assert all(len(line) <= width for line in told(status, width=width))


@each("width", range(78, 200))
@each("mode", list(Mode))
@each("opens_at", [NOW + timedelta(hours=17), None])
def test_a_closed_market_is_said_at_every_width(width: int, mode: Mode, opens_at: datetime | None) -> None:
    """OP-07: what is old then is old for that reason."""
    status = replace(
        STATUS, mode=mode, market_closes_at=None, market_opens_at=opens_at, quote_at=NOW - timedelta(minutes=6)
    )

    line = joined(first_line(status, NOW, width))

    assert "CLOSED" in line
    assert len(line) <= width
    assert "data STALE   6 m" in line


@each("width", [78, 118, 158])
def test_an_engine_of_another_machine_is_named(width: int) -> None:
    """SY-01: behind the account; the data's age is never cut for it."""
    line = joined(first_line(STATUS, NOW, width, "control: this desk", "eve@server"))

    assert len(line) <= width
    assert "data" in line
    assert f" {STATUS.account} on eve@server " in line


def test_refused_entries_are_shut(snapshot: SnapshotAssertion) -> None:
    """RK-09"""
    shut = replace(STATUS, entries_shut="Session: the market is closed: Saturday")

    assert told(shut)[0] == snapshot
    assert told(replace(shut, entries_refused="killed by key"))[0] == snapshot
    assert told(STATUS)[0] == snapshot


def test_shut_entries_say_why(snapshot: SnapshotAssertion) -> None:
    """RK-09, OP-03, OP-07"""
    shut = replace(STATUS, entries_shut="Session: the market is closed: Saturday")
    away = replace(shut, blocks=(EntryBlock(EntryCause.LINK, "the broker is away"),))
    refused = replace(away, entries_refused="killed by key")

    assert [what_stops_entries(status) for status in (STATUS, shut, away, refused)] == snapshot


def test_a_graver_cause_hides_no_other() -> None:
    """SY-02, RK-13: a line for each further cause, beside the halt's; none is told twice"""
    halts = (HaltRow(HaltCause.KEY, "by key"),)
    halted = replace(STATUS, word=DeskState.HALTED, halts=halts, halted_at=NOW, entries_refused="off")
    causes = (EntryCause.HALT, EntryCause.SETTINGS_FILE, EntryCause.CLOCK, EntryCause.LINK)
    found = []
    for many in range(len(causes) + 1):
        blocks = tuple(EntryBlock(cause, "off" if cause is EntryCause.HALT else cause) for cause in causes[:many])
        found.append(len(_banners(replace(a_view(), status=replace(halted, blocks=blocks)), NOW, ROOM, "Ctrl+K")))

    assert [each - found[0] for each in found] == [0, 0, 1, 2, 2]


def test_an_exchange_with_frictions_says_so_at_every_width() -> None:
    """OP-07, SY-09"""
    rough = replace(STATUS, has_frictions=True)
    shut = replace(rough, market_closes_at=None, quote_at=NOW - timedelta(minutes=6))

    for width in range(ROOM, 200):
        assert "CLOSED" in joined(first_line(shut, NOW, width))
        assert len(joined(first_line(shut, NOW, width))) <= width
        for key in ("", "control: this desk"):
            assert "PAPER, FRICTIONS" in joined(first_line(rough, NOW, width, key))
            assert "FRICTIONS" not in joined(first_line(STATUS, NOW, width, key))
            assert len(joined(first_line(rough, NOW, width, key))) <= width
