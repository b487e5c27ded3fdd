"""`t` and `g` on a position: a trailing stop, and a target, each for all of it. Enter stages it; a ticket follows.

Distances are typed as in a new order: USD, `2%` or `1atr` for a trail; a price, `2%`, `3atr` or `2r` for a target. The
line begins with the first of a few suggestions; ↓ ↑ show the others. The preview spells out what Enter would stage, and
what is cancelled for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from console.order_form.draft import WHOLE, Measure, Measured, distance_in, number_in, priced_at, way_of
from console.screens.dialog_host import DialogHost
from console.screens.move_stop import prices_of, stop_now
from console.screens.text_fields import FieldsScreen, TextField
from core.model.order import StopHolder
from core.model.values import ZERO, Fraction, Price, plain
from core.views import DeskView, PositionRow
from widgets import format as f
from widgets.lines import Cell, TextLine

TENTH = Decimal("0.1")
HOW_FAR = "how far behind the best price: USD as 1.50, a part as 2%, or 1atr"
WHERE = "a price in USD, or as far from what was paid as 2%, 3atr or 2r"
GONE = "nothing is held any more"
BESIDE_A_TRAIL = "a trailing stop works, and the broker takes no target beside it"


@dataclass(frozen=True, slots=True)
class Trail:
    """The distance of a trailing stop: USD, or a fraction of the price; exactly one is set."""

    price: Price | None = None
    fraction: Fraction | None = None

    def way(self, last: Decimal) -> Decimal:
        """Return the distance at that price, USD."""
        return self.price if self.price is not None else last * (self.fraction or ZERO)

    @property
    def words(self) -> str:
        return f"{f.price(self.price)} USD" if self.price is not None else f"{plain((self.fraction or ZERO) * WHOLE)} %"


class ProtectScreen(FieldsScreen):
    """Base: one line, suggestions for it, and the current position."""

    DOES = ""

    def __init__(self, behind: DialogHost, row: PositionRow, field: TextField, offers: Sequence[str]) -> None:
        title = f"{self.DOES} ─ {row.symbol} {f.quantity(row.quantity)}"
        super().__init__(behind, title, [field], "stages it  ↓ ↑ other offers")
        self.row: PositionRow | None = row
        self.symbol = row.symbol
        self.offers = offers
        self._put(0)

    def _put(self, number: int) -> None:
        self.offered = number % len(self.offers)
        field = self.fields[0]
        field.text, field.is_fresh = self.offers[self.offered], True

    def action_next(self) -> None:
        self._offer(1)

    def action_previous(self) -> None:
        self._offer(-1)

    def _offer(self, step: int) -> None:
        if not self.is_asking:
            self._put(self.offered + step)
            self._changed()

    def update_view(self, view: DeskView, _now: datetime) -> None:
        key = self.row.key if self.row is not None else ""
        self.row = next((row for row in view.positions if row.key == key), None)
        self.draw()

    def preview(self) -> list[TextLine]:
        row = self.row
        if row is None:
            return [(Cell(GONE, "warning"),)]
        target = f"   target {', '.join(map(f.price, row.targets))} USD" if row.targets else ""
        now: TextLine = (Cell("stop now ", "muted"), stop_now(row), Cell(target))
        return [now, prices_of(row, self.behind.engine_now()), *self.meaning(row)]

    def meaning(self, row: PositionRow) -> list[TextLine]:
        """Spell out what Enter would stage."""
        raise NotImplementedError

    def say_gone(self) -> None:
        self.dismiss()
        self.behind.say(f"nothing was staged: nothing of {self.symbol} is held any more", "warning")

    @property
    def _text(self) -> str:
        return self.fields[0].text.strip()


class TrailScreen(ProtectScreen):
    """`act` stages the trailing stop."""

    DOES = "Trailing stop"

    def __init__(self, behind: DialogHost, row: PositionRow, act: Callable[[Trail], None]) -> None:
        self.act = act
        super().__init__(behind, row, TextField("Trail by", "USD, 2% or 1atr behind"), trail_offers(row))

    def meaning(self, row: PositionRow) -> list[TextLine]:
        trail = trail_in(self._text, row)
        if isinstance(trail, str):
            return [(Cell(trail, "warning"),)]
        first, is_looser = "", False
        if row.last is not None:
            way = trail.way(row.last)
            starts = row.instrument.ticks.nearest(row.last - way if row.quantity > 0 else row.last + way)
            first = f", {f.price(starts)} USD at first"
            stop = nearest_stop(row)
            is_looser = stop is not None and (starts < stop if row.quantity > 0 else starts > stop)
        shares = plain(abs(row.quantity))
        lines: list[TextLine] = [
            (
                Cell("Enter stages ", "muted"),
                Cell(f"trailing stop {trail.words}", "strong"),
                Cell(f" behind{first}, for {shares}"),
            )
        ]
        if is_looser:
            lines.append((Cell("LOOSER than the stop now, until the price has moved", "warning"),))
        if row.targets:
            gone = ", ".join(map(f.price, row.targets))
            lines.append((Cell(f"NO TARGET beside it: {gone} USD is cancelled", "urgent"),))
        return lines

    def accept(self) -> None:
        if self.row is None:
            self.say_gone()
            return
        trail = trail_in(self._text, self.row)
        if isinstance(trail, str):
            self.refuse(trail)
        else:
            self.act(trail)


class TargetScreen(ProtectScreen):
    """`act` stages the target, with the stop in force."""

    DOES = "Target"

    def __init__(self, behind: DialogHost, row: PositionRow, act: Callable[[Price], None]) -> None:
        self.act = act
        super().__init__(behind, row, TextField("Target", "USD, 2%, 3atr or 2r"), target_offers(row))

    def meaning(self, row: PositionRow) -> list[TextLine]:
        target = target_in(self._text, row)
        if isinstance(target, str):
            return [(Cell(target, "warning"),)]
        if trails(self.behind.view, row):
            return [
                (Cell(BESIDE_A_TRAIL, "warning"),),
                (Cell("cancel it in Orders (3), then m and g set both", "muted"),),
            ]
        stop = nearest_stop(row)
        beside = ", alone" if stop is None else f" with its stop {f.price(stop)} USD, for {plain(abs(row.quantity))}"
        staged = Cell(f"target {f.price(target)} USD", "strong")
        then = Cell("whichever fills cancels the other (OCO)", "muted")
        if stop is None:
            then = Cell("NO STOP: the target holds the shares, and nothing guards them", "urgent")
        return [(Cell("Enter stages ", "muted"), staged, Cell(beside)), (then,)]

    def accept(self) -> None:
        if self.row is None:
            self.say_gone()
            return
        target = target_in(self._text, self.row)
        if isinstance(target, str):
            self.refuse(target)
        elif target in self.row.targets:
            self.refuse(f"its target is {f.price(target)} USD already")
        else:
            self.act(target)


def trails(view: DeskView | None, row: PositionRow) -> bool:
    """Return whether a trailing stop of the position works at the broker."""
    orders = view.orders if view is not None else ()
    return any(
        order.symbol == row.symbol and order.type.trails and order.is_protective and order.status.is_working
        for order in orders
    )


def nearest_stop(row: PositionRow) -> Price | None:
    """Return the stop in force that acts first; a target is paired with it."""
    if row.holder is not StopHolder.BROKER:
        return None
    return row.nearer_stops[0] if row.nearer_stops else row.stop_price


def trail_offers(row: PositionRow) -> tuple[str, ...]:
    """Suggest the distance of its current stop, if it has one, then usual distances."""
    usual = ("1%", "2%", *(("1atr",) if row.average_range is not None else ()))
    if row.last is None or row.standing_stop is None:
        return usual
    way = abs(row.last - row.standing_stop) / row.last * WHOLE
    as_now = way.quantize(TENTH, ROUND_DOWN)
    return (f"{plain(as_now)}%", *usual) if as_now > 0 else usual


def trail_in(text: str, row: PositionRow) -> Trail | str:
    """Return the typed trail, or the error text."""
    distance = distance_in(text)
    if distance is None:
        price = number_in(text.removeprefix("$"))
        return HOW_FAR if price is None else Trail(price=Price(price))
    if distance.measure is Measure.R:
        return HOW_FAR
    if distance.measure is Measure.PERCENT:
        return Trail(fraction=Fraction(distance.count / WHOLE)) if distance.count < WHOLE else "under 100 %"
    if row.average_range is None:
        return f"too few minutes of {row.symbol} were heard for an average range: type USD or a part"
    way = row.instrument.ticks.rounded(distance.count * row.average_range)
    return Trail(price=way) if way > 0 else HOW_FAR


def target_offers(row: PositionRow) -> tuple[str, ...]:
    """Suggest its current target, then twice and three times its risk, then percentages."""
    has = tuple(plain(price) for price in row.targets[:1])
    return (*has, *(("2r", "3r") if _risk(row) is not None else ()), "2%", "5%")


def target_in(text: str, row: PositionRow) -> Price | str:
    """Return the typed price, or the error text."""
    distance = distance_in(text)
    if distance is None:
        price = number_in(text)
        return WHERE if price is None else Price(price)
    way = way_of(distance, Measured(row.average_price, row.average_range, _risk(row)))
    if isinstance(way, str):
        return way
    ticks, is_long = row.instrument.ticks, row.quantity > 0
    target = priced_at(row.average_price, way, ticks, is_above=is_long, is_stop=False)
    return WHERE if target is None else target


def _risk(row: PositionRow) -> Decimal | None:
    """Return the distance from the average price to its stop if that is a loss, USD; else None."""
    stop = row.standing_stop
    if stop is None:
        return None
    way = row.average_price - stop if row.quantity > 0 else stop - row.average_price
    return way if way > 0 else None
