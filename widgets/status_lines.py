"""The permanent lines at the top: status with connections, and banners.

States differ by shape and word, not by colour alone. Without connections, as on the simulated exchange, nothing is
shown. The banner of a killed desk begins with KILLED (OP-07).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice

from core.model.account import Channel, ConnectionState, ConnectionStatus, Mode
from core.model.codes import DeskState
from core.model.desk import DeskNumber
from core.model.entry_blocks import EntryCause
from core.model.order import StopHolder
from core.model.order_terms import OWED
from core.model.values import Money, plain
from core.views import IN_DOUBT, WARNED, DeskView, KeyView, ProposalRow, StatusView
from widgets import format as f
from widgets.lines import Cell, Lines, TextLine, Tone, joined, spread
from widgets.pane import WithoutEngine

SHAPES: Mapping[ConnectionState, str] = {
    ConnectionState.UP: "●",
    ConnectionState.POLLING: "◐",
    ConnectionState.SILENT: "◐",
    ConnectionState.CONNECTING: "○",
    ConnectionState.DOWN: "○",
    ConnectionState.REFUSED: "×",
}
CALM = frozenset({ConnectionState.UP, ConnectionState.CONNECTING})
MEANS: Mapping[tuple[Channel, ConnectionState], str] = {
    (Channel.BROKER, ConnectionState.DOWN): "no entry can leave; exits and cancels are tried",
    (Channel.DATA, ConnectionState.POLLING): "bars and quotes are asked for meanwhile",
    (Channel.DATA, ConnectionState.SILENT): "bars and quotes are asked for meanwhile",
    (Channel.DATA, ConnectionState.DOWN): "no bar comes; no strategy can see one",
    (Channel.TRADES, ConnectionState.POLLING): "orders are asked for meanwhile",
    (Channel.TRADES, ConnectionState.SILENT): "orders are asked for meanwhile",
    (Channel.TRADES, ConnectionState.DOWN): "fills are heard late, by asking",
}
"""The consequence for the operator, if the words of the status do not state it."""


def connections_in_brief(connections: Sequence[ConnectionStatus], *, is_wide: bool) -> TextLine:
    """Format `● trades  ● data`; on a narrow terminal only unhealthy connections."""
    shown = [connection for connection in connections if is_wide or connection.state not in CALM]
    cells: list[Cell] = []
    for connection in shown:
        word = (
            connection.line.value
            if connection.state is ConnectionState.UP
            else f"{connection.line.value} {connection.state.value.upper()}"
        )
        word += f", {len(connection.polled)} polled" if connection.polled else ""
        cells.append(Cell(f"{SHAPES[connection.state]} {word}  ", "" if connection.state in CALM else "warning"))
    return tuple(cells)


def connections_in_words(connections: Sequence[ConnectionStatus], now: datetime, width: int) -> list[TextLine]:
    """Describe each unhealthy connection: since when, the number of attempts, the error and its consequence."""
    lines: list[TextLine] = []
    for connection in connections:
        if connection.state in CALM and not connection.words:
            continue
        tried = f", try {connection.tries}" if connection.tries > 1 else ""
        what = "; ".join(filter(None, (connection.words, MEANS.get((connection.line, connection.state), ""))))
        state = "" if connection.state is ConnectionState.UP else f" {connection.state.value}"
        head = f"{connection.line.value.upper()}{state} for {f.span(now - connection.since)}{tried}"
        text = f"{head}: {what}" if what else head
        lines += [(Cell(part, "warning"),) for part in textwrap.wrap(text, width, max_lines=2, placeholder=" …")]
    return lines


WIDE = 100
NEAR = Decimal("1.05")
"""What equity may gain before its line is laid out again."""
WITH_PERCENT = 3
"""The first forms of the account's figures, which have the day's change in percent too."""
APART = 2
"""Cells between the left and right part of the first line, so that they do not read as one sentence."""
NEWS_AFTER = timedelta(seconds=5)
"""The account is polled once a minute; older figures show their age."""
AGE = len("59 s old")
"""Cells kept for the age of the equity."""


class StatusLines(Lines):
    """Two lines and the banners; its height grows with them."""

    place = ""
    """The host of the engine; empty for this one."""

    not_heard = ""
    """A pressed halt or kill that the engine has not received; empty otherwise."""

    kill_key = ""
    """The kill key that arrives from this keyboard."""

    def show_state(self, text: str, width: int, tone: Tone = "") -> None:
        """Show the progress before the first view arrives."""
        owed = _whole(self.not_heard, width, "urgent") if self.not_heard else []
        self.show([spread((Cell("KEYTURN", "strong"),), (), width), (Cell(text, tone),), *owed])

    def show_desk(
        self,
        view: DeskView,
        now: datetime,
        width: int,
        without_engine: WithoutEngine | None,
        desk: DeskNumber | None = None,
    ) -> None:
        """Show the status lines.

        `without_engine` is set while no engine receives this desk's input; `desk` is the number of this desk, None for
        the only desk inside the engine's process.
        """
        status = view.status
        is_heard = without_engine is None
        key = key_in_words(status.key, desk, now) if desk is not None and is_heard else ""
        is_ours = status.key.is_held_by(desk)
        first = first_line(status, now, width, key if is_ours else "", self.place, is_heard=is_heard)
        lines = [first, *account_lines(status, now, width, is_heard=is_heard)]
        if key and not is_ours:
            lines += _whole(key, width, "warning")
        elif len(status.key.desks) > 1 and key not in joined(first):
            lines += _whole(key, width, "")
        if self.not_heard:
            lines += _whole(self.not_heard, width, "urgent")
        if without_engine is not None:
            lines += _whole(without_engine.words, width, "urgent")
        watches = desk is not None and not is_ours
        self.show([*lines, *_banners(view, now, width, self.kill_key, watches=watches)])


def key_in_words(key: KeyView, desk: DeskNumber, now: datetime) -> str:
    """Format `control: this desk`, `control: eve on pts/3 from 10.0.0.7 since 10:51, T takes it`, or `nobody`."""
    holder = key.holder
    if holder is None:
        return "control: nobody, T takes it"
    if key.is_held_by(desk):
        watching = len(key.desks) - 1
        return (
            f"control: this desk, {watching} more watch{'es' if watching == 1 else ''}"
            if watching
            else "control: this desk"
        )
    if key.away_until is not None:
        left = f.countdown(key.away_until, now)
        return f"control: {holder.seat.in_words}, LINK LOST, kept for it {left}; T takes it"
    since = f" since {f.minute_of_week(key.since, now)}" if key.since is not None else ""
    return f"control: {holder.seat.in_words}{since}; T takes it"


def first_line(
    status: StatusView, now: datetime, width: int, key: str = "", place: str = "", *, is_heard: bool = True
) -> TextLine:
    """Return the first line; without an engine its clock stops at the last message, and ages keep growing."""
    account = f"{status.account} on {place}" if place else status.account
    is_live = status.mode is Mode.LIVE
    paper = " PAPER, FRICTIONS " if status.has_frictions else " PAPER "
    badge = Cell(" LIVE, REAL MONEY " if is_live else paper, "urgent" if is_live else "strong")
    if status.market_closes_at is not None:
        market = f"open {f.long_span(status.market_closes_at - now)}"
    elif status.market_opens_at is not None:
        market = f"CLOSED, opens in {f.long_span(status.market_opens_at - now)}"
    else:
        market = "CLOSED"
    profile = f"  {status.profile}" if width >= WIDE else ""
    left = (Cell("KEYTURN ", "strong"), badge)
    connections = connections_in_brief(status.connections, is_wide=width >= WIDE)
    right = (*connections, *_data(status, now))
    now = now if is_heard else status.at
    time = f"{f.weekday_clock(now)} {f.PLACE}"
    room = width - len(joined(left)) - len(joined(right)) - APART
    brief = f"{f.day_clock(now)} {f.PLACE_IN_SHORT}"
    whole, *shorter = (
        f" {account}{profile}  {time}, {market}",
        f" {account}  {brief}, {market}",
        f" {account}  {f.day_clock(now)} {f.PLACE}",
        f" {f.day_clock(now)} {f.PLACE}",
    )
    if status.market_closes_at is None:  # at every size: old data is then old because the market is closed
        last = (f" {f.day_clock(now)} CLOSED", f" {f.clock(now)} CLOSED", " CLOSED")
        shorter = [*shorter[:1], *(f"{text}, CLOSED" for text in shorter[1:]), *last]
    texts = (whole, *shorter)
    if key:
        texts = (
            f"{whole}  {key}",
            *((f" {account}  {brief}, {market}  {key}",) if width >= WIDE else ()),
            *((f" {account}  {f.day_clock(now)} {f.PLACE}  {key}",) if ", " in key else ()),
            *texts,
        )
    return spread((*left, Cell(next((text for text in texts if len(text) <= room), texts[-1]))), right, width)


def _data(status: StatusView, now: datetime) -> TextLine:
    """Format `data 34 s, bars`, or `data STALE 3 m, bars` if it is older than minute bars explain."""
    if status.quote_at is None:
        return (Cell("no data yet", "muted"),)
    is_stale = now - status.quote_at > f.STALE_AFTER
    word = "data STALE" if is_stale else "data"
    return (Cell(f"{word} {f.whole_age(status.quote_at, now):>5}, {status.feed}", "warning" if is_stale else ""),)


def account_lines(status: StatusView, now: datetime, width: int, *, is_heard: bool = True) -> list[TextLine]:
    """Return the account lines.

    Unsettled or borrowed money takes a separate line if there is no room; no figure is cut. Whether orders may leave is
    not stated while the engine is away.
    """
    margin = Cell(margin_in_words(status), "warning" if status.is_margin_near else "")
    unsettled = f", {f.money(status.unsettled)} unsettled" if status.unsettled else ""
    entries = Cell("ENTRIES SHUT", "warning") if status.entries_shut else Cell("ENTRIES ON")
    if _off(status):
        entries = Cell("ENTRIES OFF", "warning")
    exits = Cell("EXITS ON") if status.exits_refused is None else Cell("EXITS OFF", "urgent")
    right = (entries, Cell("  "), exits) if is_heard else (Cell(f"AS OF {f.clock(status.at)}", "warning"),)
    room = width - len(joined(right)) - 1
    lines = list(_accounts(status, now, width))
    risk = risk_in_words(status)
    left = next((line for line in lines if len(joined(line)) <= room), None)
    if width >= WIDE and margin.text and (whole := _with_margin(status, now, unsettled, room)) is not None:
        return [spread(whole, right, width)]
    if width >= WIDE and (roomy := next((line for line in lines if len(joined(line)) + len(risk) <= room), None)):
        left, risk = (*roomy, Cell(risk)), ""
    power = Cell(f"buying power {f.money(status.buying_power)}{unsettled}", "muted")
    if left is None:
        return [spread(_without_power(status, now), right, width), (power, margin)]
    if len(joined(left)) + len(unsettled) + len(margin.text) <= room:
        return [spread((*left, Cell(unsettled), margin), right, width)]
    if margin.text:
        return [spread(left, right, width), (Cell(margin.text.strip(), margin.tone), Cell(risk))]
    return [spread(left, right, width), *([(power,)] if unsettled else [])]


def _with_margin(status: StatusView, now: datetime, unsettled: str, room: int) -> TextLine | None:
    """Return every figure in one line with the margin, in the first words for which there is room."""
    tone: Tone = "warning" if status.is_margin_near else ""
    risks = (risk_in_words(status), risk_in_words(status, in_dollars=False))
    forms = [*islice(_accounts(status, now, WIDE), WITH_PERCENT), _tight(status, now)]
    lines = [
        (*form, Cell(unsettled), Cell(risk), Cell(words, tone))
        for risk in risks
        for words in _margins(status)
        for form in forms
    ]
    return next((line for line in lines if len(joined(line)) <= room), None)


def _tight(status: StatusView, now: datetime) -> TextLine:
    """Format `equity 200.00 (17 s) day −12.00, −6.00 % power 200.00`; a figure that grows moves the next."""
    day = f"{f.signed(status.day_change)}, {f.signed_percent(status.day_fraction)}"
    return (
        *_equity(status, now, is_tight=True),
        Cell(" day ", "muted"),
        Cell(day, f.tone_of(status.day_change)),
        Cell(" power ", "muted"),
        Cell(f.money(status.buying_power)),
    )


def what_stops_entries(status: StatusView) -> str:
    """Return why the status line does not say ENTRIES ON; empty if it does."""
    if off := _off(status):
        return f"entries stay off: {off}"
    return f"entries stay blocked: {status.entries_shut}" if status.entries_shut else ""


def _off(status: StatusView) -> str:
    if status.entries_refused is not None:
        return status.entries_refused
    return next((block.words for block in status.blocks if block.cause in UNREACHED), "")


def margin_in_words(status: StatusView) -> str:
    """Format the distance to the maintenance margin while margin is used; capitals warn (RK-14)."""
    return _margins(status)[0]


def _margins(status: StatusView) -> Sequence[str]:
    distance = status.margin_distance
    if distance is None:
        return ("",)
    if distance < 0:
        return (f"  MARGIN {f.percent(-distance)} UNDER maintenance",)
    words = ("EXCESS LIQUIDITY", "EXCESS") if status.is_margin_near else ("excess liquidity", "excess")
    return tuple(f"  {each} {f.percent(distance)}" for each in words)


def risk_in_words(status: StatusView, *, in_dollars: bool = True) -> str:
    """Format `at risk 283 USD, 0.3 of 15 %` of equity, if every stop filled now (RK-21); empty without equity."""
    if status.at_risk is None or status.risk_budget is None:
        return ""
    has_dollars = in_dollars and status.lost_at_stops is not None
    dollars = f"{status.lost_at_stops:,.0f} USD, " if has_dollars else ""
    return f"  at risk {dollars}{status.at_risk * 100:.1f} of {plain(status.risk_budget * 100)} %"


def _accounts(status: StatusView, now: datetime, width: int) -> Iterator[TextLine]:
    """Yield `equity 200.00 17 s old  day −12.00, −6.00 %  power 200.00` in ever shorter forms.

    If there is room, each figure is as wide as the equity, so that none moves another.
    """
    cells = _cells(status)
    percent = f.signed_percent(status.day_fraction)
    power = "  buying power " if width >= WIDE else "  power "
    for part, wide, unit, gap in (
        (f", {percent:>8}", cells, "USD ", "  "),
        (f", {percent:>8}", cells, "USD ", " "),
        (f", {percent:>8}", cells, "", " "),
        ("", cells, "USD ", "  "),
        ("", cells, "USD ", " "),
        ("", cells, "", " "),
        ("", 0, "", " "),
    ):
        day = f"{f.signed(status.day_change):>{wide}}{' USD' if width >= WIDE else ''}{part}"
        yield (
            Cell(unit, "muted"),
            *_equity(status, now),
            Cell(f"{gap}day ", "muted"),
            Cell(day, f.tone_of(status.day_change)),
            Cell(power, "muted"),
            Cell(f"{f.money(status.buying_power):>{wide}}"),
        )


def _cells(status: StatusView) -> int:
    """Return the width of the equity and of a few percent more, so that nothing moves when it gains a digit."""
    return len(f.money(status.equity if status.equity is None else Money(status.equity * NEAR)))


def _without_power(status: StatusView, now: datetime) -> TextLine:
    day = Cell(f.signed(status.day_change), f.tone_of(status.day_change))
    return (Cell("USD ", "muted"), *_equity(status, now), Cell("  day ", "muted"), day)


def _equity(status: StatusView, now: datetime, *, is_tight: bool = False) -> TextLine:
    """Return the equity, with its age once that matters; the space for the age is reserved."""
    age = ""
    tone: Tone = "muted"
    if status.equity_at is not None and now - status.equity_at > NEWS_AFTER:
        age = f.short_age(status.equity_at, now)
        age = f"({age})" if is_tight else f"{age} old"
        tone = "warning" if now - status.equity_at > f.STALE_AFTER else "muted"
    equity = Cell(f"{f.money(status.equity):>{_cells(status)}}", "strong")
    return (Cell("equity ", "muted"), equity, Cell(f" {age}" if is_tight else f" {age:>{AGE}}", tone))


def _left(view: DeskView) -> tuple[str, str]:
    """Return the orders and positions still open on a killed desk, in whole words and in few."""
    entries, held = view.kill.cancelled_by_kill, len(view.positions)
    stops = sum(IN_DOUBT not in row.marks for row in view.kill.stops_working)
    positions = f"{held} position{'s' * (held != 1)}" if held else "no position"
    working = f"{entries} {'entry works' if entries == 1 else 'entries work'}, " if entries else ""
    named = f"{stops} stop{'s' * (stops != 1)}"
    few = f"{entries} {'entry' if entries == 1 else 'entries'}, {named}, {positions}"
    if not stops:
        return f"{working}{positions}{', no stop' if held else ''}", few
    return f"{working}{named} at the broker for {positions}", few


def _whole(text: str, width: int, tone: Tone) -> list[TextLine]:
    """Wrap at word boundaries to at most two lines."""
    return [(Cell(part, tone),) for part in textwrap.wrap(text, width, max_lines=2, placeholder=" …")]


def _first_that_fits(heads: Sequence[str], way_out: str, width: int) -> str:
    """Return the longest head that fits before `way_out`, which always ends the line."""
    fitting = (f"{head} {way_out}" for head in heads if len(head) + 1 + len(way_out) <= width)
    return next(fitting, f"{heads[-1]} {way_out}")


def halts_in_words(status: StatusView) -> str:
    """Format `by you; invariant: …`."""
    return "; ".join(halt.in_words for halt in status.halts)


def _shouted(status: StatusView, refusal: str) -> str:
    """Format `READ-ONLY: …`, `BREAKER: …`."""
    state = "breaker:" if status.refused_by_breaker else ""
    state = "read-only:" if status.word is DeskState.READ_ONLY else state
    return state.upper() + refusal.removeprefix(state)


def _doubted(view: DeskView, width: int) -> list[TextLine]:
    """Name the entries in doubt; closing orders in doubt are named as UNCOVERED (EX-06)."""
    rows = [row for row in view.orders if IN_DOUBT in row.marks and not row.effect.only_reduces]
    named = [f"{f.side_word(row.side)} {f.quantity(row.quantity)} {row.symbol}" for row in rows]
    return _named(("IN DOUBT {}: the broker is asked", "IN DOUBT {}"), named, "Orders shows it", width)


def _warned(view: DeskView, now: datetime) -> list[TextLine]:
    """Name the order accepted with an unconfirmed warning that is cancelled first (OP-11)."""
    rows = [row for row in view.orders if WARNED in row.marks]
    if not rows:
        return []
    first = min(rows, key=lambda row: row.taken_back_at or datetime.max.replace(tzinfo=UTC))
    does = f"{f.side_word(first.side)} stop" if first.is_protective else f.doing(first.side, first.effect)
    what = f"{does} {f.quantity(first.quantity)} {first.symbol}"
    fate = "it stands" if first.taken_back_at is None else f"cancelled in {f.countdown(first.taken_back_at, now)}"
    more = f", {len(rows) - 1} more" if len(rows) > 1 else ""
    return [(Cell(f"BROKER WARNS  {what}, {fate}{more}", "warning"), Cell("   W in Orders", "muted"))]


def _owed(view: DeskView, now: datetime, width: int) -> list[TextLine]:
    """Name shares whose ticket had a stop and that have had none for seconds, one line each (EX-22)."""
    lines: list[TextLine] = []
    for row in view.positions:
        if row.calls_a_person and row.owed_since is not None and row.owed_why is not None:
            what = f"STOP OWED {row.symbol} {f.quantity(row.owed)} for {f.count_up(row.owed_since, now)}"
            lines += _whole(f"{what}: {OWED[row.owed_why]}", width, "urgent")
    return lines


def _uncovered(view: DeskView, width: int) -> list[TextLine]:
    """Name unprotected shares and shares in doubt, one line each (EX-13)."""
    unprotected = [
        f"{row.symbol} {f.quantity(row.unprotected)}"
        for row in view.kill.uncovered
        if row.unprotected and not row.idle and not row.held_by_others and not row.calls_a_person
    ]
    idle = [
        f"{row.symbol} {f.quantity(row.unprotected)} {row.idle}"
        for row in view.kill.uncovered
        if row.idle and row.unprotected and not row.calls_a_person
    ]
    rows = [row for row in view.kill.uncovered if row.doubt]
    doubted = [f"{row.symbol} {f.quantity(row.in_doubt)} {row.doubt} in doubt" for row in rows]
    resting = [row for row in view.positions if row.acts_from is not None and row.holder is StopHolder.BROKER]
    rest = [f"{row.symbol} {f.quantity(row.covered)}" for row in resting if not row.is_closing]
    limited = [f"{row.symbol} {f.quantity(row.at_limit)}" for row in view.kill.uncovered if row.at_limit]
    gives, shows, back = "m in Positions gives one, c closes", "Orders shows it", "d in Orders: its stop returns"
    return [
        *_named(("UNCOVERED {}: no stop at the broker", "UNCOVERED {}: no stop"), unprotected, gives, width),
        *_named(("UNCOVERED {}: it covers nothing", "UNCOVERED {}"), idle, "c closes", width),
        *_named(
            ("UNCOVERED {}: an exit waits at its limit, no stop", "UNCOVERED {}: at its limit"), limited, back, width
        ),
        *_named(("UNCOVERED {}: the broker is asked", "UNCOVERED {}"), doubted, shows, width),
        *_named(("UNCOVERED {} until the open: its stop rests", "UNCOVERED {}: rests"), rest, "limits act now", width),
    ]


def _named(texts: tuple[str, str], names: Sequence[str], way_out: str, width: int) -> list[TextLine]:
    """Name as many as fit and count the others, or use the shorter text; `way_out` ends the line."""
    if not names:
        return []
    long, short = texts
    room = width - len(f"   {way_out}")
    some = [f"{', '.join(names[:count])}, {len(names) - count} more" for count in range(len(names) - 1, 0, -1)]
    heads = [long.format(", ".join(names)), *(short.format(text) for text in (", ".join(names), *some, len(names)))]
    head = next((head for head in heads if len(head) <= room), heads[-1])
    return [(Cell(head, "warning"), Cell(f"   {way_out}", "muted"))]


def _at_the_key(key: KeyView, does: str) -> str:
    """Format `eve on pts/4 resumes`."""
    return f"who takes the key (T) {does}" if key.holder is None else f"{key.holder.seat.in_words} {does}"


def _halted(view: DeskView, now: datetime, width: int, kill_key: str, *, watches: bool) -> list[TextLine]:
    """Return the halt's line: the entries that may still fill and the key that cancels them, else how it ends."""
    status = view.status
    since, why = f"HALTED since {f.dated_clock(status.halted_at, now)}", halts_in_words(status)
    heads: tuple[str, ...]
    heads = (f"{since} {why}. No entries.", f"{since} {why}.", f"{since}. No entries.", f"{since}.")
    is_ours = all(halt.is_of_key for halt in status.halts)
    way_out = f"{kill_key}, then U resumes" if is_ours else f"{kill_key}: the way out"
    way_out = _at_the_key(status.key, "resumes") if watches else way_out
    if count := view.kill.cancelled_by_kill:
        may_fill = f"{count} {'entry still works' if count == 1 else 'entries still work'} and may fill."
        heads = (f"{since} {why}. No new entries; {may_fill}", f"{since} {why}. {may_fill}", f"{since}. {may_fill}")
        heads += (heads[-1].replace(" since", ""), f"{since.replace(' since', '')}. {may_fill}")
        way_out = f"{kill_key}, K cancels {'it' if count == 1 else 'them'}"
    head = _first_that_fits(heads, way_out, width)
    because = [] if why in head or why == "by you" else _whole(f"because {why}", width, "warning")
    return [(Cell(head, "urgent"),), *because]


UNREACHED = frozenset({EntryCause.LINK, EntryCause.ACCOUNT})
"""Causes at the broker: entries are off, and a line about the connection or the account says more."""
ALSO = frozenset(
    {EntryCause.READ_ONLY, EntryCause.SETTINGS_FILE, EntryCause.CLOCK, EntryCause.BREAKER, EntryCause.MODE}
)
"""Causes that get a line of their own beside a graver one."""


def _banners(view: DeskView, now: datetime, width: int, kill_key: str, *, watches: bool = False) -> list[TextLine]:
    """Return the banners; a watching desk is told who can end the halt, because its own keys cannot."""
    status = view.status
    lines: list[TextLine] = []
    if status.killed_by is not None:
        since, by = f"KILLED since {f.dated_clock(status.killed_at, now)}", f" by {status.killed_by}"
        left, few = _left(view)
        at = since.replace(" since", "")
        heads: tuple[str, ...] = (
            *(f"{since}{by}: {left}.", f"{since}: {left}.", f"{at}: {left}.", f"{since}: {few}."),
            *(f"{since}{by}.", f"{since}."),
        )
        way_out = _at_the_key(status.key, "re-arms") if watches else f"{kill_key}, type REARM"
        lines.append((Cell(_first_that_fits(heads, way_out, width), "urgent"),))
        if view.kill.unread:
            named = "; ".join(row.words for row in view.kill.unread)
            lines += _whole(f"MAY OPEN, cancel it at the broker: {named}", width, "urgent")
    elif status.halts:
        lines += _halted(view, now, width, kill_key, watches=watches)
    elif status.word is DeskState.STARTING:
        lines.append((Cell("STARTING: comparing the books with the broker; nothing is sent before.", "strong"),))
    elif status.entries_refused is not None:
        lines += _whole(_shouted(status, status.entries_refused), width, "warning")
    for block in status.blocks:
        if block.cause in ALSO and block.words != status.entries_refused:
            lines += _whole(f"ALSO {block.words}", width, "warning")
    if status.held_by_clock:
        named = ", ".join(status.held_by_clock)
        lines += _whole(f"CLOCK IN DOUBT: signed exits of {named} wait for your key", width, "urgent")
    lines += _owed(view, now, width)
    lines += _uncovered(view, width)
    for row in view.kill.uncovered:
        if row.held_by_others:
            unprotected = f"UNCOVERED {row.symbol} {f.quantity(row.unprotected)} by this desk"
            lines += _whole(f"{unprotected}: {row.held_by_others}", width, "warning")
    lines += connections_in_words(status.connections, now, width)
    if status.disk is not None:
        lines += _whole(f"DISK: {status.disk}", width, "urgent")
    lines += _doubted(view, width)
    lines += _warned(view, now)
    exits = [row for row in view.proposals if row.is_urgent]
    if exits:
        first = exits[0]
        more = f", {len(exits) - 1} more" if len(exits) > 1 else ""
        words, tone = _exit_in_words(view, first)
        waited = f", {f.count_up(first.staged_at, now)}{more}"
        lines.append((Cell(f"!  {words.format(waited=waited)}", tone), Cell("   ! opens it", "muted")))
    return lines


def _exit_in_words(view: DeskView, row: ProposalRow) -> tuple[str, Tone]:
    """Return the text with a place for `waited`; of a new stop or target also what works until its key."""
    quantity = f"{f.quantity(row.quantity)} {row.symbol}"
    if not (row.type.trails or row.is_target):
        return f"EXIT WAITS  {f.doing(row.side, row.effect)} {quantity}{{waited}}", "warning"
    asks = (
        f"{'TARGET' if row.is_target else 'NEW STOP'} AWAITS {row.confirming_key}  {f.side_word(row.side)} {quantity}"
    )
    held = next((p for p in view.positions if (p.symbol, p.strategy) == (row.symbol, row.strategy)), None)
    if held is None or held.holder is not StopHolder.BROKER:
        return f"{asks}{{waited}}; no stop works now", "warning"
    stays = f"{f.stop_sign(held)}{f.price(held.stop_price)} still works"
    return f"{asks}{{waited}}; {'stop ' if row.is_target else ''}{stays}", "strong"
