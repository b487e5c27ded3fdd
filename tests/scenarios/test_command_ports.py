"""Who may turn a key: what comes through the console's door, and nothing that any other code posts (OP-01, OP-13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest

from core.facts import BasketSigned, CommandRefused, ConfirmationReceived, ConfirmationRefused, OrderCreated
from core.messages import commands
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import AnswerBasket, Confirm, Keyed, Resume, SignBasket
from core.model.basket import BasketSource
from core.model.codes import Denial, HaltCause
from core.model.desk import Sender
from core.workflows.baskets import BasketDrafts, digest_now, rehearsed
from state.codec import decode, encode
from tests.scenarios.exchange_requests import BUY, LIMIT, sent, submit
from tests.scenarios.house import House, a_house_with_a_proposal, to
from tests.scenarios.live_floor import LiveHouse
from tests.scenarios.test_live_runtime import a_ticket, at_the_dip

pytestmark = pytest.mark.usefixtures("timeline")


def a_house_with_an_open_ticket() -> House:
    """It is 10:06:01, and the entry's ticket has been open for 0.9 s."""
    house = a_house_with_a_proposal()
    house.opens_ticket()
    return house.until("10:06:01")


def the_key(house: House) -> Confirm:
    ticket = house.ticket
    key = Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces)
    return replace(key, account=house.desk.account_name)


def of_nobody(_house: House, key: Confirm) -> Confirm:
    return key


def of_a_door_of_its_own(_house: House, key: Confirm) -> Confirm:
    return CommandPort(PortKind.CONSOLE, "/dev/pts/1", "lena").through(key)  # type: ignore[return-value]


def of_what_the_engine_knows(house: House, key: Confirm) -> Confirm:
    """Everything that can be found of a door in the engine: its digest."""
    return replace(key, sender=Sender("/dev/pts/1", "lena", house.engine.ports._known[0].digest))


WAYS: dict[str, Callable[[House, Confirm], None]] = {
    "obeyed": lambda house, key: house.line.obey(key),
    "sent": lambda house, key: house.line.send(key),
    "taken": lambda house, key: house.line.take(house.line.at, key),
    "handled": lambda house, key: [*house.engine.handle(house.line.at, key)] and None,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("forged", [of_nobody, of_a_door_of_its_own, of_what_the_engine_knows])
def test_a_key_posted_by_code_confirms_nothing(way: str, forged: Callable[[House, Confirm], Confirm]) -> None:
    """OP-01: whichever way in it finds; the ticket still stands, and its own key turns it."""
    house = a_house_with_an_open_ticket()

    WAYS[way](house, forged(house, the_key(house)))
    house.until("10:06:05")

    assert house.last(CommandRefused).command == "Confirm"
    assert house.last(CommandRefused).code is Denial.NO_PORT
    assert any("CRITICAL: confirm refused" in row.text for row in house.line.view().refusals)
    assert (sent(house), house.facts(ConfirmationReceived), house.facts(ConfirmationRefused)) == ([], [], [])
    house.confirms()
    house.until("10:06:10")
    assert sent(house)[0] == submit(BUY, LIMIT, "0.502")


def test_a_running_desk_admits_no_port() -> None:
    """OP-01"""
    house = a_house_with_an_open_ticket()
    mine = CommandPort(PortKind.CONSOLE)

    with pytest.raises(ValueError, match="before the desk runs"):
        house.line.admit(mine.known)

    house.line.obey(mine.through(the_key(house)))
    assert house.facts(ConfirmationReceived) == []


def test_scripted_keys_need_the_simulated_exchange() -> None:
    """OP-01"""
    script = CommandPort(PortKind.SCRIPT)
    with pytest.raises(ValueError, match="simulated exchange alone"):
        LiveHouse(at_the_dip()).runtime.admit(script.known)

    with LiveHouse(at_the_dip()) as house:
        house.engine.ports._known += (script.known,)
        house.runtime.send(script.through(a_ticket(house), house.engine.state.account_name))
        house.waits(lambda view: any("by script" in row.text for row in view.refusals), "the refusal")


def test_every_loosening_command_needs_a_port() -> None:
    """OP-13: what is not in the list only stages, tightens or looks."""
    free = {
        "OpenTicket",
        "LeaveTicket",
        "Decline",
        "ProposeOrder",
        "LookAt",
        "CompareActivities",
        "KeyPressed",
        "ExplainKill",
        "ProposeClose",
        "ProposeFlattening",
        "OpenBasket",
        "MarkInBasket",
        "LeaveBasket",
        "EditProposal",
        "MoveStop",
        "EditOrder",
        "TakeBackExits",
        "PauseStrategy",
        "RefuseSymbol",
        "ListSymbol",
        "ReversePosition",
        "TightenStop",
        "TrailStop",
        "SetTarget",
        "KeepWatchlist",
        "KeepAlert",
        "DropAlert",
        "AdoptDraft",
        "DeclineDraft",
        "DropRecommendation",
        "RequestCancel",
        "Halt",
        "Kill",
        "SettingsFileSeen",
        "ThesesFileSeen",
        "EarningsFileSeen",
        "WatchlistFilesSeen",
    }
    keyed = {kind.__name__ for kind in get_args(Keyed)}
    assert {kind.__name__ for kind in get_args(commands.Command)} == keyed | free
    assert all("sender" in kind.__dataclass_fields__ for kind in get_args(Keyed))


def test_a_resume_needs_a_port() -> None:
    """OP-07"""
    house = a_house_with_an_open_ticket()
    house.presses(commands.Halt("key"))

    house.line.obey(to(house.line, Resume()))
    assert HaltCause.KEY in house.desk.control.halts
    house.presses(Resume())
    assert not house.desk.control.halts


def test_signing_a_basket_needs_a_port() -> None:
    """OP-05"""
    house = a_house_with_a_proposal()
    house.presses(commands.OpenBasket(BasketSource.PROPOSALS))
    run = house.desk.plans.run
    assert run is not None
    house.presses(commands.MarkInBasket(run.id, house.proposal.id, is_marked=True))
    going = [t for t in rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run) if t.fits]
    sign = SignBasket(run.id, digest_now(house.desk, run, going))

    house.line.obey(to(house.line, sign))
    house.line.obey(to(house.line, AnswerBasket(run.id, goes_on=True)))
    assert [fact.command for fact in house.facts(CommandRefused)] == ["SignBasket", "AnswerBasket"]
    assert house.facts(BasketSigned) == []

    house.presses(sign)
    assert house.last(BasketSigned).terminal == "script"


def test_a_confirmation_has_terminal_and_user() -> None:
    """OP-13; what proves them is written nowhere."""
    with LiveHouse(at_the_dip()) as house:
        house.presses(a_ticket(house))
        house.waits(lambda view: view.orders, "the order")
    (record,) = [r for r in house.journal.records() if isinstance(r.fact, ConfirmationReceived)]
    assert (record.fact.terminal, record.fact.user) == ("/dev/pts/7", "lena")
    token = house.port._sender.token
    assert not any(
        token.hex().encode().hex() in encode(r.sequence, r.at, r.fact, "")[0].hex() for r in house.journal.records()
    )
    assert "token" not in repr(house.port._sender)


def test_a_journal_without_ports_opens() -> None:
    """SP-02"""
    with LiveHouse(at_the_dip()) as house:
        house.presses(a_ticket(house))
        house.waits(lambda view: view.orders, "the order")
    (record,) = [r for r in house.journal.records() if isinstance(r.fact, ConfirmationReceived)]
    assert decode(encode(record.sequence, record.at, record.fact, "")[0]).fact == record.fact
    assert isinstance(record.fact, ConfirmationReceived)
    assert ConfirmationReceived(
        *[getattr(record.fact, n) for n in ("ticket_id", "digest", "approval", "authorizations")]
    ) == (replace(record.fact, terminal="", user=""))


def test_a_refused_key_makes_no_order() -> None:
    """OP-01"""
    house = a_house_with_an_open_ticket()
    for _ in range(20):
        house.line.send(the_key(house))
    house.until("10:06:10")

    assert house.facts(OrderCreated) == []
    assert len(house.facts(CommandRefused)) == 20
