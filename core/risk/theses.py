"""The file of the theses, and their check on the trades of their strategies (AN-07).

A thesis is a sentence, a strategy and criteria such as `win rate < 45 % over 100 trades`. It is INVALIDATED from the
first trade at which the last 100 met a criterion, also if later ones are better; a later `since` in the file starts
again. PENDING: no criterion is met, and one has too few trades yet. ACTIVE: none is met.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate

from core.model.signal import FAILED_WORDS
from core.model.thesis import (
    MOST_TRADES,
    UNITS,
    Criterion,
    EndedTrade,
    Evidence,
    Measure,
    Status,
    Thesis,
    TradeKind,
    Verdict,
)
from core.model.values import ZERO, plain
from core.ports import OperatorError

LONGEST_SENTENCE = 200
"""Characters."""
MOST_THESES = 50
"""Of a file: each night records all of them."""
FORM = re.compile(
    rf"({'|'.join(Measure)}) (<|>) (-?[0-9]{{1,9}}(?:\.[0-9]{{1,4}})?)( %| USD)? over ([1-9][0-9]{{0,3}}) trades"
)
EXAMPLE = "win rate < 45 % over 100 trades"
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
PLACES = Decimal("0.0001")


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def theses_of(tables: Mapping[str, object], file: str, strategies: Collection[str]) -> tuple[Thesis, ...]:
    """Return the theses of a parsed file, in order; each names one of the strategies. Raises `OperatorError`."""
    if len(tables) > MOST_THESES:
        raise OperatorError(f"{file}: {len(tables)} theses, {MOST_THESES} at most")
    found = tuple(_thesis(f"{file}: {name}", name, table) for name, table in tables.items())
    if unknown := next((each for each in found if each.strategy not in strategies), None):
        raise OperatorError(
            f"{file}: {unknown.name}.strategy: there is no strategy {unknown.strategy}; one of {', '.join(strategies)}"
        )
    return found


def _thesis(place: str, name: str, table: object) -> Thesis:
    if NAME.fullmatch(name) is None or not isinstance(table, Mapping):
        raise OperatorError(f"{place[:60]}: a thesis is a table with a short name, as in [long_trends]")
    if unknown := sorted(set(table) - {"says", "strategy", "invalid_if", "since"}):
        raise OperatorError(f"{place}.{unknown[0]}: is not known; write says, strategy, invalid_if and since")
    since, criteria = table.get("since"), table.get("invalid_if")
    if since is not None and type(since) is not date:
        raise OperatorError(f"{place}.since: write a day without quotation marks, as in since = 2026-11-02")
    if not isinstance(criteria, list) or not criteria:
        raise OperatorError(f'{place}.invalid_if: write a list with a criterion, as in ["{EXAMPLE}"]')
    return Thesis(
        name,
        _sentence(place, "says", table.get("says")),
        _sentence(place, "strategy", table.get("strategy")),
        tuple(criterion_of(each, f"{place}.invalid_if") for each in criteria),
        since,
    )


def _sentence(place: str, key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_SENTENCE or not value.isprintable():
        raise OperatorError(f"{place}.{key}: write a text of at most {LONGEST_SENTENCE} characters")
    return value.strip()


def criterion_of(text: object, place: str) -> Criterion:
    """Parse `win rate < 45 % over 100 trades`. Raises `OperatorError`."""
    found = FORM.fullmatch(" ".join(text.split())) if isinstance(text, str) else None
    if found is None:
        known = ", ".join(Measure)
        raise OperatorError(f"{place}: {str(text)[:60]!r}: write as in {EXAMPLE!r}; figures are {known}")
    measure, sign, limit, unit, trades = found.groups()
    criterion = Criterion(Measure(measure), sign == "<", Decimal(limit), int(trades))
    expected = UNITS.get(criterion.measure, " USD")
    if (unit or "") != expected:
        raise OperatorError(f"{place}: {text!r}: a {measure} has {f'the unit{expected}' if expected else 'no unit'}")
    if criterion.trades > MOST_TRADES:
        raise OperatorError(f"{place}: {text!r}: {MOST_TRADES:,} trades at most")
    return criterion


# ── the check ────────────────────────────────────────────────────────────────────────────────────────────────────────


def judged(
    thesis: Thesis, trades: Sequence[EndedTrade], kind: TradeKind = TradeKind.CLOSED, fresh_from: date = date.min
) -> Verdict:
    """Judge a thesis by trades of its strategy, in order of their exits.

    What ended before `fresh_from` was judged already: no window that ends there is judged again.
    """
    counted = [trade for trade in trades if thesis.since is None or trade.day >= thesis.since]
    evidence = tuple(_evidence(criterion, counted, fresh_from) for criterion in thesis.criteria)
    if any(each.is_met for each in evidence):
        status = Status.INVALIDATED
    else:
        status = Status.PENDING if any(each.is_pending for each in evidence) else Status.ACTIVE
    return Verdict(thesis, status, evidence, kind)


def _evidence(criterion: Criterion, trades: Sequence[EndedTrade], fresh_from: date) -> Evidence:
    """Return the first trades that met the criterion, or else the last ones."""
    last = trades[-criterion.trades :]
    whole = (end for end in range(criterion.trades, len(trades) + 1) if trades[end - 1].day >= fresh_from)
    windows = (trades[end - criterion.trades : end] for end in whole)
    met = next((window for window in windows if criterion.is_met(_value(criterion, window))), None)
    shown = last if met is None else met
    days = [trade.day for trade in shown]
    value = _value(criterion, shown) if shown else None
    return Evidence(
        criterion,
        met is not None,
        None if value is None else value.quantize(PLACES),
        len(shown),
        days[0] if days else None,
        days[-1] if days else None,
    )


def _value(criterion: Criterion, trades: Sequence[EndedTrade]) -> Decimal | None:
    return FIGURES[criterion.measure]([trade.profit for trade in trades])


def _profit_factor(profits: Sequence[Decimal]) -> Decimal | None:
    lost = -sum((each for each in profits if each < 0), ZERO)
    return sum((each for each in profits if each > 0), ZERO) / lost if lost else None


def _drawdown(profits: Iterable[Decimal]) -> Decimal:
    top, deepest = ZERO, ZERO
    for total in accumulate(profits):
        top = max(top, total)
        deepest = max(deepest, top - total)
    return deepest


FIGURES: Mapping[Measure, Callable[[Sequence[Decimal]], Decimal | None]] = {
    Measure.WIN_RATE: lambda profits: Decimal(100 * sum(each > 0 for each in profits)) / len(profits),
    Measure.PROFIT_FACTOR: _profit_factor,
    Measure.PROFIT: lambda profits: sum(profits, ZERO),
    Measure.EXPECTANCY: lambda profits: sum(profits, ZERO) / len(profits),
    Measure.DRAWDOWN: _drawdown,
}


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def lines_of(verdicts: Sequence[Verdict], without: Sequence[str], failed: Sequence[EndedTrade] = ()) -> Iterator[str]:
    """Yield the verdicts as lines; `without` are the enabled strategies of no thesis, `failed` count for none."""
    for number, verdict in enumerate(verdicts):
        thesis = verdict.thesis
        if number:
            yield ""
        trades = "" if verdict.kind is TradeKind.CLOSED else f" by {verdict.kind} trades"
        yield f"{verdict.status:<12}{thesis.name} ({thesis.strategy}){trades}: {thesis.says}"
        yield from (f"  {each.in_words}" for each in verdict.evidence)
    for strategy in without:
        yield f"NO THESIS   {strategy} is enabled; add a thesis that names it"
    if failed:
        made = sum((each.profit for each in failed), ZERO)
        yield f"LEFT OUT    {len(failed)} {FAILED_WORDS}, {made:,.2f} USD"


def as_json(
    verdicts: Sequence[Verdict], without: Sequence[str], failed: Sequence[EndedTrade] = ()
) -> dict[str, object]:
    """Return every figure; money and percent as text."""
    return {
        "theses": [
            {
                "name": verdict.thesis.name,
                "says": verdict.thesis.says,
                "strategy": verdict.thesis.strategy,
                "since": verdict.thesis.since,
                "by": verdict.kind.value,
                "status": verdict.status.value,
                "evidence": [
                    {
                        "criterion": each.criterion.in_words,
                        "is_met": each.is_met,
                        "value": None if each.value is None else plain(each.value),
                        "trades": each.count,
                        "first": each.first,
                        "last": each.last,
                    }
                    for each in verdict.evidence
                ],
            }
            for verdict in verdicts
        ],
        "without_thesis": list(without),
        "failed": {"trades": len(failed), "profit": plain(sum((each.profit for each in failed), ZERO))},
    }
