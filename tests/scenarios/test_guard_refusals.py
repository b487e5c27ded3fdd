"""Why a stop cannot be moved or given now: each position says it by code, and the engine decides so itself (EX-12)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.facts import OrderStateUnknown
from core.messages.commands import (
    Command,
    Decline,
    MoveStop,
    ProposeClose,
    ProposeOrder,
    RequestCancel,
    SetTarget,
    TightenStop,
    TrailStop,
)
from core.messages.effects import FetchBooks, LookUpOrder, SubmitOrder
from core.model.broker import UpdateEvent
from core.model.order import Effect, OrderType, StopHolder
from core.model.staging import GuardRefusal
from core.model.values import Fraction, Price, Quantity
from core.views.builders.desk import ViewBuilder
from tests.kit.rows import cases
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_house_in_a_position
from tests.scenarios.test_bracket_legs import half_bought_beside_a_stop
from tests.scenarios.test_contradicting_reports import BrokersWord
from tests.scenarios.test_idle_exits import called
from tests.scenarios.test_position_protection import a_trail, in_a_position
from tests.unit.core.brokers.trading_floor import SPY

Refusals = tuple[GuardRefusal | None, GuardRefusal | None, GuardRefusal | None]
NONE: Refusals = (None, None, None)


def usd(text: str) -> Price:
    return Price(Decimal(text))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> BrokersWord:
    return BrokersWord(monkeypatch)


def refusals(house: House) -> Refusals:
    """Of a move, of a trailing stop and of a target."""
    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    return row.move_refusal, row.trail_refusal, row.target_refusal


def is_staged(house: House, command: Command) -> bool:
    """Whether the engine stages what the command asks for."""
    before = {proposal.id for proposal in house.desk.stage.proposals()}
    house.presses(command)
    new = [proposal for proposal in house.desk.stage.proposals() if proposal.id not in before]
    for proposal in new:
        house.presses(Decline(proposal.id, "for the test"))
    return bool(new)


def stages(house: House) -> tuple[bool, bool, bool]:
    strategy = house.entry.strategy
    return (
        is_staged(house, MoveStop(SPY, strategy, usd("99.40"))),
        is_staged(house, TrailStop(SPY, strategy, trail_fraction=Fraction(Decimal("0.005")))),
        is_staged(house, SetTarget(SPY, strategy, usd("101"))),
    )


def guarded() -> House:
    return in_a_position()


def without_a_stop() -> House:
    house = in_a_position()
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 2)
    return house


def of_a_fraction() -> House:
    return a_house_in_a_position()


def with_a_trail() -> House:
    house = in_a_position()
    house.presses(a_trail())
    confirms_now(house)
    passes(house, 5)
    return house


def with_a_waiting_exit() -> House:
    house = in_a_position()
    house.presses(ProposeClose(SPY))
    return house


def with_a_confirmed_trail() -> House:
    house = in_a_position()
    house.presses(a_trail())
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    return house


def with_an_exit_at_its_limit() -> House:
    house = in_a_position()
    all_of_it, limit = Quantity(Decimal(20)), usd("110")
    house.presses(ProposeOrder(SPY, Effect.CLOSE, all_of_it, OrderType.LIMIT, limit, None, StopHolder.BROKER))
    confirms_now(house)
    passes(house, 5)
    return house


def with_an_exit_in_doubt() -> House:
    house = in_a_position()
    for kind in (SubmitOrder, LookUpOrder, FetchBooks):
        house.line.breaks_at(kind, arrives=False, times=99)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 5)
    return house


def while_the_sale_works() -> House:
    """Its fill is not heard."""
    house = in_a_position()
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 0.25)
    house.line.is_deaf = True
    passes(house, 0.75)
    return house


@cases(
    "situation refused",
    (guarded, NONE),
    (without_a_stop, NONE),
    (of_a_fraction, (None, GuardRefusal.FRACTION, GuardRefusal.FRACTION)),
    (with_a_trail, (GuardRefusal.TRAILS, None, GuardRefusal.TRAILS)),
    (with_a_waiting_exit, (None, GuardRefusal.EXIT_WAITS, GuardRefusal.EXIT_WAITS)),
    (with_a_confirmed_trail, (None, GuardRefusal.EXIT_CONFIRMED, GuardRefusal.EXIT_CONFIRMED)),
    (with_an_exit_at_its_limit, (GuardRefusal.EXIT_AT_LIMIT, None, None)),
    (with_an_exit_in_doubt, (GuardRefusal.EXIT_IN_DOUBT,) * 3),
    (while_the_sale_works, (GuardRefusal.EXIT_WORKS,) * 3),
)
def test_a_position_says_what_the_engine_refuses(situation: object, refused: Refusals) -> None:
    """EX-12: for each key what the engine decides at its command"""
    house = situation()  # type: ignore[operator]

    assert refusals(house) == refused
    assert stages(house) == tuple(code is None for code in refused)


@pytest.mark.usefixtures("a_bar_at_once")
def test_nothing_guards_a_half_bought_entry() -> None:
    """EX-13: the broker's stop for all of it is to come"""
    house = half_bought_beside_a_stop()

    assert refusals(house) == (GuardRefusal.ENTRY_FILLS,) * 3
    assert stages(house) == (False, False, False)


@pytest.mark.parametrize("doubted", [False, True], ids=["suspended", "in doubt"])
def test_an_idle_or_doubted_stop_can_be_moved(broker: BrokersWord, doubted: bool) -> None:
    """EX-12, EX-22: the engine stages it; the broker decides"""
    house = in_a_position()
    (stop,) = house.stops
    if doubted:
        house.desk.record(OrderStateUnknown(stop.id, "the broker does not know it any more"))
    else:
        broker.states(house, stop.id, called("suspended"), UpdateEvent.OTHER)
    passes(house, 1)

    assert refusals(house) == NONE
    assert is_staged(house, TightenStop(SPY, stop.strategy, usd("99.40")))
    assert stages(house) == (True, True, True)


def test_an_unanswered_stop_is_not_moved() -> None:
    """EX-06, EX-12: it is looked up first"""
    house = in_a_position()
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 2)
    for kind in (SubmitOrder, LookUpOrder, FetchBooks):
        house.line.breaks_at(kind, arrives=False, times=99)
    house.presses(MoveStop(SPY, house.entry.strategy, usd("99.40")))
    confirms_now(house)
    passes(house, 5)

    assert refusals(house) == (GuardRefusal.UNANSWERED, None, None)
    assert stages(house) == (False, True, True)
