"""Theses: why a strategy should make money, and the figures that would refute it, checked on its closed trades (AN-07).

A thesis is a sentence, a strategy and criteria such as `win rate < 45 % over 100 trades`. It is INVALIDATED from the
first trade at which the last 100 met a criterion, also if later ones are better; a later `since` in the file starts
again. PENDING: no criterion is met, and one has too few trades yet. ACTIVE: none is met.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate

from core.model.values import ZERO, Money, plain
from core.ports import OperatorError

MOST_TRADES = 1_000
"""Of a criterion."""
LONGEST_SENTENCE = 200
"""Characters."""


class Measure(StrEnum):
    """A figure of the last trades; profits are after fees."""

    WIN_RATE = "win rate"
    """Percent of trades above zero."""
    PROFIT_FACTOR = "profit factor"
    """Gains over losses; without a loss there is none."""
    PROFIT = "profit"
    """USD, all together."""
    EXPECTANCY = "expectancy"
    """USD a trade."""
    DRAWDOWN = "drawdown"
    """USD, the deepest fall of their running total."""


class Status(StrEnum):
    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    INVALIDATED = "INVALIDATED"


UNITS = {Measure.WIN_RATE: " %", Measure.PROFIT_FACTOR: ""}
FORM = re.compile(
    rf"({'|'.join(Measure)}) (<|>) (-?[0-9]{{1,9}}(?:\.[0-9]{{1,4}})?)( %| USD)? over ([1-9][0-9]{{0,3}}) trades"
)
EXAMPLE = "win rate < 45 % over 100 trades"
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Criterion:
    """The thesis is refuted if the figure of the last `trades` trades is below (or above) the limit."""

    measure: Measure
    is_below: bool
    limit: Decimal
    trades: int

    def is_met(self, value: Decimal | None) -> bool:
        return value is not None and (value < self.limit if self.is_below else value > self.limit)

    @property
    def in_words(self) -> str:
        sign, unit = "<" if self.is_below else ">", UNITS.get(self.measure, " USD")
        return f"{self.measure} {sign} {plain(self.limit)}{unit} over {self.trades} trades"


@dataclass(frozen=True, slots=True)
class Thesis:
    """One entry of the file. Trades that ended before `since` do not count; None counts all."""

    name: str
    says: str
    strategy: str
    criteria: tuple[Criterion, ...]
    since: date | None = None


@dataclass(frozen=True, slots=True)
class EndedTrade:
    """A closed trade of a strategy: the trading day of its exit, and its profit after fees, USD."""

    day: date
    profit: Money


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the trades say of a criterion.

    Attributes
    ----------
    value
        The figure of the last trades, or of those that first met the criterion; None without one.
    count
        The trades behind it, `Criterion.trades` or fewer.
    first, last
        The days of their exits; None without a trade.
    """

    criterion: Criterion
    is_met: bool
    value: Decimal | None
    count: int
    first: date | None
    last: date | None

    @property
    def is_pending(self) -> bool:
        return self.count < self.criterion.trades


@dataclass(frozen=True, slots=True)
class Verdict:
    thesis: Thesis
    status: Status
    evidence: tuple[Evidence, ...]


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def theses_of(tables: Mapping[str, object], file: str) -> tuple[Thesis, ...]:
    """Return the theses of a parsed file, in order. Raises `OperatorError`."""
    return tuple(_thesis(f"{file}: {name}", name, table) for name, table in tables.items())


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


def judged(thesis: Thesis, trades: Sequence[EndedTrade]) -> Verdict:
    """Judge a thesis by the closed trades of its strategy, in order of their exits."""
    counted = [trade for trade in trades if thesis.since is None or trade.day >= thesis.since]
    evidence = tuple(_evidence(criterion, counted) for criterion in thesis.criteria)
    if any(each.is_met for each in evidence):
        status = Status.INVALIDATED
    else:
        status = Status.PENDING if any(each.is_pending for each in evidence) else Status.ACTIVE
    return Verdict(thesis, status, evidence)


def _evidence(criterion: Criterion, trades: Sequence[EndedTrade]) -> Evidence:
    """Return the first trades that met the criterion, or else the last ones."""
    last = trades[-criterion.trades :]
    whole = range(criterion.trades, len(trades) + 1)
    windows = (trades[end - criterion.trades : end] for end in whole)
    met = next((window for window in windows if criterion.is_met(_value(criterion, window))), None)
    shown = last if met is None else met
    days = [trade.day for trade in shown]
    value = _value(criterion, shown) if shown else None
    return Evidence(
        criterion, met is not None, value, len(shown), days[0] if days else None, days[-1] if days else None
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


def lines_of(verdicts: Sequence[Verdict], without: Sequence[str]) -> Iterator[str]:
    """Yield the verdicts as lines; `without` are the enabled strategies of no thesis."""
    for number, verdict in enumerate(verdicts):
        thesis = verdict.thesis
        if number:
            yield ""
        yield f"{verdict.status:<12}{thesis.name} ({thesis.strategy}): {thesis.says}"
        yield from (f"  {_told(each)}" for each in verdict.evidence)
    for strategy in without:
        yield f"NO THESIS   {strategy} is enabled; add a thesis that names it"


def _told(evidence: Evidence) -> str:
    words = evidence.criterion.in_words
    if evidence.count == 0:
        return f"{words}: no trade yet"
    unit = UNITS.get(evidence.criterion.measure, " USD")
    value = "no figure" if evidence.value is None else f"{evidence.value:,.2f}{unit}"
    days = f"{evidence.first} to {evidence.last}"
    if evidence.is_met:
        return f"{words}: MET by {value}, {days}"
    missing = f"{evidence.count} of {evidence.criterion.trades} trades so far, " if evidence.is_pending else ""
    return f"{words}: {missing}{value}, {days}"


def as_json(verdicts: Sequence[Verdict], without: Sequence[str]) -> dict[str, object]:
    """Return every figure; money and percent as text."""
    return {
        "theses": [
            {
                "name": verdict.thesis.name,
                "says": verdict.thesis.says,
                "strategy": verdict.thesis.strategy,
                "since": verdict.thesis.since,
                "status": verdict.status.value,
                "evidence": [
                    {
                        "criterion": each.criterion.in_words,
                        "is_met": each.is_met,
                        "value": None if each.value is None else plain(each.value.quantize(Decimal("0.0001"))),
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
    }
