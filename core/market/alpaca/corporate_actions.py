"""Parse Alpaca's corporate actions, one list per kind; unreadable ones are reported and left out.

Its `start` and `end` are the days on which an action is processed, for a dividend weeks after its ex date: more is
requested than returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.market.alpaca.contract import CORPORATE_ACTION, CORPORATE_ACTIONS
from core.market.alpaca.wire import shown
from core.messages.inputs import MarketDataBroken
from core.model.reference_data import ActionKind, CorporateAction
from core.model.values import Symbol, is_number, number_in

PLACE = "Alpaca's corporate actions"
Read = CorporateAction | MarketDataBroken


@dataclass(frozen=True, slots=True)
class _Form:
    """The format of one of its lists: the fields of symbol and day, and the meaning of its rates."""

    kind: ActionKind
    symbol: str = "symbol"
    day: str = "ex_date"
    cash: str | None = None
    old: str | None = None
    new: str | None = None


def _splits(kind: ActionKind) -> _Form:
    return _Form(kind, old="old_rate", new="new_rate")


FORMS: Mapping[str, _Form] = {
    "cash_dividends": _Form(ActionKind.CASH_DIVIDEND, cash="rate"),
    "stock_dividends": _Form(ActionKind.STOCK_DIVIDEND),
    "forward_splits": _splits(ActionKind.SPLIT),
    "reverse_splits": _splits(ActionKind.REVERSE_SPLIT),
    "unit_splits": _Form(ActionKind.OTHER, "old_symbol", "effective_date"),
    "spin_offs": _Form(ActionKind.SPIN_OFF, "source_symbol"),
    "cash_mergers": _Form(ActionKind.MERGER, "acquiree_symbol", "effective_date"),
    "stock_mergers": _Form(ActionKind.MERGER, "acquiree_symbol", "effective_date"),
    "stock_and_cash_mergers": _Form(ActionKind.MERGER, "acquiree_symbol", "effective_date"),
    "redemptions": _Form(ActionKind.OTHER, day="process_date"),
    "name_changes": _Form(ActionKind.OTHER, "old_symbol", "process_date"),
    "worthless_removals": _Form(ActionKind.OTHER, day="process_date"),
}
"""A list that is not named here is of another kind, and left out."""


class _UnreadableError(ValueError):
    """A field that cannot be read, as text."""


def read_actions(answer: Mapping[str, object], symbols: Sequence[Symbol]) -> list[Read]:
    """Parse one page, for these symbols."""
    lists = answer.get(CORPORATE_ACTIONS.field("corporate_actions").name)
    if lists is None:
        return []
    if not isinstance(lists, Mapping):
        return [MarketDataBroken(PLACE, f"{shown(lists)} is no record by kind")]
    return [read for name, form in FORMS.items() for read in _read_list(name, form, lists.get(name), symbols)]


def _read_list(name: str, form: _Form, rows: object, symbols: Sequence[Symbol]) -> Iterator[Read]:
    if rows is None:
        return
    if not isinstance(rows, list):
        yield MarketDataBroken(PLACE, f"{name}: {shown(rows)} is no list")
        return
    for number, row in enumerate(rows, start=1):
        try:
            action = _read(form, row)
        except _UnreadableError as error:
            yield MarketDataBroken(PLACE, f"{name}, {number}: {error}")
            continue
        if action.symbol in symbols:
            yield action


def _read(form: _Form, row: object) -> CorporateAction:
    if not isinstance(row, Mapping):
        raise _UnreadableError(f"{shown(row)} is no record")
    symbol = row.get(CORPORATE_ACTION.field(form.symbol).name)
    if not isinstance(symbol, str) or not symbol:
        raise _UnreadableError(f"its {form.symbol} {shown(symbol)} is no symbol")
    day = _day(row, form.day)
    if day is None:
        raise _UnreadableError(f"its {form.day} is missing")
    return CorporateAction(
        Symbol(symbol),
        form.kind,
        day,
        _figure(row, form.cash),
        _figure(row, form.old),
        _figure(row, form.new),
        _day(row, "payable_date"),
    )


def _day(row: Mapping[object, object], name: str) -> date | None:
    said = row.get(CORPORATE_ACTION.field(name).name)
    try:
        return None if said is None else date.fromisoformat(str(said))
    except ValueError:
        raise _UnreadableError(f"its {name} {shown(said)} is no day") from None


def _figure(row: Mapping[object, object], name: str | None) -> Decimal | None:
    """Parse a figure above zero: a dividend or a split of zero is invalid."""
    if name is None:
        return None
    said = row.get(CORPORATE_ACTION.field(name).name)
    number = None if isinstance(said, bool) else _number(said)
    if number is None or not is_number(number) or number <= 0:
        raise _UnreadableError(f"its {name} {shown(said)} is no figure above zero")
    return number


def _number(said: object) -> Decimal | None:
    return number_in(str(said))
