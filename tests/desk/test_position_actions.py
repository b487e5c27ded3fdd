"""One key on what is held: half of it, and its stop to break-even; what each stages, how many keys it takes, and when
it says instead why not.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from console.screens.position_exits import MoveStopScreen, TrailScreen
from console.screens.reading import RiskScreen, ShocksScreen
from console.screens.ticket import TicketScreen
from core.messages.commands import ProposeClose, RequestCancel, ReversePosition, SetTarget, TightenStop, TrailStop
from core.model.order import OrderType, StopHolder, StopKnown
from core.model.signal import ExitReason
from core.model.staging import GuardRefusal
from core.model.values import Fraction, Price, ProposalId, Quantity
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.hands import Disk, held_back
from tests.desk.plan_house import open_on
from tests.desk.still_house import a_position, a_view, an_exit, open_still
from tests.desk.test_row_actions import picture
from tests.kit.stepped_engine import WiredHandle
from tests.scenarios.house import STEADY, a_house_in_a_position
from tests.scenarios.house import House as Story
from tests.scenarios.test_position_protection import in_a_position


def shares(text: str) -> Quantity:
    return Quantity(Decimal(text))


def usd(text: str) -> Price:
    return Price(Decimal(text))


async def armed_ticket(house: House) -> TicketScreen:
    await house.until(lambda: isinstance(house.desk.screen, TicketScreen) and house.is_armed())
    assert isinstance(house.desk.screen, TicketScreen)
    return house.desk.screen


# ── half ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_h_sells_half_and_keeps_the_stop() -> None:
    """EX-21: two keys; its own stop makes way, and guards what is left"""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.buys()
        await house.press("2")

        await house.press("h")
        await armed_ticket(house)
        assert house.shows("0.05 SPY at the market")
        await house.press("S")

        await house.until(lambda: picture(house).positions[0].quantity == shares("0.05"))
        await house.until(lambda: picture(house).positions[0].covered == shares("0.05"))


async def test_half_rounds_down_to_a_lot() -> None:
    """EX-11: of whole shares, and of a short, whole ones; as `c` with 50% would; OP-04: an exit that waits sells all"""
    rows = (("47", "23"), ("1", "0.5"), ("4.7", "2.35"), ("0.005", "0.002"), ("-41", "20"))
    async with open_still(a_view(positions=(a_position(),))) as house:
        sent = held_back(house, ProposeClose)
        await house.press("2")
        for held, half in rows:
            row = a_position(quantity=shares(held))
            await house.shows_next(positions=(row,))
            await house.press("h")
            await house.press("c", *"50", "percent_sign", "enter", "escape")
            assert sent == [ProposeClose(SPY, quantity=shares(half), strategy=row.strategy)] * 2, held
            sent.clear()

        for held in ("0.001", "-1"):
            await house.shows_next(positions=(a_position(quantity=shares(held)),))
            house.desk.say("")
            await house.press("h")
            await house.until(lambda: "SPY is nothing that can be sold alone" in house.footer())

        await house.shows_next(positions=(a_position(),), proposals=(an_exit(),))
        await house.press("h")
        await house.until(lambda: "an exit of SPY waits already: c opens it" in house.footer())
        assert len(house.desk.screen_stack) == 1
        assert not sent


async def test_a_strategys_exit_is_not_mistaken() -> None:
    """OP-04: only what a hand asked for, and of so many shares at most, opens by itself"""
    async with open_still(a_view(positions=(a_position(),), proposals=())) as house:
        held_back(house, ProposeClose)
        await house.press("2", "h")
        await house.shows_next(proposals=(an_exit(),))
        by_hand = an_exit(id=ProposalId("all"), exit_reason=ExitReason.MANUAL, quantity=shares("47"))
        await house.shows_next(proposals=(an_exit(), by_hand))
        assert len(house.desk.screen_stack) == 1

        mine = replace(by_hand, id=ProposalId("half"), quantity=shares("23"))
        await house.shows_next(proposals=(an_exit(), by_hand, mine))
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))
        assert isinstance(house.desk.screen, TicketScreen)
        assert house.desk.screen.proposal_id == "half"


async def test_no_ticket_opens_over_a_dialog() -> None:
    """OP-04: what was staged waits in Proposals"""
    async with open_still(a_view(positions=(a_position(),), proposals=())) as house:
        held_back(house, ProposeClose, TightenStop)
        mine = an_exit(exit_reason=ExitReason.MANUAL, quantity=shares("23"))
        a_move = an_exit(type=OrderType.STOP, stop_price=usd("166.76"), exit_reason=ExitReason.STOP_LOSS)
        for key, staged in (("h", mine), ("b", a_move)):
            await house.shows_next(proposals=())
            await house.press("2", key, "question_mark")
            await house.until(lambda: len(house.desk.screen_stack) == 2)
            await house.shows_next(proposals=(staged,))
            assert not isinstance(house.desk.screen, TicketScreen)

            await house.press("escape")
            await house.until(lambda: len(house.desk.screen_stack) == 1)
            await house.is_drawn()
            assert len(house.desk.screen_stack) == 1


async def test_a_key_is_its_rows_and_not_its_places() -> None:
    """OP-04: a row that moved keeps it, and the neighbour of one that is gone is not meant"""
    aig, ibm = a_position("AIG", key="AIG/vwap"), a_position("IBM", key="IBM/vwap")
    async with open_still(a_view(positions=(ibm,))) as house:
        sent = held_back(house, ProposeClose, TightenStop, ReversePosition)
        await house.press("2", "home")
        await house.shows_next(positions=(aig, ibm))
        for key in "hbv":
            await house.press(key)
        assert [command.symbol for command in sent] == ["IBM"] * 3  # type: ignore[attr-defined]
        assert sent[2] == ReversePosition(ibm.symbol, "vwap", ibm.quantity)

        for key in "hbv":
            await house.shows_next(positions=(aig, ibm))
            await house.press("home")
            await house.shows_next(positions=(ibm,))
            house.desk.say("")
            await house.press(key)
            await house.until(lambda: "no row is selected" in house.footer())
        assert len(sent) == 3


# ── break-even ───────────────────────────────────────────────────────────────────────────────────────────────────────


def in_profit() -> Story:
    """0.502 SPY paid 99.60 with a stop at 99.30; the market stands at 99.80."""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", "99.80"))
    house.until("10:09")
    return house


async def test_b_moves_the_stop_to_break_even() -> None:
    """OP-06: two keys"""
    async with open_on(in_profit()) as house:
        await house.press("2")

        await house.press("b")
        await armed_ticket(house)
        assert house.shows("0.502 SPY stop 99.30 → 99.60 (break-even)")
        await house.press("R")

        await house.until(lambda: picture(house).positions[0].stop_price == usd("99.60"))
        assert picture(house).positions[0].covered == shares("0.502")

        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("b")
        await house.sees("its stop at 99.60 is as near as 99.60 already, or nearer: nothing moves")


async def test_b_says_why_it_moves_no_stop() -> None:
    """OP-06"""
    async with open_desk() as house:
        await house.buys()
        await house.press("2", "b")
        await house.sees("stop 496.21 is on the wrong side of the market")
        assert len(house.desk.screen_stack) == 1

        house.desk.handle.send(RequestCancel(picture(house).kill.stops_working[0].id))
        await house.sees("YOU 0 of 0.1 !")
        await house.press("b")
        await house.sees("no stop of this desk's works at the broker for it; m in Positions")


# ── nearer by an average range ───────────────────────────────────────────────────────────────────────────────────────


async def test_m_moves_a_stop_nearer_by_average_ranges() -> None:
    """OP-06: spelled out before Enter, and no stop goes farther by it"""
    known = a_position(average_range=usd("0.20"))
    rows = (
        ("1atr", known, "166.46"),
        ("0.5ATR", known, "166.36"),
        ("1atr", replace(known, quantity=shares("-47"), stop_price=usd("167.50")), "167.30"),
    )
    async with open_still(a_view(positions=(known,))) as house:
        sent = held_back(house, TightenStop)
        await house.press("2")
        for typed, row, price in rows:
            await house.shows_next(positions=(row,))
            await house.press("m", *("full_stop" if letter == "." else letter for letter in typed))
            ranges = typed.lower().removesuffix("atr")
            await house.sees(f"Enter stages stop {price} USD, {ranges} ATR of 0.2000 USD nearer")
            await house.press("enter", "escape")
            assert sent == [TightenStop(SPY, "vwap", usd(price))]
            sent.clear()

        for row, why in (
            (a_position(), "too few minutes of SPY were heard for an average range: type a price"),
            (replace(known, holder=StopHolder.YOU, covered=shares("0")), "no stop of it works at the broker: type a"),
        ):
            await house.shows_next(positions=(row,))
            await house.press("m", *"1atr")
            await house.sees(why)
            await house.press("enter")
            await house.wait(0.2)
            assert isinstance(house.desk.screen, MoveStopScreen)
            await house.press("escape")
        assert not sent


async def test_enter_on_a_gone_position_asks_nothing() -> None:
    """OP-06: its stop filled while the dialog was open"""
    async with open_still(a_view(positions=(a_position(),))) as house:
        for keys, said in (
            (("m", *"99"), "no stop was moved: nothing of SPY is held any more"),
            (("c", *"1"), "no close was staged: nothing of SPY is held any more"),
        ):
            await house.shows_next(positions=(a_position(),))
            await house.press("2", "home", *keys)
            await house.shows_next(positions=())
            await house.sees("nothing is held any more")
            await house.press("enter")
            await house.until(lambda said=said: said in house.footer())
        assert house.handle.commands == []


# ── a trailing stop, a target ────────────────────────────────────────────────────────────────────────────────────────


NAMED = {".": "full_stop", "%": "percent_sign", "$": "dollar_sign"}


async def test_t_trails_and_g_aims_from_the_position() -> None:
    """EX-12: what is typed in each unit, what an offer stages with one key, and that Enter sends nothing"""
    known = a_position(average_range=usd("0.20"), targets=(usd("170.00"),))
    fraction = {"0.4%": "0.004", "2%": "0.02", ".5%": "0.005"}
    async with open_still(a_view(positions=(known,), proposals=())) as house:
        sent = held_back(house, TrailStop, SetTarget)
        await house.press("2")
        for keys, part in (((), "0.4%"), (("down",), "1%"), (("2", "%"), "2%"), ((".", "5", "%"), ".5%")):
            await house.press("t", *(NAMED.get(key, key) for key in keys), "enter", "escape")
            wanted = Fraction(Decimal(fraction.get(part, "0.01")))
            assert sent.pop() == TrailStop(SPY, "vwap", trail_fraction=wanted), keys
        for typed, price in (("2", "2"), ("1.50", "1.50"), ("$3", "3"), ("1atr", "0.20")):
            await house.press("t", *(NAMED.get(key, key) for key in typed), "enter", "escape")
            assert sent.pop() == TrailStop(SPY, "vwap", trail_price=usd(price)), typed
        for typed, price in (("172", "172"), ("2r", "167.76"), ("1%", "168.43"), ("3atr", "167.36")):
            await house.press("g", *(NAMED.get(key, key) for key in typed), "enter", "escape")
            assert sent.pop() == SetTarget(SPY, "vwap", usd(price)), typed
        await house.press("g", "down", "enter", "escape")
        assert sent.pop() == SetTarget(SPY, "vwap", usd("167.76"))

        await house.press("g", "enter")
        await house.sees("its target is 170.00 USD already")
        await house.press("escape", "t")
        await house.sees("NO TARGET beside it: 170.00 USD is cancelled")
        assert not house.shows("LOOSER")
        await house.press("5", "percent_sign")
        await house.sees("LOOSER than the stop now", "Enter stages it  ↓ ↑ other offers  Esc back  ")
        await house.press("x", "enter", "S")
        assert isinstance(house.desk.screen, TrailScreen)
        assert not sent


async def test_a_refused_guard_opens_no_dialog() -> None:
    """EX-12: a key says what the engine refuses, and what to do about it, before anything is typed"""
    fields = {"t": "trail_refusal", "g": "target_refusal", "m": "move_refusal", "b": "move_refusal"}
    async with open_still(a_view(positions=(a_position(),)), (80, 24)) as house:
        sent = held_back(house, TightenStop)
        await house.press("2")
        for key, field in fields.items():
            for refusal in GuardRefusal:
                await house.shows_next(positions=(a_position(**{field: refusal}),))
                house.desk.say("")
                await house.press(key)
                await house.until(lambda: "b break-even" not in house.footer())
                assert len(house.desk.screen_stack) == 1, (key, refusal)
        assert not sent

        await house.shows_next(positions=(a_position(trail_refusal=GuardRefusal.EXIT_WAITS),))
        await house.press("t")
        await house.until(lambda: "c opens it; confirm or decline it first" in house.footer())
        await house.press("b")
        assert [command.symbol for command in sent if isinstance(command, TightenStop)] == [SPY]


async def test_the_sign_of_a_trail_is_explained() -> None:
    """OP-06: at the lower edge, of the selected row first; the dialog says it too"""
    exact = a_position("AIG", key="AIG/vwap")
    trail = a_position(stop_known=StopKnown.PASSED, covered=shares("47"))
    computed = a_position("IBM", key="IBM/vwap", stop_known=StopKnown.GUESSED)
    async with open_still(a_view(positions=(exact, trail, computed)), (80, 24)) as house:
        await house.press("2", "home")
        await house.sees("≥166.26", "≈166.26", "── ≥ stop last reported; it may be nearer by now ─┘")
        await house.press("end")
        await house.sees("── IBM: ≈ stop computed; the broker has not reported it yet ─┘")
        await house.press("t")
        await house.sees("stop now ≈166.26 USD (stop computed; the broker has not reported it yet)")


async def test_a_trail_takes_three_keys_to_the_broker() -> None:
    """OP-04, EX-12: `t` Enter and its ticket's key; then `m`, `b` and `g` open no dialog, and `c` still closes"""
    async with open_on(in_a_position()) as house:
        await house.press("2", "t", "enter")
        ticket = await armed_ticket(house)
        assert house.shows("first cancels SELL 20 SPY stop 99.30")
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)

        await house.press("t", "enter")
        assert (await armed_ticket(house)).proposal_id != ticket.proposal_id
        await house.press("S")
        trails = OrderType.TRAILING_STOP
        await house.until(lambda: any(o.type is trails and o.status.is_working for o in picture(house).orders))
        await house.until(lambda: picture(house).positions[0].covered == 20)
        await house.until(lambda: len(house.desk.screen_stack) == 1)

        in_force = picture(house).positions[0].standing_stop
        assert in_force is not None
        await house.press("t")  # it shows where the trail is now
        await house.sees(f"stop now ≈{in_force}")
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        for key in ("m", "b", "g"):
            house.desk.say("")
            await house.press(key)
            await house.until(lambda: "in Orders cancels it" in house.footer())
            assert len(house.desk.screen_stack) == 1
        await house.press("c", "enter")
        assert (await armed_ticket(house)).standing.row.type is OrderType.MARKET  # type: ignore[union-attr]


# ── risk ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_r_shows_what_all_positions_could_lose() -> None:
    """AN-02: of each symbol's net shares, by the shocks that are typed; nothing is sent"""
    disk = Disk()
    rows = (a_position(quantity=shares("47")), a_position(quantity=shares("-7"), strategy="manual", key="SPY/manual"))
    async with open_still(a_view(positions=rows), surroundings=disk) as house:
        await house.press("2", "r")
        await house.until(lambda: isinstance(house.desk.screen, ShocksScreen))
        await house.sees("40 SPY")
        await house.press(*"VIX", "space", *"to", "space", *"40", "enter")
        await house.until(lambda: isinstance(house.desk.screen, RiskScreen))
        await house.sees("VIX to 40 40 SPY")
        await house.press("escape")

        disk.fails = "no folder"
        await house.press("r", "enter")
        await house.sees("the risk is not known: no folder")
