"""`u` on a ticket: what the operator sees of the exits, signed and not (OP-06, OP-03)."""

from __future__ import annotations

from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from console.details import position
from core.facts import ConfirmationReceived, ExitReleased
from core.messages.commands import TakeBackExits
from core.model.staging import AuthorizationKind
from core.model.values import Quantity
from tests.desk.desk_house import SPY, open_desk
from tests.desk.still_house import a_position, a_view, open_still
from widgets.lines import joined

SIZES = [(80, 24), (120, 40)]


async def test_u_authorises_exits_and_takes_it_back() -> None:
    """OP-06, OP-04, OP-01: the ticket lists each exit, with its price and who acts; what a hand signs stands there."""
    async with open_desk(SIZES[0]) as house:
        ticket = await house.opens_the_ticket()
        await house.until(lambda: house.shows("target VWAP 497.89, needs your key"))
        flat = "exits  flat from the bar of 15:55 New York: on your key; u pre-approves it"
        await house.until(lambda: house.shows(flat))
        before = ticket._shown.ticket  # type: ignore[union-attr]

        await house.press("u")
        await house.until(lambda: house.shows("target VWAP 497.89, goes out unattended", "UNATTENDED until the close"))
        signed = ticket._shown.ticket  # type: ignore[union-attr]
        assert (signed.digest != before.digest, signed.id != before.id) == (True, True)

        await house.press("u")
        await house.until(lambda: house.shows("target VWAP 497.89, needs your key"))
        assert ticket._shown.ticket.digest == before.digest  # type: ignore[union-attr]

        await house.pilot.resize_terminal(*SIZES[1])
        await house.until(lambda: house.shows(flat))
        await house.press("u")
        await house.until(lambda: house.shows("target VWAP 497.89, goes out unattended", "UNATTENDED until the close"))
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: bool(house.facts(ConfirmationReceived)))

        (told,) = house.facts(ConfirmationReceived)
        assert [m.kind for m in told.authorizations] == [AuthorizationKind.PROTECTIVE_STOP, AuthorizationKind.EXITS]
        assert not house.facts(ExitReleased)


async def test_an_authorised_position_says_so(snapshot: SnapshotAssertion) -> None:
    """OP-06: in its row, under the pane, on its page; and one key is enough to need one for each exit again."""
    until = a_view().status.at.replace(hour=21, minute=0, second=0, microsecond=0)
    signed = a_position("SPY", unattended_until=until, unattended_most=Quantity(Decimal(47)))
    view = a_view(positions=(signed, a_position("QQQ")), proposals=())
    page = "\n".join(joined(line) for line in position(view, "SPY/vwap", view.status.at) or [])
    assert " ".join(page.split()) == snapshot
    async with open_still(view, SIZES[0]) as house:
        await house.press("2")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.until(lambda: house.shows("SPY: exits UNATTENDED until 16:00"))
            rows = [line for line in house.picture().splitlines() if "166.26" in line]
            assert [" u " in row for row in rows] == [True, False]
            assert all("broker 47" in row for row in rows)

        await house.press("u")
        assert house.handle.commands == [TakeBackExits(SPY, "vwap")]
        await house.until(lambda: "each exit of SPY needs your key again" in house.footer())
        await house.shows_next(positions=(a_position("SPY"), a_position("QQQ")))
        assert not any(" u " in line for line in house.picture().splitlines() if "166.26" in line)
        await house.press("u")
        assert len(house.handle.commands) == 1
        await house.shows_next(positions=(a_position("SPY", exit_waits_since=view.status.at), a_position("QQQ")))
        await house.press("u")
        assert len(house.handle.commands) == 2
