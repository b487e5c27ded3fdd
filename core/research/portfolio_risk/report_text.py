"""The risk report as lines of at most 80 columns and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from textwrap import wrap

from core.model.values import Symbol, plain
from core.research.portfolio_risk.betas import INDEX, Beta, BetaSource
from core.research.portfolio_risk.correlations import CorrelationStress
from core.research.portfolio_risk.monte_carlo import FEW_DAYS, FEWEST_DAYS, PATHS
from core.research.portfolio_risk.report import MONTE_CARLO, OF_THE_REGIME, RiskReport
from core.research.portfolio_risk.scenarios import LONGEST_RUN, Part, Scenario
from core.research.portfolio_risk.value_at_risk import LEVELS, Method
from core.research.portfolio_risk.var_backtest import WINDOW, RatioTest, VarBacktest

WIDTH = 80
PROSE = 74
"""Columns of wrapped lines, which fit a dialog of the desk too."""
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
BY_BETA = "(β)"
"""Behind a symbol that is moved by its beta to the index."""
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
    yield from _stresses(report)
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
    for line in proxy_lines(report):
        yield from _wrapped(line)


def proxy_lines(report: RiskReport) -> Iterator[str]:
    """Yield what every position without a usable history is moved by, in all figures."""
    for symbol, proxy in report.proxies.items():
        if symbol in report.symbols:
            yield f"MOVED BY BETA: {symbol}{BY_BETA}, {proxy.reason}; beta to {INDEX} {proxy.beta.in_words}"


def _scenarios(report: RiskReport) -> Iterator[str]:
    yield f"{'Profit or loss by scenario':<{LONGEST_NAME}}{'USD':>12}{'of gross':>12}"
    for each in report.scenarios:
        if each.profit is None:
            yield f"{_short(each.name):<{LONGEST_NAME}}{NONE:>12}{NONE:>12}"
        else:
            part = f"{100 * each.profit / report.gross:.1f} %"
            yield f"{_short(each.name):<{LONGEST_NAME}}{usd(each.profit):>12}{part:>12}"
        for line in (causes_of(each), path_of(each), betas_of(each), each.reason and f"not computed: {each.reason}"):
            yield from _wrapped(line, "  ")
        yield from _without(each.without)


def path_of(scenario: Scenario) -> str:
    """Return the profit of each session, the lowest point and the end."""
    if not scenario.path:
        return ""
    days = ", ".join(usd(day.profit) for day in scenario.path)
    return f"day by day {days}; lowest on day{TIED}{scenario.lowest}, end {usd(scenario.path[-1].total)}"


def betas_of(scenario: Scenario) -> str:
    """Return the betas by which positions are moved for lack of own returns."""
    named = [f"{symbol}{TIED}{beta.in_words}" for symbol, beta in scenario.proxies.items()]
    return f"{BY_BETA} by beta to {INDEX}: {', '.join(named)}" if named else ""


def _without(missing: Iterable[Symbol]) -> Iterator[str]:
    """Yield a line that names every position that a total lacks."""
    if names := ", ".join(missing):
        yield from _wrapped(f"without {names}", "  ")


def _lacks(report: RiskReport) -> Iterator[str]:
    """Yield which positions a table lacks, and which are in it by their betas."""
    yield from _without(each.symbol for each in report.left_out)
    if moved := ", ".join(symbol for symbol in report.symbols if symbol in report.proxies):
        yield from _wrapped(f"{BY_BETA} by beta: {moved}", "  ")


def causes_of(scenario: Scenario) -> str:
    days = "" if scenario.first is None else f"{scenario.first} to {scenario.last}: "
    named = [
        f"{part.symbol}{BY_BETA if part.proxy is not None else ''}{TIED}{usd(part.profit)}"
        for part in scenario.parts[:SHOWN_PARTS]
    ]
    rest = len(scenario.parts) - len(named)
    return days + ", ".join([*named, *([f"{rest}{TIED}more"] if rest else [])]) if named else ""


def _value_at_risk(report: RiskReport) -> Iterator[str]:
    yield _loss_heads("Loss, USD")
    for (horizon, method), found in groupby(report.estimates, lambda each: (each.horizon, each.method)):
        rows = list(found)
        figures = "".join(f"{usd(each.var):>11}{usd(each.shortfall):>11}" for each in rows)
        yield f"{name_of(horizon, method, report):<{NAME}}{figures}"
    yield from _lacks(report)


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
    yield from _lacks(report)


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


def _stresses(report: RiskReport) -> Iterator[str]:
    yield _loss_heads("Normal 1-day loss, USD, correlations")
    for each in report.stresses:
        figures = "".join(f"{usd(var):>11}{usd(es):>11}" for var, es in zip(each.var, each.shortfall, strict=True))
        yield f"{_short(each.stress.name, NAME):<{NAME}}{figures}"
        yield from _wrapped(stress_terms(each), "  ")
    yield from _lacks(report)


def _loss_heads(title: str) -> str:
    heads = [f"{level * 100:.0f} % {what}" for level in LEVELS for what in ("VaR", "ES")]
    return f"{title:<{NAME}}" + "".join(f"{head:>11}" for head in heads)


def stress_terms(found: CorrelationStress) -> str:
    """Return what a stress changes; empty for the recorded figures."""
    stress = found.stress
    if stress.way == 0 and stress.volatility == 1:
        return ""
    way = f"{'' if stress.way == 1 else f'{stress.way:.0%} of the way '}to {stress.correlation:g}".replace("%", " %")
    return f"{way}: deviation × {found.by_correlation:.2f}; volatility × {stress.volatility:g}"


def notes_of(report: RiskReport) -> Iterator[str]:
    """Yield what the figures rest on, a sentence or two at a time."""
    yield (
        f"VaR and correlations: the {report.days} days from {report.first}, with today's positions held unchanged. ES "
        "is the mean of the losses beyond the VaR. 10-day historical windows overlap; √10 scales the 1-day figures."
    )
    yield (
        f"A recorded scenario is the path of {LONGEST_RUN} sessions, within its days, with the lowest point. A shock "
        "moves the other positions by their betas of all recorded days."
    )
    betas = [*(each.proxies for each in report.scenarios), {s: proxy.beta for s, proxy in report.proxies.items()}]
    if any(betas):
        yield (
            f"{BY_BETA}: the returns of {INDEX} times a beta, for lack of own ones. A measured beta is two thirds of "
            "that of all common days and a third of 1. What such a position loses on its own is in no figure."
        )
    short = {each.symbol for each in report.positions if each.quantity < 0}
    assumed = {s for found in betas for s, beta in found.items() if beta.source is BetaSource.ASSUMED}
    if guessed := sorted(short & assumed):
        yield f"{', '.join(guessed)}: short by an assumed beta; its gain where {INDEX} falls is a guess."
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
    if any(each.by_correlation < 1 and each.stress.correlation > 0 for each in report.stresses):
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


def _short(name: str, width: int = LONGEST_NAME) -> str:
    return name if len(name) < width else f"{name[: width - 2]}…"


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    lines = wrap(text, PROSE, initial_indent=indent, subsequent_indent=indent or "  ", break_on_hyphens=False)
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
                **_proxy(None if (found := report.proxies.get(each.symbol)) is None else found.beta),
                "no_history": None if found is None else found.reason,
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
                "name": each.stress.name,
                "target": each.stress.correlation,
                "weight": each.stress.way,
                "volatility": each.stress.volatility,
                "by_correlation": round(each.by_correlation, 6),
                **{
                    f"{name}_{100 * level:.0f}": round(amount, 2)
                    for name, amounts in (("var", each.var), ("es", each.shortfall))
                    for level, amount in zip(LEVELS, amounts, strict=True)
                },
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
        "lowest_day": scenario.lowest or None,
        "end": None if not scenario.path else round(scenario.path[-1].total, 2),
        "path": [
            {"day": each.day, "profit": round(each.profit, 2), "total": round(each.total, 2)} for each in scenario.path
        ],
        "by_beta": [*scenario.proxies],
        "reason": scenario.reason or None,
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
        **_proxy(part.proxy),
    }


def _proxy(beta: Beta | None) -> dict[str, object]:
    """Return the beta of a position that is moved by the index; nulls for one with returns of its own."""
    return {
        "proxy_beta": None if beta is None else round(beta.value, 6),
        "proxy_source": None if beta is None else beta.source.value,
        "proxy_days": None if beta is None else beta.days,
    }


def _tested(test: RatioTest | None) -> dict[str, float] | None:
    return None if test is None else {"ratio": round(test.ratio, 6), "p_value": round(test.p_value, 9)}
