"""The touch of a security key at the desk: asked for after the key, given up with Esc, and void after any change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from console.client.ssh_agent import NO_AGENT, SshAgent
from console.screens.basket import BasketScreen
from console.screens.limits import LoosenScreen
from console.screens.ticket import TicketPhase, TicketScreen
from console.screens.touch import TouchScreen
from console.touch_wait import NO_KEY, TouchWait
from core.facts import BasketSigned, ConfirmationReceived, OrderCreated, TouchVerified
from core.messages.desk_commands import EnrollTouchKey, ReloadLimits
from core.model.touch import Touch, TouchPurpose, enroll_message, loosen_message, verify
from core.settings.settings import Settings
from core.views import ReloadView, TouchView
from tests.desk.desk_house import House, at_both_ends, open_desk
from tests.desk.plan_house import open_on, opens_a_plan
from tests.desk.still_house import a_view, open_still
from tests.desk.test_plan_screen import marks_all_of
from tests.kit.security_key import AgentAtASocket, SecurityKey, an_agent
from tests.kit.stepped_engine import SteppedHandle
from tests.scenarios.plans import a_buy
from tests.scenarios.test_touch import a_floor

ALWAYS = Settings.model_validate({"confirm": {"touch": "always"}})
SHORT = Settings.model_validate({"confirm": {"touch": "always"}, "staging": {"ticket_seconds": "5"}})


@asynccontextmanager
async def a_desk(
    folder: Path, settings: Settings = ALWAYS, **terms: Any
) -> AsyncIterator[tuple[House, AgentAtASocket]]:
    """With an enrolled key, and an agent that waits for its touch."""
    key = SecurityKey()
    with an_agent(folder, key, is_touched=False) as agent:
        async with open_desk(settings=settings, **terms) as house:
            await house.until(lambda: house.desk.view is not None)
            message = enroll_message("test", house.desk.view.touch.nonce, key.public.fingerprint)
            house.desk.handle.send(EnrollTouchKey(key.line, key.label, key.touched(message).text))
            await house.until(lambda: house.desk.view is not None and house.desk.view.touch.keys)
            house.desk.new_agent = partial(SshAgent, agent.path)
            yield house, agent


async def answered(wait: TouchWait) -> None:
    """Until its request has ended; the desk's clock stands meanwhile."""
    await asyncio.get_running_loop().run_in_executor(None, wait.thread.join)


@at_both_ends
async def test_key_then_touch_sends_the_order(tmp_path: Path, handled_by: type[SteppedHandle]) -> None:
    """OP-15: the desk goes on while it waits"""
    async with a_desk(tmp_path, handled_by=handled_by) as (house, agent):
        ticket = await house.opens_the_ticket()
        await house.press("B")
        await house.sees("touch your security key", "gives up")
        at = house.desk.engine_now()
        await house.wait(2)
        assert house.desk.engine_now() > at
        assert house.sent_nothing()
        assert ticket.phase is TicketPhase.TOUCHING

        agent.touched.set()
        await answered(ticket.touch)
        await house.until(lambda: house.facts(OrderCreated))
        (verified,) = [f for f in house.facts(TouchVerified) if f.purpose is TouchPurpose.TICKET]
        assert verified.subject == house.facts(ConfirmationReceived)[0].ticket_id


async def test_esc_gives_up_and_the_ticket_is_armed_anew(tmp_path: Path) -> None:
    """OP-15, OP-04: a touch after that counts for nothing"""
    async with a_desk(tmp_path) as (house, agent):
        ticket = await house.opens_the_ticket()
        await house.press("B")
        await house.sees("touch your security key")
        await house.press("B", "r", "x", "n")
        assert ticket.phase is TicketPhase.TOUCHING
        await house.press("escape")
        agent.touched.set()
        await answered(ticket.touch)

        assert house.desk.screen is ticket
        assert ticket.phase is TicketPhase.READY
        await house.until(house.is_armed)
        assert house.sent_nothing()


async def test_ticket_that_expires_meanwhile_sends_nothing(tmp_path: Path) -> None:
    """OP-15, OP-03"""
    async with a_desk(tmp_path, SHORT) as (house, agent):
        ticket = await house.opens_the_ticket()
        await house.press("B")
        await house.sees("touch your security key")
        await house.until(lambda: ticket.phase is not TicketPhase.TOUCHING)
        agent.touched.set()
        await answered(ticket.touch)
        await house.wait(1)

        assert house.sent_nothing()


async def test_dialog_over_the_ticket_voids_the_touch(tmp_path: Path) -> None:
    """OP-15, OP-04: what is covered is not confirmed"""
    async with a_desk(tmp_path) as (house, agent):
        ticket = await house.opens_the_ticket()
        await house.press("B")
        await house.sees("touch your security key")
        await house.press("ctrl+k")
        await house.until(lambda: house.desk.screen is not ticket)
        agent.touched.set()
        await answered(ticket.touch)
        await house.wait(1)

        assert house.sent_nothing()


async def test_without_an_agent_the_ticket_says_what_to_do(tmp_path: Path) -> None:
    """OP-15"""
    async with a_desk(tmp_path) as (house, _):
        house.desk.new_agent = partial(SshAgent, "")
        ticket = await house.opens_the_ticket()
        await house.press("B")
        await house.until(lambda: ticket.touch.thread.ident is not None)
        await answered(ticket.touch)
        await house.until(lambda: NO_AGENT in house.footer())

        assert ticket.phase is TicketPhase.READY
        assert house.sent_nothing()


async def test_without_an_enrolled_key_the_ticket_says_so() -> None:
    """OP-15"""
    async with open_desk(settings=ALWAYS) as house:
        ticket = await house.opens_the_ticket()
        await house.press("B")
        await house.until(lambda: NO_KEY in house.footer())

        assert isinstance(ticket, TicketScreen)
        assert ticket.phase is TicketPhase.READY
        assert house.sent_nothing()


async def test_basket_is_signed_after_one_touch(tmp_path: Path) -> None:
    """OP-15, OP-05"""
    key = SecurityKey()
    with an_agent(tmp_path, key, is_touched=False) as agent:
        async with open_on(a_floor(key)) as house:
            house.desk.new_agent = partial(SshAgent, agent.path)
            await opens_a_plan(house, a_buy("AAA", "10"), a_buy("BBB", "10"))
            await marks_all_of(house, 2)
            await house.until(house.is_armed)
            await house.press("P")
            await house.sees("touch your security key")
            basket = house.desk.screen
            assert isinstance(basket, BasketScreen)
            await house.press("escape")
            assert house.desk.screen is basket
            assert not house.facts(BasketSigned)
            await answered(basket.touch)

            await house.until(house.is_armed)
            await house.press("P")
            await house.sees("touch your security key")
            agent.touched.set()
            await answered(basket.touch)
            await house.until(lambda: house.facts(BasketSigned))


async def test_looser_touch_is_asked_for_with_a_touch(tmp_path: Path) -> None:
    """OP-15, RK-13"""
    key, digest = SecurityKey(), "0123456789abcdef"
    reload = ReloadView((), ("confirm.touch always → never",), digest=digest, needs_touch=True)
    view = a_view(reload=reload, touch=TouchView((key.enrolled,)))
    with an_agent(tmp_path, key, is_touched=False) as agent:
        async with open_still(view, (80, 24)) as house:
            house.desk.new_agent = partial(SshAgent, agent.path)
            await house.press("ctrl+p", *"reload", "enter")
            await house.until(lambda: isinstance(house.desk.screen, LoosenScreen))
            await house.press(*"LOOSEN")
            await house.until(lambda: isinstance(house.desk.screen, TouchScreen))
            screen = house.desk.screen
            assert isinstance(screen, TouchScreen)
            assert house.handle.commands == [ReloadLimits(digest)]
            agent.touched.set()
            await answered(screen.touch)
            await house.until(lambda: len(house.handle.commands) == 2)

    asked = house.handle.commands[1]
    assert isinstance(asked, ReloadLimits)
    assert asked.touch is not None
    message = loosen_message(view.account, view.touch.nonce, digest)
    assert isinstance(verify(key.public, message, asked.touch.content), Touch)
