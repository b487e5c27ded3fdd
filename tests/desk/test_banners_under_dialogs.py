"""What stands on the terminal under a dialog, and on the last line: the truth of now (OP-07)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from console.screens.kill import KillScreen
from console.screens.new_order import NewOrderScreen
from core.messages.commands import Decline, RequestCancel
from core.model.session import XNYS
from core.model.values import ProposalId
from tests.desk.desk_house import House, WatchedDesk, open_desk


async def over_the_form(house: House) -> None:
    await house.press("n")
    await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))


async def test_banners_are_current_under_every_dialog_and_cost_few_bytes() -> None:
    """OP-07: over a ticket the status lines go on, and that is all"""
    async with open_desk(kind=WatchedDesk) as house:
        desk = house.desk
        assert isinstance(desk, WatchedDesk)
        for place in ("form", "ticket"):
            if place == "form":
                await over_the_form(house)
            elif place == "ticket":
                await house.press("escape")
                await house.opens_the_ticket()
                await house.wait(0.5)
                before = desk.bytes_sent
                await house.wait(2)
                assert 0 < desk.bytes_sent - before < 2000
            await house.until(lambda: house.stands("ENTRIES ON"))

            await house.press("ctrl+k")
            await house.until(lambda: house.stands("ENTRIES OFF", "HALTED since"))
            later = desk.engine_now().astimezone(XNYS.zone) + timedelta(seconds=1)
            await house.until(lambda later=later: house.stands(f"{later:%H:%M:%S} New York"))
            if place != "ticket":
                await house.until(house.is_armed)
                await house.press("U")
                await house.until(lambda: not isinstance(house.desk.screen, KillScreen))
        await house.press("K")
        await house.until(lambda: house.stands("KILLED since", "Ctrl+K, type REARM"))


async def test_a_message_goes_with_its_screen() -> None:
    """OP-07: and after five seconds anyhow"""
    async with open_desk() as house:
        await house.opens_the_ticket()
        await house.press("C")
        await house.until(lambda: "C does not open a position" in house.footer())
        await house.press("escape")
        await house.until(lambda: "Enter open" in house.footer())

        house.desk.say("a word")
        await house.until(lambda: "a word" in house.footer())
        said = house.desk.last_line._said
        assert said is not None
        house.desk.last_line._said = (said[0], said[1], said[2] - 5.0, said[3])
        await house.until(lambda: "Enter open" in house.footer())


async def test_after_a_gone_row_enter_opens_or_1_selects_the_first() -> None:
    """OP-04"""
    async with open_desk() as house:
        grid = house.desk.board.proposals.grid
        house.types_an_order()
        house.types_an_order("0.08")
        await house.until(lambda: house.shows("3 waiting"))
        house.desk.handle.send(Decline(ProposalId(grid.selected or ""), "it went by itself"))
        await house.until(lambda: house.shows("2 waiting") and grid.selected is None)

        await house.press("x", "x")
        await house.wait(0.2)
        await house.sees("2 waiting")
        await house.press("enter")
        await house.until(lambda: house.shows("0.09 SPY at 496.00 limit"))
        assert house.sent_nothing()

        await house.press("escape", "1")
        house.desk.handle.send(Decline(ProposalId(grid.selected or ""), "it went by itself"))
        await house.until(lambda: house.shows("1 waiting") and grid.selected is None)
        await house.press("1")
        assert house.desk.view is not None
        assert grid.selected == house.desk.view.proposals[0].id


async def test_shares_without_a_stop_are_named_and_f_says_what_it_did() -> None:
    """OP-06, OP-07, DESK rule 2: one position is closed by a ticket, and not by a basket"""
    async with open_desk() as house:
        await house.press("F")
        await house.until(lambda: "nothing is held" in house.footer())
        await house.buys()
        assert not house.shows("UNCOVERED")
        view = house.desk.view
        assert view is not None
        house.desk.handle.send(RequestCancel(view.kill.stops_working[0].id))

        bare = "UNCOVERED SPY 0.1: no stop at the broker   m in Positions gives one, c closes"
        await house.sees(bare, "YOU 0 of 0.1 !")
        row = next(line for line in house.picture().splitlines() if "YOU 0 of 0.1 !" in line)
        assert " none " in row
        await house.press("F")
        await house.until(lambda: "staged 1 close, ! opens the first" in house.footer())
        assert len(house.desk.screen_stack) == 1
        await house.press("F")
        await house.until(lambda: "an exit of SPY waits already: ! opens it" in house.footer())
        await house.pilot.resize_terminal(80, 24)
        await house.sees(bare)


async def test_an_empty_pane_quotes_no_gone_signal_and_a_kill_says_how_it_ends() -> None:
    """ST-03, OP-07, OP-08"""
    async with open_desk() as house:
        await house.press("x", "enter")
        await house.until(lambda: house.shows("No proposals. VWAP on SPY: waits for its next bar."))
        await house.until(lambda: house.shows("BUY 0.1 SPY limit 496.21 declined"))
        await house.kills()
        view, screen = house.desk.view, house.desk.screen
        assert view is not None
        assert isinstance(screen, KillScreen)
        screen._rearming_since = house.desk.now()
        screen.update_view(replace(view, status=replace(view.status, killed_by="environment")), view.status.at)
        await house.sees("STAYS KILLED: KEYTURN_KILL holds it: unset it and restart")
        assert "entries are on again" not in house.footer()

        await house.press("escape")
        await house.until(lambda: house.shows("No proposals. Entries are off: killed by key"))


async def test_at_80_columns_no_warning_is_cut() -> None:
    """OP-07: the banner ends with the way out, the ticket's line says all of "too early" """
    async with open_desk((80, 24)) as house:
        await house.press("enter", "B")
        await house.until(lambda: house.shows("lose 0.15 USD"))
        await house.press("B")
        await house.until(lambda: house.shows("B  buy to open", "too early: press B in"))
        await house.press("escape")
        await house.kills()
        await house.press("escape")
        await house.until(lambda: house.shows("Ctrl+K, type REARM"))
        await house.wait(0.2)
        view = house.desk.view
        assert view is not None
        long = replace(view.status, killed_by="the command of another terminal, pts/3")
        house.desk.board.status.show_desk(replace(view, status=long), view.status.at, 78, None)
        assert [line for line in house.picture().splitlines() if line.endswith("Ctrl+K, type REARM")]
