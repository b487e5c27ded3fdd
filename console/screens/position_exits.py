"""Exits of a position: how much to close, move its stop, a trailing stop, a target.

Digits are shares, and a number with `%` is a part: `12` sells twelve shares, `25%` a quarter. Nothing is sent from
here: the line below spells out the quantity that Enter would stage.

The input is a price, `0` for break-even, or `1atr` to move the stop that many average true ranges nearer; that never
moves a stop away. The change is staged and gets a ticket like any order.

Distances are typed as in a new order: USD, `2%` or `1atr` for a trail; a price, `2%`, `3atr` or `2r` for a target. The
line begins with the first of a few suggestions; ↓ ↑ show the others. The preview spells out what Enter would stage, and
what is cancelled for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from console.order_form.draft import WHOLE, Measure, Measured, distance_in, number_in, priced_at, way_of
from console.screens.dialog import DialogHost
from console.screens.form import FieldsScreen, TextField
from core.model.instrument import small_letters
from core.model.lazy_dataclass import dataclass
from core.model.order import StopHolder
from core.model.values import NO_SHARES, ZERO, Fraction, Price, Quantity, plain, rounded_down
from core.views import DeskView, PositionRow
from widgets import format as f
from widgets.lines import Cell, TextLine
from widgets.pane import put_title

PERCENT = "%"
HUNDRED = Decimal(100)
HALF = Decimal("0.5")
ONE_SHARE, LEAST = Decimal(1), Decimal("1E-9")
"""Steps of a quantity: whole shares, or the smallest fraction."""
HOW_TO_CLOSE = "a number of shares above zero, as in 15 or 0.5; or a part, as in 25%"


class CloseScreen(FieldsScreen):
    """`act` stages the close of so many shares; None means all shares held by then."""

    def __init__(self, behind: DialogHost, row: PositionRow, act: Callable[[Quantity | None], None]) -> None:
        field = TextField("Shares", "or 25 / 50 / 75 %; empty is all")
        super().__init__(behind, _title(row), [field], "stages it")
        self.row: PositionRow | None = row
        self.symbol = row.symbol
        self.act = act

    def update_view(self, view: DeskView, _now: datetime) -> None:
        key = self.row.key if self.row is not None else ""
        self.row = next((row for row in view.positions if row.key == key), None)
        if self.row is not None:
            put_title(self.box, _title(self.row))
        self.draw()

    def preview(self) -> list[TextLine]:
        if self.row is None:
            return [(Cell("nothing is held any more", "warning"),)]
        wanted = self._wanted()
        if isinstance(wanted, str):
            return [(Cell(wanted, "warning"),)]
        held = abs(self.row.quantity)
        does = "SELL" if self.row.quantity > 0 else "BUY to cover"
        words = f"{does} {plain(wanted)} {self.row.symbol}"
        left = "all of it" if wanted == held else f"{plain(held - wanted)} of {plain(held)} stay"
        worth = (
            ""
            if self.row.last is None
            else f", about {f.money(self.row.instrument.notional(wanted, self.row.last))} USD"
        )
        return [
            (Cell("Enter stages ", "muted"), Cell(words, "strong"), Cell(f", {left}{worth}")),
            (Cell("its ticket asks for the key", "muted"),),
        ]

    def _wanted(self) -> Quantity | str:
        text, row = self.fields[0].text.strip(), self.row
        held = Quantity(abs(row.quantity)) if row is not None else NO_SHARES
        if not text:
            return held
        number = number_in(text.removesuffix(PERCENT))
        if number is None:
            return HOW_TO_CLOSE
        return self._part(number, held) if text.endswith(PERCENT) else self._shares(number, held)

    def _part(self, percent: Decimal, held: Quantity) -> Quantity | str:
        if percent > HUNDRED:
            return f"{plain(percent)} % is more than all of it"
        view, row = self.behind.view, self.row
        shares = part_of(view, row, percent / HUNDRED) if view is not None and row is not None else NO_SHARES
        return shares if shares else f"that is less than one share of {self._symbol}"

    def _shares(self, shares: Decimal, held: Quantity) -> Quantity | str:
        if shares > held:
            return f"{plain(held)} {self._symbol} are held: no more can be closed"
        step = self._step()
        if shares % step and shares != held:
            return "whole shares only" if step == ONE_SHARE else f"in steps of {plain(step)} shares"
        return Quantity(shares)

    @property
    def _symbol(self) -> str:
        return self.row.symbol if self.row is not None else ""

    def _step(self) -> Decimal:
        view, row = self.behind.view, self.row
        return LEAST if view is None or row is None else step_of(view, row)

    def accept(self) -> None:
        wanted = self._wanted()
        if self.row is None:
            self.dismiss()
            self.behind.say(f"no close was staged: nothing of {self.symbol} is held any more", "warning")
        elif isinstance(wanted, str):
            self.refuse("Enter did nothing")
        else:
            self.act(wanted if self.fields[0].text.strip() else None)


def _title(row: PositionRow) -> str:
    side = "long" if row.quantity > 0 else "short"
    return f"Close ─ {row.symbol}, {f.quantity(Quantity(abs(row.quantity)))} {side}"


def part_of(view: DeskView, row: PositionRow, part: Decimal) -> Quantity:
    """Return part of a position as a quantity that can be sold; zero if it is less than the minimum.

    A position of whole shares is closed by at least one whole share if possible, because a remaining fraction cannot
    have a stop that outlives the day.
    """
    held = abs(row.quantity)
    is_whole = not held % ONE_SHARE and held * part >= ONE_SHARE
    return Quantity(rounded_down(held * part, ONE_SHARE if is_whole else step_of(view, row)))


def step_of(view: DeskView, row: PositionRow) -> Decimal:
    """Return the quantity step: whole shares for a whole short position, otherwise the symbol's own step."""
    known = next((known for known in view.symbols if known.symbol == row.symbol), None)
    if row.quantity < 0 and not row.quantity % ONE_SHARE:
        return ONE_SHARE
    return LEAST if known is None else known.quantity_step


BREAK_EVEN, RANGES = "0", "atr"
HOW = "a price in USD for one share, 0 for break-even, or 1atr to move it so much nearer"


class MoveStopScreen(FieldsScreen):
    """`act` stages the new price, `tighten` one that only moves stops nearer."""

    def __init__(
        self, behind: DialogHost, row: PositionRow, act: Callable[[Price], None], tighten: Callable[[Price], None]
    ) -> None:
        field = TextField("New stop", "USD; 0 is break-even, 1atr nearer")
        what = "Move the stop" if row.holder is StopHolder.BROKER else "A new stop"
        super().__init__(behind, f"{what} ─ {row.symbol} {f.quantity(row.quantity)}", [field], "stages it")
        self.row: PositionRow | None = row
        self.symbol = row.symbol
        self.act = act
        self.tighten = tighten

    def update_view(self, view: DeskView, _now: datetime) -> None:
        key = self.row.key if self.row is not None else ""
        self.row = next((row for row in view.positions if row.key == key), None)
        self.draw()

    def preview(self) -> list[TextLine]:
        row = self.row
        if row is None:
            return [(Cell("nothing is held any more", "warning"),)]
        prices = prices_of(row, self.behind.engine_now())
        lines: list[TextLine] = [(Cell("stop now ", "muted"), stop_now(row))]
        if row.holder is StopHolder.BROKER:
            lines = [(*lines[0], Cell("   "), *prices)]
        else:
            lines.append(prices)
        price = self._price(row)
        if isinstance(price, str):
            return [*lines, (Cell(price, "warning"),)] if self._ranges is not None else lines
        lines += self._staged(row, price)
        if _acts_at_once(row, price):
            lines.append((Cell("at or beyond the last price seen: it may act at once", "warning"),))
        return lines

    @property
    def _text(self) -> str:
        return self.fields[0].text.strip()

    @property
    def _ranges(self) -> Decimal | None:
        """The typed number of average true ranges; None for other input."""
        typed = small_letters(self._text)
        return number_in(typed.removesuffix(RANGES)) if typed.endswith(RANGES) else None

    def _price(self, row: PositionRow) -> Price | str:
        if self._text == BREAK_EVEN:
            ticks, is_long = row.instrument.ticks, row.quantity > 0
            return row.break_even or ticks.break_even(row.average_price, is_long=is_long)
        if (ranges := self._ranges) is not None:
            return _nearer(row, ranges)
        price = number_in(self._text)
        return Price(price) if price is not None else HOW

    def _staged(self, row: PositionRow, price: Price) -> list[TextLine]:
        """Spell out what Enter would stage."""
        stop = f"stop {f.price(price)} USD"
        if (ranges := self._ranges) is None:
            return _staged(row, f"{stop}, break-even" if self._text == BREAK_EVEN else stop)
        way = f", {plain(ranges)} ATR of {f.price(row.average_range)} USD nearer"
        return [(Cell("Enter stages ", "muted"), Cell(stop, "strong"), Cell(way))]

    def accept(self) -> None:
        if self.row is None:
            self.dismiss()
            self.behind.say(f"no stop was moved: nothing of {self.symbol} is held any more", "warning")
            return
        price = self._price(self.row)
        if isinstance(price, str):
            self.refuse(price)
        else:
            (self.act if self._ranges is None else self.tighten)(price)


def _nearer(row: PositionRow, ranges: Decimal) -> Price | str:
    """Return the price that many average true ranges nearer to the market than the farthest stop."""
    if row.holder is not StopHolder.BROKER or row.stop_price is None:
        return "no stop of it works at the broker: type a price"
    if row.average_range is None:
        return f"too few minutes of {row.symbol} were heard for an average range: type a price"
    way = ranges * row.average_range
    price = row.stop_price + way if row.quantity > 0 else row.stop_price - way
    return row.instrument.ticks.rounded(price) if price > 0 else "there is no price so far down"


def prices_of(row: PositionRow, now: datetime) -> TextLine:
    """Show the average price and the last price."""
    age = f", {f.age(row.last_at, now)} old" if row.last_at is not None else ""
    return (
        Cell("paid ", "muted"),
        Cell(f"{f.price(row.average_price)} USD"),
        Cell("   last ", "muted"),
        Cell(f"{f.at_tick(row.last)} USD{age}"),
    )


def stop_now(row: PositionRow) -> Cell:
    """Show where a stop works, or that none does: a price alone would look like protection."""
    if row.holder is StopHolder.BROKER:
        nearer = f", and {', '.join(map(f.price, row.nearer_stops))}" if row.nearer_stops else ""
        known = f" ({said})" if (said := f.SIGNS[row.stop_known]) else ""
        return Cell(f"{f.stop_sign(row)}{f.price(row.stop_price)} USD{nearer}{known}")
    if row.holder is StopHolder.DESK:
        return Cell(f"none at the broker; manual stop at {f.price(row.stop_price)} USD", "warning")
    return Cell("none at the broker", "warning")


def _staged(row: PositionRow, stop: str) -> list[TextLine]:
    """Say what Enter would stage: a working stop moves; shares without one get one (OP-06)."""
    lines: list[TextLine] = []
    if row.holder is StopHolder.BROKER:
        lines.append((Cell("Enter stages ", "muted"), Cell(stop, "strong")))
    if row.unprotected:
        have = f" for {f.quantity(row.unprotected)} that have none"
        lines.append((Cell("and" if lines else "Enter stages", "muted"), Cell(f" a new {stop}", "strong"), Cell(have)))
    return lines


def _acts_at_once(row: PositionRow, price: Price) -> bool:
    if row.last is None:
        return False
    return price >= row.last if row.quantity > 0 else price <= row.last


TENTH = Decimal("0.1")
HOW_FAR = "how far behind the best price: USD as 1.50, a part as 2%, or 1atr"
WHERE = "a price in USD, or as far from what was paid as 2%, 3atr or 2r"
GONE = "nothing is held any more"


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
            first = f", initial stop {f.price(starts)}"
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
