"""What a post-mortem says of a trade or a day, as text, JSON and HTML (AN-06)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from core.analytics import charts
from core.analytics.charts import chart
from core.analytics.equity import Part, in_cents, to_the_cent
from core.analytics.presentation import document, escaped, folded, plotted, table
from core.event_text import in_words, kind_of
from core.model.session import HOME
from core.model.signal import EXIT_WORDS
from core.model.staging import CheckResult
from core.model.values import ZERO, Money, plain, priced
from core.ports import Recorded
from core.post_mortem.day_attribution import DayExplained
from core.post_mortem.missed_trades import LetGo
from core.post_mortem.post_mortem import PostMortem, TradeExplained
from core.post_mortem.trade_attribution import Cause, intended

# ── texts and JSON ───────────────────────────────────────────────────────────────────────────────────────────────────
# A post-mortem as lines of text and as JSON; each figure with its records (AN-06).

WIDTH = 70
"""Columns of the plot."""
HIGH = 9
SHOWN = 12
"""The maximum of listed records of a kind on a day's page; more are counted."""


def usd(amount: Decimal | None) -> str:
    """Format an amount in cents, `-41.20`; a dash if unknown."""
    return "–" if amount is None else f"{to_the_cent(amount) or ZERO:+,.2f}"


def instant(record: Recorded) -> str:
    return f"{HOME.local(record.at):%H:%M:%S}"


def lines_of(found: PostMortem, *, is_whole: bool) -> Iterator[str]:
    """Yield the lines of the page. `is_whole` includes the timeline of each trade."""
    for day in found.days:
        yield from _day(day)
    for trade in found.trades:
        yield ""
        yield from _trade(trade, is_whole=is_whole)
    yield from _let_go(found.let_go)
    yield from _listed("data and connection", found.disturbed)


def _made(day: DayExplained) -> str:
    """Return the day's result; of a day without its close, what the parts make so far."""
    if day.change is not None or not day.parts:
        return f"{usd(day.change)} USD"
    return f"{usd(Money(sum((part.amount for part in day.parts), ZERO)))} USD so far"


def _day(day: DayExplained) -> Iterator[str]:
    yield f"{day.day:%A %d %B %Y}: {_made(day)}"
    opening, closing = (("–" if each is None else f"{each:,.2f}") for each in (day.opening, day.closing))
    yield f"  equity {opening} → {closing}"
    yield from _parts(day.parts)
    if day.rest is not None:
        yield f"  {'rest, explained by no record':<36}{usd(day.rest):>12}"
    for note in day.notes:
        yield f"  note: {note}"
    if not day.parts:
        yield "  nothing was held and nothing was traded"


def _parts(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        yield f"  {name_of(part):<36}{usd(part.amount):>12}"


def name_of(part: Part) -> str:
    """Return its name; a slippage above zero is price improvement."""
    return "price improvement" if part.name == Cause.SLIPPAGE and part.amount > ZERO else part.name


def _trade(told: TradeExplained, *, is_whole: bool) -> Iterator[str]:
    trade = told.story.trade
    side = "long" if told.story.is_long else "short"
    yield (
        f"{trade.symbol} {trade.strategy}, {plain(trade.quantity)} {side}: {usd(trade.profit)} USD, "
        f"{EXIT_WORDS[trade.exit_reason][0]} (order {told.story.key[:6]}, record {told.story.record})"
    )
    for fill in told.story.fills:
        at = f"{HOME.local(fill.at):%Y-%m-%d %H:%M:%S}"
        does = "bought" if fill.sign > 0 else "sold"
        yield (
            f"  {at} {does} {plain(fill.quantity)} at {priced(fill.price)}, "
            f"intended {priced(intended(fill))} (record {fill.record})"
        )
    yield from _parts(told.split.parts)
    yield f"  {'in all':<36}{usd(sum((part.amount for part in told.split.parts), ZERO)):>12}"
    if told.best is not None:
        yield f"  while it was held at best {usd(told.best)}, at worst {usd(told.worst)}"
    yield from (f"  note: {words}" for words in told.split.unknown)
    yield from (f"  {line}" for line in chart_of(told))
    yield from (f"  check: {words}" for words in checks_of(told))
    if told.missing:
        yield f"  data: {told.missing} minutes of {trade.symbol} are missing while it was held"
    yield from _listed("data", told.disturbed, "  ")
    yield from _listed("proposed beside it", told.others, "  ")
    if is_whole:
        yield "  its way:"
        yield from (f"    {told_of(record)}" for record in told.timeline)
    else:
        yield f"  its way: {len(told.timeline)} records; `keyturn explain {told.story.key[:8]}` tells them"


def told_of(record: Recorded) -> str:
    return f"{record.sequence:>7} {instant(record)} {kind_of(record.fact):<9} {in_words(record.fact)}"


def checks_of(told: TradeExplained) -> list[str]:
    """Return the number of passed checks of its first order, and the others."""
    first = told.story.orders[0].review if told.story.orders else None
    if first is None:
        return []
    odd = [v for v in first.verdicts if v.standing is not CheckResult.PASSES]
    passed = f"{len(first.verdicts) - len(odd)} of {len(first.verdicts)} passed at confirmation"
    return [passed, *(f"{v.check} {v.standing.value}: {v.reason}" for v in odd)]


def chart_of(told: TradeExplained) -> list[str]:
    """Return a plot of closes with its hours below; empty without recorded bars."""
    if not told.minutes:
        return []
    closes = [float(minute.bar.close) for minute in told.minutes]
    first, last = told.minutes[0].bar.start, told.minutes[-1].bar.end
    span = f"{HOME.local(first):%H:%M} to {HOME.local(last):%H:%M} {HOME.name}"
    return [*plotted(closes, WIDTH, HIGH, lambda price: f"{price:,.2f}"), f"{told.story.trade.symbol}, {span}"]


def _let_go(found: Sequence[LetGo]) -> Iterator[str]:
    """Yield the missed trades, by strategy and one by one."""
    if not found:
        return
    yield f"not taken: {len(found)}"
    for part in made_by_strategy(found):
        yield f"  {part.name + ' would have made':<36}{usd(part.amount):>12}"
    for each in found[:SHOWN]:
        yield f"  {usd(each.would_have_made):>10} {told_of(each.record)}{_left_out(each)}"
    if len(found) > SHOWN:
        yield f"  and {len(found) - SHOWN} more"


def _left_out(each: LetGo) -> str:
    return f"; not followed: {each.state.value}" if each.is_left_out else ""


def made_by_strategy(found: Sequence[LetGo]) -> tuple[Part, ...]:
    """Return the total of each strategy's shadow trades that filled."""
    sums: dict[str, Decimal] = {}
    for each in found:
        if each.would_have_made is not None:
            sums[each.proposal.strategy] = sums.get(each.proposal.strategy, ZERO) + each.would_have_made
    return in_cents(Part(strategy, Money(amount)) for strategy, amount in sums.items())


def _listed(name: str, records: Sequence[Recorded], indent: str = "") -> Iterator[str]:
    if not records:
        return
    yield f"{indent}{name}: {len(records)}"
    yield from (f"{indent}  {told_of(record)}" for record in records[:SHOWN])
    if len(records) > SHOWN:
        yield f"{indent}  and {len(records) - SHOWN} more; `keyturn journal tail` shows every record"


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_json(found: PostMortem) -> dict[str, object]:
    """Return the post-mortem as JSON; amounts as text, in USD and to the cent."""
    changes = [day.change for day in found.days]
    rests = [day.rest for day in found.days]
    return {
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "equity_change": _sum(changes),
        "parts": [part_as_json(part) for part in _together(found.days)],
        "rest": _sum(rests),
        "days": [_day_as_json(day) for day in found.days],
        "trades": [_trade_as_json(trade) for trade in found.trades],
        "not_taken": [
            {
                **_record(each.record),
                "strategy": each.proposal.strategy,
                "symbol": each.proposal.symbol,
                "end": each.end,
                "state": each.state.value,
                "would_have_made": None if each.would_have_made is None else cents(each.would_have_made),
            }
            for each in found.let_go
        ],
        "data": [_record(record) for record in found.disturbed],
    }


def _sum(amounts: Sequence[Money | None]) -> str | None:
    """Return the sum; None if one of them is unknown."""
    known = [amount for amount in amounts if amount is not None]
    return cents(sum(known, ZERO)) if len(known) == len(amounts) else None


def _together(days: Sequence[DayExplained]) -> list[Part]:
    sums: dict[str, Decimal] = {}
    for part in (part for day in days for part in day.parts):
        sums[part.name] = sums.get(part.name, ZERO) + part.amount
    return [Part(name, Money(amount)) for name, amount in sums.items()]


def cents(amount: Decimal) -> str:
    return f"{amount:.2f}"


def part_as_json(part: Part) -> dict[str, str]:
    return {"name": part.name, "amount": cents(part.amount)}


def _day_as_json(day: DayExplained) -> dict[str, object]:
    return {
        "day": day.day.isoformat(),
        "opening": None if day.opening is None else cents(day.opening),
        "closing": None if day.closing is None else cents(day.closing),
        "equity_change": None if day.change is None else cents(day.change),
        "parts": [part_as_json(part) for part in day.parts],
        "rest": None if day.rest is None else cents(day.rest),
        "notes": list(day.notes),
        "is_provisional": day.is_provisional,
    }


def _trade_as_json(told: TradeExplained) -> dict[str, object]:
    trade = told.story.trade
    return {
        "symbol": trade.symbol,
        "strategy": trade.strategy,
        "side": "long" if told.story.is_long else "short",
        "quantity": plain(trade.quantity),
        "entered": trade.entry_time,
        "left": trade.exit_time,
        "reason": trade.exit_reason.value,
        "profit": cents(trade.profit),
        "parts": [part_as_json(part) for part in told.split.parts],
        "unknown": list(told.split.unknown),
        "best": None if told.best is None else cents(told.best),
        "worst": None if told.worst is None else cents(told.worst),
        "record": told.story.record,
        "entry_order": trade.entry_order,
        "exit_order": trade.exit_order,
        "fills": [
            {
                "record": fill.record,
                "at": fill.at,
                "order": fill.order.id,
                "quantity": plain(fill.signed),
                "price": plain(fill.price),
                "intended": plain(intended(fill)),
                "fee": plain(fill.fee),
                "quotes": [
                    {
                        "step": seen.step.value,
                        "record": seen.record,
                        "at": seen.at,
                        "bid": None if seen.bid is None else plain(seen.bid),
                        "ask": None if seen.ask is None else plain(seen.ask),
                    }
                    for seen in fill.order.seen
                ],
            }
            for fill in told.story.fills
        ],
        "checks": checks_of(told),
        "missing_minutes": told.missing,
        "timeline": [_record(record) for record in told.timeline],
        "beside_it": [_record(record) for record in told.others],
        "data": [_record(record) for record in told.disturbed],
    }


def _record(record: Recorded) -> dict[str, object]:
    return {"record": record.sequence, "at": record.at, "words": in_words(record.fact)}


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# A post-mortem as a self-contained HTML file: style and charts are inline, and no network is used.

CHART_HEIGHT = 3.0
"""Inches."""
MORE = (
    "td.n{text-align:right;font-variant-numeric:tabular-nums}.up{background:var(--gain)}.down{background:var(--loss)}"
    ".amounts{width:100%}.amounts td.bar{width:55%;padding-right:0}.bar div{height:.7rem;min-width:1px}"
    ".note{color:#8a6d00}@media(prefers-color-scheme:dark){.note{color:#e3b341}}"
)


def page(found: PostMortem) -> str:
    """Return the complete file."""
    title = f"Keyturn, {found.first}" + (f" to {found.last}" if found.last != found.first else "")
    return document(title, _body(found), MORE + charts.STYLE)


def _body(found: PostMortem) -> Iterator[str]:
    for day in found.days:
        yield from _day_page(day)
    for trade in found.trades:
        yield from _trade_page(trade)
    yield from _let_go_page(found.let_go)
    yield _folded("data and connection", found.disturbed)


def _let_go_page(found: Sequence[LetGo]) -> Iterator[str]:
    if not found:
        return
    yield f"<h3>Not taken: {len(found)}</h3>" + amounts(
        [Part(f"{part.name} would have made", part.amount) for part in made_by_strategy(found)]
    )
    rows = ((usd(each.would_have_made), instant(each.record), each) for each in found)
    yield table([(made, at, f"{in_words(each.record.fact)}{_left_out(each)}") for made, at, each in rows])


def _day_page(day: DayExplained) -> Iterator[str]:
    yield f"<h2>{day.day:%A %d %B %Y}: {_made(day)}</h2>"
    rest = [] if day.rest is None else [Part("rest, explained by no record", day.rest)]
    yield amounts([*day.parts, *rest])
    opening, closing = (("–" if each is None else f"{each:,.2f}") for each in (day.opening, day.closing))
    yield f"<p>Equity {opening} → {closing}</p>"
    yield from (f'<p class="note">{escaped(note)}</p>' for note in day.notes)


def _trade_page(told: TradeExplained) -> Iterator[str]:
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
    for part in whole:
        length = float(abs(part.amount) / most) * 50
        begins = 50 if part.amount >= 0 else 50 - length
        tone = "up" if part.amount >= 0 else "down"
        rows.append(
            f'<tr><td>{escaped(name_of(part))}</td><td class="n">{usd(part.amount)}</td><td class="bar">'
            f'<div class="{tone}" style="margin-left:{begins:.1f}%;width:{length:.1f}%"></div></td></tr>'
        )
    return f'<table class="amounts">{"".join(rows)}</table>'


def _chart(told: TradeExplained) -> str:
    """Return a chart: bars as lines from low to high, closes and VWAP as curves, with fills, stop and target."""
    minutes = told.minutes
    if not minutes:
        return "<p>No bar of it was recorded.</p>"
    at = charts.numbers([minute.bar.start for minute in minutes])
    measured = [(minute.bar.start, float(minute.vwap)) for minute in minutes if minute.vwap is not None]
    fills = [fill for fill in told.story.fills if minutes[0].bar.start <= fill.at <= minutes[-1].bar.end]

    def draw(axes: Any, width: float) -> None:
        axes.vlines(at, [float(m.bar.low) for m in minutes], [float(m.bar.high) for m in minutes], charts.GRID)
        axes.plot(at, [float(m.bar.close) for m in minutes], color=charts.FAINT, label="close")
        if measured:
            axes.plot(charts.numbers([start for start, _ in measured]), [v for _, v in measured], color=charts.SECOND)
            axes.lines[-1].set_label("VWAP")
        for name, price in _levels(told):
            axes.axhline(float(price), color=charts.LOSS if name == "stop" else charts.GAIN, linewidth=1.0, label=name)
        for name, marker, sign in (("bought", "^", 1), ("sold", "v", -1)):
            if its := [fill for fill in fills if fill.sign == sign]:
                places = charts.numbers([fill.at for fill in its])
                prices = [float(fill.price) for fill in its]
                axes.scatter(places, prices, marker=marker, color=charts.FIRST, s=40, label=name, zorder=3)
        charts.dated(axes, width)
        charts.dollars(axes)

    first, last = HOME.local(minutes[0].bar.start), HOME.local(minutes[-1].bar.end)
    words = f"{first:%H:%M} to {last:%H:%M} {HOME.name}. Lines: low to high of each minute."
    return chart(f"trade-{told.story.key}", f"Price of {told.story.trade.symbol}, USD", words, draw, CHART_HEIGHT)


def _levels(told: TradeExplained) -> list[tuple[str, Decimal]]:
    """Return the stop and target of its first order."""
    first = told.story.orders[0] if told.story.orders else None
    if first is None:
        return []
    return [(name, price) for name, price in (("stop", first.stop), ("target", first.target)) if price is not None]
