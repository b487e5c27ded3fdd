"""Convert the texts of a manual order into a command, or into errors and warnings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from console.keymap import written
from console.order_form.draft import (
    CHOICES,
    ORDER,
    TOO_LARGE,
    Draft,
    FieldFault,
    chosen,
    is_too_large,
    number_in,
    one_of,
)
from console.order_form.prices import read_prices, read_target, read_trail
from core.messages.commands import ProposeOrder
from core.model.instrument import SHARE, capitals, small_letters
from core.model.order import TYPED, Effect, OrderType, StopHolder, TimeInForce
from core.model.sizing import product
from core.model.staging import MANUAL
from core.model.values import ZERO, Fraction, Quantity, Symbol, plain, rounded_down
from core.staging.resting_entries import LONGEST_TTL
from core.views import DeskView
from widgets import format as f

FAR = Decimal("0.01")
"""A limit so far through the market is a slip of the hand, or a price of another symbol."""

UNGUARDED = "no stop guards what waits"
"""Shown beside the limit of an exit that the market has not reached, or beside its type if it has none.

Its ticket gives the same warning (EX-13).
"""


def doubt(draft: Draft, view: DeskView) -> None:
    if not draft.opens:
        if _waits_bare(draft):
            draft.doubts |= {"type": UNGUARDED} if draft.limit is None else {"limit": f"{UNGUARDED} at it"}
        return
    if view.status.entries_refused is not None:
        draft.doubts["effect"] = f"entries are off: {view.status.entries_refused}"
    if (through := _through(draft)) > FAR:
        side = "over the ask" if draft.buys else "under the bid"
        draft.doubts["limit"] = f"{f.percent(Fraction(through))} {side}: it fills at once"
    cost, loss, power = draft.cost, draft.loss, view.status.buying_power
    sizing = view.sizing
    if cost is not None and power is not None and cost > power:
        draft.doubts["quantity"] = f"{cost:,.2f} USD is over the buying power"
    elif cost is not None and sizing.max_notional is not None and cost > sizing.max_notional:
        draft.doubts["quantity"] = f"{cost:,.2f} USD is over {sizing.max_notional:,.2f} an order"
    elif loss is not None and (risk := _risk(draft, view)) is not None and loss > risk:
        draft.doubts["quantity"] = f"loses {loss:,.2f} USD, over {risk:,.2f} a trade"


def _through(draft: Draft) -> Decimal:
    """Return how far a limit is through the market, as a fraction of the touched price; 0 if it rests."""
    if draft.type is not OrderType.LIMIT or draft.limit is None or not draft.touch:
        return ZERO
    beyond = draft.limit - draft.touch if draft.buys else draft.touch - draft.limit
    return max(ZERO, beyond / draft.touch)


def _waits_bare(draft: Draft) -> bool:
    """Return whether the order leaves shares without a stop.

    A working exit reserves the shares that its stop reserved before; a pair includes a stop.
    """
    kind = draft.type
    if draft.effect is None or kind is None or not kind.waits_unprotected or draft.is_pair or draft.touch is None:
        return False
    if draft.limit is None:
        return not kind.has_limit
    return draft.limit < draft.touch if draft.buys else draft.limit > draft.touch


def _risk(draft: Draft, view: DeskView) -> Decimal | None:
    """Return the loss allowed at the stop in USD, after the factors that reduce every order."""
    from core.risk.sizing import (
        WantedEntry,  # loads the settings: too slow before the first paint
        binding_cuts,
    )

    risk, symbol = view.sizing.risk, draft.symbol
    if risk is None or symbol is None or draft.price is None or draft.stop is None or draft.farthest is None:
        return risk
    is_long = draft.effect is not Effect.SHORT
    way = abs(draft.farthest - draft.stop)
    wanted = WantedEntry(risk, draft.price, way, risk, draft.step, is_long, instrument=symbol.instrument)
    return risk * product(binding_cuts(wanted, symbol.conditions))


TTL = re.compile(r"(\d{1,6})\s*([smh]?)", re.ASCII)
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def read_form(texts: Mapping[str, str], view: DeskView) -> ProposeOrder | FieldFault:
    """Return the command, or the first error."""
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
    """Parse `texts`, given by the field names of `ORDER`."""
    draft = Draft()
    clean = {name: texts.get(name, "").strip() for name in ORDER}
    _read_symbol(draft, capitals(clean["symbol"]), view)
    choice = {name: chosen(name, small_letters(clean[name])) for name in CHOICES}
    _read_effect(draft, choice["effect"], view)
    _read_type(draft, choice["type"])
    read_trail(draft, clean["trail"])
    read_prices(draft, clean["limit"], clean["trigger"], clean["stop"])
    _read_quantity(draft, clean["quantity"])
    _read_lasts(draft, choice["lasts"])
    _read_holder(draft, choice["holder"])
    read_target(draft, clean["target"])
    _read_ttl(draft, small_letters(clean["ttl"]))
    doubt(draft, view)
    return draft


# ── field by field ───────────────────────────────────────────────────────────────────────────────────────────────────


def _read_symbol(draft: Draft, text: str, view: DeskView) -> None:
    draft.symbol = next((row for row in view.symbols if row.symbol == text), None)
    if draft.symbol is None:
        wait = f"not looked up yet; {written('form.symbol')} searches the list"
        draft.faults["symbol"] = wait if SHARE.fullmatch(text) or not text else "not how a share is written"
        return
    if draft.symbol.is_listed is False and not any(row.symbol == text for row in view.positions):
        draft.faults["symbol"] = f"the broker does not list it; {written('form.symbol')} searches the list"
        return
    quote = draft.symbol.quote
    draft.is_stale = quote is not None and view.status.at - quote.at > f.STALE_AFTER
    draft.held = sum((row.quantity for row in view.positions if row.symbol == text), ZERO)


def _read_effect(draft: Draft, text: str, view: DeskView) -> None:
    symbol = draft.symbol.symbol if draft.symbol is not None else Symbol("")
    held = [row for row in view.positions if row.symbol == symbol]
    is_long, is_short = any(row.quantity > 0 for row in held), any(row.quantity < 0 for row in held)
    fault = None
    match text:
        case "buy":
            fault = f"{symbol} is held short: cover closes it" if is_short else None
            is_more = any(row.strategy == MANUAL for row in held)
            draft.effect = Effect.ADD if is_more else Effect.OPEN
        case "sell":
            fault = None if is_long else f"there is no {symbol} to sell"
            draft.effect = Effect.CLOSE
        case "short":
            refused = draft.symbol.short_refused if draft.symbol is not None else None
            fault = f"{symbol} is held: sell closes it" if is_long else refused
            draft.effect = Effect.SHORT
        case "cover":
            fault = None if is_short else f"there is no short {symbol} to cover"
            draft.effect = Effect.COVER
        case _:
            fault = one_of(CHOICES["effect"])
    if fault is not None:
        draft.faults["effect"] = fault


def _read_type(draft: Draft, text: str) -> None:
    draft.type = TYPED.get(text)
    if draft.type is None:
        draft.faults["type"] = one_of(CHOICES["type"])


def _read_quantity(draft: Draft, text: str) -> None:
    """Parse shares, or `$50`: as many as that buys, rounded down."""
    value = number_in(text.removeprefix("$").strip())
    if value is None:
        is_large = is_too_large(text.removeprefix("$"))
        draft.faults["quantity"] = TOO_LARGE if is_large else "shares, a number above zero, or $50"
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


def _read_ttl(draft: Draft, text: str) -> None:
    """Parse the lifetime of an entry: `90` seconds, `5m` or `2h`; empty means the settings and the day."""
    if not text:
        return
    found = TTL.fullmatch(text)
    seconds = int(found[1]) * SECONDS[found[2]] if found is not None else 0
    if not draft.opens:
        draft.faults["ttl"] = "only an entry has one: clear it"
    elif not 1 <= seconds <= LONGEST_TTL:
        draft.faults["ttl"] = "90s, 5m or 2h, a day at the most"
    else:
        draft.ttl = seconds
