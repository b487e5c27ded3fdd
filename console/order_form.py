"""An order typed by hand, from the text of its fields to a command, and to what is wrong with each field.

A fault keeps it from being staged. A doubt is what the engine's checks would say by the figures of now: it stands
beside its field too, and Enter asks them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from core.messages.commands import ProposeOrder
from core.model.instrument import ANY_SHARE, Instrument
from core.model.order import TYPED, Effect, OrderType, Side, StopHolder, TimeInForce
from core.model.sizing import product
from core.model.staging import MANUAL
from core.model.values import ZERO, Fraction, Price, Quantity, Symbol, plain, rounded_down
from core.staging.resting_entries import LONGEST_TTL, Reach, reach_of
from core.views import DeskView, SymbolView
from widgets import format as f

NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
BUY, SELL, SHORT, COVER = "buy", "sell", "short", "cover"
EFFECTS = (BUY, SELL, SHORT, COVER)
ORDER = (
    "symbol", "effect", "quantity", "type", "limit", "stop", "holder", "lasts", "target", "trigger", "trail", "ttl",
)  # fmt: skip
"""Every field, as the form shows them."""
WHOLE = 100
"""Percent."""
TTL = re.compile(r"(\d{1,6})\s*([smh]?)", re.ASCII)
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with which field."""

    field: str
    message: str


@dataclass(slots=True)
class Draft:
    """What the fields say so far; None is what cannot be read yet.

    Attributes
    ----------
    price
        USD a share that it is measured by: its limit, a stop entry's trigger, else the side of the quote that it would
        take; of a short sale at a limit the bid where that is higher.
    farthest, nearest
        Of an entry, the fill that is farthest from its stop and the one that is nearest to it, USD.
    faults, doubts
        By field.
    """

    symbol: SymbolView | None = None
    effect: Effect | None = None
    quantity: Quantity | None = None
    type: OrderType | None = None
    limit: Price | None = None
    stop: Price | None = None
    lasts: TimeInForce | None = None
    holder: StopHolder | None = None
    target: Price | None = None
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    trigger: Price | None = None
    ttl: int | None = None
    held: Decimal = ZERO
    price: Price | None = None
    farthest: Price | None = None
    nearest: Price | None = None
    faults: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)

    @property
    def opens(self) -> bool:
        return self.effect is not None and not self.effect.only_reduces

    @property
    def waits(self) -> bool:
        return self.type is not None and self.type.waits

    @property
    def trails(self) -> bool:
        return self.type is not None and self.type.trails

    @property
    def is_pair(self) -> bool:
        """Two orders that close, of which either cancels the other."""
        closes = self.effect is not None and self.effect.only_reduces
        return closes and self.type is not None and self.type.rests and self.stop is not None

    @property
    def instrument(self) -> Instrument:
        return ANY_SHARE if self.symbol is None else self.symbol.instrument

    @property
    def cost(self) -> Decimal | None:
        return None if self.quantity is None or self.price is None else self.instrument.cost(self.quantity, self.price)

    @property
    def loss(self) -> Decimal | None:
        """At the stop; None where nothing is opened, or nothing is known."""
        if not self.opens or self.quantity is None or self.stop is None or "stop" in self.faults:
            return None
        return None if self.farthest is None else self.instrument.risk(self.quantity, abs(self.farthest - self.stop))

    @property
    def step(self) -> Decimal:
        """Shares; a short sale is of whole ones."""
        return Decimal(1) if self.symbol is None or self.effect is Effect.SHORT else self.symbol.quantity_step

    def first_fault(self) -> FieldFault | None:
        return next((FieldFault(name, self.faults[name]) for name in ORDER if name in self.faults), None)


def read_form(texts: Mapping[str, str], view: DeskView) -> ProposeOrder | FieldFault:
    """The command, or the first field that is wrong."""
    draft = read_draft(texts, view)
    fault = draft.first_fault()
    if fault is not None:
        return fault
    assert draft.symbol is not None, "an order without a fault has its symbol"
    assert draft.effect is not None
    assert draft.quantity is not None
    assert draft.type is not None
    assert draft.holder is not None
    assert draft.lasts is not None
    return ProposeOrder(
        draft.symbol.symbol,
        draft.effect,
        draft.quantity,
        draft.type,
        draft.limit,
        draft.stop,
        draft.holder,
        draft.lasts,
        draft.target,
        draft.trail_price,
        draft.trail_fraction,
        trigger_price=draft.trigger,
        ttl_seconds=draft.ttl,
    )


def read_draft(texts: Mapping[str, str], view: DeskView) -> Draft:
    """`texts` by field, as `ORDER` names them."""
    draft = Draft()
    clean = {name: texts.get(name, "").strip() for name in ORDER}
    _read_symbol(draft, clean["symbol"].upper(), view)
    _read_effect(draft, clean["effect"].lower(), view)
    _read_type(draft, clean["type"].lower())
    _read_trail(draft, clean["trail"])
    _read_prices(draft, clean["limit"], clean["trigger"], clean["stop"])
    _read_quantity(draft, clean["quantity"])
    _read_lasts(draft, clean["lasts"].lower())
    _read_holder(draft, clean["holder"].lower())
    _read_target(draft, clean["target"])
    _read_ttl(draft, clean["ttl"].lower())
    _doubt(draft, view)
    return draft


def read_number(text: str) -> Decimal | None:
    """A plain number above zero."""
    return Decimal(text) if NUMBER.fullmatch(text) and Decimal(text) else None


# ── field by field ───────────────────────────────────────────────────────────────────────────────────────────────────


def _read_symbol(draft: Draft, text: str, view: DeskView) -> None:
    draft.symbol = next((row for row in view.symbols if row.symbol == text), None)
    if draft.symbol is None:
        known = ", ".join(row.symbol for row in view.symbols)
        draft.faults["symbol"] = f"a symbol of this desk: {known}"
        return
    draft.held = sum((row.quantity for row in view.positions if row.symbol == text), ZERO)


def _read_effect(draft: Draft, text: str, view: DeskView) -> None:
    symbol = draft.symbol.symbol if draft.symbol is not None else Symbol("")
    held = [row for row in view.positions if row.symbol == symbol]
    is_long, is_short = any(row.quantity > 0 for row in held), any(row.quantity < 0 for row in held)
    fault = None
    match text:
        case "buy" | "b":
            fault = f"{symbol} is held short: cover closes it" if is_short else None
            is_more = any(row.strategy == MANUAL for row in held)
            draft.effect = Effect.ADD if is_more else Effect.OPEN
        case "sell" | "s":
            fault = None if is_long else f"there is no {symbol} to sell"
            draft.effect = Effect.CLOSE
        case "short":
            refused = draft.symbol.short_refused if draft.symbol is not None else None
            fault = f"{symbol} is held: sell closes it" if is_long else refused
            draft.effect = Effect.SHORT
        case "cover" | "c":
            fault = None if is_short else f"there is no short {symbol} to cover"
            draft.effect = Effect.COVER
        case _:
            fault = _one_of(EFFECTS)
    if fault is not None:
        draft.faults["effect"] = fault


def _read_type(draft: Draft, text: str) -> None:
    draft.type = TYPED.get(text)
    if draft.type is None:
        draft.faults["type"] = _one_of(tuple(TYPED))


def _one_of(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _read_prices(draft: Draft, limit: str, trigger: str, stop: str) -> None:
    draft.limit = _price(draft, "limit", limit)
    _read_trigger(draft, trigger)
    draft.stop = _price(draft, "stop", stop)
    kind = draft.type
    if kind is not None and kind.has_limit and not limit:
        draft.faults["limit"] = "a limit order needs its price"
    if kind is not None and not kind.has_limit and limit:
        draft.faults["limit"] = f"a {kind.word} order has none: clear it"
    draft.price = draft.limit or _aimed(draft)
    if draft.opens:
        side = Side.SELL if draft.effect is Effect.SHORT else Side.BUY
        _measure(draft, side, reach_of(side, draft.limit, _aimed(draft)))
    _read_stop(draft, stop)


def _measure(draft: Draft, side: Side, reach: Reach | None) -> None:
    """By the fills that its limit allows as the market stands: the checks measure it by the same."""
    draft.price = None if reach is None else reach.most
    if reach is not None:
        draft.farthest = reach.most if side is Side.BUY else reach.least
        draft.nearest = reach.least if side is Side.BUY else reach.most


def _aimed(draft: Draft) -> Price | None:
    """Where it would trade by the quote of now."""
    touch = _touch(draft)
    if not draft.opens or not draft.waits:
        return touch
    if not draft.trails:
        return draft.trigger
    if touch is None or (draft.trail_price is None and draft.trail_fraction is None):
        return None
    behind = draft.trail_price if draft.trail_price is not None else touch * (draft.trail_fraction or ZERO)
    return draft.instrument.ticks.rounded(touch - behind if draft.effect is Effect.SHORT else touch + behind)


def _read_trigger(draft: Draft, text: str) -> None:
    """Of a stop entry: above the market to buy, below it to sell short."""
    kind = draft.type
    if not draft.opens or kind is None or not kind.has_stop:
        if text:
            entry = "this entry" if kind is None else f"a {kind.word} entry"
            why = f"{entry} has none" if draft.opens else "the stop of what closes stands in Stop price"
            draft.faults["trigger"] = f"{why}: clear it"
        return
    draft.trigger = _price(draft, "trigger", text)
    touch = _touch(draft)
    if not text:
        draft.faults["trigger"] = "a stop entry needs what starts it"
    elif draft.trigger is not None and touch is not None:
        is_above = kind.waits_above(Side.SELL if draft.effect is Effect.SHORT else Side.BUY)
        if (draft.trigger > touch) is not is_above or draft.trigger == touch:
            side = "above" if is_above else "below"
            draft.faults.setdefault("trigger", f"must be {side} the market, {f.price(touch)}")


def _read_stop(draft: Draft, text: str) -> None:
    if not draft.opens:
        kind = draft.type
        if kind is not None and kind.has_stop and not text:
            draft.faults["stop"] = "a stop order needs its price"
        elif kind is not None and not (kind.has_stop or kind.rests) and text and draft.effect is not None:
            draft.faults["stop"] = "this order has none: clear it"
        elif draft.is_pair and draft.limit is not None and draft.stop is not None:
            is_under = draft.stop < draft.limit
            if is_under is (draft.effect is Effect.COVER) or draft.stop == draft.limit:
                side = "above" if draft.effect is Effect.COVER else "below"
                draft.faults.setdefault("stop", f"of a pair: {side} its limit {f.price(draft.limit)}")
        return
    if not text:
        draft.faults["stop"] = "what opens needs a stop"
    elif draft.stop is not None and draft.nearest is not None:
        is_under = draft.stop < draft.nearest
        if is_under is (draft.effect is Effect.SHORT) or draft.stop == draft.nearest:
            side = "above" if draft.effect is Effect.SHORT else "below"
            draft.faults.setdefault("stop", f"must be {side} {f.price(draft.nearest)}")


def _read_target(draft: Draft, text: str) -> None:
    """The broker holds it beside the stop, and for whole shares alone."""
    if not text:
        return
    draft.target = _price(draft, "target", text)
    is_fraction = draft.quantity is not None and draft.quantity % 1
    if not draft.opens:
        draft.faults["target"] = "only an entry has one; a pair that closes is a limit with a stop"
    elif is_fraction:
        draft.faults["target"] = "the broker holds a target for whole shares only"
    elif draft.waits:
        draft.faults["target"] = "the broker holds none with a stop entry: clear it"
    elif draft.holder is not StopHolder.BROKER or draft.lasts is TimeInForce.IOC:
        draft.faults["target"] = "needs a stop held by the broker, day or gtc"
    elif draft.target is not None and draft.farthest is not None:
        is_over = draft.target > draft.farthest
        if is_over is (draft.effect is Effect.SHORT) or draft.target == draft.farthest:
            side = "below" if draft.effect is Effect.SHORT else "above"
            draft.faults.setdefault("target", f"must be {side} {f.price(draft.farthest)}")


def _read_ttl(draft: Draft, text: str) -> None:
    """`90`, seconds, `5m` or `2h`: how long an entry may work; empty leaves it to the settings and its day."""
    if not text:
        return
    found = TTL.fullmatch(text)
    seconds = int(found[1]) * SECONDS[found[2]] if found is not None else 0
    if not draft.opens:
        draft.faults["ttl"] = "only an entry has one: clear it"
    elif not 1 <= seconds <= LONGEST_TTL:
        draft.faults["ttl"] = "90 seconds, 5m or 2h, a day at the most"
    else:
        draft.ttl = seconds


def _read_trail(draft: Draft, text: str) -> None:
    """`1.50`, dollars, or `2 %` of the price."""
    if not draft.trails:
        if text:
            draft.faults["trail"] = "only a trailing stop has one: clear it"
        return
    value = read_number(text.removesuffix("%").removeprefix("$").strip())
    if value is None or (text.endswith("%") and value >= WHOLE):
        draft.faults["trail"] = "how far behind: 1.50 USD, or 2 %"
    elif text.endswith("%"):
        draft.trail_fraction = Fraction(value / WHOLE)
    else:
        draft.trail_price = _price(draft, "trail", text.removeprefix("$").strip())


def _price(draft: Draft, name: str, text: str) -> Price | None:
    if not text:
        return None
    value = read_number(text)
    if value is None:
        draft.faults[name] = "USD for one share, above zero"
        return None
    tick = draft.instrument.ticks.at(value)
    if value % tick:
        draft.faults[name] = f"off its tick of {tick} USD"
    return Price(value)


def _touch(draft: Draft) -> Price | None:
    quote = draft.symbol.quote if draft.symbol is not None else None
    if quote is None or draft.effect is None:
        return None
    return quote.ask if draft.effect in (Effect.OPEN, Effect.ADD, Effect.COVER) else quote.bid


def _read_quantity(draft: Draft, text: str) -> None:
    """Shares, or `$50`: as many as that buys, rounded down."""
    value = read_number(text.removeprefix("$").strip())
    if value is None:
        draft.faults["quantity"] = "shares, a number above zero, or $50"
        return
    if text.startswith("$"):
        if draft.price is None:
            draft.faults["quantity"] = "dollars need a price: type a limit"
            return
        shares = rounded_down(draft.instrument.quantity_for(value, draft.price), draft.step)
        if not shares:
            draft.faults["quantity"] = f"${plain(value)} is less than {plain(draft.step)} shares"
            return
        draft.quantity = shares
    else:
        draft.quantity = Quantity(value)
    if draft.symbol is not None and draft.quantity % draft.step:
        whole = draft.step == 1
        draft.faults["quantity"] = "whole shares only" if whole else f"in steps of {plain(draft.step)} shares"
    if draft.trails and draft.quantity % 1:
        draft.faults["quantity"] = "a trailing stop is for whole shares"
    if draft.is_pair and draft.quantity % 1:
        draft.faults["quantity"] = "a pair is for whole shares: clear the stop"
    if draft.effect is not None and draft.effect.only_reduces and draft.quantity > abs(draft.held) > 0:
        draft.faults["quantity"] = f"{plain(abs(draft.held))} held: no more can be closed"


def _read_lasts(draft: Draft, text: str) -> None:
    if text not in {lasts.value for lasts in TimeInForce}:
        draft.faults["lasts"] = "day, gtc or ioc"
        return
    draft.lasts = TimeInForce(text)
    is_fraction = draft.quantity is not None and draft.quantity % 1
    if is_fraction and draft.lasts is not TimeInForce.DAY:
        draft.faults["lasts"] = "a fraction of a share: day only"
    elif draft.waits and draft.lasts is TimeInForce.IOC:
        draft.faults["lasts"] = "a stop order: day or gtc"
    elif draft.waits and draft.opens and draft.lasts is not TimeInForce.DAY:
        draft.faults["lasts"] = "a stop entry: day only, its own stop follows its fill"


def _read_holder(draft: Draft, text: str) -> None:
    if text not in {holder.value for holder in StopHolder}:
        draft.faults["holder"] = "broker, desk, or you"
        return
    draft.holder = StopHolder(text)
    if draft.opens and draft.trails and draft.holder is not StopHolder.BROKER:
        draft.faults["holder"] = "of a trailing entry: the broker, it follows its fill"


# ── what the checks would say ────────────────────────────────────────────────────────────────────────────────────────


def _doubt(draft: Draft, view: DeskView) -> None:
    if not draft.opens:
        return
    if view.status.entries_refused is not None:
        draft.doubts["effect"] = f"entries are off: {view.status.entries_refused}"
    cost, loss, power = draft.cost, draft.loss, view.status.buying_power
    sizing = view.sizing
    if cost is not None and power is not None and cost > power:
        draft.doubts["quantity"] = f"{cost:,.2f} USD is over the buying power"
    elif cost is not None and sizing.max_notional is not None and cost > sizing.max_notional:
        draft.doubts["quantity"] = f"{cost:,.2f} USD is over {sizing.max_notional:,.2f} an order"
    elif loss is not None and (risk := _risk(draft, view)) is not None and loss > risk:
        draft.doubts["quantity"] = f"loses {loss:,.2f} USD, over {risk:,.2f} a trade"


def _risk(draft: Draft, view: DeskView) -> Decimal | None:
    """USD that it may lose at its stop, after what lowers that for every order."""
    from core.risk.size_factors.base import WantedEntry  # with the settings: too much before the desk's first paint
    from core.risk.sizing import binding_cuts

    risk, symbol = view.sizing.risk, draft.symbol
    if risk is None or symbol is None or draft.price is None or draft.stop is None or draft.farthest is None:
        return risk
    is_long = draft.effect is not Effect.SHORT
    way = abs(draft.farthest - draft.stop)
    wanted = WantedEntry(risk, draft.price, way, risk, draft.step, is_long, instrument=symbol.instrument)
    return risk * product(binding_cuts(wanted, symbol.conditions))


def number_in(text: str) -> Decimal | None:
    """A number above zero, or None."""
    stripped = text.strip()
    return Decimal(stripped) if NUMBER.fullmatch(stripped) and Decimal(stripped) else None
