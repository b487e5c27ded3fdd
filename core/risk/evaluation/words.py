"""Text of the evaluation: one log line per event, and the lines of a strategy's detail."""

from __future__ import annotations

from decimal import Decimal

from core import facts
from core.model.evaluation import EvaluationFigures, NoFigure, SuspensionCause
from core.model.values import exact_percent, percent

KINDS: dict[type, str] = {
    facts.StrategiesEvaluated: "strategy",
    facts.StrategySuspended: "strategy",
    facts.StrategyReinstated: "strategy",
    facts.PromotionProposed: "strategy",
    facts.PromotionDecided: "strategy",
    facts.PromotionRefused: "strategy",
}


def in_words(fact: facts.Fact) -> str:
    match fact:
        case facts.StrategiesEvaluated():
            each = (f"{e.strategy} {figures_in_words(e.figures)}: {e.verdict}" for e in fact.results)
            return f"evaluated the night of {fact.day}: {'; '.join(each) or 'no strategy was due'}"
        case facts.StrategySuspended():
            return f"{_whose(fact.strategy)} {shut_in_words(fact.cause, fact.scope)}: {fact.reason}"
        case facts.StrategyReinstated():
            return f"{_whose(fact.strategy)} may open again ({fact.cause.value}): {fact.reason}"
        case facts.PromotionProposed():
            return (
                f"{fact.strategy}: {percent(fact.step, 0)} more of its allocation is proposed, "
                f"+ in Strategies: {fact.reason}"
            )
        case facts.PromotionDecided():
            word = "adopted" if fact.is_adopted else "declined"
            of = (
                ""
                if fact.allocation is None
                else f", {exact_percent(fact.allocation)} of equity from the next trading day"
            )
            return f"{fact.strategy}: the larger allocation is {word}{of}"
        case facts.PromotionRefused():
            return f"{fact.strategy}: the larger allocation is not adopted: {fact.reason}"
    return ""


def shut_in_words(cause: SuspensionCause, scope: str) -> str:
    if cause is SuspensionCause.RETIRED:
        return "is RETIRED: no entries until you resume it"
    where = f" while the market is {scope}" if scope else ""
    return f"is paused{where}: no entries"


def figures_in_words(figures: EvaluationFigures) -> str:
    """As in `31 trades, won 58.1 %, Sharpe 0.08 a session, profit factor 1.40, 2 losses in a row`."""
    parts = [
        f"{figures.trades} trades",
        f"won {'unknown' if isinstance(figures.win_rate, NoFigure) else percent(figures.win_rate, 1)}",
        f"Sharpe {_sharpe(figures)}",
        f"profit factor {_figure(figures.profit_factor, '.2f')}",
        f"{figures.losses_in_a_row} losses in a row",
        *((f"{figures.failed} after a failed exit, counted apart",) if figures.failed else ()),
    ]
    return ", ".join(parts)


def missing_in_words(figures: EvaluationFigures) -> tuple[str, ...]:
    """Explain each missing figure."""
    sharpe = figures.sharpe if figures.daily_sharpe is None else figures.daily_sharpe
    found = (figures.win_rate, sharpe, figures.profit_factor)
    return tuple(figure.reason for figure in found if isinstance(figure, NoFigure))


def _sharpe(figures: EvaluationFigures) -> str:
    """Of a year where it has the sessions for it, otherwise of a session."""
    if isinstance(figures.sharpe, Decimal) or not isinstance(figures.daily_sharpe, Decimal):
        return _figure(figures.sharpe, ".2f")
    return f"{figures.daily_sharpe:.2f} a session"


def _figure(figure: Decimal | NoFigure, form: str) -> str:
    return "unknown" if isinstance(figure, NoFigure) else format(figure, form)


def _whose(strategy: str) -> str:
    return strategy or "every strategy"
