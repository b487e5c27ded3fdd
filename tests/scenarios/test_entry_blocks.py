"""What blocks entries is told alike by the desk, `keyturn status`, the health endpoint and agents (OP-09, SY-02)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from console.commands.status import status_of
from core import facts
from core.messages.desk_commands import SettingsFault, SettingsFileSeen
from core.messages.inputs import ConnectionChanged
from core.model.account import Account, Channel, ConnectionState, ConnectionStatus, Mode, NoAccount
from core.model.bar import TradingHalt
from core.model.codes import HaltCause
from core.model.entry_blocks import FOR_AGENTS, EntryCause
from core.model.instrument import ListKind
from core.model.values import Money, Symbol
from core.risk.standard_gate import standard_gate
from core.runtime.health import EngineFigures
from core.runtime.service.agent_reading import AgentView, Reader
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from widgets.lines import joined
from widgets.status_lines import account_lines, what_stops_entries

AGENT = "claude"
SPY = Symbol("SPY")
Told = set[tuple[str, str]]
"""The cause of each block, and what alone it blocks."""


@pytest.fixture
def home(tmp_path: Path) -> Host:
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    host.home.settings.parent.mkdir(parents=True, exist_ok=True)
    host.home.settings.write_text(f"[agents.{AGENT}]\n")
    return host


@pytest.fixture
def engine(home: Host) -> Iterator[VirtualRuntime]:
    with ExitStack() as stack:
        runtime = demo_runtime(home, DemoOptions(), stack)
        runtime.pace.speed = None
        runtime.run(until=runtime.at + timedelta(minutes=45))
        yield runtime


def records(engine: VirtualRuntime, *told: facts.Fact) -> None:
    for fact in told:
        engine.engine.state.record(fact)


def hears(engine: VirtualRuntime, channel: Channel, state: ConnectionState, age: int = 0) -> None:
    since = engine.at - timedelta(seconds=age)
    engine.take(engine.at, ConnectionChanged(ConnectionStatus(channel, state, since, since)))


def today(engine: VirtualRuntime) -> date:
    return engine.engine.state.calendar.trading_day(engine.at)


def a_file(engine: VirtualRuntime, **tables: object) -> Settings:
    return Settings.model_validate({**engine.engine.state.control.settings.model_dump(), **tables})


def loses(engine: VirtualRuntime) -> None:
    records(engine, facts.DayCorrected(today(engine), Money(Decimal(10) ** 9), today(engine)))


def is_blocked(engine: VirtualRuntime) -> None:
    account = engine.engine.state.sightings.account
    assert isinstance(account, Account)
    engine.engine.state.sightings.account = replace(account, blocked_because="account_blocked")


def knows_no_account(engine: VirtualRuntime) -> None:
    engine.engine.state.sightings.account = NoAccount("the broker has not said yet")


def has_no_quote(engine: VirtualRuntime) -> None:
    hears(engine, Channel.DATA, ConnectionState.UP)
    engine.engine.state.sightings.quotes.clear()


def is_live(engine: VirtualRuntime) -> None:
    engine.engine.state.mode = Mode.LIVE


def differs(engine: VirtualRuntime) -> None:
    engine.engine.state.sightings.differing = frozenset({SPY})


HAPPENS: dict[str, tuple[EntryCause, str, Callable[[VirtualRuntime], object]]] = {
    "a kill": (EntryCause.KILL, "", lambda e: records(e, facts.Killed("key"))),
    "a halt": (EntryCause.HALT, "", lambda e: records(e, facts.Halted(HaltCause.KEY, "by key"))),
    "absence": (EntryCause.HALT, "", lambda e: records(e, facts.Halted(HaltCause.UNATTENDED, "no key for 5 h"))),
    "a fault": (EntryCause.FAULT, "", lambda e: records(e, facts.Halted(HaltCause.INVARIANT, "KeyError"))),
    "the disk": (EntryCause.DISK, "", lambda e: e.engine.lose_disk("No space left on device")),
    "a start": (EntryCause.STARTING, "", lambda e: records(e, facts.EngineStarted())),
    "books apart": (EntryCause.READ_ONLY, "", lambda e: records(e, facts.ReconciliationFailed(("3 are missing",)))),
    "a changed file": (EntryCause.SETTINGS_FILE, "", lambda e: looks(e, a_file(e, account={"mode": "live"}))),
    "a faulty file": (EntryCause.SETTINGS_FILE, "", lambda e: looks(e, SettingsFault("no TOML"))),
    "the clock": (EntryCause.CLOCK, "", lambda e: records(e, facts.ClockJumped(Decimal(100), Decimal(0)))),
    "a breaker": (EntryCause.BREAKER, "", lambda e: records(e, facts.BreakerOpened("no answers", None))),
    "no broker": (EntryCause.LINK, "", lambda e: hears(e, Channel.BROKER, ConnectionState.DOWN)),
    "a silent link": (EntryCause.LINK, "", lambda e: hears(e, Channel.DATA, ConnectionState.SILENT, 60)),
    "a blocked account": (EntryCause.ACCOUNT, "", is_blocked),
    "no account": (EntryCause.ACCOUNT, "", knows_no_account),
    "another mode": (EntryCause.MODE, "", is_live),
    "a daily loss": (EntryCause.PROTECTION, "", loses),
    "a list": (
        EntryCause.LIST, "SPY",
        lambda e: records(e, facts.SymbolListed(SPY, ListKind.NEVER, "a note", today(e))),
    ),
    "a refused symbol": (
        EntryCause.SYMBOL_REFUSED, "SPY", lambda e: records(e, facts.SymbolRefused(SPY, today(e), "a note")),
    ),
    "a trading halt": (
        EntryCause.TRADING_HALT, "SPY", lambda e: records(e, facts.TradingHalted(TradingHalt(SPY, e.at, "news"))),
    ),
    "other books": (EntryCause.BOOKS, "SPY", differs),
    "no quote": (EntryCause.NO_QUOTE, "SPY", has_no_quote),
}  # fmt: skip


def looks(engine: VirtualRuntime, answer: Settings | SettingsFault) -> None:
    """The engine's look at its settings file."""
    engine.engine.handle(engine.at, SettingsFileSeen(answer, account=engine.account))


def by_the_desk(engine: VirtualRuntime) -> Told:
    view = ViewBuilder(engine.engine).draw(engine.at)
    of_all = [block for block in view.status.blocks if not block.scope]
    words = " ".join(joined(line) for line in account_lines(view.status, engine.at, 200))
    assert ("ENTRIES ON" in words) is not bool(of_all), words
    assert bool(what_stops_entries(view.status)) is bool(of_all)
    return {(block.cause.value, block.scope) for block in view.status.blocks}


def by_status(engine: VirtualRuntime, host: Host) -> Told:
    assert engine.keeper is not None
    engine.keeper._told = None  # type: ignore[attr-defined]
    engine.keeper._keep(engine, lambda: engine.keeper.beat(engine.keeper._status(engine)))  # type: ignore[attr-defined, union-attr]
    found = status_of(host, engine.account)
    told = {(block["by"], block["only"]) for block in found["blocked"]}  # type: ignore[attr-defined]
    assert found["entries_enabled"] is not any(not only for _, only in told)
    return told


def by_health(engine: VirtualRuntime) -> Told:
    figures = EngineFigures(engine)
    figures.beat()
    _, told = figures.health()
    blocked = {(block["by"], block["only"]) for block in told["blocked"]}  # type: ignore[attr-defined]
    assert told["entries_enabled"] is not any(not only for _, only in blocked)
    return blocked


def by_agents(engine: VirtualRuntime) -> Told:
    state = engine.engine.state
    view = ViewBuilder(engine.engine).draw(engine.at)
    drawn = AgentView(view, "", 0.0, state.control.settings, (), {}, {}, state.calendar.venue.local(engine.at))
    told = Reader(AGENT, drawn)._desk()
    entries = [each for each in told["blocked"] if each["what"] in ("entries", "some entries")]
    assert told["entries_enabled"] is not any(not each["only"] for each in entries)
    assert not [each for each in entries if each["by"] in FOR_AGENTS and each["why"] != FOR_AGENTS[each["by"]]]
    assert "a note" not in str(told)
    return {(each["by"], each["only"]) for each in entries}


def test_nothing_is_blocked_in_the_window(engine: VirtualRuntime, home: Host) -> None:
    """SY-02"""
    assert by_the_desk(engine) == by_status(engine, home) == by_health(engine) == by_agents(engine) == set()


@pytest.mark.parametrize("name", HAPPENS)
def test_each_cause_is_told_alike(engine: VirtualRuntime, home: Host, name: str) -> None:
    """OP-09, SY-02: by its code and what it blocks; and no entry is said to pass"""
    cause, scope, happens = HAPPENS[name]
    happens(engine)
    told = by_the_desk(engine)

    assert (cause.value, scope) in told
    assert by_status(engine, home) == told
    assert by_health(engine) == told
    assert by_agents(engine) == told


def test_every_cause_happens() -> None:
    """SY-02: a new one is compared too"""
    assert {cause for cause, _, _ in HAPPENS.values()} == set(EntryCause)


OF_THE_GATE = {
    "kill switch": "a kill", "breaker": "a breaker", "back-pressure": "breaker", "message rate": "message_rate",
    "mode": "another mode", "symbol refused today": "a refused symbol", "lists": "a list",
    "session and clock": "session", "trading halt": "a trading halt", "day value": "day_value",
    "portfolio": "portfolio", "daily loss": "a daily loss", "weekly loss": "weekly_loss", "entry window": "window",
}  # fmt: skip
"""The checks that shut every entry, or those of a symbol: what happens above, or the guard's row."""


def test_every_check_that_shuts_entries_is_told() -> None:
    """OP-09: by its own text"""
    shutting = ("Shuts every entry", "Shuts entries in")
    names = {check.name for check in standard_gate().checks if any(w in (type(check).__doc__ or "") for w in shutting)}

    assert names == set(OF_THE_GATE)
