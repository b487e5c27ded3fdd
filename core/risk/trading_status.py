"""Whether the desk may trade: settings, halts, kills, symbol lists, a failing disk (RK-26).

State that holds while the journal's disk fails and nothing can be recorded (SP-06).
No fact carries it, so a rebuild does not know it. It ends with this run; the part that must outlive the run is in the
kill switch's file. The trading status reads it beside its own state.

Orders that each state allows (the table of docs/RISK.md):

| state | opens or adds | only reduces | cancels |
| --- | --- | --- | --- |
| entries on | confirmed, every check | confirmed; checks only warn | at once |
| protection, limit, regime, breaker, back-pressure | refused, with every reason | as above | at once |
| the settings file changed, the clock jumped | refused, with the way out | as above | at once |
| halted (first kill press, a signal, an invariant) | refused | as above, staged by the operator or an exit | at once |
| killed | refused | from the kill screen or a ticket, each confirmed | working entries are cancelled; protective \
orders stay and are named |
| read-only (the books, or an order in them, not reconciled) | refused | only a close of a position that the broker \
reports | at once |
| the journal cannot be written (SP-06) | refused | refused | at once |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BeforeValidator, PlainSerializer

from core import facts
from core.model.codes import SHUTS_ENTRIES_ALONE, DeskState, HaltCause
from core.model.entry_blocks import EntryBlock, EntryCause
from core.model.instrument import ListedSymbol, ListKind
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import Difference
from core.model.values import ClientOrderId, Symbol
from core.settings.history import put_down, taken_up
from core.settings.settings import Settings


@dataclass(slots=True)
class DiskFailure:
    """State of the journal's disk.

    Attributes
    ----------
    trouble, since
        Why nothing can be written, and since when; None while writing works.
    killed_by, killed_at, naked_at
        A kill that could not be written; when NAKED was typed with it.
    """

    trouble: str | None = None
    since: datetime | None = None
    killed_by: str | None = None
    killed_at: datetime | None = None
    naked_at: datetime | None = None

    def lose(self, trouble: str, at: datetime) -> None:
        """Record that the disk fails; nothing is sent until a restart."""
        self.trouble, self.since = trouble, self.since or at

    def kill(self, by: str, at: datetime, *, naked: bool) -> None:
        """Record a kill; the first time stays."""
        self.killed_by, self.killed_at = by, self.killed_at or at
        if naked:
            self.naked_at = at

    def rearm(self) -> None:
        """Clear the unwritten kill once the rearm is written."""
        self.killed_by = self.killed_at = self.naked_at = None


Part = TypeVar("Part")
AsKept = Annotated[Settings, BeforeValidator(taken_up), PlainSerializer(put_down)]

OF_HALTS = {HaltCause.INVARIANT: EntryCause.FAULT, HaltCause.JOURNAL: EntryCause.DISK}
"""Halts by the engine itself; all others are a person's, a signal's or a rule's."""
NOT_COMPARED = ("the books are not compared with the broker yet; wait a moment",)
"""Why a desk is read-only between its start and its first reconciliation."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A symbol that the operator refused for a trading day, since when, and why."""

    day: date
    at: datetime
    reason: str


@dataclass(slots=True)
class TradingStatusState:
    """State of the trading status.

    `halts` maps each halting cause to its reason; `killed_by` is None while the desk is not killed. `was_compared`
    tells whether the books were compared since the start.

    `agreed_until` is when the books agreed last; None while they do, and if that is unknown.

    `naked_at` is when NAKED was typed last; None if no kill in force has it. `read_only_at` is when the desk became
    read-only; None while it is not. `differences` are those of the last reported comparison. `forgotten_until` is the
    time up to which a reset or a restore forgot orders; None if none did. `unknown_orders` are at the broker, have our
    form of id and are not in the journal (EX-24): they keep the desk read-only until the operator accepts them;
    `accepted_orders` are those. `unlisted_orders` are those of the unknown ones that a look-up found, as the broker's
    list may lack them. `settings_file` and `clock` are the reasons why entries wait for either; None if they do not.
    """

    settings: AsKept = field(default_factory=Settings)
    installation: str | None = None
    killed_by: str | None = None
    killed_at: datetime | None = None
    kill_reason: str = ""
    naked_at: datetime | None = None
    halts: dict[HaltCause, str] = field(default_factory=dict)
    halted_at: datetime | None = None
    is_reconciled: bool = False
    was_compared: bool = False
    read_only_because: tuple[str, ...] = NOT_COMPARED
    read_only_at: datetime | None = None
    agreed_until: datetime | None = None
    corrections: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    starts: int = 0
    refused_symbols: dict[Symbol, Refusal] = field(default_factory=dict)
    forgotten_until: datetime | None = None
    unknown_orders: tuple[ClientOrderId, ...] = ()
    unknown_since: datetime | None = None
    unlisted_orders: tuple[Difference, ...] = ()
    accepted_orders: tuple[ClientOrderId, ...] = ()
    settings_file: str | None = None
    clock: str | None = None
    clock_jumped_at: datetime | None = None


class TradingStatus:
    """The slice of the desk's permission to trade.

    Parameters
    ----------
    disk
        State that could not be written: it halts and kills as a record would.
    """

    name = "control"

    def __init__(self, disk: DiskFailure | None = None) -> None:
        self.disk = disk or DiskFailure()
        self.state = TradingStatusState()
        self.folds = {
            facts.SettingsApplied: self._applied,
            facts.AgentsApplied: self._applied,
            facts.SettingsFileChanged: self._file_changed,
            facts.SettingsFileAgreed: self._file_agreed,
            facts.LimitsReloaded: self._file_agreed,
            facts.ClockJumped: self._clock_jumped,
            facts.ClockDiffered: self._clock_differed,
            facts.ClockSettled: self._clock_settled,
            facts.InstallationNamed: self._named,
            facts.UnknownOrdersFound: self._unknown_found,
            facts.UnknownOrdersAccepted: self._unknown_accepted,
            facts.StateReset: self._forgot,
            facts.StateRestored: self._forgot,
            facts.EngineStarted: self._started,
            facts.EngineStopped: self._stopped,
            facts.Halted: self._halted,
            facts.Resumed: self._resumed,
            facts.Killed: self._killed,
            facts.KillExplained: self._kill_explained,
            facts.Rearmed: self._rearmed,
            facts.ReconciliationPassed: self._passed,
            facts.ReconciliationFailed: self._failed,
            facts.SymbolRefused: self._symbol_refused,
        }

    def restore(self, state: TradingStatusState) -> None:
        self.state = state

    @property
    def settings(self) -> Settings:
        return self.state.settings

    @property
    def killed_by(self) -> str | None:
        """Who killed the desk; None while it is not killed."""
        return self.disk.killed_by or self.state.killed_by

    @property
    def killed_at(self) -> datetime | None:
        """Since when it is killed; the first kill counts."""
        return self.state.killed_at or self.disk.killed_at

    @property
    def naked_at(self) -> datetime | None:
        """When NAKED was typed last; None if no kill in force has it."""
        return self.disk.naked_at or self.state.naked_at

    @property
    def halts(self) -> Mapping[HaltCause, str]:
        """Each halting cause and its reason."""
        trouble = self.disk.trouble
        return self.state.halts if trouble is None else {**self.state.halts, HaltCause.JOURNAL: trouble}

    @property
    def halted_at(self) -> datetime | None:
        """Since when the desk is halted."""
        return self.state.halted_at if self.state.halts else self.disk.since or self.state.halted_at

    @property
    def is_clock_in_doubt(self) -> bool:
        """Whether nothing may happen by time alone (EX-23)."""
        return self.state.clock is not None

    @property
    def lets_exits_go(self) -> bool:
        """Whether confirmed exits are sent automatically. Missing attendance blocks entries alone (RK-27)."""
        state = self.state
        is_stopped = self.killed_by is not None or any(cause not in SHUTS_ENTRIES_ALONE for cause in self.halts)
        return state.is_reconciled and not is_stopped and not self.is_clock_in_doubt

    def word(self) -> DeskState:
        """Return the desk's state in one word."""
        if self.killed_by is not None:
            return DeskState.KILLED
        if self.halts:
            return DeskState.HALTED
        if not self.state.is_reconciled:
            return DeskState.READ_ONLY if self.state.was_compared else DeskState.STARTING
        return DeskState.ON

    def refusal(self) -> str | None:
        """Return why nothing may be opened now, or None."""
        return next((block.words for block in self.blocks()), None)

    def blocks(self) -> Iterator[EntryBlock]:
        """Yield everything that lets nothing be opened, the gravest first."""
        state = self.state
        if (by := self.killed_by) is not None:
            yield EntryBlock(EntryCause.KILL, f"killed by {by}; type REARM on the kill screen to trade again")
        for cause, reason in self.halts.items():
            yield EntryBlock(OF_HALTS.get(cause, EntryCause.HALT), f"halted ({cause.value}): {reason}")
        if not state.is_reconciled:
            cause_of_books = EntryCause.READ_ONLY if state.was_compared else EntryCause.STARTING
            yield EntryBlock(cause_of_books, "read-only: " + "; ".join(state.read_only_because))
        if state.settings_file is not None:
            yield EntryBlock(EntryCause.SETTINGS_FILE, state.settings_file)
        if state.clock is not None:
            yield EntryBlock(EntryCause.CLOCK, state.clock)

    def for_agents(self, reason: str) -> str:
        """Return a reason as an agent is told it: without what the operator's files and errors say."""
        for block in self.blocks():
            reason = reason.replace(block.words, block.for_agents)
        return reason

    def is_naked(self, signed_at: datetime) -> bool:
        """Return whether NAKED was typed after the confirmation that owes a stop: then none is sent automatically
        (OP-07).
        """
        return self.naked_at is not None and signed_at <= self.naked_at

    def refusal_of(self, symbol: Symbol, day: date) -> Refusal | None:
        """Return why nothing may be opened in this symbol on this trading day, or None."""
        refusal = self.state.refused_symbols.get(symbol)
        return refusal if refusal is not None and refusal.day == day else None

    def is_forgotten(self, at: datetime) -> bool:
        """Return whether a reset or a restore forgot orders of this time (SP-04)."""
        return self.state.forgotten_until is not None and at <= self.state.forgotten_until

    def _applied(self, _at: datetime, fact: facts.SettingsApplied) -> None:
        self.state.settings = fact.settings

    def _file_changed(self, _at: datetime, fact: facts.SettingsFileChanged) -> None:
        self.state.settings_file = fact.reason

    def _file_agreed(self, _at: datetime, _fact: facts.SettingsFileAgreed | facts.LimitsReloaded) -> None:
        self.state.settings_file = None

    def _clock_jumped(self, at: datetime, fact: facts.ClockJumped) -> None:
        self.state.clock = jump_in_words(fact.seconds, fact.behind)
        self.state.clock_jumped_at = at

    def _clock_differed(self, at: datetime, fact: facts.ClockDiffered) -> None:
        self.state.clock = difference_in_words(fact.ahead)
        self.state.clock_jumped_at = at

    def _clock_settled(self, _at: datetime, _fact: facts.ClockSettled) -> None:
        self.state.clock = self.state.clock_jumped_at = None

    def _named(self, _at: datetime, fact: facts.InstallationNamed) -> None:
        self.state.installation = fact.name

    def _unknown_found(self, at: datetime, fact: facts.UnknownOrdersFound) -> None:
        self.state.installation = fact.name
        self.state.unknown_orders += fact.client_order_ids
        self.state.unknown_since = self.state.unknown_since or at
        self.state.unlisted_orders += fact.unlisted

    def _unknown_accepted(self, _at: datetime, fact: facts.UnknownOrdersAccepted) -> None:
        self.state.unknown_orders, self.state.unknown_since, self.state.unlisted_orders = (), None, ()
        self.state.accepted_orders = fact.client_order_ids

    def _forgot(self, _at: datetime, fact: facts.StateReset | facts.StateRestored) -> None:
        self.state.forgotten_until = fact.forgotten_until

    def _started(self, at: datetime, fact: facts.EngineStarted) -> None:
        self.state.starts += 1
        self.state.agreed_until = fact.agreed_until
        self.state.is_reconciled = self.state.was_compared = False
        self.state.read_only_at = at
        self.state.read_only_because = NOT_COMPARED
        self.state.halts.pop(HaltCause.JOURNAL, None)
        self.state.settings_file = None  # the start reads the file

    def _stopped(self, _at: datetime, _fact: facts.EngineStopped) -> None:
        self.state.is_reconciled = False

    def _halted(self, at: datetime, fact: facts.Halted) -> None:
        if not self.state.halts:
            self.state.halted_at = at
        self.state.halts[fact.cause] = fact.reason

    def _resumed(self, _at: datetime, fact: facts.Resumed) -> None:
        self.state.halts.pop(fact.cause, None)

    def _killed(self, at: datetime, fact: facts.Killed) -> None:
        """Keep time and author of the first of several kills."""
        if self.state.killed_by is None:
            self.state.killed_by, self.state.killed_at = fact.by, at
        if fact.naked:
            self.state.naked_at = at
        self.state.halts.pop(HaltCause.KEY, None)

    def _kill_explained(self, _at: datetime, fact: facts.KillExplained) -> None:
        self.state.kill_reason = fact.reason

    def _rearmed(self, _at: datetime, _fact: facts.Rearmed) -> None:
        self.state.killed_by, self.state.kill_reason = None, ""
        self.state.killed_at = self.state.naked_at = None

    def _passed(self, _at: datetime, fact: facts.ReconciliationPassed) -> None:
        self.state.is_reconciled = self.state.was_compared = True
        self.state.read_only_because = ()
        self.state.read_only_at = self.state.agreed_until = None
        self.state.corrections = fact.corrections
        self.state.differences = fact.differences

    def _failed(self, at: datetime, fact: facts.ReconciliationFailed) -> None:
        self.state.is_reconciled, self.state.was_compared = False, True
        self.state.read_only_because = fact.reasons
        self.state.differences = fact.differences
        self.state.read_only_at = self.state.read_only_at or at
        self.state.agreed_until = self.state.agreed_until or at

    def _symbol_refused(self, at: datetime, fact: facts.SymbolRefused) -> None:
        kept = {symbol: refusal for symbol, refusal in self.state.refused_symbols.items() if refusal.day == fact.day}
        self.state.refused_symbols = {**kept, fact.symbol: Refusal(fact.day, at, fact.reason)}


def jump_in_words(seconds: Decimal, behind: Decimal) -> str:
    """As in `this machine's clock jumped 3,600 s forward: entries wait for the broker's clock, asked every 5 s`."""
    asked = "entries wait for the broker's clock, asked every 5 s"
    if seconds:
        return f"this machine's clock jumped {abs(seconds):,.0f} s {'forward' if seconds > 0 else 'back'}: {asked}"
    if behind:
        return f"the desk's time is {behind:,.0f} s ahead and stands still: entries wait until it is right"
    return f"the broker's clock was not heard since the start: {asked}"


def difference_in_words(ahead: Decimal) -> str:
    """As in `this machine's clock is 3,600 s ahead of the broker's: set it; entries wait until both agree
    within 2 s`.
    """
    side = "ahead of" if ahead > 0 else "behind"
    return (
        f"this machine's clock is {abs(ahead):,.1f} s {side} the broker's: set it; entries wait until both agree "
        "within 2 s"
    )


class InForce(Generic[Part]):
    """A part of the settings in force, cached until the settings change, because every bar reads several."""

    def __init__(self, control: TradingStatus, pick: Callable[[Settings], Part]) -> None:
        self._control = control
        self._pick = pick
        self._settings = control.settings
        self._part = pick(self._settings)

    def __call__(self) -> Part:
        settings = self._control.state.settings
        if settings is not self._settings:
            self._settings, self._part = settings, self._pick(settings)
        return self._part


@dataclass(slots=True)
class SymbolListsState:
    """By symbol, and by the list's own word."""

    by_symbol: dict[Symbol, dict[str, ListedSymbol]] = field(default_factory=dict)


class SymbolLists:
    name = "symbol_lists"

    def __init__(self) -> None:
        self.state = SymbolListsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.SymbolListed: self._listed,
            facts.SymbolUnlisted: self._unlisted,
            facts.DayStarted: self._day_started,
        }

    def restore(self, state: SymbolListsState) -> None:
        self.state = state

    def on(self, symbol: Symbol, day: date) -> tuple[ListedSymbol, ...]:
        """Return the list entries that block the symbol on a trading day."""
        found = self.state.by_symbol.get(symbol)
        return () if found is None else tuple(each for each in found.values() if each.holds(day))

    def entry(self, symbol: Symbol, kind: ListKind) -> ListedSymbol | None:
        return self.state.by_symbol.get(symbol, {}).get(kind.value)

    def holding(self, day: date) -> Iterator[ListedSymbol]:
        """Yield all entries in force, by symbol."""
        for symbol in sorted(self.state.by_symbol):
            yield from self.on(symbol, day)

    def _listed(self, at: datetime, fact: facts.SymbolListed) -> None:
        listed = ListedSymbol(fact.symbol, fact.kind, fact.reason, fact.day, at, fact.until)
        self.state.by_symbol.setdefault(fact.symbol, {})[fact.kind.value] = listed

    def _unlisted(self, _at: datetime, fact: facts.SymbolUnlisted) -> None:
        found = self.state.by_symbol.get(fact.symbol, {})
        found.pop(fact.kind.value, None)
        if not found:
            self.state.by_symbol.pop(fact.symbol, None)

    def _day_started(self, _at: datetime, fact: facts.DayStarted) -> None:
        """Remove restrictions whose end day has come."""
        for symbol, found in list(self.state.by_symbol.items()):
            kept = {kind: listed for kind, listed in found.items() if listed.holds(fact.day)}
            if kept:
                self.state.by_symbol[symbol] = kept
            else:
                del self.state.by_symbol[symbol]
