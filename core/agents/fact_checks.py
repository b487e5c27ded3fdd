"""Compare the facts of a draft with the desk's own figures of their time (OP-14).

A fact without a time is one of the moment of its draft. It matches if it was the desk's figure at its time, within what
rounding moves: half a tick of a price, half a cent of an amount, nothing of shares and counts. `price` is anything
from bid to ask, of a quote no wider than `WIDEST`. A reading is up to a second old, so a figure of `READ_WITHIN` before
counts too, unless the fact has the time of a quote itself. Where the desk kept no figure of that time, the fact cannot
be checked: no tolerance grows.

A fact that was true at its time and is aged is old: each field has its own age (`fact_fields.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from core.agents.figure_record import Entry, FigureRecord, Scope
from core.model.bar import ONE_MINUTE
from core.model.draft import CheckedFact, DraftFact, FactResult
from core.model.fact_fields import (
    GUARD,
    OLD_AFTER,
    TERMS,
    TOLERANCES,
    Ages,
    FactField,
    FieldTerms,
    FigureFamily,
    Unit,
    field_named,
)
from core.model.instrument import STOCK_TICKS, Ticks
from core.model.lazy_dataclass import dataclass
from core.model.values import Price

READ_WITHIN = timedelta(seconds=2)
"""A view for agents is at most a second old when it is read, and takes its way."""
AHEAD = timedelta(seconds=5)
"""How far another clock may be ahead of the desk's."""
SPREAD_TOLERANCE = Decimal("0.00005")
WIDEST = Decimal("0.01")
"""Ask less bid as a fraction of the bid, up to which any price between them is one. Without trading quotes are wider.
"""
GUARDS = Scope(FigureFamily.GUARDS, "")
SAMPLED = frozenset({FigureFamily.RESULTS, FigureFamily.GUARDS, FigureFamily.AGENT})
"""Figures that time or each quote changes: they are known of the times at which an agent was told them."""
OF_PRICES = frozenset({FactField.PRICE, FactField.LAST})
PRICES = (FactField.BID, FactField.ASK, FactField.LAST, FactField.MID)

NOT_KNOWN = "the desk has no such figure"
NO_FIELD = "the desk does not know this field"
NO_GUARD = "its source does not name one guard, as daily_loss"
OF_TOMORROW = "its time is in the future"
NOT_KEPT = "the desk has kept no such figure of that time"
NOT_READ_THEN = "the desk did not read it at that time"
MINUTES_ONLY = "of that time the desk has only the closes of minutes: state close"
NOT_CLOSED = "the desk has no close of that minute"
AGED = "too long before the draft"
CHANGED_SINCE = "it has changed since"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the facts of a draft are compared with.

    Attributes
    ----------
    drafted_at
        The moment of the draft.
    closes
        Of the last minutes of the fact's symbol, by the start of the minute, oldest first. USD.
    of_the_draft
        The distance of its stop as a fraction of its entry, and the size that the desk gives it; None without one.
    """

    record: FigureRecord
    agent: str
    drafted_at: datetime
    closes: Sequence[tuple[datetime, Price]]
    of_the_draft: Mapping[FactField, Decimal | None]
    ticks: Ticks = STOCK_TICKS


def check(fact: DraftFact, desk: Desk) -> CheckedFact:
    """Compare one fact as of the moment of its draft."""
    if fact.at is not None and fact.at > desk.drafted_at + AHEAD:
        return CheckedFact(fact, FactResult.DIFFERS, None, OF_TOMORROW)
    found = _meant(fact, desk)
    if found is None:
        why = NO_GUARD if field_named(fact.field) is FactField.USED else NO_FIELD
        return CheckedFact(fact, FactResult.UNKNOWN, None, why)
    field, terms = found
    if terms.families == (FigureFamily.DRAFT,):
        ours = desk.of_the_draft.get(FactField(field))
        if ours is None:
            return CheckedFact(fact, FactResult.UNKNOWN, None, NOT_KNOWN)
        result = FactResult.MATCHES if _is_near(fact.value, ours, TOLERANCES[terms.unit]) else FactResult.DIFFERS
        return CheckedFact(fact, result, ours)
    if field == FactField.CLOSE:
        return _of_a_minute(fact, desk)
    return _of_its_time(fact, field, terms, desk)


def as_of_now(checked: CheckedFact, desk: Desk) -> CheckedFact:
    """Return a checked fact as it stands now, where its field changes by acts alone and not with the market.

    One that was true is old once the figure has changed. One of which the desk had no figure differs if it has another
    by now; one of a time of which nothing was kept stays unknown.
    """
    is_settled = checked.result is FactResult.DIFFERS or checked.why in (NOT_KEPT, NO_FIELD)
    found = None if is_settled else _meant(checked.fact, desk)
    if found is None or found[1].ages is not Ages.BY_CHANGE:
        return checked
    field, terms = found
    now = [ours for scope in _scopes(checked.fact, terms, desk) for ours in _now(scope, field, desk)]
    if not now or any(_is_near(checked.fact.value, ours, _tolerance(field, terms, ours, desk)) for ours in now):
        return checked
    ours = _nearest(checked.fact, now)
    if checked.result is FactResult.UNKNOWN:
        return CheckedFact(checked.fact, FactResult.DIFFERS, ours)
    return CheckedFact(checked.fact, FactResult.OLD, ours, CHANGED_SINCE)


def _meant(fact: DraftFact, desk: Desk) -> tuple[str, FieldTerms] | None:
    """Return the name in the record and the terms of the fact's field; None if the desk does not know it.

    `used` without the name of one guard is unknown: the use of any other guard would prove it.
    """
    source = fact.source.lower()
    field = field_named(fact.field)
    if field is None:
        return (fact.field, GUARD) if fact.field in desk.record.guards else None
    if field is FactField.USED:
        guard = _guard_in(source, desk)
        return None if guard is None else (guard, GUARD)
    terms = TERMS[field]
    named = [family for word, family in TOOLS.items() if word in source and family in terms.families]
    if field is FactField.QUANTITY and (OF_THE_SIZE in source or ("size" in source and not named)):
        return FactField.SIZE, TERMS[FactField.SIZE]
    if len(terms.families) > 1 and len(named) == 1:
        return field, FieldTerms(terms.unit, terms.ages, (named[0],), terms.is_amount)
    return field, terms


def _guard_in(source: str, desk: Desk) -> str | None:
    """Return the one guard that a source names; of `daily_loss` and a longer name with it, the longer."""
    words = "".join(letter if letter.isalnum() else "_" for letter in source)
    named = {guard for guard in desk.record.guards - {*FactField} if guard in words}
    longest = {guard for guard in named if not any(guard != other and guard in other for other in named)}
    return longest.pop() if len(longest) == 1 else None


OF_THE_SIZE = "size_for_risk"
TOOLS = {"position": FigureFamily.HOLDING, "order": FigureFamily.ORDERS}
"""Words in a source that say which rows a field is of, where several tools return it."""


def _scopes(fact: DraftFact, terms: FieldTerms, desk: Desk) -> list[Scope]:
    names = {FigureFamily.AGENT: desk.agent, FigureFamily.ACCOUNT: "", FigureFamily.GUARDS: ""}
    return [Scope(family, names.get(family, fact.symbol)) for family in terms.families]


def _of_its_time(fact: DraftFact, field: str, terms: FieldTerms, desk: Desk) -> CheckedFact:
    at = min(fact.at or desk.drafted_at, desk.drafted_at)
    ends = min(at + _resolution(fact), desk.drafted_at)
    scopes = _scopes(fact, terms, desk)
    in_force: list[Entry] = []
    is_read, is_whole = False, True
    for scope in scopes:
        is_of_a_quote = scope.family is FigureFamily.MARKET and desk.record.begins_at(scope, at)
        begins = at if is_of_a_quote else at - READ_WITHIN
        found = desk.record.between(scope, begins, ends)
        in_force += found
        is_read = is_read or any(scope.family not in SAMPLED or entry.seen >= begins for entry in found)
        is_whole = is_whole and bool(found) and found[0].since <= begins
    figures = [(entry, ours) for entry in in_force for ours in _figures(entry, field)]
    if not figures:
        return _without_a_record(fact, field, scopes, desk, is_kept=bool(in_force))
    if any(_is_told(fact.value, field, terms, entry, desk) for entry in in_force):
        return _aged(fact, field, terms, at, scopes, _nearest(fact, [ours for _, ours in figures]), desk)
    if fact.at is not None and not is_whole:
        return CheckedFact(fact, FactResult.UNKNOWN, None, NOT_KEPT)  # it may have been so where the record begins
    if not is_read:
        return CheckedFact(fact, FactResult.UNKNOWN, None, NOT_READ_THEN)
    newest = figures[-1][0]
    return CheckedFact(fact, FactResult.DIFFERS, _nearest(fact, [ours for entry, ours in figures if entry is newest]))


def _resolution(fact: DraftFact) -> timedelta:
    """Return the length of the last unit in which its time is written: a time is often cut, seldom rounded up."""
    if fact.at is None or fact.at.microsecond % 1000:
        return timedelta(0)
    return timedelta(milliseconds=1) if fact.at.microsecond else timedelta(seconds=1) - timedelta.resolution


def _figures(entry: Entry, field: str) -> tuple[Decimal, ...]:
    """Return the desk's figures of a field; `price` has bid, ask, mid and the last price."""
    if field != FactField.PRICE:
        return entry.figures.get(field, ())
    return tuple(ours for each in PRICES for ours in entry.figures.get(each, ()))


def _is_told(value: Decimal, field: str, terms: FieldTerms, entry: Entry, desk: Desk) -> bool:
    if field == FactField.PRICE:
        bid, ask = entry.figures.get(FactField.BID), entry.figures.get(FactField.ASK)
        if bid and ask and bid[0] <= value <= ask[0] <= bid[0] * (1 + WIDEST):
            return True
    return any(_is_near(value, ours, _tolerance(field, terms, ours, desk)) for ours in _figures(entry, field))


def _tolerance(field: str, terms: FieldTerms, ours: Decimal, desk: Desk) -> Decimal:
    if terms.unit is not Unit.PRICE:
        return TOLERANCES[terms.unit]
    return SPREAD_TOLERANCE if field == FactField.SPREAD else desk.ticks.at(abs(ours)) / 2


def _is_near(value: Decimal, ours: Decimal, tolerance: Decimal) -> bool:
    return abs(value - ours) <= tolerance


def _nearest(fact: DraftFact, ours: Sequence[Decimal]) -> Decimal:
    return min(ours, key=lambda each: abs(each - fact.value))


def _now(scope: Scope, field: str, desk: Desk) -> Iterator[Decimal]:
    newest = desk.record.newest(scope)
    if newest is not None:
        yield from _figures(newest, field)


def _aged(
    fact: DraftFact,
    field: str,
    terms: FieldTerms,
    at: datetime,
    scopes: Sequence[Scope],
    then: Decimal,
    desk: Desk,
) -> CheckedFact:
    """Return a fact that was true at its time: it matches, unless it is old by the moment of its draft."""
    now = [entry for scope in scopes if (entry := desk.record.newest(scope)) is not None]
    is_still = any(_is_told(fact.value, field, terms, entry, desk) for entry in now)
    figures = [ours for entry in now for ours in _figures(entry, field)]
    ours = _nearest(fact, figures) if figures else None
    is_late = terms.ages in OLD_AFTER and desk.drafted_at - at > OLD_AFTER[terms.ages]
    if is_late and (terms.ages is Ages.IN_SECONDS or not is_still):
        return CheckedFact(fact, FactResult.OLD, ours, AGED)
    if terms.ages is Ages.BY_CHANGE and not is_still:
        return CheckedFact(fact, FactResult.OLD, ours, CHANGED_SINCE)
    return CheckedFact(fact, FactResult.MATCHES, then)


def _without_a_record(
    fact: DraftFact, field: str, scopes: Sequence[Scope], desk: Desk, *, is_kept: bool
) -> CheckedFact:
    """Compare an earlier price with the close at its very time, if it has one."""
    at = fact.at
    if field in OF_PRICES and at is not None and not is_kept:
        known = [close for start, close in desk.closes if at in (start, start + ONE_MINUTE)]
        if known:
            ours = _nearest(fact, known)
            is_equal = _is_near(fact.value, ours, desk.ticks.at(ours) / 2)
            return (
                CheckedFact(fact, FactResult.OLD, ours, AGED)
                if is_equal
                else CheckedFact(fact, FactResult.DIFFERS, ours)
            )
        if any(start < at < start + ONE_MINUTE for start, _ in desk.closes):
            return CheckedFact(fact, FactResult.UNKNOWN, None, MINUTES_ONLY)
    is_followed = any(desk.record.newest(scope) is not None for scope in scopes)
    return CheckedFact(fact, FactResult.UNKNOWN, None, NOT_KEPT if is_followed and not is_kept else NOT_KNOWN)


def _of_a_minute(fact: DraftFact, desk: Desk) -> CheckedFact:
    """Compare with the close of the minute in which its time is, and with the newest close of that time.

    A whole minute is the label of a minute, as `get_bars` tells it.
    """
    at = min(fact.at or desk.drafted_at, desk.drafted_at)
    closes = desk.closes
    its = [close for start, close in closes if start <= at < start + ONE_MINUTE]
    before = [(start, close) for start, close in closes if start + ONE_MINUTE <= at]
    is_label = fact.at is not None and not (fact.at.second or fact.at.microsecond) and bool(its)
    if before and not is_label and (fact.at is None or at - before[-1][0] < 2 * ONE_MINUTE):
        its.append(before[-1][1])
        if fact.at is None and len(before) > 1 and at - before[-1][0] - ONE_MINUTE < READ_WITHIN:
            its.append(before[-2][1])
    if not its:
        return CheckedFact(fact, FactResult.UNKNOWN, None, NOT_CLOSED)
    ours = _nearest(fact, its)
    is_equal = _is_near(fact.value, ours, desk.ticks.at(ours) / 2)
    return CheckedFact(fact, FactResult.MATCHES if is_equal else FactResult.DIFFERS, ours)
