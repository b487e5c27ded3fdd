"""Pane 7: what today brought, by strategy, trade by trade, and what was not taken."""

from __future__ import annotations

from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.model.signal import ExitReason
from core.model.values import Price, Quantity
from core.views import ClosedRow, DayRow, TradeRow
from tests.desk.nine_days import TODAY
from tests.desk.still_house import a_result, a_trade, a_view, dollars, open_still
from widgets.lines import joined
from widgets.results import Period, lines_of, sum_lines


def two_trades() -> tuple[TradeRow, ...]:
    return (
        a_trade("SPY", key="1"),
        a_trade(
            "IBM", key="2", entry_price=Price(Decimal("1182.1132")), exit_price=Price(Decimal("1180.50")),
            profit=dollars("-22"), slippage=dollars("0.40"), exit_reason=ExitReason.STOP_LOSS,
        ),
    )  # fmt: skip


async def test_results_list_trades_and_sums() -> None:
    """OP-12"""
    view = a_view(trades=two_trades(), results=(a_result(),))
    async with open_still(view, (80, 24)) as house:
        for size in ((80, 24), (120, 40), (200, 60)):
            await house.pilot.resize_terminal(*size)
            await house.press("7")
            await house.sees("7 Results ─ 2 closed, +12.40 USD, open ")
            lines = house.picture().splitlines()
            dear, cheap = (next(n for n, line in enumerate(lines) if price in line) for price in ("1,182.11", "495.21"))
            assert "1,182.11 1,180.50 stop" in lines[dear]
            assert dear + 1 == cheap
            await house.sees("▼ −22.00  −0.40", "▲ +0.12  −0.01", "VWAP", "▲ +12.40", "▼ −3.10")
            await house.sees("not taken 2, would be −41.00")
            assert house.desk.focused is house.desk.board.panes["results"].grid


async def test_a_quantity_of_a_thousand_shares_and_parts_is_whole() -> None:
    """AN-01: strategies size to a thousandth of a share"""
    sizes = (Quantity(Decimal(size)) for size in ("1578.305", "100"))
    trades = tuple(a_trade("BAC", key=str(key), quantity=size) for key, size in enumerate(sizes))
    async with open_still(a_view(trades=trades, results=(a_result(),)), (80, 24)) as house:
        await house.press("7")
        await house.sees("BAC   1578.305", "BAC    100    ")


def test_every_sum_stands_under_its_title() -> None:
    """A figure that is not known is a dash; nothing declined says nothing"""
    rows = (
        a_result(),
        a_result("reversal", trades=11, wins=10, realised=dollars("-1234.5"), unrealised=None, declined=0, shadow=None),
    )

    header, first, second = (joined(line) for line in sum_lines(rows, 78, 9))

    assert {len(joined(line).rstrip()) <= 78 for line in sum_lines(rows, 78, 9)} == {True}
    assert "shadow" not in second
    for title, texts in (("TRADES", ("2", "11")), ("WON", ("1", "10")), ("REALISED", ("▲ +12.40", "▼ −1,234.50"))):
        end = header.index(title) + len(title)
        assert [line[:end].endswith(text) for line, text in zip((first, second), texts, strict=True)] == [True, True]
    assert second.rstrip().endswith("–")


def test_strategies_without_room_are_counted(snapshot: SnapshotAssertion) -> None:
    rows = [a_result(f"s{number}") for number in range(12)]

    lines = [joined(line) for line in sum_lines(rows, 58, 7)]

    assert len(lines) == 6
    assert lines[-1] == snapshot
    assert lines[2] == snapshot
    assert all(len(line) <= 58 for line in lines)


def test_failed_exits_stand_in_a_line_of_their_own() -> None:
    """EX-18: under the strategies, whose sums do not have them; today and in a period"""
    row = a_result(failed=2, failed_realised=dollars("-7.5"))

    *_, last = (joined(line).split() for line in sum_lines((row, a_result("sma", failed=1)), 78, 9))

    assert last == ["3", "failed", "in", "execution", "▼", "−7.50"]
    closed = ClosedRow("vwap", 3, 2, dollars("9"), 1, dollars("-2.5"))
    period = Period("this week", TODAY, TODAY)
    lines = [joined(line).split() for line in lines_of(period, (DayRow(TODAY, None, (closed,)),), None, 78, 9)]
    assert lines[1:] == [
        ["VWAP", "3", "2", "▲", "+9.00"],
        ["1", "failed", "in", "execution", "▼", "−2.50"],
        ["ALL", "4", "2", "▲", "+6.50"],
    ]
