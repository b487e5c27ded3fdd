"""An account that is restored, reset or restarted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core import facts
from core.facts import Fact, ProposalSkipped
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Confirm, Kill, OpenTicket, ProposeOrder
from core.model.bar import ONE_MINUTE, Bar
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.signal import EntrySignal
from core.model.staging import MANUAL, Review
from core.model.values import Price, Quantity, Symbol
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from core.workflows.staging.proposal_lifecycle import FORGOTTEN, Proposals
from tests.scenarios.backtests import keyturn_at
from tests.scenarios.house import House, assert_can_be_rebuilt, minutes, to
from tests.unit.core.brokers.trading_floor import at

State = Callable[..., tuple[int, str, str]]
IN_THE_WINDOW = datetime(2026, 1, 5, 15, 5, tzinfo=UTC)
"""Entries are allowed from 10:00 in New York."""
PLAIN = DemoOptions(profile="micro")
DOOR = CommandPort(PortKind.SCRIPT)


@pytest.fixture
def state(tmp_path: Path) -> State:
    """`keyturn` with a home of its own: exit code, output, errors. `typed` is what the operator types."""
    keyturn = keyturn_at(tmp_path / "home")

    def call(*words: object, typed: str = "") -> tuple[int, str, str]:
        answer = keyturn(*words, typed=typed)
        return answer.code, answer.out, answer.err

    return call


@contextmanager
def demo(tmp_path: Path) -> Iterator[VirtualRuntime]:
    """The demo's engine, reconciled; stopped at the end."""
    with ExitStack() as stack:
        runtime = demo_runtime(Host.of({"KEYTURN_HOME": str(tmp_path / "home")}), PLAIN, stack)
        runtime.pace.speed = None
        runtime.admit(DOOR.known)
        runtime.run(until=max(runtime.at + timedelta(seconds=2), IN_THE_WINDOW))
        yield runtime
        runtime.stop("left")


def seconds_pass(runtime: VirtualRuntime, seconds: float) -> None:
    until = runtime.at + timedelta(seconds=seconds)
    while runtime.at < until:
        assert runtime.step()


def order_by_hand(runtime: VirtualRuntime) -> str:
    """A small order that waits far below the market; its id, as the exchange took it."""
    desk = runtime.engine.state
    before = set(desk.ledger.state.orders)
    order = ProposeOrder(
        symbol=Symbol("SPY"),
        effect=Effect.OPEN,
        quantity=Quantity(Decimal("0.01")),
        type=OrderType.LIMIT,
        limit_price=Price(Decimal("100.00")),
        stop_price=Price(Decimal("99.00")),
        stop_holder=StopHolder.BROKER,
    )
    runtime.obey(to(runtime, order))
    proposal = next(p for p in desk.stage.proposals() if p.strategy == MANUAL)
    runtime.obey(to(runtime, OpenTicket(proposal.id)))
    seconds_pass(runtime, 2)
    (ticket,) = desk.stage.state.tickets.values()
    runtime.obey(DOOR.through(to(runtime, Confirm(ticket.id, ticket.digest, ticket.order.effect))))
    seconds_pass(runtime, 2)
    (new,) = set(desk.ledger.state.orders) - before
    assert desk.ledger.state.orders[new].status is OrderStatus.SUBMITTED
    return str(new)


def a_signal(bar_start: datetime) -> EntrySignal:
    """VWAP would buy on this bar."""
    price = Price(Decimal("100.00"))
    return EntrySignal(
        strategy="vwap",
        symbol=Symbol("SPY"),
        bar_start=bar_start,
        quantity=Quantity(Decimal("0.01")),
        limit_price=price,
        stop_price=Price(Decimal("99.00")),
        stop_holder=StopHolder.BROKER,
        reference=price,
        reason="below VWAP",
    )


def test_a_reset_reuses_no_manual_order_id(state: State, tmp_path: Path) -> None:
    """SP-04, EX-04: the exchange keeps its books, and the orders of before are on them."""
    with demo(tmp_path) as runtime:
        before = order_by_hand(runtime)

    code, out, _ = state("state", "reset", "--yes")

    assert code == 0
    assert out.startswith("demo: reset, ")
    with demo(tmp_path) as runtime:
        assert runtime.engine.state.control.refusal() is None
        assert order_by_hand(runtime) != before
    assert state("journal", "verify")[0] == 0


def test_a_restore_reuses_no_manual_order_id(state: State, tmp_path: Path) -> None:
    """SP-04, EX-04: an archive counts the manual orders from where it was made."""
    with demo(tmp_path):
        pass
    archive = state("state", "backup", tmp_path)[1].strip()
    with demo(tmp_path) as runtime:
        before = order_by_hand(runtime)

    code, out, _ = state("state", "restore", archive, "--yes")

    assert code == 0
    assert out.startswith("demo: restored ")
    with demo(tmp_path) as runtime:
        assert runtime.engine.state.control.refusal() is None
        assert not runtime.exchange.books(runtime.at).orders
        assert order_by_hand(runtime) != before
    assert state("journal", "verify")[0] == 0


def test_a_bar_of_before_a_reset_opens_nothing(state: State, tmp_path: Path) -> None:
    """SP-04, EX-04: its order would bear the id that the same signal had then."""
    with demo(tmp_path):
        pass
    state("state", "reset", "--yes")

    with demo(tmp_path) as runtime:
        desk = runtime.engine.state
        heard: list[Fact] = []
        desk.add_listener(lambda _n, _at, fact: heard.append(fact))
        until = desk.control.state.forgotten_until
        assert until is not None
        for begun in (until - ONE_MINUTE, until - ONE_MINUTE + timedelta(seconds=1)):
            runtime.engine.the(Proposals).stage_entry(a_signal(begun))

        forgotten = [
            fact.signal_time for fact in heard if isinstance(fact, ProposalSkipped) and FORGOTTEN in fact.reasons
        ]
        assert forgotten == [until - ONE_MINUTE]


@pytest.mark.parametrize("deed", ["restore", "reset"])
def test_a_kill_outlives_a_reset_and_a_restore(
    state: State, tmp_path: Path, deed: str, snapshot: SnapshotAssertion
) -> None:
    """SP-04, OP-07: by its record, even where the switch's file is gone."""
    with demo(tmp_path):
        pass
    archive = state("state", "backup", tmp_path)[1].strip()
    with demo(tmp_path) as runtime:
        runtime.obey(Kill("key"))
    (tmp_path / "home" / "state" / "demo" / ".kill_switch").unlink()

    code, out, _ = state("state", deed, *([archive] if deed == "restore" else []), "--yes")

    assert code == 0
    assert out.splitlines()[-1] == snapshot
    with demo(tmp_path) as runtime:
        assert runtime.engine.state.control.word() == "killed"


def test_a_reset_asks_for_its_word(state: State, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SP-04"""
    with demo(tmp_path):
        pass
    archive = state("state", "backup", tmp_path)[1].strip()
    records = json.loads(state("journal", "verify", "--json")[1])["records"]

    asked = []
    for words, typed in ((("restore", archive), "restore\n"), (("reset",), ""), (("restore", archive), "RESET\n")):
        code, out, err = state("state", *words, typed=typed)
        assert (code, out) == (1, "")
        assert f"{records} records" in err
        asked.append(err.replace(str(tmp_path), "HOME"))
    assert json.loads(state("journal", "verify", "--json")[1])["records"] == records

    asked.append(state("state", "restore", archive, typed="RESTORE\n")[2].replace(str(tmp_path), "HOME"))
    assert asked == snapshot
    code, out, _ = state("state", "reset", "--json", typed="RESET\n")
    assert code == 0
    assert json.loads(out)["present"] == records + 2


def test_the_status_forgets_figures_after_a_reset(state: State, tmp_path: Path) -> None:
    """SP-04, SY-02"""
    with demo(tmp_path) as runtime:
        runtime.beat()
    assert json.loads(state("status", "--json")[1])["journal_sequence"]

    state("state", "reset", "--yes")

    assert json.loads(state("status", "--json")[1])["journal_sequence"] == 0


def test_another_accounts_archive_needs_its_name(state: State, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SP-04"""
    with demo(tmp_path):
        pass
    archive = tmp_path / "home" / "a.tar.gz"
    state("state", "backup", archive)
    (tmp_path / "home" / "state" / "demo").rename(tmp_path / "home" / "state" / "other")

    code, _, err = state("state", "restore", archive, "--yes")
    assert (code, err) == (2, snapshot)
    assert state("state", "restore", archive, "--yes", "--account", "other")[0] == 2
    code, out, _ = state("state", "restore", archive, "--yes", "--account", "demo", "--json")
    assert code == 0
    assert json.loads(out)["backup"] is None
    assert state("journal", "verify", "--account", "demo")[0] == 0


def test_while_an_engine_runs_neither_is_done(state: State, tmp_path: Path) -> None:
    """SP-04"""
    with demo(tmp_path):
        archive = state("state", "backup", tmp_path)[1].strip()
        for words in (("restore", archive), ("reset",)):
            code, _, err = state("state", *words, "--yes")
            assert (code, str(os.getpid()) in err) == (2, True)


def test_what_cannot_be_restored_is_one_line(state: State, tmp_path: Path) -> None:
    """SP-04"""
    (tmp_path / "a.tar.gz").write_bytes(b"no archive")

    for words in (("restore", tmp_path / "a.tar.gz"), ("restore", tmp_path / "none.tar.gz"), ("reset",)):
        code, out, err = state("state", *words, "--yes")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("keyturn: ")


WHAT_WAS_TRADED: tuple[type[facts.Fact], ...] = (
    facts.SignalRaised,
    facts.ProposalStaged,
    facts.ProposalEnded,
    facts.OrderCreated,
    facts.OrderStateChanged,
    facts.OrderFilled,
    facts.PositionChanged,
    facts.AuthorizationEnded,
    facts.TradeClosed,
)
NONE = Review(())
ON = Settings.model_validate(
    {
        "risk": {"window_start": "09:30", "window_end": "15:40"},
        "strategies": {
            "momentum": {
                "enabled": True,
                "bars": 3,
                "strength_bars": 4,
                "volume_bars": 5,
                "minimum_gain": "0.001",
                "range_bars": 3,
            },
            "breakout": {
                "enabled": True,
                "bars": 4,
                "counted_bars": 9,
                "confirming_bars": 2,
                "volume_bars": 3,
                "volume_factor": 0,
            },
            "mean_reversion": {"enabled": True, "bars": 6, "deviations": 1, "range_bars": 3},
            "sma": {
                "enabled": True,
                "pairs": [[2, 5], [3, 7]],
                "regime_bars": 9,
                "minimum_confidence": 0,
                "range_bars": 3,
            },
        },
    }
)


def a_wandering_day(chance: Random, last: str = "12:30") -> list[Bar]:
    price, bars = Decimal(100), []
    for quiet in minutes("09:30", last):
        close = price + Decimal(chance.randint(-12, 12)) / 50
        high, low = max(price, close) + Decimal("0.06"), min(price, close) - Decimal("0.06")
        bars.append(replace(quiet, open=Price(price), high=Price(high), low=Price(low), close=Price(close)))
        price = close
    return bars


def played(bars: Iterable[Bar], restarts: Iterable[int] = (), until: str = "12:35") -> House:
    """The day, with restarts so many minutes and a half after the open: when nothing is on its way."""
    house = House(bars, ON, cash=Decimal(50_000)).opens()
    house.line.operator = ConfirmAll(house.desk)
    for minute in sorted(restarts):
        house.until_moment(at("09:30") + timedelta(minutes=minute, seconds=30))
        house.restarted()
        house.line.operator = ConfirmAll(house.desk)
    return house.until(until)


def traded(house: House) -> list[tuple[Any, facts.Fact]]:
    """All but the figures of a proposal's review: quotes and the account's are sightings, and seen anew."""
    found = ((record.at, record.fact) for record in house.journal.records())
    kept = ((when, fact) for when, fact in found if isinstance(fact, WHAT_WAS_TRADED))
    return [
        (when, replace(fact, review=NONE) if isinstance(fact, facts.ProposalStaged) else fact) for when, fact in kept
    ]


def test_restarts_change_nothing_that_is_traded() -> None:
    """SP-05, ST-01, EX-20: signals, tickets, orders, fills, stops and trades, and when each was."""
    bars = a_wandering_day(Random("the market 0"))
    running = played(bars)

    stopped = played(bars, Random("the restarts 0").sample(range(5, 175), 10))

    assert traded(stopped) == traded(running)
    assert len(running.facts(facts.TradeClosed)) > 3
    assert_can_be_rebuilt(stopped)
