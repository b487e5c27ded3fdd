"""The breaker of entries at the desk: that it is shut is seen at a glance, and one command clears it (EX-15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from syrupy.assertion import SnapshotAssertion

from console.screens.dialog import ArmedQuestion
from core.facts import BreakerClosed, BreakerOpened, ConfirmationReceived, OrderCreated
from core.messages.effects import Effect as Request
from core.messages.effects import FetchFigures
from core.messages.inputs import FiguresFetched, Input
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.broker import NoAnswer
from core.settings.orders import ExecutionSettings
from core.settings.settings import Settings
from core.views import WireView
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import a_view, open_still

GONE = "the connection broke"
OPENS_AT_ONCE = Settings(execution=ExecutionSettings(breaker_failures=1))
LATCHES_AT_ONCE = Settings(execution=ExecutionSettings(breaker_failures=1, breaker_openings=1))


class Silence:
    """The broker does not say its figures, while this is on."""

    def __init__(self, house: House) -> None:
        self.is_on = True
        self._answer = house.runtime.ask
        house.runtime.ask = self.ask  # type: ignore[method-assign]

    def ask(self, request: Request) -> Input:
        if self.is_on and isinstance(request, FetchFigures):
            return FiguresFetched(request.proposal_id, request.ticket_id, NoAnswer(GONE))
        return self._answer(request)


async def opens_the_breaker(house: House) -> Silence:
    """By a ticket whose figures never come."""
    silence = Silence(house)
    await house.press("1", "home", "enter")
    await house.until(lambda: house.facts(BreakerOpened))
    await house.press("escape")
    await house.until(lambda: len(house.desk.screen_stack) == 1)
    silence.is_on = False
    return silence


async def asks_to_clear_it(house: House) -> None:
    await house.press("ctrl+p", *"clear the breaker", "enter")


async def opens_the_question(house: House) -> None:
    await asks_to_clear_it(house)
    await house.until(lambda: house.shows("Clear the breaker of entries?") and house.is_armed())
    assert isinstance(house.desk.screen, ArmedQuestion)


# ── how it is shown ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_open_breaker_is_seen_until_it_half_opens() -> None:
    """EX-15, RK-09, DESK: in words on the status lines in any size, in its row, in the order form; exits stay on."""
    async with open_desk(settings=OPENS_AT_ONCE) as house:
        await house.sees("ENTRIES ON")
        await opens_the_breaker(house)
        for size in ((80, 24), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.sees("ENTRIES OFF", "EXITS ON", "BREAKER: open for", "s more: 1 requests", GONE)
        await house.sees("Breaker", "TRIPPED, 0:5", "1 TRIPPED")
        await house.press("4", "home", "down", "enter")
        await house.sees("TRIPPED: no entry is staged", "are never held up by it")
        await house.press("escape", "n")
        await house.sees("ENTRIES OFF", "breaker: open for")
        await house.press("escape")

        house.runtime.pace.free_until = house.runtime.at + timedelta(seconds=130)
        await house.sees("ENTRIES ON", "half-open")


async def test_an_opening_breaker_disarms_the_ticket() -> None:
    """EX-15, OP-03"""
    async with open_desk(settings=OPENS_AT_ONCE) as house:
        await house.opens_the_ticket()
        Silence(house)
        await house.press("r")
        await house.until(lambda: house.facts(BreakerOpened))
        await house.sees("breaker", "not armed")
        await house.press("B")
        await house.wait(0.5)
        assert not house.facts(ConfirmationReceived)


async def test_exits_pass_a_latched_breaker() -> None:
    """EX-15: exits always pass."""
    async with open_desk(settings=LATCHES_AT_ONCE) as house:
        await house.buys()
        silence = Silence(house)
        await house.press("2", "c", "enter")
        await house.until(lambda: house.facts(BreakerOpened))
        silence.is_on = False
        await house.press("escape")
        await house.sees("BREAKER: latched")

        await house.press("!")
        await house.until(house.is_armed)
        await house.press("S")
        await house.sees("No positions.")
        assert not house.facts(BreakerClosed)


# ── how it is cleared ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_clearing_the_breaker_asks_first(snapshot: SnapshotAssertion) -> None:
    """EX-15: the operator clears it; the way out is never what a narrow terminal cuts off."""
    async with open_desk((80, 24), settings=LATCHES_AT_ONCE) as house:
        await asks_to_clear_it(house)
        await house.sees("breaker OK: entries pass it")
        await opens_the_breaker(house)
        await house.sees("BREAKER: latched until you clear it in the commands")
        await house.pilot.resize_terminal(120, 40)
        await opens_the_question(house)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert not house.facts(BreakerClosed)
        await house.sees("ENTRIES OFF")
        await opens_the_question(house)
        await house.sees("It is latched until you clear it in the commands: 1 requests", GONE)
        await house.sees("Cleared, entries may leave at once. Exits and cancels always may.")
        await house.press("enter", "y", "space", "d")
        await house.wait(0.3)
        assert not house.facts(BreakerClosed)

        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: house.facts(BreakerClosed))
        await house.until(lambda: house.shows("ENTRIES ON") and not house.shows("BREAKER: "))
        assert [fact.reason for fact in house.facts(BreakerClosed)] == snapshot
        assert not house.facts(OrderCreated)


async def test_clearing_says_whether_the_broker_answers() -> None:
    """EX-15: nobody clears it blindly."""
    at = a_view().status.at
    latched = WireView(breaker="latched", breaker_reason="latched until you clear it in the commands: it was silent")
    down = ConnectionStatus(Channel.BROKER, ConnectionState.DOWN, at - timedelta(seconds=40), tries=5, words=GONE)
    up = replace(down, state=ConnectionState.UP, tries=0, words="")
    async with open_still(a_view(wire=latched)) as house:
        for connection, words in ((down, "now the broker is DOWN, for 0:40"), (up, "now the broker answers, for 0:40")):
            await house.shows_next(status=replace(house.handle.view.status, connections=(connection,)))
            await asks_to_clear_it(house)
            await house.sees(words)
            await house.press("escape")
