"""Details of a row for Enter: every field in words, with unit and age (RK-27, OP-12, OP-06, EX-16, EX-17)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from console.keymap import written
from core.model.account import PERCENTILES, LatencySpan
from core.model.bar import on_one_exchange
from core.model.draft import agent_word
from core.model.holding import Health
from core.model.news import earnings_in_words, source_and
from core.model.order import LegRole, StopHolder, StopKnown
from core.model.order_terms import OWED
from core.model.values import ClientOrderId, Fraction, Symbol, percent, plain
from core.views import (
    IN_DOUBT,
    AwayView,
    DayRow,
    DeskView,
    LogRow,
    OrderRow,
    OtherOrderRow,
    PositionRow,
    ProtectionRow,
    RowMark,
    ShadowRow,
    SuspensionView,
    TradeRow,
    WatchRow,
)
from core.views.sums import together
from widgets import format as f
from widgets.format import coming_in_words, short_id, short_ids
from widgets.lines import Cell, TextLine, Tone
from widgets.log import story_of
from widgets.orders import LEGS, OTHER, REFUSAL
from widgets.positions import FOREIGN, LIGHTS
from widgets.proposals import answer_in_words, in_words
from widgets.protections import guard_of
from widgets.ticket_text import quoted, wrapped

Telling = Callable[[DeskView, str, datetime], list[TextLine] | None]
"""Returns the details of a row by its key; None if it is not on the desk."""
WIDTH = 74
"""Width inside the frame of a reading dialog, in cells."""
LABEL = 15
WARNED = ("shut", "invalidated")
"""Lines of a strategy's evaluation that need a look."""
"""Cells of the longest label and its gap."""


def field(label: str, text: str, tone: Tone = "") -> list[TextLine]:
    """Return one field; long text has a hanging indent."""
    return wrapped(f"{label:<{LABEL}}", text, WIDTH, tone)


def usd(text: str) -> str:
    """Append the unit to a figure; a dash stays a dash."""
    return text if text == f.UNKNOWN else f"{text} USD"


def instant(at: datetime | None, now: datetime) -> str:
    """Format `10:51:07 London, 12 s ago`."""
    return f.UNKNOWN if at is None else f"{f.dated_clock(at, now)} {f.PLACE}, {f.age(at, now)} ago"


def ahead(at: datetime | None, now: datetime) -> str:
    """Format `15:45:00 London, in 4:12:00`."""
    return f.UNKNOWN if at is None else f"{f.dated_clock(at, now)} {f.PLACE}, in {f.countdown(at, now)}"


BEFORE = 16
"""Cells of the kind before the text of an event."""


def away(view: DeskView, _key: str, now: datetime) -> list[TextLine]:
    """Return the period, the number of events of each kind, and the events in order."""
    if view.away is None:
        return []
    until = "now" if view.away.until is None else f.dated_clock(view.away.until, now)
    period = f"no desk from {f.dated_clock(view.away.since, now)} to {until}"
    lines: list[TextLine] = [(Cell(period, "strong"),), (Cell(_counts(view.away)),)]
    for row in view.away.rows:
        lines += wrapped(f"{f.dated_clock(row.at, now)}  {row.kind:<{BEFORE}}", short_ids(row.words), WIDTH)
    left = sum(count for _, count in view.away.counts) - len(view.away.rows)
    return [*lines, *([(Cell(f"{left} more; the log has them", "muted"),)] if left else [])]


def _counts(away: AwayView) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in away.counts) or "nothing happened"


STATES = {
    SuspensionView.TRIPPED: "TRIPPED: no entry is staged",
    SuspensionView.FULL: "FULL: what it allows is used up; no further entry is staged",
    SuspensionView.CLOSED: "CLOSED: no entry is staged until it opens",
}


def protection(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.protections if row.key == guard_of(key)), None)
    if row is None:
        return _entries(view) if key == "entries" else None
    state = STATES[row.word] if row.is_tripped else "clear: entries pass it"
    if row.passes_overridden:
        state = "OVERRIDDEN: entries pass it by your word alone"
    return [
        *field("protection", row.name, "strong"),
        *field("state", state, "warning" if row.has_tripped or row.overridden else ""),
        *field("measure", row.measure),
        *(field("used", f"{f.percent(row.used)} of its limit") if row.used is not None else ()),
        *field("what, and why", row.reason),
        *field("tripped" if row.overridden else "since", _since(row, now)),
        *_overridden(row, now),
        *field("until", ahead(row.until, now) if row.until is not None else "it does not end by itself"),
        (),
        *field("exits", "are never held up by it"),
    ]


def _overridden(row: ProtectionRow, now: datetime) -> list[TextLine]:
    """Return the time of the override, and the time from which entries pass."""
    word = row.overridden
    if word is None:
        return []
    begins = ahead(word.begins, now) if word.begins > now else instant(word.begins, now)
    return [*field("overridden", instant(word.at, now)), *field("passes from", begins)]


def _since(row: ProtectionRow, now: datetime) -> str:
    if row.since is not None:
        return instant(row.since, now)
    return "it is not known" if row.is_tripped else "it has not tripped"


def _entries(view: DeskView) -> list[TextLine] | None:
    why = view.status.entries_refused
    return None if why is None else [*field("entries", "off", "warning"), *field("because", why)]


def strategy(view: DeskView, key: str, _now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.strategies if row.key == key), None)
    if row is None:
        return None
    stands = "paused: no entries; it keeps watching its exits" if row.is_paused else "running"
    if row.shut:
        stands = f"{row.shut}; its exits go on"
    if row.is_off:
        stands = "off in the settings: no entries; it keeps watching its exits"
    if row.is_missing:
        stands = "missing: it proposes nothing; what it holds is yours to close, by the close of the day at the latest"
    bars = sum(count for _, count in row.reasons)
    proposed = "a pause, its thesis is invalidated" if row.proposed_pause else row.proposed
    lines = [
        *field("strategy", f"{row.strategy.upper()} on {row.symbol}", "strong"),
        *field("state", stands, "warning" if row.is_paused or row.is_missing or row.shut else ""),
        *field("last answer", f"{answer_in_words(row, view.proposals)}; in {row.times} of {bars} bars of this session"),
        *(field("trouble", row.trouble, "warning") if row.trouble else ()),
        *(field("anomaly", row.anomaly, "warning") if row.anomaly and not row.is_off else ()),
        *(field("proposed", f"{proposed}; + adopts it, - declines it", "strong") if proposed else ()),
    ]
    for number, (name, value) in enumerate(row.figures):
        lines += field("figures" if not number else "", f"{name} {value}")
    for label, words in row.evaluation:
        lines += field(label, words, "warning" if label in WARNED else "")
    lines.append(())
    for number, (reason, count) in enumerate(row.reasons):
        lines += field("its answers" if not number else "", f"{count:>4} of {bars} bars  {in_words(str(reason))}")
    return lines


MARKS: Mapping[RowMark, str] = {
    RowMark.CANCELLING: "its cancel was asked for, and the broker has not said yet that it is gone",
    RowMark.LEAVING: "the broker has a cancel or a replacement of it, and may carry it out only at the next open",
    RowMark.WAITS_TO_BE_SENT: "it has not left this desk: a request before it has no answer yet",
    RowMark.IN_DOUBT: "nobody knows whether the broker has it: it is looked up, and not sent again",
    RowMark.WARNED: "the broker took it and warns; W in Orders confirms that, an entry is cancelled without it",
    RowMark.HALTED: "its exchange has halted the symbol: the order waits there until it trades again",
    RowMark.LATE_FILL: "it was filled after it was thought to be over",
    RowMark.RESTATED: "the terms below are the broker's; those that were sent stand before the arrow",
    RowMark.MORE_THAN_HELD: "less is held than when it was sent: it is reduced or cancelled, and a kill cancels it",
    RowMark.HELD: "the broker holds it back until its entry is filled whole; it guards nothing yet",
}


def order(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    if key.startswith(REFUSAL):
        return _refused(view, key.removeprefix(REFUSAL), now)
    other = next((row for row in view.others if f"{OTHER}{row.id}" == key), None)
    if other is not None:
        return _other(other)
    row = next((row for row in view.orders if row.id == key.removeprefix(LEGS)), None)
    if row is None:
        return None
    a_stop = ", a protective stop" if row.is_protective else ""
    return [
        *field("order", f"{f.doing(row.side, row.effect)} {f.quantity(row.quantity)} {row.symbol}", "strong"),
        *field("id", short_id(row.id)),
        *field("of", (agent_word(row.agent) if row.agent else row.strategy) + a_stop),
        *field("terms", _terms(row)),
        *_lasts(view, row),
        *field("state", short_ids(row.state_in_words) + _works(row)),
        *[
            line
            for mark, words in zip(row.marks, row.marks_in_words, strict=True)
            for line in field(words, MARKS.get(mark, ""), "warning")
        ],
        *[line for words in row.warnings for line in field("the broker", words, "warning")],
        *(field("changed", row.restated, "warning") if row.restated else ()),
        *field("filled", _filled(row)),
        *(field("reason", short_ids(row.reason), "warning") if row.reason else ()),
        (),
        *field("sent", instant(row.created_at, now)),
        *(field("over", instant(row.ended_at, now)) if row.ended_at is not None else ()),
        *(field("cancel at", ahead(row.expires_at, now)) if row.expires_at is not None and not row.ended_at else ()),
        (),
        *field(
            "",
            f"{written('order.why')} in Orders tells why, from its bar to its fills; "
            f"{written('row.copy')} there copies its whole identifier",
        ),
    ]


def _works(row: OrderRow) -> str:
    """Return `, working` for a working order; one in doubt, unsent or held back does not work, as its mark says."""
    stands_by = {RowMark.IN_DOUBT, RowMark.WAITS_TO_BE_SENT, RowMark.HELD}
    return "" if row.status.is_terminal or stands_by.intersection(row.marks) else ", working"


def _lasts(view: DeskView, row: OrderRow) -> list[TextLine]:
    """Return the time in force, its end, and what comes after a stop that ends with its day."""
    held = next((p for p in view.positions if (p.symbol, p.strategy) == (row.symbol, row.strategy)), None)
    then = ""
    if row.is_protective and row.status.is_working and held is not None:
        then = f.after_its_day(row.time_in_force, holds_overnight=held.holds_overnight)
    return field("in force", f"{f.lasting(row.time_in_force, row.ends_at)}{then}")


def _other(row: OtherOrderRow) -> list[TextLine]:
    fate = "a kill takes it back: it could open" if row.may_open else "a kill leaves it: it cannot open"
    if row.is_unread:
        fate = "it may open; a kill names it and leaves it, NAKED takes it back"
    return [
        *field("order", row.words, "strong"),
        *field("id", short_id(ClientOrderId(row.id))),
        *field("of", "not this desk's: it is shown, and left alone"),
        *field("state", row.state),
        *field("kill", fate),
    ]


def _terms(row: OrderRow) -> str:
    words = f.terms(row.terms)
    if not row.type.waits and row.stop_price is not None:
        words += f", stop {f.price(row.stop_price)}"
    for leg in row.legs:
        name = "target" if leg.role is LegRole.TARGET else "stop"
        words += f", with it {name} {f.price(leg.limit_price if leg.role is LegRole.TARGET else leg.stop_price)}"
    prices = (row.limit_price, row.stop_price, row.trail_price)
    return words if prices == (None, None, None) else f"{words} USD a share"


def _filled(row: OrderRow) -> str:
    text = f"{plain(row.filled_quantity)} of {plain(row.quantity)} shares"
    return text if row.average_price is None else f"{text}, {usd(f.price(row.average_price))} a share on average"


def _refused(view: DeskView, sequence: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.refusals if str(row.sequence) == sequence), None)
    if row is None:
        return None
    return [
        *field("refused", instant(row.at, now), "warning"),
        *field("what, and why", short_ids(row.text)),
        *field("record", f"number {row.sequence} of the journal"),
    ]


def record(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.log if str(row.sequence) == key), None)
    if row is None:
        return None
    story = story_of(row)
    steps = [each for each in view.log if story_of(each) == story] if story else []
    if len(steps) > 1 or row.order is not None:
        return _steps(steps, now)
    return [
        *field("at", instant(row.at, now)),
        *field("kind", row.kind, "strong"),
        *field("level, source", f"{row.level}, {row.source}"),
        *field("record", f"number {row.sequence} of the journal" if row.sequence > 0 else "a note, not in the journal"),
        (),
        *field("what", short_ids(row.text)),
    ]


def _steps(rows: Sequence[LogRow], now: datetime) -> list[TextLine]:
    """Return the steps of one log line: the life of an order, or of a proposal without an order."""
    order = next((row.order for row in rows if row.order is not None), None)
    lines = [] if order is None else field("order", short_id(order), "strong")
    lines += [*field("source", ", ".join(dict.fromkeys(row.source for row in rows))), ()]
    for row in rows:
        lines += field(f.dated_clock(row.at, now), f"{short_ids(row.text)} (record {row.sequence})")
    return lines


def trade(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    found = next((row for row in view.trades if key.endswith(row.key)), None)
    if found is not None:
        return _trade(found, now)
    shadow = next((row for row in view.shadows if key.endswith(row.key)), None)
    if shadow is not None:
        return _shadow(shadow)
    day = next((row for row in view.days if row.day.isoformat() == key), None)
    return _day(day) if day is not None else None


def _day(row: DayRow) -> list[TextLine]:
    """Return the closed trades of each strategy on that day; History has its orders and trades."""
    began = f.UNKNOWN if row.equity is None else usd(f.money(row.equity))
    lines = [*field("day", f"{row.day:%A %d %B %Y}", "strong"), *field("began with", began)]
    for each in row.closed:
        said = f"{each.trades} closed, {each.wins} won, {usd(f.arrowed(each.profit).strip())}"
        lines += field(each.strategy, said, f.tone_of(each.profit))
    if (every := together(row.closed)).failed:
        said = f"{every.failed}, {usd(f.arrowed(every.failed_profit).strip())}, in no strategy"
        lines += field("failed", said, f.tone_of(every.failed_profit))
    if row.charged:
        lines += field("fees of the day", f"{usd(f.arrowed(row.charged).strip())}, charged to the account, in no trade")
    return [*lines, *field("its trades", f"{written('pane.history')} turned to this day")]


def _trade(row: TradeRow, now: datetime) -> list[TextLine]:
    held = f.span(row.exit_time - row.entry_time)
    return [
        *field("trade", f"{f.quantity(row.quantity)} {row.symbol} by {row.strategy}", "strong"),
        *field("opened", f"{usd(f.price(row.entry_price))} a share, {instant(row.entry_time, now)}"),
        *field("closed", f"{usd(f.price(row.exit_price))} a share, {instant(row.exit_time, now)}"),
        *(field("part", "the rest is still held; without what the entry cost in fees") if row.is_part else ()),
        *field("because", _because(row)),
        *field("held for", held),
        *field("profit", f"{usd(f.arrowed(row.profit).strip())}{_fees(row)}", f.tone_of(row.profit)),
        *_against_the_intended(row),
        *field("exit order", short_ids(row.key)),
    ]


def _against_the_intended(row: TradeRow) -> list[TextLine]:
    """Return the fills against the prices at the signal, or at the request for it, signed as in Results."""
    told = "better" if row.slippage < 0 else "worse" if row.slippage else "as good"
    return field("vs signal", f"{usd(f.signed(-row.slippage))}, {told} than the last price when it was proposed")


def _fees(row: TradeRow) -> str:
    return f", after fees of {usd(f.money(row.fees))}" if row.fees else ""


def _because(row: TradeRow) -> str:
    """Return the exit reason; for a trade that should have ended earlier also its closing order's purpose (EX-18)."""
    reason, meant = (None if r is None else r.value.lower().replace("_", " ") for r in (row.exit_reason, row.meant))
    return str(reason) if meant is None else f"{reason} of an exit before; it was closed for {meant}"


def _shadow(row: ShadowRow) -> list[TextLine]:
    made = f.UNKNOWN if row.result is None else f"{f.arrowed(row.result).strip()} USD"
    return [
        *field(
            "not taken", f"{f.side_word(row.side)} {f.quantity(row.quantity)} {row.symbol} by {row.strategy}", "strong"
        ),
        *field("because", row.end),
        *field("entry", f"{usd(f.price(row.entry_price))} a share"),
        *field("state", row.state),
        *field("would have made", made, f.tone_of(row.result)),
    ]


UNREAD = "its row of this position cannot be read: our books keep theirs; look at the broker's page"
TRAILS = {
    StopKnown.EXACT: "",
    StopKnown.PASSED: "the last known, it trails the market from there; ",
    StopKnown.GUESSED: "computed, the broker has named no price yet; ",
}
HELD = {
    StopHolder.BROKER: "the broker holds it",
    StopHolder.DESK: "manual stop: press ! when it is hit, nothing at the broker",
    StopHolder.YOU: "none, YOU hold it: nothing at the broker",
}


def position(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    foreign = next((row for row in view.foreign if f"{FOREIGN}{row.symbol}" == key), None)
    if foreign is not None:
        return [
            *field("symbol", foreign.symbol, "strong"),
            *field("kind", f"{foreign.asset_class}: this desk does not trade it"),
            *field("quantity", f.quantity(foreign.quantity)),
            *field("paid", f"{f.price(foreign.average_price)} on average, as the broker tells it"),
            (),
            *field("", "no stop, no price and no risk of it is kept here: watch and close it at the broker"),
        ]
    row = next((row for row in view.positions if row.key == key), None)
    if row is None:
        return None
    in_risk = f.UNKNOWN if row.result_in_risk is None else f"{f.multiple(row.result_in_risk, 2)} R"
    return [
        *field("symbol", row.symbol, "strong"),
        *field("opened by", row.strategy),
        *field("quantity", f"{f.quantity(abs(row.quantity))} shares {'long' if row.quantity > 0 else 'short'}"),
        *field("paid", f"{usd(f.price(row.average_price))} a share on average"),
        *field("last price", f"{usd(f.at_tick(row.last))}, {instant(row.last_at, now)}"),
        *field("open profit", f"{usd(f.arrowed(row.profit).strip())}, {in_risk}", f.tone_of(row.profit)),
        *_light(row.health),
        (),
        *_stop(row),
        *_covered(row),
        *_owed(row, now),
        *(field("broker", UNREAD, "warning") if row.is_unread else ()),
        *(field("held", row.held_by_others, "warning") if row.held_by_others else ()),
        *(field("legs", "live at the broker") if row.has_bracket else ()),
        *_signed(row),
        *_rules(row),
        *_way_out(row),
        *_working(view, row),
        *_coming(view, row.symbol, now),
        (),
        *_health(row.health),
        (),
        *_news(view, row.symbol, now),
    ]


def _light(health: Health) -> list[TextLine]:
    """Say its light with every concern (OT-06)."""
    shape, tone = LIGHTS[health.light]
    concerns = "; ".join(concern.value for concern in health.concerns)
    return field("light", f"{shape} {health.light.value}{': ' if concerns else ''}{concerns}", tone)


def _health(health: Health) -> list[TextLine]:
    """Say its age, and what is left of way, time and volume."""
    here = days_in_words(health.days_here)
    left = health.days_to_time_rule
    rule = "none" if left is None else f"{days_in_words(left)} to it" if left > 0 else "its limit is reached"
    if health.flat_from is not None:
        rule = f"flat today from {f.clock(health.flat_from)[:5]} {f.PLACE}"
    aim = f", to {usd(f.price(health.target))}" if health.target is not None else ""
    unknown_volume = "unknown: too few sessions of its volume are known"
    leaves = f"{f.sessions(health.days_to_leave)} at 10 % of the average volume"
    spread = f"{f.spread(health.spread)} of the middle"
    return [
        *field("held for", here if health.days_held is not None else f"unknown: taken over {here} ago"),
        *field("way to stop", _way(health.way_to_stop, health.way_to_stop_in_r)),
        *field("way to target", f"{_way(health.way_to_target, health.way_to_target_in_r)}{aim}"),
        *field("time rule", rule),
        *field("to leave", unknown_volume if health.days_to_leave is None else leaves),
        *field("spread", "unknown: no current quote" if health.spread is None else spread),
    ]


def _way(way: Fraction | None, in_r: Decimal | None) -> str:
    in_risk = "" if in_r is None else f", {f.multiple(in_r, 1).removeprefix('+')} R"
    return f.UNKNOWN if way is None else f"{f.way(way)} of the price{in_risk}"


def days_in_words(days: int) -> str:
    return f"{days} {'day' if days == 1 else 'days'}"


def _stop(row: PositionRow) -> list[TextLine]:
    price = usd(f.stop_sign(row) + f.price(row.stop_price))
    if "stop" in row.doubt and row.holder is not StopHolder.BROKER:
        return field("stop", f"{price}, in doubt: nobody knows whether the broker holds one", "warning")
    if row.holder is StopHolder.YOU:
        return field("stop", f"{_why_none(row)}{'' if row.stop_price is None else f'; {price} was meant'}", "warning")
    nearer = f"; others at {', '.join(map(f.price, row.nearer_stops))}" if row.nearer_stops else ""
    if (result := row.result_at_stop) is not None:
        nearer = f"; {'lose' if result < 0 else 'gain'} {usd(f.money(abs(result)))} there"
    return [*field("stop", f"{price}, {TRAILS[row.stop_known]}{HELD[row.holder]}{nearer}"), *_stop_lasts(row)]


def _stop_lasts(row: PositionRow) -> list[TextLine]:
    if row.stop_lasts is None:
        return []
    then = f.after_its_day(row.stop_lasts, holds_overnight=row.holds_overnight)
    return field("in force", f"{f.lasting(row.stop_lasts, row.stop_ends_at)}{then}")


def _why_none(row: PositionRow) -> str:
    """Return why there is no stop price; other panes give the same reason in a word."""
    if row.idle:
        return f"{row.idle}: the broker has it, and it covers nothing now"
    if row.at_limit and not row.unprotected:
        return "none while an exit waits at its limit"
    if row.is_closing and not row.unprotected:
        return "none, an exit is on its way: nothing at the broker"
    return HELD[StopHolder.YOU]


def _covered(row: PositionRow) -> list[TextLine]:
    text = f"{plain(row.covered)} of {plain(abs(row.quantity))}, by orders at the broker"
    by_you = f"; {plain(row.unprotected)} by nobody but YOU" if row.unprotected else ""
    by_you += f"; {plain(row.at_limit)} wait at a limit, with no stop" if row.at_limit else ""
    doubted = f"; {plain(row.in_doubt)} in doubt: the {row.doubt} was sent, and not answered" if row.doubt else ""
    return field("covered", text + by_you + doubted, "warning" if by_you or doubted else "")


def _owed(row: PositionRow, now: datetime) -> list[TextLine]:
    """Say since when and why shares lack the stop that their ticket named (EX-22)."""
    if row.owed_why is None or row.owed_since is None:
        return []
    words = f"{plain(row.owed)} since {instant(row.owed_since, now)}: {OWED[row.owed_why]}"
    return field("stop owed", words, "warning")


def _signed(row: PositionRow) -> list[TextLine]:
    """Say whether its exits need a key (OP-06)."""
    if row.unattended_until is None:
        return field("exits", "what is live at the broker needs no key; any other exit needs yours")
    until = f"until {f.clock(row.unattended_until)} {f.PLACE}"
    most = f", each for {plain(row.unattended_most)} shares at most"
    words = f"UNATTENDED: without a key {until}{most}; {written('position.attended')} in Positions asks for your key"
    return field("exits", words, "warning")


def _rules(row: PositionRow) -> list[TextLine]:
    """Say which exit rules watch it, and how that is chosen for a position that no strategy opened."""
    health, key = row.health, written("position.rules")
    choice = "" if health.choice.is_watched is None else f"; {key} in Positions chooses"
    return field("exit rules", f"{health.choice.rules}{choice}", "warning" if health.choice.asks else "")


def _way_out(row: PositionRow) -> list[TextLine]:
    if "exit" in row.doubt:
        return field("close pending", "nobody knows: an exit was sent, and not answered", "warning")
    if row.exit_late_since is not None:
        since, key = f.clock(row.exit_late_since), written("position.attended")
        words = f"the broker has not confirmed a cancel before it since {since} {f.PLACE}; {key} takes it back"
        return field("close pending", words, "warning")
    if row.exit_waits_since is not None:
        since = f.clock(row.exit_waits_since)
        words = f"waits for the broker's limit of requests since {since} {f.PLACE}; its stop stays in force until then"
        return field("close pending", words, "warning")
    return field("close pending", "yes: an exit works, or its stop is being cancelled" if row.is_closing else "no")


def _working(view: DeskView, row: PositionRow) -> list[TextLine]:
    lines: list[TextLine] = []
    for order in view.orders:
        if (order.symbol, order.strategy) == (row.symbol, row.strategy) and order.status.is_working:
            what = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {f.terms(order.terms)}"
            words = f"{what}, {'in doubt' if IN_DOUBT in order.marks else order.status.value}"
            lines += field("working order" if not lines else "", words)
    return lines


def watched(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.watch.rows if row.symbol == key), None)
    if row is None:
        return None
    lists = [each.name for each in view.watch.lists if row.symbol in each.symbols]
    return [
        *field("symbol", row.symbol, "strong"),
        *field("in lists", ", ".join(lists) or "none: it is here while something is held, ordered or proposed"),
        (),
        *_quote(row, now),
        *field("last price", f"{usd(f.at_tick(row.last))}, {instant(row.last_at, now)}"),
        *field("close before", usd(f.at_tick(row.before))),
        *field(
            "change",
            f"{usd(f.arrowed(row.change).strip())}, {f.signed_percent(row.change_fraction)}",
            f.tone_of(row.change),
        ),
        *field("volume today", f"{row.volume:,f} shares{on_one_exchange(row.quote)}, of the minutes that were told"),
        (),
        *field("held", f"{f.quantity(row.held)} shares" if row.held else "nothing"),
        *field("working", f"{row.working} orders of this desk"),
        *_coming(view, row.symbol, now),
        *(line for alert in row.alerts for line in field("alert when", alert)),
        *(field("waits", "an exit waits for your key", "urgent") if row.exit_waits else ()),
        *(field("waits", "an entry waits for your key", "warning") if row.proposed else ()),
        *(field("HALTED", f"by its exchange since {row.halted}", "warning") if row.halted else ()),
        *(field("broker", row.trouble, "warning") if row.trouble else ()),
        (),
        *_news(view, row.symbol, now),
    ]


def _coming(view: DeskView, symbol: Symbol, now: datetime) -> list[TextLine]:
    """Return all announced corporate actions of the symbol, and its next report."""
    found = [each for each in view.actions if each.action.symbol == symbol]
    report = next((each for each in view.earnings if each.report.symbol == symbol), None)
    is_near = report is not None and report.is_near
    return [
        *(line for each in found for line in field("comes", coming_in_words(each), "warning" if each.is_near else "")),
        *field("comes", earnings_in_words(report, f.day_of(now)), "warning" if is_near else ""),
    ]


def _news(view: DeskView, symbol: Symbol, now: datetime) -> list[TextLine]:
    """Return the headlines of the symbol in the last 24 hours, newest first; their text is foreign."""
    news = view.news.of(symbol, now)
    if not news.headlines:
        return field("news", news.note or "none in 24 h", "muted")
    lines = field("news", f"{news.count} in 24 h{f'; {news.note}' if news.note else ''}")
    for each in news.headlines:
        lines += quoted(f"{f.day_before(each.at, now)}{f.minute(each.at)}".ljust(LABEL), source_and(each), WIDTH)
    return lines


def _quote(row: WatchRow, now: datetime) -> list[TextLine]:
    quote = row.quote
    if quote is None:
        return field("quote", "none yet")
    return field("quote", f"{f.at_tick(quote.bid)} × {f.at_tick(quote.ask)} USD, {instant(quote.at, now)}")


NAME, FIGURE = 28, 9
MINUTE = 60


def wire(view: DeskView, _key: str, _now: datetime) -> list[TextLine]:
    found = view.wire
    share = f", {percent(Decimal(found.rejected) / found.sent, 1)} of them" if found.sent else ""
    lines = [
        *field("breaker", found.breaker, "warning" if found.breaker_reason else ""),
        *(field("because", found.breaker_reason) if found.breaker_reason else ()),
        *field("sent today", f"{found.sent}; refused by the broker {found.rejected}{share}"),
        *field("never sent", f"{found.invalid}, refused here by a rule of the broker's"),
        (),
        (Cell(f"{'from … to':<{NAME}}{'orders':>7}" + "".join(f"{f'p{p}':>{FIGURE}}" for p in PERCENTILES), "muted"),),
        *(_span(span) for span in found.spans),
    ]
    if not found.spans:
        lines += field("", "no order was confirmed today")
    odd = [
        (connection.line.value, what, count) for connection in view.status.connections for what, count in connection.odd
    ]
    for number, (line, what, count) in enumerate(odd):
        lines += field("left out" if not number else "", f"{count:>6}  {line}: {what}", "warning")
    lines.append(())
    for number, (endpoint, count) in enumerate(found.calls):
        lines += field("calls" if not number else "", f"{count:>6}  {endpoint}")
    return lines if found.calls else [*lines, *field("calls", "none is counted: the exchange is in this process")]


def _span(span: LatencySpan) -> TextLine:
    figures = "".join(f"{link_in_words(took):>{FIGURE}}" for took in span.percentiles)
    return (Cell(f"{span.name:<{NAME}}{span.orders:>7}{figures}"),)


def link_in_words(took: timedelta) -> str:
    """Format `2.4 ms`, `1.20 s` or `2:05`, with the precision that fits."""
    seconds = took.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < MINUTE:
        return f"{seconds:.2f} s"
    return f"{int(seconds) // MINUTE}:{int(seconds) % MINUTE:02d}"
