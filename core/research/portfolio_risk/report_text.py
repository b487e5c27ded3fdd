"""The risk report as lines of at most 80 columns and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from textwrap import wrap

from core.model.values import Symbol, plain
from core.research.portfolio_risk.correlations import STRESSED, CorrelationStress
from core.research.portfolio_risk.monte_carlo import FEW_DAYS, FEWEST_DAYS, PATHS
from core.research.portfolio_risk.report import MONTE_CARLO, OF_THE_REGIME, RiskReport
from core.research.portfolio_risk.scenarios import LONGEST_RUN, Part, Scenario
from core.research.portfolio_risk.value_at_risk import LEVELS, Method
from core.research.portfolio_risk.var_backtest import WINDOW, RatioTest, VarBacktest

WIDTH = 80
NAME = 36
"""Columns of a row's name."""
LONGEST_NAME = 56
"""Columns of a scenario's name."""
HUNDRED, MILLION, TEN_MILLION = 100, 1_000_000, 10_000_000
SHOWN_PARTS = 6
"""Positions named under a scenario; JSON has all."""
SHOWN_SYMBOLS = 9
"""Symbols of the matrix that fit, by value; JSON has all."""
SIGNIFICANT = 0.05
TIED = "\N{NO-BREAK SPACE}"
"""Between words that stay on one line; printed as a space."""
NONE = "–"


def lines_of(report: RiskReport) -> Iterator[str]:
    yield from _head(report)
    yield ""
    yield from _scenarios(report)
    yield ""
    yield from _value_at_risk(report)
    yield ""
    yield from _backtest(report)
    if len(report.symbols) > 1:
        yield ""
        yield from _correlations(report)
    yield ""
    for note in notes_of(report):
        yield from _wrapped(note)


def usd(amount: float) -> str:
    """Format whole dollars, `-1,234`; below 100 with cents, from ten million on as `12.3 M`."""
    rounded = round(amount, 2) + 0.0  # no minus before zero
    if abs(rounded) >= TEN_MILLION:
        return f"{rounded / MILLION:,.1f} M"
    return f"{rounded:,.2f}" if abs(rounded) < HUNDRED else f"{rounded:,.0f}"


def _head(report: RiskReport) -> Iterator[str]:
    many = "1 position" if len(report.positions) == 1 else f"{len(report.positions)} positions"
    money = f"gross {usd(report.gross)}, net {usd(report.net)} USD"
    yield from _wrapped(f"Risk of {many}: {money}, by closes to {report.as_of}")
    for each in report.positions:
        side = "long" if each.quantity > 0 else "short"
        quantity, price = plain(abs(each.quantity)), plain(each.price)
        yield f"  {each.symbol:<10} {side:<5} {quantity:>14} × {price:<14} {each.value:>29,.2f}"
    for left in report.left_out:
        worth = "value unknown" if left.value is None else f"{left.value:,.2f} USD"
        yield from _wrapped(f"NOT INCLUDED: {plain(left.quantity)} {left.symbol}, {worth}: {left.reason}")


def _scenarios(report: RiskReport) -> Iterator[str]:
    yield f"{'Profit or loss by scenario':<{LONGEST_NAME}}{'USD':>12}{'of gross':>12}"
    for each in report.scenarios:
        if each.profit is None:
            yield f"{_short(each.name):<{LONGEST_NAME}}{NONE:>12}{NONE:>12}"
        else:
            part = f"{100 * each.profit / report.gross:.1f} %"
            yield f"{_short(each.name):<{LONGEST_NAME}}{usd(each.profit):>12}{part:>12}"
        yield from _wrapped(causes_of(each), "  ")
        yield from _without(each.without)


def _without(missing: Iterable[Symbol]) -> Iterator[str]:
    """Yield a line that names every position that a total lacks."""
    if names := ", ".join(missing):
        yield from _wrapped(f"without {names}", "  ")


def causes_of(scenario: Scenario) -> str:
    days = "" if scenario.first is None else f"{scenario.first} to {scenario.last}: "
    named = [f"{part.symbol}{TIED}{usd(part.profit)}" for part in scenario.parts[:SHOWN_PARTS]]
    rest = len(scenario.parts) - len(named)
    return days + ", ".join([*named, *([f"{rest}{TIED}more"] if rest else [])]) if named else ""


def _value_at_risk(report: RiskReport) -> Iterator[str]:
    heads = [f"{level * 100:.0f} % {what}" for level in LEVELS for what in ("VaR", "ES")]
    yield f"{'Loss, USD':<{NAME}}" + "".join(f"{head:>11}" for head in heads)
    for (horizon, method), found in groupby(report.estimates, lambda each: (each.horizon, each.method)):
        rows = list(found)
        figures = "".join(f"{usd(each.var):>11}{usd(each.shortfall):>11}" for each in rows)
        yield f"{name_of(horizon, method, report):<{NAME}}{figures}"
    yield from _without(each.symbol for each in report.left_out)


def name_of(horizon: int, method: str, report: RiskReport) -> str:
    if horizon == 1:
        return f"1 day    {method}"
    if method == Method.HISTORICAL:
        return f"{horizon} days  {method}, overlapping"
    if method == OF_THE_REGIME and report.regime is not None:
        return f"{horizon} days  {MONTE_CARLO}, VIX {report.regime.level.value}"
    return f"{horizon} days  {method}" if method == MONTE_CARLO else f"{horizon} days  {method}, √{horizon}"


def _backtest(report: RiskReport) -> Iterator[str]:
    if not report.tests:
        yield f"No backtest of the VaR: {report.recorded} recorded days, more than {WINDOW} are needed"
        return
    heads = (("over", 7), ("expected", 9), ("p count", 8), ("p order", 8), ("p both", 8))
    yield (
        f"{f'1-day VaR, {report.tests[0].days:,} days':<{NAME - 8}}"
        + "".join(f"{head:>{width}}" for head, width in heads)
        + "  the VaR"
    )
    for each in report.tests:
        tests = "".join(f"{p_value(test):>8}" for test in (each.coverage, each.independence, each.conditional))
        name = f"{each.method} {each.level * 100:.0f} %"
        yield f"{name:<{NAME - 8}}{each.violations:>7}{each.expected:>9.1f}{tests}  {verdict_of(each)}"
    yield from _without(each.symbol for each in report.left_out)


def verdict_of(test: VarBacktest) -> str:
    """Return what the number of losses says of the figure, and if that fits, their order."""
    if test.coverage.p_value < SIGNIFICANT:
        return "too low" if test.violations > test.expected else "too high"
    return "clustered" if test.independence is not None and test.independence.p_value < SIGNIFICANT else "fits"


def p_value(test: RatioTest | None) -> str:
    if test is None:
        return NONE
    return f"{test.p_value:.3f}{'!' if test.p_value < SIGNIFICANT else ' '}"


def _correlations(report: RiskReport) -> Iterator[str]:
    shown = report.symbols[:SHOWN_SYMBOLS]
    yield f"{'Correlation':<12}" + "".join(f"{symbol[:7]:>7}" for symbol in shown)
    for row, symbol in enumerate(shown):
        cells = (float(report.correlations[row, column]) for column in range(row + 1))
        yield f"{symbol:<12}" + "".join(f"{NONE if math.isnan(cell) else f'{cell:.2f}':>7}" for cell in cells)
    if rest := len(report.symbols) - len(shown):
        yield f"and {rest} more; --json has all"
    yield ""
    yield f"{'Normal 1-day VaR, USD':<{NAME}}" + "".join(f"{f'{level * 100:.0f} % VaR':>11}" for level in LEVELS)
    for stress in report.stresses:
        yield f"{stress_name(stress):<{NAME}}" + "".join(f"{usd(amount):>11}" for amount in stress.var)


def stress_name(stress: CorrelationStress) -> str:
    if stress.weight == 0:
        return "correlations as recorded"
    return f"{'half the way' if stress.weight < 1 else 'all'} to {stress.target:g}"


def notes_of(report: RiskReport) -> Iterator[str]:
    """Yield what the figures rest on, a sentence or two at a time."""
    yield (
        f"VaR and correlations: the {report.days} days from {report.first}, with today's positions held unchanged. ES "
        "is the mean of the losses beyond the VaR. 10-day historical windows overlap; √10 scales the 1-day figures."
    )
    yield (
        f"A recorded scenario is the worst run of at most {LONGEST_RUN} sessions in the month. A shock moves the other "
        "positions by their betas of all recorded days."
    )
    if report.tests:
        yield (
            f"Each loss is compared with the VaR of the {WINDOW} days before it. p count: Kupiec; p order: "
            "Christoffersen; clustered: the count fits, and losses over it come in a row. ! is under 0.05."
        )
    if report.domain.is_outside:
        yield (
            f"Cornish-Fisher: skewness {report.domain.skewness:.2f} and excess kurtosis {report.domain.excess:.2f} are "
            f"outside of its domain; computed at its border, {report.domain.used_skewness:.2f} and "
            f"{report.domain.used_excess:.2f}."
        )
    yield _of_the_draw(report)
    if report.regime is not None and report.regime.is_few:
        drawn = "" if report.regime.days >= FEWEST_DAYS else f"; under {FEWEST_DAYS} none is drawn"
        yield (
            f"FEW DAYS: {report.regime.days} began with the VIX {report.regime.level.value}, under {FEW_DAYS}{drawn}."
        )
    if any(stress.var[-1] < report.stresses[0].var[-1] for stress in report.stresses if stress.target == STRESSED):
        yield "Higher correlations lower this risk: the portfolio is hedged. See the row to 0."
    for words in (*(jump.in_words for jump in report.jumps), *(gap.in_words for gap in report.gaps)):
        yield f"{words}."


def _of_the_draw(report: RiskReport) -> str:
    days = f"the {report.recorded:,} days since {report.recorded_from}"
    drawn = f"Monte Carlo: {PATHS:,} paths from {days}, seed {report.seed}"
    regime = report.regime
    if regime is None:
        return f"{drawn}. No VIX of the last week in the history: no draw by regime, and no shock of the VIX."
    return (
        f"{drawn}; by regime from the {regime.days:,} days that began with the VIX {regime.level.value}, as after "
        f"{regime.measured_on} at {regime.vix:.2f} (a point under a border before a lower level counts)."
    )


def _short(name: str) -> str:
    return name if len(name) < LONGEST_NAME else f"{name[: LONGEST_NAME - 2]}…"


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    lines = wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent or "  ", break_on_hyphens=False)
    yield from (line.replace(TIED, " ") for line in lines)


def as_json(report: RiskReport) -> Mapping[str, object]:
    """Return plain JSON: amounts in USD, values of positions as text, statistics as numbers, ratios as fractions."""
    return {
        "as_of": report.as_of,
        "first": report.first,
        "days": report.days,
        "recorded_days": report.recorded,
        "recorded_from": report.recorded_from,
        "seed": report.seed,
        "gross": round(report.gross, 2),
        "net": round(report.net, 2),
        **_holdings(report),
        "scenarios": [_scenario(each) for each in report.scenarios],
        "estimates": [
            {
                "method": each.method,
                "level": each.level,
                "horizon": each.horizon,
                "var": round(each.var, 2),
                "shortfall": round(each.shortfall, 2),
                "samples": each.samples,
            }
            for each in report.estimates
        ],
        "cornish_fisher": {
            "skewness": round(report.domain.skewness, 6),
            "excess_kurtosis": round(report.domain.excess, 6),
            "used_skewness": round(report.domain.used_skewness, 6),
            "used_excess_kurtosis": round(report.domain.used_excess, 6),
            "outside_domain": report.domain.is_outside,
        },
        "regime": None
        if report.regime is None
        else {
            "level": report.regime.level.value,
            "vix": report.regime.vix,
            "measured_on": report.regime.measured_on,
            "days": report.regime.days,
            "few_days": report.regime.is_few,
        },
        **_tests(report),
        **_dependence(report),
        **_faults(report),
    }


def _faults(report: RiskReport) -> dict[str, object]:
    """Return what the histories have in the way of jumps and gaps."""
    return {
        "jumps": [
            {
                "symbol": each.symbol,
                "day": each.day,
                "place": each.place,
                "split": each.split or None,
                "words": each.in_words,
            }
            for each in report.jumps
        ],
        "gaps": [
            {"symbol": each.symbol, "day": each.day, "place": each.place, "sessions": each.sessions}
            for each in report.gaps
        ],
    }


def _holdings(report: RiskReport) -> dict[str, object]:
    """Return the valued positions, and those left out."""
    return {
        "positions": [
            {
                "symbol": each.symbol,
                "quantity": plain(each.quantity),
                "price": plain(each.price),
                "value": f"{each.value:.2f}",
            }
            for each in report.positions
        ],
        "left_out": [
            {
                "symbol": each.symbol,
                "quantity": plain(each.quantity),
                "value": None if each.value is None else f"{each.value:.2f}",
                "reason": each.reason,
            }
            for each in report.left_out
        ],
    }


def _tests(report: RiskReport) -> dict[str, object]:
    """Return the violations of each method and level, with their tests."""
    return {
        "backtests": [
            {
                "method": each.method.value,
                "level": each.level,
                "days": each.days,
                "violations": each.violations,
                "expected": round(each.expected, 2),
                "coverage": _tested(each.coverage),
                "independence": _tested(each.independence),
                "conditional_coverage": _tested(each.conditional),
            }
            for each in report.tests
        ],
    }


def _dependence(report: RiskReport) -> dict[str, object]:
    """Return the correlations, and the value at risk where they rise."""
    return {
        "correlations": [
            {
                "symbol": symbol,
                **{
                    other: None if math.isnan(value) else round(float(value), 6)
                    for other, value in zip(report.symbols, report.correlations[row], strict=True)
                },
            }
            for row, symbol in enumerate(report.symbols)
        ],
        "correlation_stress": [
            {
                "target": each.target,
                "weight": each.weight,
                **{f"var_{100 * level:.0f}": round(amount, 2) for level, amount in zip(LEVELS, each.var, strict=True)},
            }
            for each in report.stresses
        ],
    }


def _scenario(scenario: Scenario) -> dict[str, object]:
    return {
        "name": scenario.name,
        "first": scenario.first,
        "last": scenario.last,
        "profit": None if scenario.profit is None else round(scenario.profit, 2),
        "without": dict(scenario.without),
        "parts": [_part(part) for part in scenario.parts],
    }


def _part(part: Part) -> dict[str, object]:
    return {
        "symbol": part.symbol,
        "profit": round(part.profit, 2),
        "move": round(part.move, 6),
        "betas": None if part.betas is None else {factor: round(beta, 6) for factor, beta in part.betas.items()},
        "r_squared": None if part.fit is None else round(part.fit, 6),
        "days": part.days,
    }


def _tested(test: RatioTest | None) -> dict[str, float] | None:
    return None if test is None else {"ratio": round(test.ratio, 6), "p_value": round(test.p_value, 9)}
