"""The messages over the pipe between the desk and a strategy's process, and the memory of a strategy (ST-01).

Numbers are strings, so that a price is the same Decimal on both sides. The desk trusts no frame: one that does not
match the shapes below raises `WireError`, and the process that wrote it is ended.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.recommendation import Recommendation
from core.model.session import VENUES, Session
from core.model.signal import Answer, EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.text_sanitizer import foreign
from core.model.values import MOST, Money, Price, Quantity, Symbol, VenueId, number_in
from core.risk.sizing import Conditions
from core.strategies.base import Context, Figures
from core.strategies.trade_plan import SignalFault, UnfitError

HEAD = struct.Struct(">I")
LARGEST = 8 * 1024 * 1024
"""The maximum frame size in bytes."""
LONGEST_NUMBER = 60
LONGEST_WORDS = 600
MOST_FIGURES = 64
FINEST = -40
"""The smallest accepted power of ten in a number."""
LARGEST_POWER = 20

CONDITIONS: TypeAdapter[Conditions] = TypeAdapter(Conditions)
NO_TRADES = {reason.value: NoTrade(reason) for reason in NoTradeReason}


class WireError(ValueError):
    """A frame of an unknown shape."""


def framed(message: object) -> bytes:
    body = orjson.dumps(message, default=_plain)
    return HEAD.pack(len(body)) + body


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def read(body: bytes) -> list[Any]:
    """Parse a message: a list that begins with its name."""
    try:
        message = orjson.loads(body)
    except ValueError:
        raise WireError from None
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise WireError
    return message


# ── to the strategy ──────────────────────────────────────────────────────────────────────────────────────────────────


def bar_out(bar: Bar) -> list[Any]:
    return [bar.symbol, bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume]


def bar_in(row: list[Any]) -> Bar:
    symbol, start, *numbers = row
    opened, high, low, close, volume = map(Decimal, numbers)
    return Bar(
        Symbol(symbol),
        datetime.fromisoformat(start),
        Price(opened),
        Price(high),
        Price(low),
        Price(close),
        Quantity(volume),
    )


def session_out(session: Session) -> list[Any]:
    return [session.day, session.open, session.close]


def session_in(row: list[Any]) -> Session:
    day, opened, closed = row
    return Session(date.fromisoformat(day), datetime.fromisoformat(opened), datetime.fromisoformat(closed))


def context_out(context: Context) -> list[Any]:
    """Encode all but the conditions, which are requested for sizing only."""
    advised = context.recommendation
    return [
        session_out(context.session),
        context.windows,
        context.flat_from,
        context.entries_allowed,
        context.is_enabled,
        context.is_paused,
        context.is_day_disabled,
        context.entries_filled,
        context.held,
        context.entry_price,
        context.entered_at,
        None if advised is None else _recommendation_out(advised),
        context.covered,
        context.is_waiting,
        context.is_broker_behind,
        context.risk_per_trade,
        context.max_notional,
        context.min_notional,
        context.venue.id,
    ]


def context_in(row: list[Any], conditions: Callable[[], Conditions] = Conditions) -> Context:
    entry_price, risk, notional = row[9], row[15], row[16]
    return Context(
        session=session_in(row[0]),
        windows=tuple((datetime.fromisoformat(first), datetime.fromisoformat(last)) for first, last in row[1]),
        flat_from=datetime.fromisoformat(row[2]),
        entries_allowed=row[3],
        venue=VENUES[VenueId(row[18])],
        conditions=conditions,
        is_enabled=row[4],
        is_paused=row[5],
        is_day_disabled=row[6],
        entries_filled=row[7],
        held=Quantity(Decimal(row[8])),
        entry_price=None if entry_price is None else Price(Decimal(entry_price)),
        entered_at=None if row[10] is None else datetime.fromisoformat(row[10]),
        recommendation=None if row[11] is None else _recommendation_in(row[11]),
        covered=Quantity(Decimal(row[12])),
        is_waiting=row[13],
        is_broker_behind=row[14],
        risk_per_trade=None if risk is None else Money(Decimal(risk)),
        max_notional=None if notional is None else Money(Decimal(notional)),
        min_notional=Decimal(row[17]),
    )


def _recommendation_out(advised: Recommendation) -> list[Any]:
    figures = (advised.entry, advised.stop, advised.target, advised.quantity)
    return [advised.strategy, advised.symbol, *figures, advised.expires_at, advised.source]


def _recommendation_in(row: list[Any]) -> Recommendation:
    entry, stop, target, quantity = map(Decimal, row[2:6])
    return Recommendation(
        row[0],
        Symbol(row[1]),
        Price(entry),
        Price(stop),
        Price(target),
        Quantity(quantity),
        datetime.fromisoformat(row[6]),
        row[7],
    )


def conditions_out(conditions: Conditions) -> object:
    return CONDITIONS.dump_python(conditions, mode="json")


def conditions_in(plain: object) -> Conditions:
    return CONDITIONS.validate_python(plain)


# ── from the strategy ────────────────────────────────────────────────────────────────────────────────────────────────


def answer_out(answer: Answer | SignalFault) -> list[Any]:
    """Encode a valid answer without the strategy and the bar, which the desk knows."""
    match answer:
        case NoTrade():
            return ["none", answer.reason.value]
        case EntrySignal():
            prices = (answer.limit_price, answer.stop_price, answer.quantity, answer.reference)
            return ["enter", *prices, answer.reason, answer.target_price, answer.confidence]
        case ExitSignal():
            figures = (answer.quantity, answer.intended_price, answer.reference)
            return ["leave", *figures, answer.exit_reason.value, answer.reason]
        case SignalFault():
            return ["odd", answer.words]


def answer_in(row: object, strategy: str, bar: Bar) -> Answer | SignalFault:
    """Decode a strategy's answer to that bar, checking each number and text. Raises `WireError`."""
    match row:
        case ["none", str(reason)] if reason in NO_TRADES:
            return NO_TRADES[reason]
        case ["enter", limit, stop, quantity, reference, reason, target, confidence]:
            return EntrySignal(
                strategy,
                bar.symbol,
                bar.start,
                Price(number(limit)),
                Price(number(stop)),
                StopHolder.BROKER,
                Quantity(number(quantity)),
                Price(number(reference)),
                words(reason),
                None if target is None else Price(number(target)),
                None if confidence is None else number(confidence),
            )
        case ["leave", quantity, price, reference, why, reason]:
            try:
                exit_reason = ExitReason(why)
            except ValueError:
                raise WireError from None
            return ExitSignal(
                strategy,
                bar.symbol,
                bar.start,
                Quantity(number(quantity)),
                exit_reason,
                Price(number(price)),
                Price(number(reference)),
                words(reason),
            )
        case ["odd", said]:
            return SignalFault(words(said))
    raise WireError


def number(text: object) -> Decimal:
    """Parse a finite number of limited size. Raises `WireError`."""
    if not isinstance(text, str) or len(text) > LONGEST_NUMBER:
        raise WireError
    value = number_in(text)
    if value is None:
        raise WireError
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < FINEST or not FINEST < value.adjusted() < LARGEST_POWER:
        raise WireError
    if abs(value) >= MOST:
        raise WireError
    return value


def words(text: object) -> str:
    """Return a line of the strategy's text, without marks of the desk. Raises `WireError`."""
    if not isinstance(text, str):
        raise WireError
    return foreign(text[:LONGEST_WORDS])[:LONGEST_WORDS]


def figures_in(rows: object) -> Figures:
    if not isinstance(rows, list):
        raise WireError
    try:
        return tuple((words(name), words(value)) for name, value in rows[:MOST_FIGURES])
    except (TypeError, ValueError):
        raise WireError from None


ITEMS_A_BAR = 64
"""Plain values checked per bar on average: a larger memory is checked on fewer bars."""
LONGEST_SHOWN = 40


class Memory:
    """The memory of one strategy: its last state that is known to be valid.

    Attributes
    ----------
    is_of_this_bar
        Whether the state was checked on the last bar; otherwise it may have changed since.
    """

    def __init__(self, kind: type, adapter: TypeAdapter[Any], state: Any) -> None:
        self._kind, self._adapter = kind, adapter
        self._bars_left = 0
        self.is_of_this_bar = True
        self.sound: object = None
        try:
            self.sound = plain_of(adapter, state)
        except UnfitError:
            self.sound = plain_of(adapter, kind())

    def look_at(self, state: Any) -> None:
        """Check the state, if due on this bar. Raises `UnfitError` with the field that does not fit."""
        if self._bars_left > 0:
            self._bars_left -= 1
            self.is_of_this_bar = False
            return
        self.is_of_this_bar = True
        if not isinstance(state, self._kind):
            raise UnfitError(f"its state is a {type(state).__name__}; keep the {self._kind.__name__} that it was given")
        self.sound = plain_of(self._adapter, state)
        self._bars_left = _size(self.sound) // ITEMS_A_BAR

    def last_sound(self) -> Any:
        """Return a copy of the last valid state."""
        return self._adapter.validate_python(self.sound)


def plain_of(adapter: TypeAdapter[Any], state: Any) -> object:
    """Return the state as JSON from which it can be restored. Raises `UnfitError`."""
    try:
        plain: object = adapter.dump_python(state, mode="json", warnings=False)
    except Exception as error:  # any content
        _require_fit(adapter, adapter.dump_python(state, warnings=False))
        raise UnfitError(f"its state cannot be saved: {type(error).__name__}: {error}") from None
    _require_fit(adapter, plain)
    return plain


def misfit(error: ValidationError) -> str:
    """Describe the first field that does not fit, its value and its constraint."""
    first = error.errors(include_url=False)[0]
    place = ".".join(("state", *map(str, first["loc"])))
    words = first["msg"].replace("Input should", "must").removeprefix("Value error, ")
    return f"{place} is {_shown(first['input'])}: {words}"


def _require_fit(adapter: TypeAdapter[Any], plain: object) -> None:
    try:
        adapter.validate_python(plain)
    except ValidationError as error:
        raise UnfitError(f"its {misfit(error)}; keep there what its type says") from None


def _shown(value: object) -> str:
    kinds = (str, int, float, bool, type(None))
    text = repr(value) if isinstance(value, kinds) else f"a {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _size(plain: object) -> int:
    if isinstance(plain, dict):
        return sum(map(_size, plain.values()))
    return sum(map(_size, plain)) if isinstance(plain, list) else 1
