"""A replayed day as lines of text and as JSON (AN-06)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from core.analytics.equity_change import to_the_cent
from core.model.values import ZERO, plain
from core.model.venues import HOME
from core.post_mortem.post_mortem import PostMortem
from core.post_mortem.words import SHOWN, instant, told_of, usd
from core.risk.shadow_trades import BLOCKED
from core.what_if.outcome import Base, Decided, PlayedAgain, Row, WhatIf, sum_of

WIDE = 34


def lines_of(found: PlayedAgain) -> Iterator[str]:
    yield from _base(found)
    if found.base.operator:
        yield f"  {found.base.operator}"
    if not found.answers:
        yield from _decided(found.decided)
    for answer in found.answers:
        yield ""
        yield from _answer(answer, found.base.heading)


def _base(found: PlayedAgain) -> Iterator[str]:
    base = found.base
    if base.modelled:
        yield f"{found.day} again, a model of it: its inputs were not recorded"
        yield from (f"  {words}" for words in base.modelled)
        yield f"  {'':<{WIDE}}{'the day':>12}{'its model':>12}{'difference':>12}"
        if not found.beside:
            yield "  no trade of either"
        yield from (_line(row.name, row.was, row.now) for row in found.beside)
    elif base.is_exact:
        yield f"{found.day} again: byte for byte as it was recorded, {base.records:,} records"
    else:
        yield (
            f"{found.day} again: NOT as it was recorded from record {base.first_other} on; what follows compares two "
            "replays"
        )


def _decided(decided: tuple[Decided, ...]) -> Iterator[str]:
    if not decided:
        yield "nothing was proposed on that day"
        return
    yield "proposals of the day, for --change:"
    blocked = [each for each in decided if each.end == BLOCKED]
    for each in decided:
        if each.end == BLOCKED:
            continue
        yield f"  {_proposal(each)}"
    if blocked:
        yield f"  and {len(blocked)} that checks blocked: only set: lets them by; `keyturn explain` has them"


def _proposal(each: Decided) -> str:
    order = each.proposal.order
    what = f"{order.side.value.upper()} {plain(order.quantity)} {each.proposal.symbol} {each.proposal.strategy}"
    return f"{str(each.proposal.id)[:8]} {instant(each.record)} {what}: {each.end}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _answer(answer: WhatIf, heading: str) -> Iterator[str]:
    yield f"what if {answer.words}"
    yield from (f"  the desk did not take it: {reason}" for reason in answer.refused)
    if answer.at is None:
        yield "  it never came to it: the day is the same"
        return
    other = answer.first_other
    if other is None:
        yield "  every record of the day is the same"
        return
    yield f"  from {HOME.local(other.at):%H:%M:%S} on the day is another: {told_of(other)}"
    if answer.fate:
        yield f"  {answer.fate}"
    if answer.unplaced:
        yield f"  {_many(answer.unplaced, 'key')} of then found no ticket to turn on"
    for each in answer.came[:SHOWN]:
        yield f"  was not there: {_proposal(each)}"
    if len(answer.came) > SHOWN:
        yield f"  and {len(answer.came) - SHOWN} more that were not there"
    yield f"  {'':<{WIDE}}{heading:>12}{'changed':>12}{'difference':>12}"
    was, now = answer.change_of_equity
    if was is None or now is None:
        yield _line("the day, by what is known of it", answer.was.days[0].explained, answer.now.days[0].explained)
    else:
        yield _line("equity of the day", was, now)
    is_long = len(answer.rows) > SHOWN
    for row in answer.rows:
        if row.was != row.now or not is_long:
            yield _line(row.name, row.was, row.now)
    rest = _rests(answer)
    if any(rest):
        yield _line("what is still held, and cents", *rest)
    same = sum(1 for row in answer.rows if row.was == row.now)
    yield f"  {_many(len(answer.rows), 'trade')}, {same} the same; results differ by {usd(sum_of(answer.rows))} USD"


def _rests(answer: WhatIf) -> tuple[Decimal, Decimal]:
    return (
        _rest(answer.was, (row.was for row in answer.rows)),
        _rest(answer.now, (row.now for row in answer.rows)),
    )


def _rest(post: PostMortem, results: Iterable[Decimal | None]) -> Decimal:
    """Return the part of the day's change that no closed trade made: open positions, and rounding."""
    day = post.days[0]
    whole = day.explained if day.change is None else day.change
    return whole - to_the_cent(sum((result or ZERO for result in results), ZERO))


def _line(name: str, was: Decimal | None, now: Decimal | None) -> str:
    difference = None if was is None and now is None else (now or ZERO) - (was or ZERO)
    return f"  {name:<{WIDE}}{usd(was):>12}{usd(now):>12}{usd(difference):>12}"


def as_json(found: PlayedAgain) -> dict[str, object]:
    return {
        "day": found.day,
        "base": _base_as_json(found.base),
        "beside": [_row_as_json(row) for row in found.beside],
        "proposals": [_decided_as_json(each) for each in found.decided],
        "changes": [_answer_as_json(answer) for answer in found.answers],
    }


def _decided_as_json(each: Decided) -> dict[str, object]:
    return {
        "id": str(each.proposal.id),
        "record": each.record.sequence,
        "at": each.record.at,
        "symbol": each.proposal.symbol,
        "strategy": each.proposal.strategy,
        "side": each.proposal.order.side.value,
        "quantity": str(each.proposal.order.quantity),
        "end": each.end,
    }


def _base_as_json(base: Base) -> dict[str, object]:
    return {
        "is_exact": base.is_exact,
        "records": base.records,
        "first_other": base.first_other,
        "modelled": list(base.modelled),
        "operator": base.operator,
    }


def _answer_as_json(answer: WhatIf) -> dict[str, object]:
    was, now = answer.change_of_equity
    other = answer.first_other
    return {
        "change": answer.words,
        "at": answer.at,
        "refused": list(answer.refused),
        "unplaced": answer.unplaced,
        "fate": answer.fate,
        "came": [_decided_as_json(each) for each in answer.came],
        "first_other": None if other is None else {"record": other.sequence, "at": other.at, "words": told_of(other)},
        "equity_change": {"was": _number(was), "now": _number(now)},
        "held_and_cents": {name: _number(rest) for name, rest in zip(("was", "now"), _rests(answer), strict=True)},
        "trades": [_row_as_json(row) for row in answer.rows],
    }


def _row_as_json(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "was": _number(row.was),
        "now": _number(row.now),
        "difference": _number(row.difference),
    }


def _number(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
