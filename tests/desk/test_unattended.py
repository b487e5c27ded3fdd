"""`u` on a ticket: what the operator sees of the exits, signed and not (OP-06, OP-03)."""

from __future__ import annotations

import pytest

from core.facts import ConfirmationReceived, ExitReleased
from core.model.staging import MandateKind
from tests.desk.desk_house import open_desk

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])


@SIZES
async def test_u_signs_the_exits_with_a_digest_of_their_own_and_again_takes_it_back(size: tuple[int, int]) -> None:
    """OP-06, OP-04: the ticket lists each exit, with its price and who acts."""
    async with open_desk(size) as house:
        ticket = await house.opens_the_ticket()
        await house.until(lambda: house.shows("target VWAP 497.89, needs your key"))
        await house.until(
            lambda: house.shows("exits  flat from 15:55 New York: needs your key; u signs them unattended")
        )
        before = ticket._shown.ticket  # type: ignore[union-attr]

        await house.press("u")
        await house.until(lambda: house.shows("target VWAP 497.89, goes out unattended", "UNATTENDED until the close"))
        signed = ticket._shown.ticket  # type: ignore[union-attr]
        assert (signed.digest != before.digest, signed.id != before.id) == (True, True)

        await house.press("u")
        await house.until(lambda: house.shows("target VWAP 497.89, needs your key"))
        assert ticket._shown.ticket.digest == before.digest  # type: ignore[union-attr]


@SIZES
async def test_a_signed_order_is_bought_with_its_own_key_and_its_exit_needs_none(size: tuple[int, int]) -> None:
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
        assert [m.kind for m in told.mandates] == [MandateKind.PROTECTIVE_STOP, MandateKind.EXITS]
        assert not house.facts(ExitReleased)
