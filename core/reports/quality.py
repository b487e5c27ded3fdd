"""The quality of data and connections, the actions of the controls, and seconds without a due stop (AN-06, EX-22).

The length of a stream's outage is known if it was to be notified; otherwise there are the missing minutes and the
requests without an answer.

A near miss is a sent order whose check warned of its limit, or whose figure was above `NEAR` of a limit that the
journal has as a number. Most checks give their measurement as text, which is not parsed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from core import facts
from core.facts import StopInForce, StopOwed
from core.model.bar import ONE_MINUTE, Bar
from core.model.codes import OwedReason
from core.model.lazy_dataclass import dataclass
from core.model.notice import NoticeKind
from core.model.session import NoSession, Session
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, Symbol, percent, plain
from core.ports import Recorded
from core.post_mortem.missed_trades import SessionAt, TripKind, said_in
from core.settings.settings import Settings

LATE = timedelta(minutes=1)
"""The delay after its minute that makes a bar late."""
NAMED = 3
"""The maximum of symbols with missing minutes that are named."""
SHORTEST_GAP = 3
"""The minimum number of minutes without any bar that counts as a gap."""


@dataclass(frozen=True, slots=True)
class Noted:
    """One kind of trouble, its count, and the text of the last.

    Attributes
    ----------
    at
        The time of the last, UTC.
    span
        The total duration; None for events without one.
    """

    name: str
    many: int
    words: str
    at: datetime
    span: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of some days.

    Attributes
    ----------
    bars, symbols
        The numbers of complete minutes received, and of their symbols.
    comparisons
        How often the books, or the broker's activities, were compared.
    troubles
        The disturbances.
    """

    bars: int
    symbols: int
    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    comparisons: int
    troubles: tuple[Noted, ...]


def quality_of(by_day: Mapping[date, Sequence[Recorded]], session_at: SessionAt) -> Quality:
    records = [record for of_day in by_day.values() for record in of_day]
    bars = [(record.at, record.fact.bar) for record in records if isinstance(record.fact, facts.BarClosed)]
    compared = (facts.ReconciliationPassed, facts.ReconciliationFailed, facts.ActivitiesCompared)
    return Quality(
        len(bars),
        len({bar.symbol for _, bar in bars}),
        tuple(record.at for record in records if isinstance(record.fact, facts.EngineStarted)),
        tuple(record.at for record in records if isinstance(record.fact, facts.EngineStopped)),
        sum(isinstance(record.fact, compared) for record in records),
        _together(
            (
                *(noted for of_day in by_day.values() for noted in _away(of_day)),
                *_spans(records),
                *_counted(records),
                *(noted for of_day in by_day.values() for noted in _of_minutes(of_day, session_at)),
                *_late(bars),
            )
        ),
    )


def _together(found: Iterable[Noted]) -> tuple[Noted, ...]:
    """Merge troubles of equal name."""
    sums: dict[str, Noted] = {}
    for each in found:
        known = sums.get(each.name)
        sums[each.name] = each if known is None else _added(known, each)
    return tuple(sums.values())


def _added(known: Noted, more: Noted) -> Noted:
    last = max(known, more, key=lambda each: each.at)
    spans = [each.span for each in (known, more) if each.span is not None]
    return Noted(last.name, known.many + more.many, last.words, last.at, sum(spans, timedelta()) if spans else None)


def lasted(span: timedelta) -> str:
    """Format a duration: `4 min`, `1 h 05 min`, `12 s`."""
    if span < ONE_MINUTE:
        return f"{span // timedelta(seconds=1)} s"
    hours, minutes = divmod(span // ONE_MINUTE, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _counted(records: Iterable[Recorded]) -> Iterator[Noted]:
    many: Counter[str] = Counter()
    last: dict[str, Noted] = {}
    for record in records:
        for name, words in _trouble_in(record):
            many[name] += 1
            last[name] = Noted(name, many[name], words, record.at)
    yield from last.values()


def _trouble_in(record: Recorded) -> Iterator[tuple[str, str]]:
    match record.fact:
        case facts.MarketDataQuarantined(place=place, reason=reason):
            yield "market data set aside", f"{place}: {reason}"
        case facts.BrokerMessagesQuarantined(reason=reason):
            yield "broker messages set aside", reason
        case facts.CallFailed(call=call, reason=reason):
            yield "requests without an answer", f"{call}: {reason}"
        case facts.CallAnswered(call=call, took=took, is_slow=True):
            yield "slow answers", call if took is None else f"{call} took {plain(took)} s"
        case facts.OrderStateUnknown(reason=reason):
            yield "orders in doubt", reason
        case facts.StrategyFailed() as failed:
            words = failed.reason or f"over its {plain(failed.limit) if failed.limit is not None else '–'} ms"
            yield "strategies without an answer", f"{failed.strategy} {failed.symbol}: {words}"
        case facts.ClockJumped(seconds=seconds):
            yield "jumps of the clock", f"{plain(seconds)} s"
        case facts.ActivityQuarantined(reason=reason):
            yield "activities that could not be read", reason
        case facts.PositionCorrected() as corrected:
            yield "corrections of a position", f"{corrected.symbol} is {plain(corrected.quantity)}: {corrected.reason}"
        case facts.ReconciliationFailed() as failed_comparison:
            yield "failed comparisons with the broker", "; ".join(failed_comparison.reasons)
        case facts.ReconciliationPassed(differences=differences) | facts.ActivitiesCompared(differences=differences):
            yield from (("differences from the broker", each.in_words) for each in differences)


# ── minutes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _late(bars: Iterable[tuple[datetime, Bar]]) -> Iterator[Noted]:
    """Yield late bars; a bar of a whole session arrives at the next open, and does not count."""
    late = [(at - bar.end, at, bar) for at, bar in bars if LATE < at - bar.end < timedelta(hours=8)]
    if late:
        longest, at, bar = max(late, key=lambda each: each[0])
        yield Noted("late minutes", len(late), f"{bar.symbol} {lasted(longest)} after its end", at)


def _of_minutes(records: Sequence[Recorded], session_at: SessionAt) -> Iterator[Noted]:
    """Yield the session's minutes without a bar, by symbol from its first one on, and gaps in all symbols."""
    session = next((s for s in (session_at(record.at) for record in _bars(records)) if isinstance(s, Session)), None)
    if session is None or isinstance(session, NoSession):
        return
    heard: defaultdict[Symbol, set[datetime]] = defaultdict(set)
    for record in _bars(records):
        if isinstance(record.fact, facts.BarClosed) and session.holds(record.fact.bar.start):
            heard[record.fact.bar.symbol].add(record.fact.bar.start)
    end = min(session.close, records[-1].at)
    missing = {
        symbol: len(_minutes(min(starts), end)) - len(starts) for symbol, starts in heard.items() if len(starts) > 1
    }
    found = sorted(((many, symbol) for symbol, many in missing.items() if many > 0), reverse=True)
    if found:
        words = ", ".join(f"{symbol} {many}" for many, symbol in found[:NAMED])
        more = f" and {len(found) - NAMED} more symbols" if len(found) > NAMED else ""
        yield Noted("missing minutes", sum(many for many, _ in found), words + more, end)
    yield from _gaps(set().union(*heard.values()), end)


def _bars(records: Iterable[Recorded]) -> Iterator[Recorded]:
    return (record for record in records if isinstance(record.fact, facts.BarClosed))


def _minutes(first: datetime, end: datetime) -> list[datetime]:
    """Return the starts of the whole minutes between."""
    return [first + ONE_MINUTE * number for number in range(max((end - first) // ONE_MINUTE, 0))]


def _gaps(heard: set[datetime], end: datetime) -> Iterator[Noted]:
    if not heard:
        return
    gap: list[datetime] = []
    for start in [*_minutes(min(heard), end), end]:
        if start not in heard and start < end:
            gap.append(start)
            continue
        if len(gap) >= SHORTEST_GAP:
            yield Noted("gaps in all symbols", 1, "no bar of any", gap[0], len(gap) * ONE_MINUTE)
        gap = []


# ── spans ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _spans(records: Iterable[Recorded]) -> Iterator[Noted]:
    """Yield troubles with a duration: stream outages, the breaker, halts of a symbol by its exchange."""
    open_: dict[str, tuple[str, datetime, str]] = {}
    for record in records:
        match record.fact:
            case facts.NotificationDue(notice=notice, matter=matter) if notice.kind is NoticeKind.DISCONNECT and matter:
                open_.setdefault(matter, ("disconnects", record.at, notice.words))
            case facts.BreakerOpened(reason=reason):
                open_.setdefault("breaker", ("breaker open", record.at, reason))
            case facts.TradingHalted(halt=halt):
                open_.setdefault(f"halt {halt.symbol}", ("halts by the exchange", record.at, halt.symbol))
            case facts.NotificationSettled(matter=matter) if matter in open_:
                yield _ended(open_.pop(matter), record.at)
            case facts.BreakerClosed() if "breaker" in open_:
                yield _ended(open_.pop("breaker"), record.at)
            case facts.TradingResumed(symbol=symbol) if f"halt {symbol}" in open_:
                yield _ended(open_.pop(f"halt {symbol}"), record.at)
    yield from (Noted(name, 1, f"{words}; not over yet", since) for name, since, words in open_.values())


def _ended(begun: tuple[str, datetime, str], at: datetime) -> Noted:
    name, since, words = begun
    return Noted(name, 1, words, since, at - since)


def _away(records: Sequence[Recorded]) -> Iterator[Noted]:
    """Yield restarts on the same day with the time without an engine.

    A start first writes its own records, all of one instant.
    """
    before: Recorded | None = None
    now: Recorded | None = None
    for record in records:
        if now is not None and now.at < record.at:
            before = now
        now = record
        if isinstance(record.fact, facts.EngineStarted) and before is not None:
            how = "stopped" if isinstance(before.fact, facts.EngineStopped) else "ended without a stop"
            yield Noted("times without an engine", 1, f"it {how}", before.at, record.at - before.at)


NEAR = Decimal("0.8")
"""The fraction of a limit above which a figure is reported."""


@dataclass(frozen=True, slots=True)
class ControlTold:
    """One control, its action and its count; `words` and `record` are from the last time."""

    name: str
    kind: TripKind
    many: int
    words: str
    record: Recorded


@dataclass(frozen=True, slots=True)
class NearMiss:
    """How often orders came near the limit of one control.

    Attributes
    ----------
    most
        The highest fraction of the limit; None if the check warned by text.
    record
        The order that came nearest; for warnings the last.
    """

    name: str
    many: int
    most: Decimal | None
    words: str
    record: Recorded


@dataclass(frozen=True, slots=True)
class Controls:
    """The actions and near misses of some days."""

    acted: tuple[ControlTold, ...]
    near: tuple[NearMiss, ...]


def controls_of(before: Iterable[Recorded], records: Iterable[Recorded]) -> Controls:
    """Return the controls' actions; `before` has the settings at the beginning of the records."""
    acted: dict[tuple[str, TripKind], ControlTold] = {}
    near: dict[str, NearMiss] = {}
    entries = _Entries()
    for record in before:
        entries.hear(record)
    for record in records:
        for name, kind, words in said_in(record.fact):
            if kind is not TripKind.WARNED:
                known = acted.get((name, kind))
                acted[name, kind] = ControlTold(name, kind, 1 if known is None else known.many + 1, words, record)
        for miss in (*_of_margin(record), *entries.take(record)):
            near[miss.name] = miss if miss.name not in near else _misses_added(near[miss.name], miss)
    return Controls(tuple(acted.values()), tuple(near.values()))


def _of_margin(record: Recorded) -> Iterator[NearMiss]:
    if isinstance(record.fact, facts.MarginWarned) and record.fact.limit is not None:
        yield NearMiss("margin", 1, None, f"excess liquidity {percent(record.fact.distance)}", record)


def _misses_added(known: NearMiss, more: NearMiss) -> NearMiss:
    """Add a near miss: the nearest is reported, for warnings by text the last."""
    told = more if known.most is None or (more.most is not None and more.most > known.most) else known
    return NearMiss(told.name, known.many + more.many, told.most, told.words, told.record)


class _Entries:
    """Sent entries, with the figures of their confirmation."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._approved: dict[str, facts.OrderApproved] = {}
        self._of_order: dict[ClientOrderId, facts.OrderApproved] = {}

    def hear(self, record: Recorded) -> None:
        if isinstance(record.fact, facts.SettingsApplied):
            self._settings = record.fact.settings

    def take(self, record: Recorded) -> Iterator[NearMiss]:
        """Yield each check that warned of an entry, and each limit it came near."""
        self.hear(record)
        match record.fact:
            case facts.OrderApproved() as approved:
                self._approved[approved.approval_id] = approved
            case facts.ApprovalRedeemed(approval=approval, client_order_id=order) if approval.id in self._approved:
                self._of_order[order] = self._approved.pop(approval.id)
            case facts.OrderCreated() as created:
                by = self._of_order.pop(created.order.client_order_id, None)
                if by is not None and self._settings is not None and not created.order.effect.only_reduces:
                    yield from self._misses(created, by, self._settings, record)

    @staticmethod
    def _misses(
        created: facts.OrderCreated, by: facts.OrderApproved, settings: Settings, record: Recorded
    ) -> Iterator[NearMiss]:
        warned = {name: words for name, kind, words in said_in(by) if kind is TripKind.WARNED}
        yield from (NearMiss(name, 1, None, words, record) for name, words in warned.items())
        for name, part, words in _near_of(created, by, settings):
            if name not in warned:
                yield NearMiss(name, 1, part, words, record)


def _near_of(
    created: facts.OrderCreated, approved: facts.OrderApproved, settings: Settings
) -> Iterator[tuple[str, Decimal, str]]:
    risk, order = settings.risk, created.order
    if created.counted_at is not None and created.strategy == MANUAL:  # a strategy's order is sized to its limits
        cost = order.cost(created.counted_at)
        for name, most in (
            ("notional", risk.max_notional.of(approved.equity)),
            ("buying power", approved.buying_power),
        ):
            if most is not None and most > 0 and NEAR < cost / most <= 1:
                yield name, cost / most, f"{order.symbol} {cost:,.2f} of {most:,.2f} USD"
    if approved.bid is not None and approved.ask is not None and 0 < approved.bid <= approved.ask:
        spread = (approved.ask - approved.bid) / ((approved.ask + approved.bid) / 2)
        if risk.spread_limit and NEAR < spread / risk.spread_limit <= 1:
            words = f"{order.symbol} {percent(spread)} of mid, limit {percent(risk.spread_limit)}"
            yield "spread", spread / risk.spread_limit, words


Stretch = tuple[Symbol, str, datetime]
"""The position, and the beginning."""


@dataclass(frozen=True, slots=True)
class Unprotected:
    """All periods with the same final cause.

    Attributes
    ----------
    open
        The number of periods that had not ended at the last record.
    last_at
        The beginning of the last one, UTC.
    """

    why: OwedReason
    times: int
    spent: timedelta
    longest: timedelta
    open: int
    last_at: datetime


def unprotected_of(records: Sequence[Recorded], session_at: SessionAt) -> tuple[Unprotected, ...]:
    """Return the causes, the longest total first.

    A period that began before the records counts from their beginning.
    """
    found: dict[OwedReason, Unprotected] = {}
    going: dict[Stretch, StopOwed] = {}
    for record in records:
        match record.fact:
            case StopOwed() as owed:
                going[owed.symbol, owed.strategy, owed.since] = owed
            case StopInForce() as over:
                going.pop((over.symbol, over.strategy, over.since), None)
                since, until = max(over.since, records[0].at), max(over.until, records[0].at)
                _add(found, over.why, since, _in_session(since, until, session_at), is_open=False)
    for owed in going.values():
        since = max(owed.since, records[0].at)
        _add(found, owed.why, since, _in_session(since, records[-1].at, session_at), is_open=True)
    return tuple(sorted(found.values(), key=lambda each: each.spent, reverse=True))


def _add(
    found: dict[OwedReason, Unprotected], why: OwedReason, since: datetime, spent: timedelta, *, is_open: bool
) -> None:
    known = found.get(why) or Unprotected(why, 0, timedelta(), timedelta(), 0, since)
    found[why] = Unprotected(
        why,
        known.times + 1,
        known.spent + spent,
        max(known.longest, spent),
        known.open + is_open,
        max(known.last_at, since),
    )


def _in_session(since: datetime, until: datetime, session_at: SessionAt) -> timedelta:
    """Return the time within the sessions of the two instants."""
    first, last = session_at(since), session_at(until)
    if isinstance(first, Session) and isinstance(last, Session) and first == last:
        return until - since
    spent = first.close - since if isinstance(first, Session) else timedelta()
    return spent + (until - last.open if isinstance(last, Session) else timedelta())
