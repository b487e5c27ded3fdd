"""The report of `keyturn attest`, one row per control, and what an account's journal says of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.facts import BarClosed, CancelRequested, Fact, OrderCreated, OrderFilled, OrderStateChanged
from core.model.values import plain
from core.ports import Recorded
from core.post_mortem.missed_trades import Trip, TripKind, said_in
from core.risk.controls import CONTROLS
from core.risk.trials import OWN, Control, Trial, value_of
from core.runtime.attest.run import Attested, Result, Tested
from core.runtime.attest.trial_market import tried_at
from core.settings.settings import Settings
from core.settings.types import AmountSettings, SettingsTable

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
