"""How figures look, everywhere the same: signs, ticks, the market's clock, ages and countdowns.

A figure that is not known is a dash, never a zero.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from core.model import values
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, Side, StopHolder, Terms
from core.model.order_text import WORDS, filled_in
from core.model.values import CENT, plain
from core.model.venues import HOME
from core.views import ProposalRow
from widgets.grid_picture import Tone

PLACE, PLACE_IN_SHORT = HOME.name, HOME.short
"""Whose clock it is, behind a time: every time of this desk is of one, as its first line says."""
UNKNOWN = "–"
MINUTE, HOUR = 60, 3600
TEN_HOURS = timedelta(hours=10)
PLACES = 4
"""The most that a price shows."""
EFFECT_WORDS: dict[Effect, str] = {
    Effect.OPEN: "to open",
    Effect.ADD: "to add",
    Effect.REDUCE: "to reduce",
    Effect.CLOSE: "to close",
    Effect.SHORT: "short",
    Effect.COVER: "to cover",
}
HOLDER_WORDS: dict[StopHolder, str] = {
    StopHolder.BROKER: "broker",
    StopHolder.DESK: "this desk",
    StopHolder.YOU: "YOU",
}


STALE_AFTER = timedelta(seconds=90)
"""Data older than this is named as stale: minute bars alone renew it once a minute."""


def cents(amount: Decimal) -> Decimal:
    """Every figure of money is rounded here: half up, two places, so that one amount is the same text everywhere."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def money(amount: Decimal | None) -> str:
    """`7,837.72`; USD stands in the header or behind it."""
    return UNKNOWN if amount is None else f"{cents(amount):,.2f}"


def signed(amount: Decimal | None) -> str:
    """`+34.43`, `−22.00`: a real minus, as wide as the plus."""
    if amount is None:
        return UNKNOWN
    rounded = cents(amount)
    return f"{abs(rounded):,.2f}" if not rounded else f"{'+' if rounded > 0 else '−'}{abs(rounded):,.2f}"


def arrowed(amount: Decimal | None) -> str:
    """`▲ +56.43`, `▼ −22.00`: gain and loss differ by shape and sign, not by colour alone."""
    if amount is None:
        return UNKNOWN
    rounded = cents(amount)
    return f"{'▲' if rounded > 0 else '▼' if rounded < 0 else ' '} {signed(amount)}"


def tone_of(amount: Decimal | None) -> Tone:
    if amount is None or not cents(amount):
        return ""
    return "gain" if amount > 0 else "loss"


def tone_of_percent(fraction: Decimal | None) -> Tone:
    """Of what stands there in percent: what is rounded to nothing is neither."""
    return tone_of(None if fraction is None else fraction * 100)


def price(value: Decimal | None) -> str:
    """At its tick: cents, below a dollar hundredths of them; an average keeps what it needs, at most four places."""
    if value is None:
        return UNKNOWN
    at_tick = value.quantize(STOCK_TICKS.at(value))
    return f"{at_tick if at_tick == value else value.quantize(Decimal('0.0001')):,f}"


def at_tick(value: Decimal | None) -> str:
    """A price as it could be traded; an average or a middle is rounded, half up."""
    return UNKNOWN if value is None else f"{value.quantize(STOCK_TICKS.at(value), ROUND_HALF_UP):,f}"


def pointed(text: str, places: int = PLACES) -> str:
    """A number with blanks for the places that it does not show: right-aligned, all stand on one decimal point."""
    shown = len(text.partition(".")[2])
    return text + " " * (places - shown if shown else places + 1)


def quantity(value: Decimal) -> str:
    """As the broker will see it."""
    return f"−{plain(-value)}" if value < 0 else plain(value)


def percent(fraction: Decimal | None, places: int = 1) -> str:
    return UNKNOWN if fraction is None else values.percent(fraction, places)


def signed_percent(fraction: Decimal | None) -> str:
    if fraction is None:
        return UNKNOWN
    return f"{signed(fraction * 100)} %"


def clock(at: datetime | None) -> str:
    """`10:51:07`, by the market's clock, as all of these."""
    return UNKNOWN if at is None else f"{HOME.local(at):%H:%M:%S}"


def dated_clock(at: datetime | None, now: datetime) -> str:
    """`10:51:07`; `7 Nov 10:51:07` where that is not of today, with its year where it is not of this one."""
    return UNKNOWN if at is None else f"{day_before(at, now)}{clock(at)}"


def day_of(at: datetime) -> date:
    """The market's date."""
    return HOME.day_of(at)


def day_before(at: datetime, now: datetime) -> str:
    """`7 Nov ` of what is not of today, `7 Nov 2025 ` of what is not of this year; else nothing."""
    local, today = HOME.local(at), HOME.local(now)
    if local.date() == today.date():
        return ""
    return f"{local.day} {local:%b} " if local.year == today.year else f"{local.day} {local:%b %Y} "


def weekday_clock(at: datetime) -> str:
    """`Tue 10:51:07`."""
    return f"{HOME.local(at):%a %H:%M:%S}"


def day_and_minute(at: datetime) -> str:
    """`Tue 3 Nov 16:00`."""
    local = HOME.local(at)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def day_in_words(day: date) -> str:
    """`Tue 3 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def short_day(day: date) -> str:
    """`3 Nov`."""
    return f"{day.day} {day:%b}"


def minute(at: datetime) -> str:
    return f"{HOME.local(at):%H:%M}"


def span(time: timedelta) -> str:
    """`0:54`, `1:12`, `5:09:00`: minutes and seconds; nothing is below zero."""
    seconds = max(0, int(time.total_seconds()))
    if seconds < HOUR:
        return f"{seconds // MINUTE}:{seconds % MINUTE:02d}"
    return f"{seconds // HOUR}:{seconds % HOUR // MINUTE:02d}:{seconds % MINUTE:02d}"


def long_span(time: timedelta) -> str:
    """`5 h 09 m`, `12 m`."""
    minutes = max(0, int(time.total_seconds())) // MINUTE
    return f"{minutes // MINUTE} h {minutes % MINUTE:02d} m" if minutes >= MINUTE else f"{minutes} m"


def minute_of_week(at: datetime, now: datetime) -> str:
    """`10:51`, `Mon 00:00` where that is more than a day ahead."""
    local = HOME.local(at)
    return f"{local:%H:%M}" if at - now <= timedelta(days=1) else f"{local:%a %H:%M}"


def multiple(value: Decimal, places: int) -> str:
    """Of the risk: `+1.2`, `−0.4`; nothing is neither gained nor lost of `0.0`."""
    text = f"{value:+.{places}f}"
    return text.replace("-", "−") if Decimal(text) else text[1:]


def countdown(until: datetime, now: datetime) -> str:
    """What is left, rounded up: zero means over."""
    return span(until - now + timedelta(seconds=0.999))


def count_up(since: datetime, now: datetime) -> str:
    """`+0:21`, `+9:59:59`, and `+18 h`: never more than eight cells in a year."""
    waited = now - since
    return f"+{span(waited)}" if waited < TEN_HOURS else f"+{int(waited.total_seconds()) // HOUR} h"


def age(at: datetime, now: datetime) -> str:
    """`0.4 s`, `12 s`, `3 m`; tenths only while they are news, since every change is drawn."""
    seconds = max(0.0, (now - at).total_seconds())
    return f"{seconds:.1f} s" if seconds < 1 else whole_age(at, now)


def whole_age(at: datetime, now: datetime) -> str:
    """`<1 s`, `12 s`, `3 m`: what stands on the screen all day changes once a second."""
    seconds = max(0.0, (now - at).total_seconds())
    if seconds < 1:
        return "<1 s"
    return f"{int(seconds)} s" if seconds < 2 * MINUTE else f"{seconds / MINUTE:.0f} m"


def short_age(at: datetime, now: datetime) -> str:
    """`17 s`, `2 m`, `3 h`: never more than four cells in a day."""
    minutes, seconds = divmod(max(0, int((now - at).total_seconds())), MINUTE)
    if not minutes:
        return f"{seconds} s"
    return f"{minutes} m" if minutes < MINUTE else f"{minutes // MINUTE} h"


def side_word(side: Side) -> str:
    return side.value.upper()


def doing(side: Side, effect: Effect) -> str:
    """`BUY to open`, `SELL short`."""
    return f"{side_word(side)} {EFFECT_WORDS[effect]}"


def purpose(row: ProposalRow) -> str:
    """`BUY to open`; `REPLACE stop`, `REPLACE order` where it takes another's place; `SELL protect` for a new stop."""
    if row.replaces is not None:
        return "REPLACE stop" if row.is_guard else "REPLACE order"
    return f"{side_word(row.side)} protect" if row.is_guard else doing(row.side, row.effect)


def terms(of: Terms) -> str:
    """`limit 166.76`, `stop 48.43`, `stop 48.43 limit 48.40`, `trailing stop 1.50 behind`, `market`."""
    return filled_in(WORDS[of[0]].terms, of, price)


def short_terms(of: Terms) -> str:
    """One figure: `limit 166.76`, `trail 1.50`; a stop-limit by its stop."""
    return filled_in(WORDS[of[0]].column, of, price)


def terms_on_point(of: Terms) -> str:
    """The same for a column of `TERMS` cells: `limit   166.76  ` above `stop     48.43  `."""
    word, _, figure = short_terms(of).partition(" ")
    if of[0].trails:
        return f"{word} {figure:>8}"
    return f"{word:<5} {pointed(figure):>10}" if figure else word


TERMS = 16
"""Cells of a column of terms."""
