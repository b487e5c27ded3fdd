"""`keyturn reconcile`: what it says of an account that nobody runs, and what it takes over when it is told to."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import PositionCorrected, ReconciliationPassed
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Confirm, OpenTicket
from core.messages.inputs import Start
from core.model.values import Price, Quantity, Symbol, plain
from core.ports import Recorded
from core.runtime.virtual import VirtualRuntime
from state.files import AccountFolder, Home
from state.journal import FileJournal, read
from tests.scenarios.backtests import Keyturn
from tests.scenarios.house import to

SPY = Symbol("SPY")


def folder(tmp_path: Path) -> AccountFolder:
    return Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("demo")


def a_demo_that_holds_something(tmp_path: Path, stack: ExitStack) -> VirtualRuntime:
    """The demo's first proposal, confirmed and filled, its stop at the exchange."""
    environ = {"KEYTURN_HOME": str(tmp_path / "home")}
    runtime = demo_runtime(Host.of(environ), DemoOptions(profile="micro"), stack)
    runtime.pace.speed = None
    door = CommandPort(PortKind.SCRIPT)
    runtime.admit(door.known)
    runtime.take(runtime.at, Start())
    desk = runtime.engine.state
    opened: set[str] = set()
    while not desk.ledger.positions() or any(not o.broker_order_id for o in desk.ledger.working()):
        assert runtime.step()
        for proposal in desk.stage.proposals():
            if proposal.id not in opened:
                opened.add(proposal.id)
                runtime.obey(to(runtime, OpenTicket(proposal.id)))
        for ticket in list(desk.stage.state.tickets.values()):
            key = Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces)
            runtime.obey(door.through(to(runtime, key)))
    return runtime


def is_left(tmp_path: Path) -> str:
    """The demo ran, and was left with a position. What it holds."""
    with ExitStack() as stack:
        runtime = a_demo_that_holds_something(tmp_path, stack)
        held = runtime.engine.state.ledger.net_quantity(SPY)
        runtime.stop("left")
    return plain(held)


def our_books_say(tmp_path: Path, quantity: str, symbol: Symbol = SPY) -> None:
    """A wrong figure, with a record of its own, as a fault would have left it."""
    with closing(FileJournal(folder(tmp_path))) as journal:
        fact = PositionCorrected(symbol, Quantity(Decimal(quantity)), Price(Decimal(100)), "a fault")
        journal.append(journal.last_at, fact)
        journal.sync()


def records(tmp_path: Path) -> list[Recorded]:
    return list(read(folder(tmp_path).journal))


def test_agreeing_books_write_nothing(keyturn: Keyturn, tmp_path: Path) -> None:
    """EX-09"""
    is_left(tmp_path)
    before = len(records(tmp_path))

    answer = keyturn("reconcile", "--json")

    assert answer.code == 0
    assert answer.json == {"ok": True, "positions": 1, "orders": 1, "differences": []}
    assert len(records(tmp_path)) == before


def test_a_difference_shows_both_sides(keyturn: Keyturn, tmp_path: Path) -> None:
    """EX-09"""
    held = is_left(tmp_path)
    our_books_say(tmp_path, "9")
    before = len(records(tmp_path))

    answer = keyturn("reconcile", "--json")

    (difference,) = answer.json["differences"]  # type: ignore[misc]
    assert (answer.code, answer.json["ok"]) == (1, False)
    assert {k: difference[k] for k in ("kind", "symbol", "local", "broker")} == {
        "kind": "quantity_mismatch",
        "symbol": "SPY",
        "local": "9",
        "broker": held,
    }
    assert len(records(tmp_path)) == before


def test_accept_takes_the_brokers_books(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """EX-09: over every limit; the deliberate way out."""
    held = is_left(tmp_path)
    our_books_say(tmp_path, "9")

    answer = keyturn("reconcile", "--accept-broker", typed="ACCEPT\n")

    assert (answer.code, answer.out, answer.err) == (0, snapshot(name="out"), snapshot(name="err"))
    corrected = [r.fact for r in records(tmp_path) if isinstance(r.fact, PositionCorrected)]
    passed = [r.fact for r in records(tmp_path) if isinstance(r.fact, ReconciliationPassed)]
    assert plain(corrected[-1].quantity) == held
    assert passed[-1].corrections == snapshot(name="corrections")
    assert keyturn("reconcile").code == 0


def test_a_self_correcting_difference_is_shown(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """EX-09: within the limits."""
    is_left(tmp_path)
    our_books_say(tmp_path, "0.101")

    answer = keyturn("reconcile")

    assert (answer.code, answer.out) == (1, snapshot)


def test_another_word_changes_nothing(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    is_left(tmp_path)
    our_books_say(tmp_path, "9")

    answer = keyturn("reconcile", "--accept-broker", typed="yes\n")

    assert (answer.code, answer.err) == (2, snapshot)
    assert keyturn("reconcile").code == 1


def test_a_script_says_yes_beforehand(keyturn: Keyturn, tmp_path: Path) -> None:
    """EX-09"""
    is_left(tmp_path)
    our_books_say(tmp_path, "7", Symbol("QQQ"))

    answer = keyturn("reconcile", "--accept-broker", "--yes", "--json")

    assert (answer.code, answer.json["ok"], answer.json["differences"]) == (0, True, [])


def test_an_unused_home_can_be_compared(keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-09: with the exchange of the settings; and a desk opens on it afterwards as if nothing had looked."""
    monkeypatch.setenv("KEYTURN_ACCOUNT__BROKER", "simulated")

    looked, accepted = keyturn("reconcile", "--json"), keyturn("reconcile", "--accept-broker", "--yes")

    assert (looked.code, looked.err) == (0, "")
    assert looked.json == {"ok": True, "positions": 0, "orders": 0, "differences": []}
    assert accepted.code == 0
    assert is_left(tmp_path)
    assert keyturn("reconcile").code == 0


def test_without_keys_it_says_what_to_set(keyturn: Keyturn, snapshot: SnapshotAssertion) -> None:
    """EX-09"""
    fresh, named = keyturn("reconcile"), keyturn("reconcile", "--account", "demo")

    assert [(answer.code, answer.err) for answer in (fresh, named)] == snapshot


def test_while_an_engine_runs_it_is_refused(keyturn: Keyturn, tmp_path: Path) -> None:
    """EX-09, SP-04"""
    with ExitStack() as stack:
        a_demo_that_holds_something(tmp_path, stack)

        answer = keyturn("reconcile")

    assert (answer.code, str(os.getpid()) in answer.err) == (2, True)
