"""Every command names the account that it is for; one for another is refused and recorded (OP-01, SP-01)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import get_args

import pytest

from console.client.handle import EngineHandle
from core.facts import CommandRefused, Halted, Killed, SymbolRefused
from core.messages import commands
from core.messages.command_ports import addressed
from core.messages.commands import Command, Halt, Kill, RefuseSymbol, RequestCancel
from core.messages.effects import CancelOrder
from core.model.codes import Denial
from core.model.order import OrderStatus
from core.model.values import AccountId
from core.ports import JournalWriteError
from state.codec import encode
from tests.scenarios.house import SPY, House, a_house_with_a_proposal, to

ANOTHER = AccountId("another")
COMMANDS = sorted(get_args(commands.Command), key=lambda kind: kind.__name__)
AWAY = ("10:06", "10:30", "99.70 99.70 99.65 99.70")


def of_kind(kind: type[Command], account: AccountId | None) -> Command:
    """A command of which nothing but its account may be looked at."""
    command = object.__new__(kind)
    object.__setattr__(command, "account", account)
    return command


def a_house_with_an_order() -> House:
    house = a_house_with_a_proposal(AWAY)
    house.confirms_at("10:06:02")
    return house.until("10:06:20")


def test_a_command_for_no_or_another_account_is_refused() -> None:
    """OP-01: nothing else of it is even read; only a halt and a kill need no account."""
    house = a_house_with_a_proposal()
    for kind, account in product(COMMANDS, (ANOTHER, None)):
        if account is None and kind in (Halt, Kill):
            continue
        before, case = house.journal.sequence, (kind.__name__, account)

        effects = list(house.engine.handle(house.line.at, of_kind(kind, account)))

        assert (effects, house.journal.sequence) == ([], before + 1), case
        refused = house.last(CommandRefused)
        assert (refused.command, refused.code) == (kind.__name__, Denial.OTHER_ACCOUNT), case


@pytest.mark.parametrize(("stop", "fact"), [(Halt("signal"), Halted), (Kill("file"), Killed)])
def test_a_halt_without_an_account_holds(stop: Command, fact: type) -> None:
    """OP-07"""
    house = a_house_with_a_proposal()
    house.line.send(stop)
    house.until("10:06:01")

    assert house.facts(fact)
    assert house.facts(CommandRefused) == []


WAYS: dict[str, Callable[[House, Command], None]] = {
    "sent": lambda house, command: house.line.send(command),
    "obeyed": lambda house, command: house.line.obey(command),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stop", [Halt("key"), Kill("key")])
def test_another_accounts_kill_holds_nothing(way: str, stop: Command) -> None:
    """OP-07: neither the latch before the wire nor the books"""
    house = a_house_with_a_proposal()

    WAYS[way](house, addressed(stop, ANOTHER))
    house.confirms_at("10:06:02")
    house.until("10:06:20")

    assert house.line.latch.shut() is None
    assert (house.facts(Halted), house.facts(Killed)) == ([], [])
    assert len(house.facts(CommandRefused)) == 1
    assert house.entry.status is OrderStatus.FILLED


def test_own_commands_record_no_account() -> None:
    """SP-01: a journal is an account's own, and its records are what they were."""
    house = a_house_with_a_proposal()
    house.line.obey(to(house.line, RefuseSymbol(SPY, "for the test")))

    (record,) = [r for r in house.journal.records() if isinstance(r.fact, SymbolRefused)]
    assert b"account" not in encode(record.sequence, record.at, record.fact, "")[0]
    assert house.facts(CommandRefused) == []


def test_a_full_disk_passes_no_foreign_cancel() -> None:
    """SP-06: its refusal cannot be recorded, and nothing of it is done all the same"""
    house = a_house_with_an_order()
    cancel = RequestCancel(house.entry.id)
    house.journal.append = _full  # type: ignore[method-assign]

    theirs = list(house.engine.handle(house.line.at, addressed(cancel, ANOTHER)))
    ours = list(house.engine.handle(house.line.at, to(house.line, cancel)))

    assert theirs == []
    assert [type(effect) for effect in ours] == [CancelOrder]


def _full(*_: object) -> int:
    raise JournalWriteError("no space left on the device; free some and start again")


def test_a_desk_sends_the_shown_account() -> None:
    """OP-01"""
    house = a_house_with_a_proposal()
    heard: list[Command] = []
    handle = EngineHandle(lambda _stack: house.line)
    house.line.send = heard.append  # type: ignore[method-assign, assignment]
    handle._runtime = house.line
    handle.view = house.line.view()

    handle.send(RefuseSymbol(SPY, "not today"))
    handle.press_kill()

    assert handle.view.account == house.desk.account_name
    assert [command.account for command in heard] == ["house", "house"]
