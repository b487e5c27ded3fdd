"""Format figures, times, names and identifiers in one way everywhere.

An unknown figure is a dash, never a zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from functools import lru_cache

from core.model import bar, values
from core.model.holding import Health
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, Side, StopHolder, StopKnown, Terms, TimeInForce
from core.model.order_terms import WORDS, filled_in
from core.model.reference_data import in_words
from core.model.session import HOME
from core.model.values import CENT, SHORT_ID, ClientOrderId, plain
from core.views import HALTED, ActionRow, PositionRow, ProposalRow, WatchRow
from widgets.lines import CUT, Cell, Tone

PLACE, PLACE_IN_SHORT = HOME.name, HOME.short
"""The city of the clock, written after a time. All times of the desk use one clock, named in the first line."""
UNKNOWN = "–"
MINUTE, HOUR = 60, 3600
TEN_HOURS = timedelta(hours=10)
PLACES = 4
"""Most decimal places of a price."""
EFFECT_WORDS: dict[Effect, str] = {
    Effect.OPEN: "to open",
    Effect.ADD: "to add",
    Effect.REDUCE: "partial close",
    Effect.CLOSE: "to close",
    Effect.SHORT: "short",
    Effect.COVER: "to cover",
}
HOLDER_WORDS: dict[StopHolder, str] = {
    StopHolder.BROKER: "broker",
    StopHolder.DESK: "this desk",
    StopHolder.YOU: "YOU",
}
STALE_AFTER = bar.STALE_AFTER
TENTH = Decimal("0.1")


def cents(amount: Decimal) -> Decimal:
    """Round money to two places, half up. All amounts are rounded here, so one amount always has the same text."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def money(amount: Decimal | None) -> str:
    """Format `7,837.72`; the unit is in the header or follows."""
    return UNKNOWN if amount is None else f"{cents(amount):,.2f}"


def signed(amount: Decimal | None) -> str:
    """Format `+34.43` or `−22.00`, with a minus sign as wide as the plus."""
    if amount is None:
        return UNKNOWN
    rounded = cents(amount)
    return f"{abs(rounded):,.2f}" if not rounded else f"{'+' if rounded > 0 else '−'}{abs(rounded):,.2f}"


def arrowed(amount: Decimal | None) -> str:
    """Format `▲ +56.43` or `▼ −22.00`; gain and loss differ by shape and sign, not by colour alone."""
    if amount is None:
        return UNKNOWN
    rounded = cents(amount)
    return f"{'▲' if rounded > 0 else '▼' if rounded < 0 else ' '} {signed(amount)}"


def tone_of(amount: Decimal | None) -> Tone:
    if amount is None or not cents(amount):
        return ""
    return "gain" if amount > 0 else "loss"


def tone_of_percent(fraction: Decimal | None) -> Tone:
    """Return the tone of a percentage; one that rounds to zero is neutral."""
    return tone_of(None if fraction is None else fraction * 100)


def price(value: Decimal | None) -> str:
    """Format a price at its tick: cents, or hundredths of a cent below a dollar.

    An average keeps up to four places.
    """
    if value is None:
        return UNKNOWN
    at_tick = value.quantize(STOCK_TICKS.at(value))
    return f"{at_tick if at_tick == value else value.quantize(Decimal('0.0001')):,f}"


def at_tick(value: Decimal | None) -> str:
    """Format a price rounded to its tick, half up."""
    return UNKNOWN if value is None else f"{value.quantize(STOCK_TICKS.at(value), ROUND_HALF_UP):,f}"


def is_old(row: PositionRow | WatchRow, now: datetime) -> bool:
    return row.last_at is not None and now - row.last_at > STALE_AFTER


def last_price(row: PositionRow | WatchRow, now: datetime) -> Cell:
    """Format `182.11`, `182.11!` if it is old (the digits keep their place), or a word if trading is halted."""
    if row.halted:
        return Cell(HALTED, "warning")
    text = at_tick(row.last)
    return Cell(f"{text}!", "warning") if is_old(row, now) else Cell(f"{text} ")


def pointed(text: str, places: int = PLACES) -> str:
    """Pad a number with blanks for missing decimal places, so that right-aligned numbers share one decimal point."""
    shown = len(text.partition(".")[2])
    return text + " " * (places - shown if shown else places + 1)


def quantity(value: Decimal) -> str:
    """Format a quantity exactly as it is sent to the broker."""
    return f"−{plain(-value)}" if value < 0 else plain(value)


def percent(fraction: Decimal | None, places: int = 1) -> str:
    return UNKNOWN if fraction is None else values.percent(fraction, places)


def signed_percent(fraction: Decimal | None) -> str:
    if fraction is None:
        return UNKNOWN
    return f"{signed(fraction * 100)} %"


def way(fraction: Decimal | None) -> str:
    """Format `2.31 %`, `−0.40 %`, `12.3 %`: a part of the price in seven cells."""
    if fraction is None:
        return UNKNOWN
    return values.percent(fraction, 2 if abs(fraction) < TENTH else 1).replace("-", "−")


def spread(fraction: Decimal | None) -> str:
    """Format `0.012 %`: a part of the middle, which is often below a basis point."""
    return UNKNOWN if fraction is None else values.percent(fraction, 3)


def days_held(health: Health) -> str:
    """Format `3 d`, `≥3 d` since it is here if nobody knows its first day."""
    return f"{'≥' if health.days_held is None else ''}{health.days_here} d"


def time_left(health: Health) -> str:
    """Format `15:55` if it is to be flat then, `3 d` to the rule that limits its time, `now`; `none` without one."""
    if health.flat_from is not None:
        return clock(health.flat_from)[:5]
    left = health.days_to_time_rule
    return "none" if left is None else f"{left} d" if left > 0 else "now"


def sessions(days: Decimal | None) -> str:
    """Format `<0.1 d`, `1.4 d`: sessions to leave by, rounded up."""
    if days is None:
        return UNKNOWN
    return "<0.1 d" if days < TENTH else f"{days.quantize(TENTH, ROUND_UP):f} d"


def clock(at: datetime | None) -> str:
    """Format `10:51:07`, by the market's clock like all times here."""
    return UNKNOWN if at is None else f"{HOME.local(at):%H:%M:%S}"


def dated_clock(at: datetime | None, now: datetime) -> str:
    """Format `10:51:07`, with the day (`7 Nov 10:51:07`) if it is not today, and the year if it is not this year."""
    return UNKNOWN if at is None else f"{day_before(at, now)}{clock(at)}"


def day_of(at: datetime) -> date:
    """Return the date on the market's clock."""
    return HOME.day_of(at)


def day_before(at: datetime, now: datetime) -> str:
    """Format `7 Nov ` for another day, `7 Nov 2025 ` for another year, and an empty string for today."""
    local, today = HOME.local(at), HOME.local(now)
    if local.date() == today.date():
        return ""
    return f"{local.day} {local:%b} " if local.year == today.year else f"{local.day} {local:%b %Y} "


def weekday_clock(at: datetime) -> str:
    """Format `Tue 3 Nov 10:51:07`."""
    local = HOME.local(at)
    return f"{local:%a} {local.day} {local:%b %H:%M:%S}"


def day_clock(at: datetime) -> str:
    """Format `3 Nov 10:51:07`."""
    return f"{short_day(day_of(at))} {clock(at)}"


def day_and_minute(at: datetime) -> str:
    """Format `Tue 3 Nov 16:00`."""
    local = HOME.local(at)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


LASTS = {TimeInForce.DAY: "day", TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC"}


def lasting(lasts: TimeInForce, ends_at: datetime | None) -> str:
    """Format `day, to Mon 5 Jan 16:00`, `GTC`, or `day` if its end is not known."""
    return LASTS[lasts] if ends_at is None else f"{LASTS[lasts]}, to {day_and_minute(ends_at)}"


def after_its_day(lasts: TimeInForce, *, holds_overnight: bool) -> str:
    """Format `; then a new stop waits for your key`, or what comes of a position that is flat by the close."""
    if lasts is TimeInForce.GTC:
        return ""
    return f"; then {'a new stop' if holds_overnight else 'its exit'} waits for your key"


def day_in_words(day: date) -> str:
    """Format `Tue 3 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def short_day(day: date) -> str:
    """Format `3 Nov`."""
    return f"{day.day} {day:%b}"


def minute(at: datetime) -> str:
    return f"{HOME.local(at):%H:%M}"


def span(time: timedelta) -> str:
    """Format a duration as `0:54`, `1:12` or `5:09:00`; a negative one is zero."""
    seconds = max(0, int(time.total_seconds()))
    if seconds < HOUR:
        return f"{seconds // MINUTE}:{seconds % MINUTE:02d}"
    return f"{seconds // HOUR}:{seconds % HOUR // MINUTE:02d}:{seconds % MINUTE:02d}"


def long_span(time: timedelta) -> str:
    """Format a duration as `5 h 09 m` or `12 m`."""
    minutes = max(0, int(time.total_seconds())) // MINUTE
    return f"{minutes // MINUTE} h {minutes % MINUTE:02d} m" if minutes >= MINUTE else f"{minutes} m"


def minute_of_week(at: datetime, now: datetime) -> str:
    """Format `10:51`, or `Mon 00:00` if it is more than a day ahead."""
    local = HOME.local(at)
    return f"{local:%H:%M}" if at - now <= timedelta(days=1) else f"{local:%a %H:%M}"


def multiple(value: Decimal, places: int) -> str:
    """Format a multiple of the risk, such as `+1.2` or `−0.4`; zero has no sign."""
    text = f"{value:+.{places}f}"
    return text.replace("-", "−") if Decimal(text) else text[1:]


def countdown(until: datetime, now: datetime) -> str:
    """Format the remaining time, rounded up: zero means expired."""
    return span(until - now + timedelta(seconds=0.999))


def count_up(since: datetime, now: datetime) -> str:
    """Format the elapsed time as `+0:21`, `+9:59:59` or `+18 h`: at most eight cells for a year."""
    waited = now - since
    return f"+{span(waited)}" if waited < TEN_HOURS else f"+{int(waited.total_seconds()) // HOUR} h"


def age(at: datetime, now: datetime) -> str:
    """Format an age as `0.4 s`, `12 s` or `3 m`; tenths only below a second, because every change is drawn."""
    seconds = max(0.0, (now - at).total_seconds())
    return f"{seconds:.1f} s" if seconds < 1 else whole_age(at, now)


def whole_age(at: datetime, now: datetime) -> str:
    """Format an age as `<1 s`, `12 s` or `3 m`, for permanent figures; it changes at most once a second."""
    seconds = max(0.0, (now - at).total_seconds())
    if seconds < 1:
        return "<1 s"
    return f"{int(seconds)} s" if seconds < 2 * MINUTE else f"{seconds / MINUTE:.0f} m"


def short_age(at: datetime, now: datetime) -> str:
    """Format an age as `17 s`, `2 m` or `3 h`: at most four cells for a day."""
    minutes, seconds = divmod(max(0, int((now - at).total_seconds())), MINUTE)
    if not minutes:
        return f"{seconds} s"
    return f"{minutes} m" if minutes < MINUTE else f"{minutes // MINUTE} h"


def old(since: datetime, now: datetime) -> str:
    """Format how long something waits, in a column that counts others down: `17 s old`, `3 m old`."""
    return f"{short_age(since, now)} old"


def side_word(side: Side) -> str:
    return side.value.upper()


def doing(side: Side, effect: Effect) -> str:
    """`BUY to open`, `SELL, partial close`, `SELL short`."""
    return f"{side_word(side)}{', ' if effect is Effect.REDUCE else ' '}{EFFECT_WORDS[effect]}"


def brief_doing(side: Side, effect: Effect) -> str:
    """Return `doing` for a column: of `SELL, partial close` only the effect, which tells the side."""
    return EFFECT_WORDS[effect] if effect is Effect.REDUCE else doing(side, effect)


def brief_purpose(row: ProposalRow) -> str:
    """Return `purpose` for a column: `partial close`, `SELL trailing`."""
    if row.replaces is None and row.effect.only_reduces and row.type.trails:
        return f"{side_word(row.side)} trailing"
    is_part = row.replaces is None and not row.is_guard and not row.is_target
    return brief_doing(row.side, row.effect) if is_part else purpose(row)


def purpose(row: ProposalRow) -> str:
    """Format `BUY to open`, `REPLACE stop` or `REPLACE order` for a replacement, `SELL stop` for a new stop."""
    if row.replaces is not None:
        return "REPLACE stop" if row.is_guard else "REPLACE order"
    if row.effect.only_reduces and row.type.trails:
        return f"{side_word(row.side)} trailing stop"
    if row.is_target:
        return f"{side_word(row.side)} target"
    return f"{side_word(row.side)} stop" if row.is_guard else doing(row.side, row.effect)


def stop_sign(row: PositionRow) -> str:
    """Return the sign before a trailing stop's price: it stands there or nearer to the market, or was computed."""
    if row.stop_known is StopKnown.EXACT:
        return ""
    if row.stop_known is StopKnown.GUESSED:
        return "≈"
    return "≥" if row.quantity > 0 else "≤"


SIGNS: Mapping[StopKnown, str] = {
    StopKnown.EXACT: "",
    StopKnown.GUESSED: "stop computed; the broker has not reported it yet",
    StopKnown.PASSED: "stop last reported; it may be nearer by now",
}
"""What the sign before a trailing stop's price means."""


def sign_in_words(row: PositionRow) -> str:
    """Format `≥ stop last reported; it may be nearer by now`; empty for an exact stop."""
    return f"{stop_sign(row)} {SIGNS[row.stop_known]}".strip()


def terms(of: Terms) -> str:
    """Format `limit 166.76`, `stop 48.43`, `stop 48.43 limit 48.40`, `trailing stop 1.50 behind`, `market`."""
    return filled_in(WORDS[of[0]].terms, of, price)


def short_terms(of: Terms) -> str:
    """Format the terms with one figure: `limit 166.76`, `trail 1.50`; a stop-limit shows its stop."""
    return filled_in(WORDS[of[0]].column, of, price)


def terms_on_point(of: Terms) -> str:
    """Format the terms for a column of `TERMS` cells, aligned: `limit   166.76  ` above `stop     48.43  `."""
    word, _, figure = short_terms(of).partition(" ")
    if of[0].trails:
        return f"{word} {figure:>8}"
    return f"{word:<5} {pointed(figure):>10}" if figure else word


TERMS = 16
"""Width of a column of terms, in cells."""


OURS = r"\b([0-9a-f]{6})[0-9a-f]{10}\b"
"""Pattern of this desk's identifiers (orders, proposals, tickets, digests), shortened to the first six characters."""
BROKERS = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{6}([0-9a-f]{6})\b|\b(?:leg-)?sim-\d*(\d{6})\b"
"""Pattern of the broker's or simulated order ids, shortened to the last six characters because they begin alike."""
IDENTIFIER = re.compile(f"{OURS}|{BROKERS}")


def short_ids(text: str) -> str:
    """Shorten each identifier in a text."""
    return IDENTIFIER.sub(lambda found: str(found[found.lastindex or 0]), text)


def short_id(id: ClientOrderId) -> str:
    """Return the short form, such as `3f9a02`; the last six characters of a broker's id."""
    short = short_ids(id)
    return short if len(short) <= SHORT_ID else id[-SHORT_ID:]


def told_apart(names: Iterable[str], width: int) -> Mapping[str, str]:
    """Shorten each name to at most `width` cells, unambiguously.

    A name that fits stays whole. Otherwise its beginning is kept with as little of its end as tells all names apart; if
    nothing else works, names are numbered.
    """
    return dict(_told_apart(tuple(sorted(set(names))), width))


@lru_cache(maxsize=64)
def _told_apart(names: tuple[str, ...], width: int) -> tuple[tuple[str, str], ...]:
    for end in range(max(1, width - 1)):
        short = [_cut(name, width, end) for name in names]
        if len(set(short)) == len(names):
            return tuple(zip(names, short, strict=True))
    return tuple(
        (name, name if len(name) <= width else _numbered(name, number, width))
        for number, name in enumerate(names, start=1)
    )


def _cut(name: str, width: int, end: int) -> str:
    if len(name) <= width:
        return name
    return name[: width - end - 1] + CUT + name[len(name) - end :]


def _numbered(name: str, number: int, width: int) -> str:
    tail = f"{CUT}{number}"
    return name[: max(0, width - len(tail))] + tail


def ex_day(row: ActionRow | None) -> str:
    """Format `ex Tue`."""
    return "" if row is None else f"ex {row.action.ex_date:%a}"


def coming_in_words(row: ActionRow) -> str:
    """Format `ex Tue 24 Nov: dividend 0.25 USD a share`."""
    return f"ex {row.action.ex_date:%a %d %b}: {in_words(row.action)}"
