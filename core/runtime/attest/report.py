"""The run of `keyturn attest`, and its report: one row per control, and what an account's journal says of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum

from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.facts import BarClosed, CancelRequested, Fact, OrderCreated, OrderFilled, OrderStateChanged
from core.messages.effects import Effect, SubmitOrder
from core.messages.inputs import DeadlineReached, Input
from core.model.account import Mode
from core.model.instrument import BrokerInstrument
from core.model.lazy_dataclass import dataclass
from core.model.values import plain
from core.ports import Journal, Recorded
from core.post_mortem.missed_trades import Trip, TripKind, said_in
from core.risk.controls import CONTROLS
from core.risk.trials import OWN, Control, First, Trial, value_of
from core.runtime.attest.script import AFTER, FALLS_AFTER, Seen, Slot, Trials, slots_of
from core.runtime.attest.trial_market import LEAST, OPEN, QUOTED, SESSION, Line, Market, tried_at, wide
from core.runtime.inbox import Operator
from core.runtime.pending_requests import no_answer
from core.runtime.simulated_exchange import config_of
from core.runtime.stress_market import OneSession
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from core.settings.types import AmountSettings, SettingsTable
from core.strategies.builtin import OF_THE_HOUSE

# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# A session at twice the load of the busiest day that tries each control, with an order it must stop and an exit.
#
# The run uses its own engine, journal, exchange and cash, none of the account's. The same seed, messages and settings
# give the same run, byte for byte.

ACCOUNT = "attest"
Watch = Callable[[int, int], None]
"""Called with the number of minutes played and the total."""


class Result(Enum):
    HELD = "held"
    DID_NOT_HOLD = "did not hold"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Tested:
    """The result of one control's trial and its reason; `order` describes the order, its setup and its settings."""

    result: Result
    why: str
    order: str = ""


@dataclass(frozen=True, slots=True)
class Attested:
    """A run: the result of each control by its name, and the number of messages that its engine received or sent."""

    results: dict[str, Tested]
    messages: int


class NoSwitch:
    """A kill switch that is never latched: the run keeps no state outside its own memory."""

    def is_on(self) -> str | None:
        return None

    def latch(self, by: str) -> None:
        """Do nothing."""

    def release(self) -> None:
        """Do nothing."""


class NoLog:
    """An exchange log that keeps nothing: the exchange ends with the run."""

    def append(self, record: object) -> None:
        """Do nothing."""


class AttestedRuntime(VirtualRuntime):
    """A virtual runtime on a faulty connection; it counts its messages."""

    def __init__(self, engine: Engine, exchange: SimulatedExchange, market: Market, line: Line, keys: Operator) -> None:
        self._line = line
        self.messages = 0
        super().__init__(engine, exchange, market.feed(), start=OPEN, switch=NoSwitch(), link=line.link, operator=keys)

    def step(self, until: datetime | None = None) -> bool:
        if self._line.told:
            self.take(self.at, self._line.told.popleft())
        self.link = self._line.link
        return super().step(until)

    def take(self, at: datetime, message: Input) -> None:
        self.messages += not isinstance(message, DeadlineReached)
        super().take(at, message)

    def ask(self, effect: Effect) -> Input:
        self.messages += 1
        if self._line.is_silent and isinstance(effect, SubmitOrder) and not effect.order.effect.only_reduces:
            return no_answer(effect, "the broker is silent")
        return super().ask(effect)


def attested(
    account: Settings,
    many: int,
    journal: Journal,
    *,
    seed: int = 1,
    controls: Sequence[Control] = CONTROLS,
    watch: Watch = lambda _done, _whole: None,
) -> Attested:
    """Play the session with this many messages and try each control in it.

    Parameters
    ----------
    account
        The settings of the attested account.
    many
        The number of market messages; a session has at least `LEAST`.
    journal
        The run's own journal.
    """
    slots = slots_of(controls)
    falls = next((slot.at for slot in slots if slot.trial.first is First.STOPPED_OUT), AFTER) + FALLS_AFTER
    market = Market(seed, max(many, LEAST), falls)
    calendar, settings = OneSession(SESSION), wide()
    engine = Engine(ACCOUNT, Mode.PAPER, calendar, journal, OF_THE_HOUSE)
    engine.apply(OPEN, settings, f"attest-{seed}")
    listed = {symbol: BrokerInstrument(symbol) for symbol in QUOTED}
    exchange = SimulatedExchange(config_of(settings, ACCOUNT, str(seed)), calendar, NoLog(), listed)
    line = Line(settings)
    trials = Trials(engine.state, line, market, slots, account)
    runtime = AttestedRuntime(engine, exchange, market, line, trials)
    _play(runtime, slots, watch)
    results = {control.name: _result(control, trials.seen, account) for control in controls}
    return Attested(results, runtime.messages)


def _play(runtime: AttestedRuntime, slots: Sequence[Slot], watch: Watch) -> None:
    """Play 15 minutes at a time, so that `watch` can show the progress."""
    end = max(SESSION.close, slots[-1].at) + timedelta(minutes=5)
    whole = int((end - OPEN) / timedelta(minutes=1))
    runtime.run(OPEN)
    for minute in range(0, whole + 1, 15):
        watch(min(minute, whole), whole)
        runtime.play(min(OPEN + timedelta(minutes=minute + 15), end))
    watch(whole, whole)


# ── the verdict ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _result(control: Control, seen: Sequence[Seen], account: Settings) -> Tested:
    if isinstance(control.trial, str):
        return Tested(Result.NOT_TRIED, control.trial)
    if control.is_off(account):
        return Tested(Result.NOT_TRIED, "it is off")
    plain = next((each for each in seen if not each.slot.controls), None)
    if plain is None or not plain.is_sent or not plain.is_exit_sent:
        return Tested(Result.NOT_TRIED, f"the run's plain order did not leave: {_told(plain)}")
    own = next((each for each in seen if control in each.slot.controls), None)
    if own is None or not own.is_over:
        return Tested(Result.NOT_TRIED, "the run ended before its turn")
    return _held(control, control.trial, own)


def _held(control: Control, trial: Trial, seen: Seen) -> Tested:
    order = order_in_words(trial)
    named = seen.warned if trial.warns else seen.refused
    if control.name not in named:
        if seen.is_sent:
            what = "sent"
        else:
            what = f"refused by {', '.join(sorted(seen.refused))}" if seen.refused else "not sent"
        return Tested(Result.DID_NOT_HOLD, f"the order was {what}, without a word of it", order)
    if seen.is_sent and not trial.warns:
        return Tested(Result.DID_NOT_HOLD, "the order was refused and sent all the same", order)
    if not seen.is_exit_sent:
        return Tested(Result.DID_NOT_HOLD, "the exit did not leave", order)
    return Tested(Result.HELD, seen.words.get(control.name, ""), order)


def order_in_words(trial: Trial) -> str:
    """Describe the typed order, its setup and its settings."""
    first = "" if trial.first is First.NOTHING else f", when {trial.first.value}"
    at = ", ".join(f"{key} = {_short(value)}" for key, value in trial.settings.items())
    kept = ", ".join(f"{key} as set" for key in trial.as_set)
    told = "; ".join(part for part in (at, kept) if part)
    return f"{trial.order.value}{first}" + (f" (at {told})" if told else "")


def _short(value: object) -> str:
    return f"{next(iter(value.values()))} USD" if isinstance(value, dict) else str(value)


def _told(seen: Seen | None) -> str:
    if seen is None:
        return "the run did not come so far"
    return "; ".join(seen.words.values()) or "no word of it"


# ── its report ───────────────────────────────────────────────────────────────────────────────────────────────────────

QUOTES_A_BAR = 60
"""Quotes assumed per recorded minute of a symbol: a journal has none, and a desk reads one a second (MD-02)."""
SIX_MONTHS = timedelta(days=183)
"""The period over which RTS 6 looks for the busiest day (article 10(a))."""
COUNTED: tuple[type[Fact], ...] = (BarClosed, OrderCreated, CancelRequested, OrderStateChanged, OrderFilled)
"""Facts that each count as one message from or to a broker."""


@dataclass(frozen=True, slots=True)
class BusiestDay:
    """The day with the most messages in six months; `recorded` counts those in the journal."""

    day: date
    messages: int
    recorded: int


@dataclass(slots=True)
class Reading:
    """The controls' trips and the message counts read so far.

    Attributes
    ----------
    trips, warnings
        The newest of each control, by its name; a warning never replaces a trip.
    days
        Message counts by day.
    last
        The time of the newest record.
    """

    trips: dict[str, Trip] = field(default_factory=dict)
    warnings: dict[str, Trip] = field(default_factory=dict)
    days: dict[date, Counter[type[Fact]]] = field(default_factory=dict)
    last: datetime | None = None

    def busiest(self) -> BusiestDay | None:
        """Return the busiest day, or None if no day has a bar."""
        if self.last is None:
            return None
        since = self.last.date() - SIX_MONTHS
        found = [(_messages(n), day, n.total()) for day, n in self.days.items() if day >= since and n[BarClosed]]
        if not found:
            return None
        messages, day, recorded = max(found)
        return BusiestDay(day, messages, recorded)


def read_of(records: Iterable[Recorded], day_of: Callable[[datetime], date]) -> Reading:
    """Read the trips, warnings and message counts of a journal.

    Parameters
    ----------
    day_of
        Maps an instant to its exchange day.
    """
    reading = Reading()
    for record in records:
        reading.last = record.at
        fact = record.fact
        if isinstance(fact, COUNTED):
            reading.days.setdefault(day_of(record.at), Counter())[type(fact)] += 1
        for name, kind, words in said_in(fact):
            of_its_kind = reading.warnings if kind is TripKind.WARNED else reading.trips
            of_its_kind[name] = Trip(record.at, kind, words)
    return reading


def _messages(counted: Counter[type[Fact]]) -> int:
    return counted.total() + QUOTES_A_BAR * counted[BarClosed]


NOT_RUN = Tested(Result.NOT_TRIED, "--no-run: no session was played")


@dataclass(frozen=True, slots=True)
class Row:
    """One control of an account.

    Attributes
    ----------
    last_trip
        When it last acted; for a control that only warns, when it last warned.
    unlimited
        Parts that limit nothing although the control is on.
    tried_at
        Settings used in the trial that differ from the account's, with the account's values; empty if none differ.
    """

    control: Control
    settings: Mapping[str, str]
    is_on: bool
    last_trip: Trip | None
    tested: Tested
    last_warning: Trip | None = None
    unlimited: tuple[str, ...] = ()
    tried_at: str = ""

    @property
    def on(self) -> str:
        """The state of the control, such as `on, spreads not limited`."""
        return ", ".join(("on", *(f"{part} not limited" for part in self.unlimited))) if self.is_on else "OFF"

    @property
    def result(self) -> str:
        """The result, such as `held, tried at risk.spread_limit = 0.000001 (yours is 0.002)`."""
        return self.tested.result.value + (f", tried at {self.tried_at}" if self.tried_at else "")

    @property
    def fails(self) -> bool:
        """Whether the control failed.

        It did not hold, could not be tried although it is on and has a trial, or is off although a rule asks for it.
        """
        if not self.is_on:
            return bool(self.control.rules)
        is_owed = self.tested.result is not Result.HELD and isinstance(self.control.trial, Trial)
        return is_owed and self.tested is not NOT_RUN

    def as_json(self, load: Load) -> dict[str, object]:
        return {
            "control": self.control.name,
            "rule": list(self.control.rules) or [OWN],
            "setting": dict(self.settings),
            "is_on": self.is_on,
            "last_trip": _as_json(self.last_trip),
            "test": self.control.test,
            "result": self.tested.result.value,
            "why": self.tested.why,
            "tried_with": self.tested.order,
            "messages": load.messages,
            "busiest_day": load.of,
            "last_warning": _as_json(self.last_warning),
            "not_limited": list(self.unlimited),
            "tried_at": self.tried_at,
        }


@dataclass(frozen=True, slots=True)
class Load:
    """The load of a run: the day whose messages were doubled, and the messages that the engine received or sent."""

    of: str
    messages: int | None = None


def rows_of(
    settings: Settings,
    reading: Reading,
    attested: Attested | None,
    controls: Sequence[Control] = CONTROLS,
) -> tuple[Row, ...]:
    """Return a row per control, in the order of the gate; without a run each is `NOT_RUN`."""
    return tuple(
        _row(control, settings, reading, NOT_RUN if attested is None else attested.results[control.name])
        for control in controls
    )


def _row(control: Control, settings: Settings, reading: Reading, tested: Tested) -> Row:
    return Row(
        control,
        {key: shown(value_of(settings, key)) for key in control.settings},
        not control.is_off(settings),
        _last_trip(control, reading),
        tested,
        reading.warnings.get(control.name),
        control.unlimited(settings),
        _tried_at(control, settings) if tested.result is Result.HELD else "",
    )


def _tried_at(control: Control, account: Settings) -> str:
    if not isinstance(control.trial, Trial):
        return ""
    tried = tried_at([control.trial], account)
    values = {key: (shown(value_of(tried, key)), shown(value_of(account, key))) for key in control.trial.settings}
    return ", ".join(f"{key} = {its} (yours is {own})" for key, (its, own) in values.items() if its != own)


def _last_trip(control: Control, reading: Reading) -> Trip | None:
    """Return the newest trip; for a control that holds by warning, the newest of trip and warning."""
    trip, warning = reading.trips.get(control.name), reading.warnings.get(control.name)
    holds_by_it = isinstance(control.trial, Trial) and control.trial.warns
    if not holds_by_it or warning is None:
        return trip
    return warning if trip is None else max(trip, warning, key=lambda each: each.at)


def _as_json(trip: Trip | None) -> dict[str, str] | None:
    return None if trip is None else {"at": _utc(trip.at), "kind": trip.kind.value, "reason": trip.words}


def busiest_in_words(busiest: BusiestDay) -> str:
    return (
        f"{busiest.day.isoformat()}: {busiest.messages:,} messages "
        f"({busiest.recorded:,} recorded, and a quote a second for each recorded minute)"
    )


def shown(value: object) -> str:
    """Format a setting for people; a table lists every key."""
    if isinstance(value, AmountSettings):
        if value.of_equity is not None:
            return f"{plain((value.of_equity * 100).normalize())} % of equity"
        return f"{plain(value.usd or Decimal(0))} USD"
    if isinstance(value, SettingsTable):
        return ", ".join(f"{name} {shown(getattr(value, name))}" for name in type(value).model_fields)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, tuple):
        return "/".join(shown(each) for each in value)
    return "not set" if value is None else str(getattr(value, "value", value))


def _utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
