"""Reloading the limits at the desk: old to new, the tighter ones at once, the looser ones for a word (RK-13)."""

from __future__ import annotations

from textual import events

from console.screens.limits import LoosenScreen, ReloadedScreen
from core.messages.desk_commands import ReloadLimits
from core.views import LogRow, ReloadView
from tests.desk.still_house import StillHouse, a_view, open_still

DIGEST = "0123456789abcdef"
TIGHTER = ("risk.daily_loss 10 USD → 5 USD",)
LOOSER = ("risk.max_notional 50 USD → 500 USD",)
RESTART = ("symbols SPY → SPY, IBM",)


async def asks(house: StillHouse) -> None:
    """The way of the operator: Ctrl+P, some words of it, Enter."""
    await house.press("ctrl+p", *"reload", "enter")


async def test_tighter_limits_apply_looser_need_a_word() -> None:
    """RK-13: the answer to the word is announced, a refusal as well"""
    async with open_still(a_view(reload=ReloadView(TIGHTER, LOOSER, RESTART, digest=DIGEST)), (80, 24)) as house:
        await asks(house)
        await house.until(lambda: isinstance(house.desk.screen, LoosenScreen))
        assert house.handle.commands == [ReloadLimits(DIGEST)]
        await house.sees("Loosen the limits?", *TIGHTER, *LOOSER, *RESTART, "type LOOSEN")
        await house.press(*"LOOSE")
        assert house.handle.commands == [ReloadLimits(DIGEST)]
        await house.press("N")
        await house.until(lambda: house.handle.commands == [ReloadLimits(DIGEST), ReloadLimits(DIGEST, "LOOSEN")])
        await house.until(lambda: "the log says what the engine answers" in house.footer())

        said = "the limits are not reloaded: the settings file changed again"
        view = a_view()
        house.handle.show(log=(*view.log, LogRow(99_999, view.status.at, "settings", said)))
        await house.until(lambda: said in house.footer())


async def test_without_looser_limits_nothing_is_typed() -> None:
    """RK-13: the dialog claims nothing that the engine has not said, and a refusal is announced"""
    async with open_still(a_view(reload=ReloadView(TIGHTER, digest=DIGEST))) as house:
        await asks(house)
        await house.until(lambda: isinstance(house.desk.screen, ReloadedScreen))
        await house.sees("Limits reloaded", *TIGHTER)
        assert not house.shows("in force")
        await house.press(*"LOOSEN")
        said = "the limits are not reloaded: the settings file changed again"
        view = a_view()
        house.handle.show(log=(*view.log, LogRow(99_999, view.status.at, "settings", said)))
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.until(lambda: said in house.footer())
        assert house.handle.commands == [ReloadLimits(DIGEST)]


async def test_another_word_loosens_nothing() -> None:
    """RK-13, OP-04: nor a pasted one"""
    async with open_still(a_view(reload=ReloadView((), LOOSER, digest=DIGEST))) as house:
        for keys in ((*"loosen",), (*"LOO", "space", *"SEN"), (*"LOOSE", "escape"), (*"LOOSE", "paste", "N")):
            house.handle.commands.clear()
            await asks(house)
            await house.until(lambda: isinstance(house.desk.screen, LoosenScreen))
            for key in keys:
                if key == "paste":
                    house.desk.screen.post_message(events.Paste("N"))
                    await house.wait(0.1)
                else:
                    await house.press(key)
            await house.wait(0.1)
            assert house.handle.commands == [ReloadLimits(DIGEST)], keys
            if isinstance(house.desk.screen, LoosenScreen):
                await house.press("escape")


async def test_all_differences_are_read_first() -> None:
    """RK-13"""
    many = tuple(f"risk.limit_{number} 1 → 2" for number in range(40))
    async with open_still(a_view(reload=ReloadView((), many, digest=DIGEST)), (80, 24)) as house:
        await asks(house)
        await house.until(lambda: isinstance(house.desk.screen, LoosenScreen))
        await house.sees("risk.limit_0 1 → 2", "LOOSEN counts at its end")
        await house.press(*"LOOSEN")
        await house.wait(0.1)
        assert house.handle.commands == [ReloadLimits(DIGEST)]
        read: set[str] = set()
        for _ in range(4):
            read |= {words for words in many if house.shows(words)}
            await house.press("pagedown")
            await house.wait(0.1)
        read |= {words for words in many if house.shows(words)}
        assert read == {*many}
        await house.sees("type LOOSEN")
        await house.press(*"LOOSEN")
        await house.until(lambda: house.handle.commands == [ReloadLimits(DIGEST), ReloadLimits(DIGEST, "LOOSEN")])


async def test_a_bad_or_unchanged_file_reloads_nothing() -> None:
    """RK-13"""
    async with open_still(a_view()) as house:
        await asks(house)
        await house.until(lambda: "there is nothing to reload" in house.footer())
        await house.shows_next(reload=ReloadView(fault="settings.toml: line 3"))
        await asks(house)
        await house.until(lambda: "settings.toml: line 3" in house.footer())
        assert house.handle.commands == []
