"""`u` on a ticket: what the operator sees of the exits, signed and not (OP-06, OP-03)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.details.position import position
from core.facts import ConfirmationReceived, ExitReleased
from core.messages.commands import TakeBackExits
from core.model.staging import AuthorizationKind
from core.model.values import Quantity
from tests.desk.desk_house import SPY, open_desk
from tests.desk.still_house import a_position, a_view, open_still
from widgets.lines import joined

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])


@SIZES
async def test_u_authorises_exits_and_takes_it_back(size: tuple[int, int]) -> None:
    """OP-06, OP-04: the ticket lists each exit, with its price and who acts."""
    async with open_desk(size) as house:
        ticket = await house.opens_the_ticket()
        await house.until(lambda: house.shows("target VWAP 497.89, needs your key"))
        flat = "exits  flat from the bar of 15:55 New York: needs your key; u signs them"
        await house.until(lambda: house.shows(flat))
        before = ticket._shown.ticket  # type: ignore[union-attr]

        await house.press("u")
        await house.until(lambda: house.shows("target VWAP 497.89, goes out unattended", "UNATTENDED until the close"))
        signed = ticket._shown.ticket  # type: ignore[union-attr]
        assert (signed.digest != before.digest, signed.id != before.id) == (True, True)

        await house.press("u")
        await house.until(lambda: house.shows("target VWAP 497.89, needs your key"))
        assert ticket._shown.ticket.digest == before.digest  # type: ignore[union-attr]


@SIZES
async def test_an_authorised_orders_exit_needs_no_key(size: tuple[int, int]) -> None:
    """OP-06, OP-01: what a hand signs is what stands on the ticket."""
    async with open_desk(size) as house:
        await house.opens_the_ticket()
        await house.press("u")
        await house.until(lambda: house.shows("UNATTENDED until the close"))
        await house.until(lambda: house.shows("armed"))
        await house.wait(0.5)
        await house.press("B")
        await house.until(lambda: bool(house.facts(ConfirmationReceived)))

        (told,) = house.facts(ConfirmationReceived)
        assert [m.kind for m in told.mandates] == [AuthorizationKind.PROTECTIVE_STOP, AuthorizationKind.EXITS]
        assert not house.facts(ExitReleased)


@SIZES
async def test_an_authorised_position_says_so(snapshot: SnapshotAssertion, size: tuple[int, int]) -> None:
    """OP-06: in its row, under the pane, on its page; and one key is enough to need one for each exit again."""
    until = a_view().status.at.replace(hour=21, minute=0, second=0, microsecond=0)
    signed = a_position("SPY", unattended_until=until, unattended_most=Quantity(Decimal(47)))
    view = a_view(positions=(signed, a_position("QQQ")), proposals=())
    page = "\n".join(joined(line) for line in position(view, "SPY/vwap", view.status.at) or [])
    assert " ".join(page.split()) == snapshot
    async with open_still(view, size) as house:
        await house.press("2")
        await house.until(lambda: house.shows("SPY: exits UNATTENDED until 16:00"))
        rows = [line for line in house.picture().splitlines() if "166.76" in line]
        assert [" u " in row for row in rows] == [True, False]
        assert all("broker 47" in row for row in rows)

        await house.press("u")
        assert house.handle.commands == [TakeBackExits(SPY, "vwap")]
        await house.until(lambda: "each exit of SPY needs your key again" in house.footer())
        await house.shows_next(positions=(a_position("SPY"), a_position("QQQ")))
        assert not any(" u " in line for line in house.picture().splitlines() if "166.76" in line)
        await house.press("u")
        assert len(house.handle.commands) == 1
