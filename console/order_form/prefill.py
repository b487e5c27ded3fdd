"""What a new order starts with: a preset, a position, or the last order (RK-02).

The operator's files replace the shipped presets, one file for each key: `presets/F5.toml`. An invalid file is reported
and its key keeps the shipped preset; other keys are not affected.

Typed fields are not changed. A value that is unknown, or known only from a stale quote, stays empty with the reason. A
filled field is drawn as a suggestion until the operator accepts it.

Until the first key, fields that the desk filled in follow the quote. Afterwards the quote changes none of them: only
the operator's changes resize the quantity, and another symbol, side or type asks for another limit. A field that was
empty because no quote was known is filled when one arrives.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum

from console.order_form.draft import BUY, LIMIT, SHORT, WHOLE, Draft, Measure, distance_in, one_of
from console.order_form.prices import Taken, price_of
from console.order_form.reading import read_draft
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, OrderType, StopHolder, TimeInForce
from core.model.sizing import SizeLimit
from core.model.values import ZERO, Money, Quantity, plain, priced, rounded_down
from core.views import DeskView
from widgets import format as f

FOLDER = "presets"
LONGEST_NAME = 20


@dataclass(frozen=True, slots=True)
class Preset:
    """`stop` and `target` as typed; the target may be empty."""

    name: str
    stop: str
    target: str = ""

    @property
    def words(self) -> str:
        return f"{self.name}: stop {self.stop}" + (f", target {self.target}" if self.target else ", no target")


SHIPPED: tuple[Preset, ...] = (
    Preset("1 %", "1%"),
    Preset("2 %, 2R", "2%", "2r"),
    Preset("5 ATR, 2R", "5atr", "2r"),
    Preset("10 ATR, 3R", "10atr", "3r"),
)
"""In the order of `KEYS`; the first fills in a new order. The ATR is that of minutes."""
KEYS = ("F5", "F6", "F7", "F8")


@dataclass(frozen=True, slots=True)
class Presets:
    """The presets; `faults` lists rejected entries with their place."""

    each: tuple[Preset, ...] = SHIPPED
    faults: Sequence[str] = ()


class _WrongError(Exception):
    """The error of one preset."""


def presets_in(files: Mapping[str, str | None]) -> Presets:
    """Parse preset files by name; None is an unreadable file. Each has `name`, `stop` and perhaps `target`."""
    each, faults = list(SHIPPED), []
    for file, text in sorted(files.items()):
        key = file.removesuffix(".toml")
        try:
            if key not in KEYS:
                raise _WrongError(f"there is no such preset; it is {one_of([f'{key}.toml' for key in KEYS])}")
            each[KEYS.index(key)] = preset_in(text)
        except _WrongError as wrong:
            faults.append(f"{FOLDER}/{file[:LONGEST_NAME]}: {wrong}")
    return Presets(tuple(each), tuple(faults))


def preset_in(text: str | None) -> Preset:
    """Parse a preset. Raises `_WrongError`."""
    if text is None:
        raise _WrongError("cannot be read")
    try:
        return _preset(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _WrongError(str(error)[:80]) from None


def fault_in(preset: Preset) -> str:
    """Return why the preset is invalid; empty if it is valid."""
    try:
        _preset({"name": preset.name, "stop": preset.stop, "target": preset.target})
    except _WrongError as wrong:
        return str(wrong)
    return ""


def file_of(preset: Preset) -> str:
    """Return the text of its file; no value needs escaping in TOML."""
    target = f'target = "{preset.target}"\n' if preset.target else ""
    return f"name = '{preset.name}'\nstop = \"{preset.stop}\"\n{target}"


def _preset(table: Mapping[str, object]) -> Preset:
    if unknown := sorted(set(table) - {"name", "stop", "target"}):
        raise _WrongError(f"there is no {unknown[0][:LONGEST_NAME]}; it has name, stop and target")
    name, stop, target = (table.get(key, "") for key in ("name", "stop", "target"))
    is_name = isinstance(name, str) and name.strip() and name.isprintable() and "'" not in name
    if not isinstance(name, str) or not is_name or len(name) > LONGEST_NAME:
        raise _WrongError(f"needs a name, {LONGEST_NAME} characters at most, without '")
    way = distance_in(stop) if isinstance(stop, str) else None
    if not isinstance(stop, str) or way is None or way.measure is Measure.R or _is_whole(stop):
        raise _WrongError("needs a stop, as 1% or 5atr")
    if not isinstance(target, str) or (target and (distance_in(target) is None or _is_whole(target))):
        raise _WrongError("has a wrong target; write it as 2%, 10atr or 2r, or leave it out")
    return Preset(name.strip(), stop, target)


def _is_whole(text: str) -> bool:
    """Return whether the distance is all of the price or more."""
    distance = distance_in(text)
    return distance is not None and distance.measure is Measure.PERCENT and distance.count >= WHOLE


class Way(Enum):
    """The sizing of a quantity, by its name; for a closing order each is a part of the position."""

    RISK = "by risk"
    CASH = "by cash"
    POSITION = "by position"


PARTS = {Way.RISK: Decimal(1), Way.CASH: Decimal("0.5"), Way.POSITION: Decimal("0.25")}
"""Parts of the position, for closing orders."""


WAYS = tuple(Way)
"""In the order of the key that steps through them."""

WHOLE_FROM = Decimal(10)
"""Number of shares from which an opening size is rounded to whole shares.

At most a tenth is cut off, and only a stop for whole shares outlives the day at the broker.
"""


@dataclass(frozen=True, slots=True)
class QuantityPreset:
    """A quantity with its explanation, or None with the reason; `limit` names the binding limit alone."""

    quantity: Quantity | None
    words: str
    limit: str = ""


def preset(draft: Draft, part: Decimal, view: DeskView) -> QuantityPreset:
    """Return `part` of the risk of one trade, at most 1, or of the position for a closing order."""
    from core.risk.sizing import (
        WantedEntry,  # loads the settings: too slow before the first paint
        size_within,
    )

    if draft.symbol is None:
        return QuantityPreset(None, "a size needs its symbol: type it first")
    if not draft.opens:
        return _of_what_is_held(draft, part)
    if draft.price is None or draft.farthest is None or draft.stop is None or draft.stop == draft.farthest:
        return QuantityPreset(None, "a size by risk needs a stop price, and a limit price or a quote")
    if "stop" in draft.faults:
        return QuantityPreset(None, f"no size by this stop: {draft.faults['stop']}")
    sizing, power = view.sizing, view.status.buying_power
    if sizing.risk is None or sizing.max_notional is None or power is None:
        return QuantityPreset(None, "equity and buying power are not known yet; wait a moment")
    risk, most = Money(sizing.risk * part), min(sizing.max_notional, power)
    way = abs(draft.farthest - draft.stop)
    is_long = draft.effect is not Effect.SHORT
    room = draft.symbol.room_to_buy if is_long else draft.symbol.room_to_short
    is_bare, of = draft.holder is StopHolder.YOU, draft.instrument
    wanted = WantedEntry(risk, draft.price, way, most, draft.step, is_long=is_long, is_bare=is_bare, instrument=of)
    size = size_within(room, wanted, draft.symbol.conditions)
    if not size.quantity:
        return QuantityPreset(None, f"no size fits: {size.limited_by}")
    if of.cost(size.quantity, draft.price) < sizing.least:
        return QuantityPreset(None, f"no size fits: {size.limited_by} is under the smallest order")
    if size.limited_by is SizeLimit.BUDGET:
        limit = "what the risk budget leaves"
    elif size.limited_by is SizeLimit.RISK:
        limit = f"a risk of {f.money(risk)} USD"
        if size.cuts:
            limit = f"{f.money(of.risk(size.quantity, way))} of {limit}: {' × '.join(map(str, size.cuts))}"
    elif size.limited_by is not SizeLimit.NOTIONAL:
        limit = f"the limit of {size.limited_by}"
    else:
        limit = "the buying power" if most == power else "the largest order"
    shares = _whole(size.quantity)
    return QuantityPreset(shares, f"{plain(shares)} {draft.symbol.symbol}: sized by {limit}", limit)


def sized(draft: Draft, way: Way, view: DeskView) -> QuantityPreset:
    """Return a size and an explanation that begins with its kind."""
    if draft.symbol is not None and draft.effect is not None and not draft.opens:
        return _of_what_is_held(draft, PARTS[way])
    match way:
        case Way.RISK:
            size = preset(draft, Decimal(1), view)
        case Way.CASH:
            size = _of_cash(draft, view)
        case Way.POSITION:
            size = _as_many_as_are_held(draft)
    if size.quantity is None and way is Way.RISK:
        return size
    return QuantityPreset(size.quantity, f"{way.value}: {size.limit or size.words}")


def _of_cash(draft: Draft, view: DeskView) -> QuantityPreset:
    """Return the quantity allowed by the largest order, the buying power and the account limit, regardless of risk."""
    sizing, power = view.sizing, view.status.buying_power
    if draft.symbol is None or draft.price is None:
        return QuantityPreset(None, "it needs a limit price or a quote")
    if sizing.max_notional is None or power is None:
        return QuantityPreset(None, "buying power is not known yet; wait a moment")
    room = draft.symbol.room_to_short if draft.effect is Effect.SHORT else draft.symbol.room_to_buy
    most = min(sizing.max_notional, power, *([room.cost] if room.cost is not None else []))
    bought = draft.instrument.quantity_for(most, draft.price) if most > ZERO else None
    shares = _whole(rounded_down(bought, draft.step)) if bought else None
    if not shares or draft.instrument.cost(shares, draft.price) < sizing.least:
        return QuantityPreset(None, f"{f.money(most)} USD is under the smallest order")
    return QuantityPreset(shares, f"{f.money(most)} USD buys it")


def _whole(shares: Quantity) -> Quantity:
    return rounded_down(shares, Decimal(1)) if shares >= WHOLE_FROM else shares


def _as_many_as_are_held(draft: Draft) -> QuantityPreset:
    held = rounded_down(abs(draft.held), draft.step)
    if not held:
        return QuantityPreset(None, "nothing of it is held")
    return QuantityPreset(held, f"as many as are held, {plain(abs(draft.held))}")


def _of_what_is_held(draft: Draft, part: Decimal) -> QuantityPreset:
    held = abs(draft.held)
    quantity = held if part >= 1 else rounded_down(held * part, draft.step)
    if quantity <= ZERO:
        return QuantityPreset(None, "nothing of it is held" if not held else "too little is held for a part of it")
    return QuantityPreset(Quantity(quantity), f"{plain(quantity)} of {plain(held)} held")


FILLED = ("effect", "limit", "stop", "quantity", "target")
"""In dependency order."""
NUMBERS = FILLED[1:]


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its source, or the reason why there is none."""

    text: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Usual:
    """The defaults of an order: the sizing of its quantity, and the preset of its stop and target."""

    way: Way
    preset: Preset


def prefilled(
    texts: Mapping[str, str], free: Collection[str], usual: Usual, view: DeskView, now: datetime, *, asks_quote: bool
) -> dict[str, Filled]:
    """Return values for the `free` fields.

    Without `asks_quote` side and limit are left alone, so the quote moves no price.
    """
    filled: dict[str, Filled] = {}
    said = dict(texts)

    def put(name: str, offer: Filled) -> None:
        if name in free:
            filled[name] = offer
            said[name] = offer.text

    draft = read_draft(said, view)
    if draft.symbol is None:
        for name in NUMBERS:
            put(name, Filled(""))
        return filled
    if asks_quote:
        put("effect", Filled(SHORT if draft.held < 0 else BUY))
        put("limit", _limit(read_draft(said, view), now))
    draft = read_draft(said, view)
    put("stop", _stop(draft, usual.preset))
    put("quantity", _quantity(read_draft(said, view), usual.way, view))
    put("target", _target(read_draft({**said, "target": ""}, view), usual.preset))
    return filled


def _limit(draft: Draft, now: datetime) -> Filled:
    """Return the side of the quote at which it would trade."""
    if draft.type is not OrderType.LIMIT or draft.symbol is None or draft.effect is None:
        return Filled("")
    which = Taken.ASK if draft.buys else Taken.BID
    price = price_of(which, draft.symbol, now, buys=draft.buys)
    if isinstance(price, str):
        return Filled("", price)
    return Filled(priced(price), f"the {which.value}")


def _stop(draft: Draft, preset: Preset) -> Filled:
    return Filled(preset.stop, preset.name) if draft.opens else Filled("")


def _quantity(draft: Draft, way: Way, view: DeskView) -> Filled:
    size = sized(draft, way, view)
    return Filled("" if size.quantity is None else plain(size.quantity), size.words)


def _target(draft: Draft, preset: Preset) -> Filled:
    """Return the target only if the broker can hold it."""
    is_whole = draft.quantity is not None and not draft.quantity % 1
    is_held = draft.holder is StopHolder.BROKER and draft.lasts is not TimeInForce.IOC and not draft.waits
    if not preset.target or not draft.opens:
        return Filled("")
    if not is_whole or not is_held:
        return Filled("", f"no target of {preset.name}: the broker holds none here")
    return Filled(preset.target, preset.name)


DEFAULTS: Mapping[str, str] = {"effect": BUY, "type": LIMIT, "lasts": "day", "holder": "broker"}
"""Values of a new order that do not depend on the market."""
ASKS_QUOTE = frozenset({"symbol", "effect", "type"})
"""Fields whose change asks for a new limit."""


class Offers:
    """The filled fields of one form.

    Attributes
    ----------
    way
        The sizing of a quantity that was not typed.
    follows
        Whether no key was pressed yet.
    """

    def __init__(self, preset: Preset, typed: Collection[str] = (), way: Way = Way.RISK) -> None:
        self.preset = preset
        self.way = way
        self.follows = True
        self._typed = set(typed)
        self._filled: dict[str, Filled] = {name: Filled(DEFAULTS.get(name, "")) for name in FILLED}

    def note(self, texts: Mapping[str, str]) -> None:
        """Count every text that the desk did not fill in as typed."""
        self._typed |= {name for name in FILLED if texts[name] != self._filled[name].text}

    def take_over(self, field: str) -> None:
        """Count the field as typed."""
        self._typed.add(field)

    def give_back(self, *fields: str) -> None:
        """Let the desk fill these fields again."""
        self._typed -= set(fields)

    def is_typed(self, field: str) -> bool:
        return field in self._typed

    def of(self, field: str) -> Filled | None:
        """Return the desk's value; None if the field was typed or never filled."""
        return None if field in self._typed else self._filled.get(field)

    def next_way(self) -> None:
        self.way = WAYS[(WAYS.index(self.way) + 1) % len(WAYS)]
        self.give_back("quantity")

    def wants_quote(self, texts: Mapping[str, str]) -> bool:
        """Return whether a new view may fill in the order."""
        is_empty = not texts["limit"] and not self.is_typed("limit") and texts["type"] == LIMIT
        return self.follows or is_empty

    def fill(self, texts: Mapping[str, str], view: DeskView, now: datetime, *, asks_quote: bool) -> dict[str, str]:
        """Return the changed texts by field."""
        self.note(texts)
        free = [name for name in FILLED if name not in self._typed]
        filled = prefilled(texts, free, Usual(self.way, self.preset), view, now, asks_quote=asks_quote)
        self._filled |= filled
        return {name: offer.text for name, offer in filled.items() if offer.text != texts[name]}


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """The texts typed by the operator, by field, and the sizing if the quantity was not typed.

    Attributes
    ----------
    was_sent
        Whether Enter was pressed without an answer yet: the order may be in Proposals.
    """

    texts: Mapping[str, str]
    way: Way
    at: datetime
    was_sent: bool = False


class KeptOrders:
    """The drafts of one desk."""

    def __init__(self) -> None:
        self._by_symbol: dict[str, KeptOrder] = {}

    def keep(self, symbol: str, order: KeptOrder) -> None:
        self._by_symbol[symbol] = order

    def drop(self, symbol: str) -> None:
        self._by_symbol.pop(symbol, None)

    def of(self, symbol: str) -> KeptOrder | None:
        return self._by_symbol.get(symbol)


class FormMemory:
    """No drafts and the shipped presets, until the desk sets others."""

    def __init__(self) -> None:
        self.kept = KeptOrders()
        self.presets = Presets()
