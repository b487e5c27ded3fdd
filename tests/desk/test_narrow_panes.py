"""What has few cells is readable in them: who holds how much, how long an exit has waited, whose a row is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from core.model.order import Effect, OrderType, Side, StopHolder
from core.model.signal import ExitReason
from core.model.values import Price, ProposalId, Quantity, Symbol
from core.views import ProposalRow
from tests.desk.still_house import a_position, a_view, an_exit, dollars, open_still, the_engines_view
from tests.kit.rows import each
from widgets.format import told_apart

SIZES = [(80, 24), (120, 40)]
NOW = the_engines_view().status.at


def a_buy(strategy: str, risk: str) -> ProposalRow:
    return replace(
        an_exit("SPY"), id=ProposalId(f"buy-{strategy}"), strategy=strategy, side=Side.BUY, effect=Effect.OPEN,
        quantity=Quantity(Decimal("0.103")), type=OrderType.LIMIT, limit_price=Price(Decimal("481.58")),
        exit_reason=None, risk=dollars(risk), reason="close 481.58 is 0.32 % below",
        expires_at=NOW + timedelta(seconds=80),
    )  # fmt: skip


async def test_an_exit_that_has_waited_since_yesterday_says_for_how_long() -> None:
    """OP-06"""
    old = an_exit("AIG", staged_at=NOW - timedelta(hours=18, minutes=48, seconds=19))
    late = an_exit("IBM", staged_at=NOW - timedelta(hours=9, minutes=59, seconds=59))
    async with open_still(a_view(proposals=(old, late)), SIZES[0]) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("18 h old", "9 h old", "!  EXIT WAITS  SELL to close 100 AIG, +18 h, 1 more")
            assert "##" not in house.picture()


async def test_a_target_of_a_person_is_called_one() -> None:
    """OP-06: in the banner, the title and the column; a partial close and a trailing stop fit it too"""
    target = an_exit("AIG", is_target=True)
    part = an_exit("IBM", effect=Effect.REDUCE, exit_reason=ExitReason.MANUAL)
    trail = an_exit("SPY", type=OrderType.TRAILING_STOP, exit_reason=ExitReason.MANUAL)
    async with open_still(a_view(proposals=(target, part, trail)), SIZES[0]) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("!  TARGET AWAITS S  SELL 100 AIG", "1 target, 1 stop, 1 EXIT")
            await house.sees("SELL target", "partial close", "SELL trailing")


async def test_who_holds_how_much_is_said_whole_in_any_width() -> None:
    """OP-06, EX-13"""
    none = Quantity(Decimal(0))
    rows = (
        a_position("SPY", quantity=Quantity(Decimal("0.164472")), covered=none, holder=StopHolder.YOU),
        a_position("IBM", quantity=Quantity(Decimal("20.529")), covered=Quantity(Decimal(5))),
        a_position("AIG", quantity=Quantity(Decimal("1234.5678")), covered=Quantity(Decimal("1234.5678"))),
        a_position("QQQ", covered=none, holder=StopHolder.DESK),
    )
    async with open_still(a_view(positions=rows, proposals=()), SIZES[0]) as house:
        await house.press("2")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            picture = house.picture().splitlines()
            lines = {row.symbol: next(line for line in picture if f" {row.symbol} " in line) for row in rows}
            assert "YOU all !" in lines[Symbol("SPY")] or "YOU 0 of 0.164472 !" in lines[Symbol("SPY")]
            assert "YOU 15.529 !" in lines[Symbol("IBM")] or "broker 5 of 20.529 !" in lines[Symbol("IBM")]
            assert "broker all" in lines[Symbol("AIG")] or "broker 1234.5678" in lines[Symbol("AIG")]
            assert "press !" in lines[Symbol("QQQ")]
            assert not any("…" in line[:80] for line in lines.values())


async def test_two_buys_that_are_alike_say_whose_they_are() -> None:
    """OP-12"""
    buys = (a_buy("vwap", "0.15"), a_buy("dips_of_the_morning", "0.21"), a_buy("dips_of_the_evening", "0.21"))
    async with open_still(a_view(proposals=buys), SIZES[0]) as house:
        await house.press("1", "down")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            rows = [line for line in house.picture().splitlines() if "BUY to open" in line]
            assert "risk 0.15 VWAP" in rows[0]
            whose = [row.partition("risk 0.21 ")[2].split()[0] for row in rows[1:]]
            assert all(name.startswith("D") for name in whose)
            assert whose[0] != whose[1]
            await house.until(lambda: house.shows("DIPS_OF_THE_MORNING: close 481.58 is 0.32 % below"))


@each("width", range(1, 30))
def test_names_are_told_apart_within_their_width(width: int) -> None:
    """OP-12"""
    names = ["a" * 24, "a" * 23 + "b", "c" + "a" * 22 + "b", "a", "vwap", "x" * 12 + "1" + "x" * 11, "x" * 24]
    shown = told_apart(names, width)
    assert set(shown) == set(names)
    assert all(len(text) <= max(width, 2) for text in shown.values())
    if width >= 3:
        assert all(one != other for one, other in pairwise(sorted(shown.values())))
