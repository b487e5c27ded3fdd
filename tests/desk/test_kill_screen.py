"""Kill from wherever the operator is; re-arming is a word (OP-07)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.events import Key

from console.screens.desk_control import leaving_lines
from console.screens.kill import KillScreen
from console.screens.new_order import NewOrderScreen
from core.facts import Halted, Killed, KillExplained, OrderStateChanged, ProposalStaged, Rearmed
from core.messages.commands import Kill, Rearm
from core.model.codes import HaltCause
from core.model.order import Effect, OrderStatus, Side
from core.views.desk_status import HaltRow
from tests.desk.desk_house import House, open_desk
from tests.desk.hands import held_back
from tests.desk.still_house import a_view, an_order
from tests.desk.test_orders_in_doubt import holds_up
from tests.kit.pause import pause
from tests.kit.stepped_engine import WiredHandle
from tests.kit.waiting import TIMEOUT
from widgets.kill import halted_lines, killed_lines
from widgets.status_lines import _banners


async def to_the_panes(house: House) -> None:
    await house.wait(0)


async def to_a_ticket(house: House) -> None:
    await house.opens_the_ticket()


async def to_a_text_field(house: House) -> None:
    await house.press("n")
    await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
    await house.press("1", "2")


async def to_the_question_of_leaving(house: House) -> None:
    await house.press("q")
    await house.sees("Leave?")


async def to_the_help(house: House) -> None:
    await house.press("question_mark")
    await house.sees("Help")


PLACES = [to_the_panes, to_a_ticket, to_a_text_field, to_the_question_of_leaving, to_the_help]


async def test_the_chord_halts_and_k_kills_everywhere() -> None:
    """OP-07"""
    async with open_desk() as house:
        sent = held_back(house, Kill)
        for go in PLACES:
            sent.clear()
            await go(house)
            before = house.desk.screen
            await house.press("ctrl+k", "ctrl+k")
            await house.until(lambda: house.facts(Halted))
            await house.sees("HALTED", "No entries.", "kill: cancel 0 entries, block new ones until REARM")
            assert sum(isinstance(screen, KillScreen) for screen in house.desk.screen_stack) == 1
            assert not sent
            await house.press("K")
            await house.until(lambda: sent)
            await house.until(house.is_armed)
            await house.press("U")
            await house.sees("ENTRIES ON")
            assert house.desk.screen is before
            await house.press("escape")
            await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert len(house.facts(Halted)) == len(PLACES)

        del house.desk.handle.send
        await house.kills()
        await house.sees("KILLED since", "type REARM to trade again")
        assert house.facts(Killed)
        assert house.sent_nothing()


async def test_w_on_the_kill_screen_records_why() -> None:
    """OP-07, OP-08: once killed; letters of the reason are no keys of the screen, and the chord works over it"""
    async with open_desk() as house:
        await house.press("ctrl+k", "w", "K")
        await house.sees("KILLED since")
        screen = house.desk.screen
        await house.press("w", "K", "U", "F", "space", "f", "a", "t", "enter")
        await house.until(lambda: house.facts(KillExplained))
        await house.sees("reason  KUF fat")
        assert house.facts(KillExplained) == [KillExplained("KUF fat")]
        assert house.desk.screen is screen

        await house.press("w", "ctrl+k")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen))
        await house.press("escape", "escape")
        await house.until(lambda: house.desk.screen is screen)
        assert len(house.facts(Killed)) == 1


async def test_help_on_the_kill_screen_opens_nothing() -> None:
    """OP-07: it stands in place of the lists; the keys stay, U waits anew, and a word begun is discarded"""
    async with open_desk() as house:
        await house.press("ctrl+k")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen) and house.is_armed())
        screen, presses = house.desk.screen, house.desk.port.pressed_at

        await house.press("question_mark")
        await house.sees("blocks new ones until you type", "K  kill: cancel 0 entries")
        assert (house.desk.screen, house.desk.port.pressed_at, house.is_armed()) == (screen, presses, False)
        assert not house.facts(Killed)
        await house.press("escape")
        await house.sees("No new entries. Exits still work")
        assert house.desk.screen is screen
        await house.press("escape", "K")
        await house.sees("there K kills, U resumes")
        assert not house.facts(Killed)


def test_a_halt_counts_the_entries_that_may_fill() -> None:
    """OP-07: the banner and the screen name them; K is what cancels them"""
    halts, at = (HaltRow(HaltCause.KEY, "by key"),), a_view().status.at
    view = a_view(status={"halts": halts, "halted_at": at})
    order = an_order(status=OrderStatus.SUBMITTED)
    view = replace(view, kill=replace(view.kill, entries_working=(order,), others=()))
    for width in (78, 118):
        (banner,) = (cell.text for cell in _banners(view, at, width, "Ctrl+K")[0])
        assert ("1 entry still works" in banner, "K cancels it" in banner, len(banner) <= width) == (True, True, True)
    lines = [cell.text for line in halted_lines(view, 74, 9) for cell in line]
    assert "1 entry of before may still fill" in lines[0]


def test_a_kill_counts_the_orders_that_are_gone() -> None:
    """OP-07: while some are not gone"""
    view = a_view(status={"killed_by": "key", "killed_at": a_view().status.at})

    def is_counted(gone: int) -> bool:
        shown = replace(view, kill=replace(view.kill, asked=300, gone=gone))
        return any(cell.text == f"{gone} of 300 gone." for line in killed_lines(shown, 74, 9) for cell in line)

    assert [is_counted(gone) for gone in (0, 187, 300)] == [True, True, False]


async def test_only_rearm_in_full_ends_a_kill() -> None:
    """OP-07"""
    async with open_desk(handled_by=WiredHandle) as house:
        house.desk.port.press_kill()
        assert house.desk.port.is_kill_open()
        house.desk.port.press_kill_again()
        await house.sees("KILLED since")
        assert not house.desk.port.is_kill_open(), "the K of NAKED is a letter"
        await house.press("escape")
        await house.sees("by key: no position. Ctrl+K, type REARM")

        await house.press("ctrl+k", *"REAR", "x", *"M")
        await house.wait(0.2)
        assert not house.facts(Rearmed)
        await house.press(*"rearm")
        await house.wait(0.2)
        assert not house.facts(Rearmed)

        await house.press(*"REARM")
        await house.until(lambda: house.facts(Rearmed))
        await house.until(lambda: house.shows("ENTRIES ON") and not isinstance(house.desk.screen, KillScreen))


async def test_rearm_with_an_order_in_doubt_asks_twice() -> None:
    """OP-07: it may be at the broker, and a desk that trades again would meet it"""
    async with open_desk() as house:
        await house.opens_the_ticket()
        holds_up(house)
        await house.press("B")
        await house.until(lambda: "nobody knows yet whether it arrived" in house.footer())
        await house.kills()

        await house.press(*"REARM")
        await house.sees("IN DOUBT", "BUY to open 0.1 SPY", "type REARM once more")
        await house.wait(0.2)
        assert not house.facts(Rearmed)
        await house.press(*"REARM")

        await house.until(lambda: house.facts(Rearmed))


async def test_after_a_slip_a_word_typed_in_full_counts() -> None:
    """OP-07: a letter that does not go on with one word begins another"""
    async with open_desk() as house:
        await house.kills()
        sent = held_back(house, Kill, Rearm)
        for word, command in (("NAKED", Kill("key", naked=True)), ("REARM", Rearm("REARM"))):
            for slip in ("R", "NA", "REARR", "RxN"):
                await house.press(*slip, *word)
                assert sent == [command], (slip, word)
                sent.clear()


async def test_a_kill_keeps_stops_unless_naked() -> None:
    """OP-07"""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.buys()
        await house.kills()
        await house.sees("stays     SELL 0.1 SPY stop 494.72", "open      SPY 0.1", "F review: close 1 position")

        await house.press(*"NAKED")

        await house.sees("NO STOP")
        ended = [fact.after for fact in house.facts(OrderStateChanged)]
        assert OrderStatus.CANCELLED in ended


async def test_flatten_stages_a_close_for_its_key() -> None:
    """OP-07, OP-04: an F right behind an Esc is pressed again"""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.buys()
        await house.press("escape", "apostrophe", "F")  # cut by the link, `ESC ' F` and Alt+F are an Esc and then an F
        await house.sees("possible escape sequence within 0.6 s of Esc. Press F again")
        assert not house.facts(ProposalStaged)[1:]
        await house.kills()

        await house.press("F")
        await house.sees("EXIT WAITS", "flatten")
        await house.press("exclamation_mark")
        await house.until(lambda: house.is_armed() and house.shows("first  cancels SELL 0.1 SPY stop 494.72"))
        await house.press("S")

        await house.sees("No positions.", "SELL to close", "FILLED")
        assert len(house.facts(ProposalStaged)) == 2


async def test_the_kill_screen_works_on_tiny_terminals() -> None:
    """OP-07"""
    async with open_desk(size=(60, 20)) as house:
        await house.sees("needs 80 × 24", "60 × 20")
        await house.press("ctrl+k")
        await house.sees("HALTED")
        await house.press("K")
        await house.until(lambda: house.facts(Killed))


async def test_leaving_and_kill_name_each_entry() -> None:
    """OP-03, OP-07"""
    entry = an_order(effect=Effect.ADD)
    target = an_order(2, effect=Effect.CLOSE, side=Side.SELL)
    view = a_view(orders=(entry, target))
    view = replace(view, kill=replace(view.kill, entries_working=(entry,), stops_working=(), uncovered=()))
    killed = "\n".join(cell.text for line in killed_lines(view, 74, 20) for cell in line)
    leaving = "\n".join(cell.text for line in leaving_lines(view) for cell in line)
    assert "BUY to add" in killed
    assert "stays     \nSELL 47 SPY" in killed
    assert "BUY to add" in leaving
    assert "may fill" in leaving


@pytest.mark.parametrize("key", ["escape", "R"])
async def test_late_keys_do_nothing_on_the_kill_screen(key: str) -> None:
    """OP-07, OP-04: a pane has no use for it, and hands it back once another screen is on top"""
    async with open_desk() as house:
        desk, goes_on = house.desk, asyncio.Event()
        assert desk.focused is not None
        desk.focused.call_later(goes_on.wait)
        desk.post_message(Key(key, "\x1b" if key == "escape" else key))
        async with asyncio.timeout(TIMEOUT):  # the pane does nothing meanwhile, and the house would wait for it
            while not any(typed.key == key for typed, _ in desk._typed_at):
                await pause(0.01)
            desk.port.press_kill()
            while not isinstance(desk.screen, KillScreen):
                await pause(0.01)
        goes_on.set()
        await house.wait(0.3)

        assert isinstance(desk.screen, KillScreen)
        assert desk.port.is_kill_open()
        assert not house.facts(Killed)
