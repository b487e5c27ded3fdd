"""What is typed in one burst behind a key that opens a line is that line's text, and no command (OP-04)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from textual import events

from console.keymap import KEYS, KeyScope
from console.order_form.draft import CHOICES
from console.screens.form import Form, TypedDialog
from console.screens.new_order import NewOrderScreen
from console.screens.reading import HelpScreen
from console.screens.watchlist import WatchlistScreen
from console.terminal.scanner import BrokenSequence, Pasted, Scanner, Straggler, Typed
from console.ticket_status import TypedWord
from core.facts import CancelRequested, EngineStopped, ProposalEnded, ProposalStaged
from core.messages.commands import Decline, ProposeClose
from core.model.values import Quantity
from tests.desk.desk_house import SPY, open_desk
from tests.desk.hands import held_back, types_ahead


async def test_behind_a_line_that_opens_all_is_its_text() -> None:
    """The reason of `x`, the command of Ctrl+P, the order of `n`, the filter of `/`"""
    async with open_desk() as house:
        sent = held_back(house, Decline)
        assert house.desk.view is not None
        proposal = house.desk.view.proposals[0].id
        await types_ahead(house, "xFqX no\n")
        await house.until(lambda: sent)
        assert len(house.desk.screen_stack) == 1
        await types_ahead(house, "\x10decline\nFdx\n")
        await house.until(lambda: sent[1:])
        assert sent == [Decline(proposal, "FqX no"), Decline(proposal, "Fdx")]

        staged = len(house.facts(ProposalStaged))
        await types_ahead(house, "n0.09")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen) and house.shows("0.09"))
        assert len(house.facts(ProposalStaged)) == staged
        assert not house.facts(ProposalEnded)
        await house.press("escape")

        await house.press("6")
        await types_ahead(house, "/qdFo!1")
        await house.sees("/ qdFo!1▏")
        assert len(house.desk.screen_stack) == 1
        assert not house.facts(EngineStopped)


async def test_behind_c_the_shares() -> None:
    async with open_desk() as house:
        await house.buys()
        sent = held_back(house, ProposeClose)
        await house.press("2")
        await types_ahead(house, "c0.05\n")
        await house.until(lambda: sent)
        assert sent == [ProposeClose(SPY, quantity=Quantity(Decimal("0.05")), strategy="vwap")]
        assert not house.facts(CancelRequested)


def test_the_rest_of_a_cut_paste_is_not_typing() -> None:
    """OP-04: an answer without its end takes the mark of the paste; what comes after it may still be pasted."""
    scanner = Scanner()
    assert scanner.feed(b"\x1bPhalf an answer", 0.0) == []
    assert [type(token) for token in scanner.feed(b"\x1b[200~BUY", 0.3)] == [BrokenSequence]
    assert [type(token) for token in scanner.tick(1.4)] == [Pasted]
    assert [type(token) for token in scanner.feed(b"B", 2.0)] == [Straggler]
    assert scanner.tick(7.0) == []
    assert [type(token) for token in scanner.feed(b"B", 7.1)] == [Typed]


async def test_ctrl_u_clears_every_line_of_every_screen() -> None:
    """SY-08: wherever the cursor is; a dialog or a box that is added later is walked too"""
    no_line = [kind.__name__ for kind in leaves(TypedDialog) if clearing(kind.PLACE) != "clear"]
    assert (no_line, clearing(KeyScope.FILTER)) == ([], "erase")
    async with open_desk() as house:
        for opens, kind in ((("n",), NewOrderScreen), (("8", "e"), WatchlistScreen)):
            await house.press(*opens)
            await house.until(lambda kind=kind: isinstance(house.desk.screen, kind))
            form = house.desk.screen
            assert isinstance(form, Form)
            for name, box in form.inputs.items():
                if name not in CHOICES:
                    form.go_to(name)
                    await house.press("1", "2", "left", "ctrl+u")
                    assert box.value == "", (kind, name)
            await house.press("escape")
        assert {*leaves(Form)} == {NewOrderScreen, WatchlistScreen}

        for pane in (house.desk.board.log, house.desk.board.history):
            pane.is_typing = True
            for key in ("a", "b", "ctrl+u"):
                pane.take(events.Key(key, key if len(key) == 1 else None))
            assert pane.filter == ""
            pane.end_typing()
        await house.press("question_mark", "slash", "a", "b", "ctrl+u")
        assert isinstance(house.desk.screen, HelpScreen)
        assert house.desk.screen.filter == ""
    word = TypedWord("REARM")
    for character in "RE\x15":
        word.hear(character)
    assert word.typed == ""


def clearing(place: KeyScope) -> str:
    return next((key.action for key in KEYS if key.place is place and "ctrl+u" in key.keys.split(",")), "")


def leaves(kind: type) -> Iterator[type]:
    """The classes of the product that nothing is made of."""
    below = [each for each in kind.__subclasses__() if each.__module__.startswith("console")]
    yield from (leaf for each in below for leaf in (leaves(each) if each.__subclasses__() else (each,)))
