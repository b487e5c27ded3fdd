"""A post-mortem as a self-contained HTML file: style and charts are inline, and no network is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from core.analytics.equity import Part
from core.analytics.html_page import document, escaped, folded, table
from core.event_text import in_words, kind_of
from core.model.session import HOME
from core.model.signal import EXIT_WORDS
from core.model.values import ZERO, plain, priced
from core.ports import Recorded
from core.post_mortem.days import DayExplained, Minute
from core.post_mortem.missed_trades import LetGo
from core.post_mortem.post_mortem import PostMortem, TradeExplained
from core.post_mortem.stories import intended
from core.post_mortem.trade_text import checks_of, instant, made_by_strategy, name_of, usd

WIDTH, HEIGHT, PAD = 900, 260, 8
BAR, HALF = 22, 11
"""Pixels of a row in a chart of parts."""
MORE = (
    "td.n{text-align:right;font-variant-numeric:tabular-nums}.up{fill:#2e7d32}.down{fill:#c0392b}"
    "text{font:12px system-ui,sans-serif;fill:currentColor}.note{color:#8a6d00}"
)


def page(found: PostMortem) -> str:
    """Return the complete file."""
    title = f"Keyturn, {found.first}" + (f" to {found.last}" if found.last != found.first else "")
    return document(title, _body(found), MORE)


def _body(found: PostMortem) -> Iterator[str]:
    for day in found.days:
        yield from _day(day)
    for trade in found.trades:
        yield from _trade(trade)
    yield from _let_go(found.let_go)
    yield _folded("data and connection", found.disturbed)


def _let_go(found: Sequence[LetGo]) -> Iterator[str]:
    if not found:
        return
    yield f"<h3>Not taken: {len(found)}</h3>" + amounts(
        [Part(f"{part.name} would have made", part.amount) for part in made_by_strategy(found)]
    )
    yield table([(usd(each.would_have_made), instant(each.record), in_words(each.record.fact)) for each in found])


def _day(day: DayExplained) -> Iterator[str]:
    yield f"<h2>{day.day:%A %d %B %Y}: {usd(day.change)} USD</h2>"
    rest = [] if day.rest is None else [Part("rest, explained by no record", day.rest)]
    yield amounts([*day.parts, *rest])
    opening, closing = (("–" if each is None else f"{each:,.2f}") for each in (day.opening, day.closing))
    yield f"<p>Equity {opening} → {closing}</p>"
    yield from (f'<p class="note">{escaped(note)}</p>' for note in day.notes)


def _trade(told: TradeExplained) -> Iterator[str]:
    trade = told.story.trade
    side = "long" if told.story.is_long else "short"
    yield (
        f"<h3>{escaped(trade.symbol)} {escaped(trade.strategy)}, {plain(trade.quantity)} {side}: {usd(trade.profit)} "
        f"USD, {escaped(EXIT_WORDS[trade.exit_reason][0])}</h3>"
    )
    yield _chart(told)
    yield amounts([*told.split.parts])
    yield from (f'<p class="note">{escaped(words)}</p>' for words in told.split.unknown)
    rows = [
        (
            f"{HOME.local(fill.at):%Y-%m-%d %H:%M:%S}",
            f"{'bought' if fill.sign > 0 else 'sold'} {plain(fill.quantity)}",
            f"at {priced(fill.price)}",
            f"intended {priced(intended(fill))}",
            f"order {fill.order.id[:6]}, record {fill.record}",
        )
        for fill in told.story.fills
    ]
    yield table(rows)
    if told.best is not None:
        yield f"<p>While it was held at best {usd(told.best)}, at worst {usd(told.worst)} USD.</p>"
    if told.missing:
        yield f'<p class="note">{told.missing} minutes are missing while it was held.</p>'
    yield table([(words,) for words in checks_of(told)])
    yield _folded("its way", told.timeline)
    yield _folded("proposed beside it", told.others)
    yield _folded("data around it", told.disturbed)


def _folded(name: str, records: Sequence[Recorded]) -> str:
    if not records:
        return ""
    rows = [(str(r.sequence), instant(r), kind_of(r.fact), in_words(r.fact)) for r in records]
    return folded(f"{name}: {len(rows)} records", table(rows))


# ── charts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def amounts(parts: Sequence[Part]) -> str:
    """Return a bar for each part, gains to the right and losses to the left, and their sum below."""
    if not parts:
        return "<p>Nothing was held and nothing was traded.</p>"
    whole = [*parts, Part("in all", sum((part.amount for part in parts), ZERO))]  # type: ignore[arg-type]
    most = max((abs(part.amount) for part in whole), default=ZERO) or Decimal(1)
    rows = []
    for number, part in enumerate(whole):
        y, length = number * BAR, float(abs(part.amount) / most) * 250
        x = 550 if part.amount >= 0 else 550 - length
        tone = "up" if part.amount >= 0 else "down"
        rows.append(
            f'<text x="0" y="{y + 15}">{escaped(name_of(part))}</text>'
            f'<text x="280" y="{y + 15}" text-anchor="end">{usd(part.amount)}</text>'
            f'<rect class="{tone}" x="{x:.1f}" y="{y + 5}" width="{max(length, 1):.1f}" height="{HALF}"/>'
        )
    return f'<svg viewBox="0 0 {WIDTH} {len(whole) * BAR + 4}" role="img">{"".join(rows)}</svg>'


def _chart(told: TradeExplained) -> str:
    """Return a chart: bars as lines from low to high, closes and VWAP as curves, with fills, stop and target."""
    minutes = told.minutes
    if not minutes:
        return "<p>No bar of it was recorded.</p>"
    levels = _levels(told)
    low = min([minute.bar.low for minute in minutes] + [price for _, price in levels])
    high = max([minute.bar.high for minute in minutes] + [price for _, price in levels])
    scale = _Scale(minutes, low, high)
    drawn = [
        f'<line x1="{scale.x(m.bar.start):.1f}" x2="{scale.x(m.bar.start):.1f}" y1="{scale.y(m.bar.low):.1f}" '
        f'y2="{scale.y(m.bar.high):.1f}" stroke="#9aa4ae" stroke-width="1"/>'
        for m in minutes
    ]
    drawn.append(scale.curve([(m.bar.start, m.bar.close) for m in minutes], "#1f77b4"))
    drawn.append(scale.curve([(m.bar.start, m.vwap) for m in minutes if m.vwap is not None], "#e08a00"))
    for name, price in levels:
        y = scale.y(price)
        drawn.append(
            f'<line x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#777" stroke-dasharray="4 4"/>'
            f'<text x="4" y="{y - 3:.1f}">{escaped(name)} {priced(price)}</text>'
        )
    for fill in told.story.fills:
        if minutes[0].bar.start <= fill.at <= minutes[-1].bar.end:
            x, y, tone = scale.x(fill.at), scale.y(fill.price), "up" if fill.sign > 0 else "down"
            drawn.append(
                f'<circle class="{tone}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
                f'<text x="{min(x + 8, WIDTH - 120):.1f}" y="{y + 4:.1f}">'
                f"{'bought' if fill.sign > 0 else 'sold'} {priced(fill.price)}</text>"
            )
    first, last = HOME.local(minutes[0].bar.start), HOME.local(minutes[-1].bar.end)
    words = f"{first:%H:%M} to {last:%H:%M} {HOME.name}; blue the closes, orange VWAP of the session"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(drawn)}</svg><p>{escaped(words)}</p>'


def _levels(told: TradeExplained) -> list[tuple[str, Decimal]]:
    """Return the stop and target of its first order."""
    first = told.story.orders[0] if told.story.orders else None
    if first is None:
        return []
    return [(name, price) for name, price in (("stop", first.stop), ("target", first.target)) if price is not None]


class _Scale:
    """Maps an instant and a price to chart coordinates."""

    def __init__(self, minutes: Sequence[Minute], low: Decimal, high: Decimal) -> None:
        self._first, self._last = minutes[0].bar.start, minutes[-1].bar.end
        self._low, self._span = low, (high - low) or Decimal(1)

    def x(self, at: datetime) -> float:
        return (at - self._first) / (self._last - self._first) * WIDTH

    def y(self, price: Decimal) -> float:
        return HEIGHT - PAD - float((price - self._low) / self._span) * (HEIGHT - 2 * PAD)

    def curve(self, points: Sequence[tuple[datetime, Decimal]], colour: str) -> str:
        places = " ".join(f"{self.x(at):.1f},{self.y(price):.1f}" for at, price in points)
        return f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{places}"/>'
