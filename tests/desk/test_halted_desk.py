"""Esc leaves the kill screen and not the halt; U takes back what the key halted, and nothing else (OP-07)."""

from __future__ import annotations

from decimal import Decimal

from console.screens.kill import KillScreen
from core.facts import Halted, Killed, ProposalSkipped, Resumed, SettingsApplied
from core.messages.commands import Resume
from core.model.codes import HaltCause
from core.model.staging import MANUAL
from core.settings.risk import SizingSettings
from tests.desk.desk_house import House, open_desk
from tests.desk.hands import held_back, types_ahead


async def halts(house: House) -> None:
    await house.press("ctrl+k")
    await house.until(lambda: isinstance(house.desk.screen, KillScreen) and house.shows("HALTED"))


async def looks_around(house: House) -> None:
    await halts(house)
    await house.press("escape")
    await house.until(lambda: len(house.desk.screen_stack) == 1)


def an_invariant_halts(house: House) -> None:
    """As the engine does where something of its own cannot be (EX-14)."""
    house.runtime.engine.state.record(Halted(HaltCause.INVARIANT, "a total that does not add up"))


async def test_escape_goes_back_to_a_desk_that_stays_halted() -> None:
    """OP-07: one can look around under its banner, and go back to the kill screen; U alone names the way"""
    async with open_desk() as house:
        sent = held_back(house, Resume)
        await looks_around(house)
        await house.wait(0.5)
        assert not house.facts(Resumed)
        await house.sees("HALTED since", "ENTRIES OFF", "Ctrl+K, then U resumes")
        await house.press("U")
        await house.until(lambda: "Ctrl+K opens the kill screen; there K kills, U resumes" in house.footer())
        assert not sent

        for key, shown in (("3", "3 Orders"), ("6", "6 Log"), ("2", "2 Positions"), ("1", "1 Proposals")):
            await house.press(key)
            await house.until(lambda shown=shown: house.shows(f"{shown} ─ HALTED"))
        await house.press("question_mark")
        await house.until(lambda: house.shows("Help"))
        await house.press("escape", "K")
        await house.wait(0.3)
        assert not house.facts(Killed)

        await house.press("ctrl+k")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen))
        assert len(house.facts(Halted)) == 1
        await house.press("K")
        await house.until(lambda: house.facts(Killed))


async def test_u_says_what_still_shuts_entries() -> None:
    """OP-07, RK-21"""
    async with open_desk() as house:
        await house.buys()
        desk = house.runtime.engine.state
        sizing = SizingSettings(budget=Decimal("0.0001"))
        risk = desk.control.settings.risk.model_copy(update={"sizing": sizing})
        desk.record(SettingsApplied(desk.control.settings.model_copy(update={"risk": risk})))
        await house.until(lambda: house.shows("ENTRIES SHUT"))

        await halts(house)
        await house.until(house.is_armed)
        await house.press("U")
        await house.until(lambda: house.facts(Resumed) and len(house.desk.screen_stack) == 1)

        await house.sees("the key's halt has ended; entries stay blocked: Risk budget: nothing is left to lose")


async def test_a_u_typed_ahead_held_down_or_in_a_burst_resumes_nothing() -> None:
    """OP-07, OP-04: nor one before the chord is pressed again, for what is armed is the screen since the last chord"""
    async with open_desk() as house:
        await house.press("ctrl+k", "U")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen) and house.shows("HALTED"))
        for _ in range(8):
            await house.press("U")
            await house.wait(0.1)
        assert not house.facts(Resumed)
        await house.press("x")
        await house.until(house.is_armed)
        await types_ahead(house, "UPDATE")
        await house.wait(0.4)
        assert not house.facts(Resumed)
        await house.until(house.is_armed)
        await house.press("U", "ctrl+k")
        await house.wait(0.4)
        assert not house.facts(Resumed)
        assert isinstance(house.desk.screen, KillScreen)

        await house.until(lambda: house.shows("U  resume", "armed"))
        await house.until(house.is_armed)
        await house.press("U")
        await house.until(lambda: house.facts(Resumed))
        await house.until(lambda: len(house.desk.screen_stack) == 1 and house.shows("ENTRIES ON"))
        await house.until(lambda: "resumed: entries are on again" in house.footer())


async def test_a_kill_right_behind_u_wins_and_its_screen_stays() -> None:
    """OP-07"""
    async with open_desk() as house:
        await halts(house)
        await house.until(house.is_armed)
        screen = house.desk.screen
        assert isinstance(screen, KillScreen)
        screen.resume.since = house.desk.now()
        await house.press("K")
        await house.until(lambda: house.facts(Killed))
        await house.until(lambda: house.shows("KILLED since", "type REARM to trade again"))
        await house.wait(0.3)
        assert house.desk.screen is screen


async def test_u_never_ends_a_halt_that_an_invariant_caused_and_clear_does() -> None:
    """OP-07, EX-14"""
    async with open_desk() as house:
        an_invariant_halts(house)
        await halts(house)
        await house.until(lambda: house.shows("U  take back the key's halt", "stays halted", "type CLEAR"))
        await house.until(house.is_armed)
        await house.press("U")
        await house.until(lambda: len(house.desk.screen_stack) == 1)

        assert [fact.cause for fact in house.facts(Resumed)] == [HaltCause.KEY]
        await house.sees("ENTRIES OFF", "HALTED since", "a total that does not add up")
        await house.until(lambda: "still halted" in house.footer())

        await halts(house)
        await house.until(lambda: house.shows("type CLEAR"))
        await house.press(*"CLEAR")
        await house.until(lambda: house.shows("ENTRIES ON"))
        assert [fact.cause for fact in house.facts(Resumed)] == [HaltCause.KEY, HaltCause.KEY, HaltCause.INVARIANT]


async def test_resuming_twice_ends_no_halt_of_another_cause() -> None:
    """OP-07: the command itself names what it ends, whatever screen sends it"""
    async with open_desk() as house:
        await halts(house)
        an_invariant_halts(house)
        for _ in range(2):
            house.desk.handle.send(Resume())
        house.types_an_order()
        await house.until(lambda: [fact for fact in house.facts(ProposalSkipped) if fact.strategy == MANUAL])
        assert [fact.cause for fact in house.facts(Resumed)] == [HaltCause.KEY]
