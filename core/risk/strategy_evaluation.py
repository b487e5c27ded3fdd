"""The nightly evaluation of strategies: figures, verdicts, and their text.

The slice of the evaluation: each strategy's recent trades, suspensions with their reasons, and proposals.
It folds trades, measurements of the VIX and its own verdicts (ST-10). A nightly run reads only the window's trades.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext

from core import facts
from core.model.lazy_dataclass import dataclass
from core.model.position import Ended, Trade
from core.model.signal import Evaluated, EvaluationFigures, NoFigure, SuspensionCause
from core.model.sizing import MarketMeasure, Regime, VixReading
from core.model.values import CENT, ZERO, Fraction, Money, exact_percent, percent
from core.risk.regime import CLOSES
from core.risk.thesis_book import Invalidation
from core.settings.strategies import EvaluationSettings

SESSIONS_A_YEAR = Decimal(252)
PLACES = Decimal("0.0001")
DAILY_PLACES = Decimal("0.000001")
DIGITS = 28
"""Precision of every step, independent of the process's context."""
LEAST_SESSIONS = 2
"""Minimum for a standard deviation."""
ANNUAL_SESSIONS = 63
"""Minimum for an annualized figure: a quarter, as in `core.analytics.presentation` (AN-01)."""


@dataclass(frozen=True, slots=True)
class Result:
    """A closed trade: the trading day it ended on, its profit (USD), and the regime at its entry.

    `regime` is empty if it was unknown. A trade whose first exit failed is not a trading result: it is counted apart.
    """

    day: date
    profit: Money
    regime: str = ""
    is_failed: bool = False


def figures_of(
    results: Sequence[Result], since: date, sessions: Sequence[date], losses_in_a_row: int, least_trades: int
) -> EvaluationFigures:
    """Compute the figures of trades that ended on or after `since`.

    `sessions` are the counted trading days since then.
    """
    recent = [result for result in results if result.day >= since]
    traded = [result for result in recent if not result.is_failed]
    counted = [result.profit for result in traded]
    daily = sharpe_of(traded, sessions)
    wins = sum(profit > ZERO for profit in counted)
    return EvaluationFigures(
        since=since,
        trades=len(counted),
        wins=wins,
        losses_in_a_row=losses_in_a_row,
        win_rate=win_rate_of(wins, len(counted), least_trades),
        sharpe=a_year(daily, len(sessions)),
        profit_factor=profit_factor_of(counted),
        failed=len(recent) - len(traded),
        daily_sharpe=daily,
    )


def win_rate_of(wins: int, trades: int, least: int) -> Fraction | NoFigure:
    """Winning trades / all trades, to four places. A trade with zero profit is not a win.

    There is no figure with fewer than `least` trades.
    """
    if trades < least:
        return NoFigure(f"{trades} trades of the {least} that a win rate needs")
    return Fraction((Decimal(wins) / trades).quantize(PLACES))


def profit_factor_of(profits: Sequence[Decimal]) -> Decimal | NoFigure:
    """Sum of the gains / sum of the losses, to four places. There is no figure if no trade lost."""
    lost = -sum((profit for profit in profits if profit < ZERO), ZERO)
    if not lost:
        return NoFigure("no trade lost, so that there is no profit factor")
    with localcontext() as context:
        context.prec = DIGITS
        return (sum((profit for profit in profits if profit > ZERO), ZERO) / lost).quantize(PLACES)


def sharpe_of(results: Sequence[Result], sessions: Sequence[date]) -> Decimal | NoFigure:
    """The Sharpe ratio of the daily results, to six places, not annualized: mean / standard deviation.

    A day's result is the sum, in USD, of the trades that ended on it, and zero on a session without any; the deviation
    is the sample's (n − 1), the riskless rate zero. The ratio does not depend on the capital, so it equals the ratio of
    returns on a constant capital (W. F. Sharpe, The Sharpe Ratio, 1994).

    There is no figure with fewer than two sessions, nor if every session had the same result but for a cent.
    """
    if len(sessions) < LEAST_SESSIONS:
        return NoFigure(f"{len(sessions)} sessions of the {LEAST_SESSIONS} that a Sharpe ratio needs")
    of_day = dict.fromkeys(sessions, ZERO)
    for result in results:
        of_day[result.day] = of_day.get(result.day, ZERO) + result.profit
    with localcontext() as context:
        context.prec = DIGITS
        mean = sum(of_day.values(), ZERO) / len(of_day)
        variance = sum(((day - mean) ** 2 for day in of_day.values()), ZERO) / (len(of_day) - 1)
        if variance <= CENT**2:
            return NoFigure("every session made the same, so that there is no Sharpe ratio")
        return (mean / variance.sqrt()).quantize(DAILY_PLACES)


def a_year(daily: Decimal | NoFigure, sessions: int) -> Decimal | NoFigure:
    """The annual Sharpe ratio, to four places: √252 × that of a session. There is none of fewer than 63 sessions."""
    if isinstance(daily, NoFigure):
        return daily
    if sessions < ANNUAL_SESSIONS:
        return NoFigure(f"{sessions} sessions of the {ANNUAL_SESSIONS} that a Sharpe ratio a year needs")
    with localcontext() as context:
        context.prec = DIGITS
        return (SESSIONS_A_YEAR.sqrt() * daily).quantize(PLACES)


def of_a_session(yearly: Decimal) -> Decimal:
    """Return the ratio of a session that a limit for a year means."""
    with localcontext() as context:
        context.prec = DIGITS
        return (yearly / SESSIONS_A_YEAR.sqrt()).quantize(DAILY_PLACES)


@dataclass(frozen=True, slots=True)
class Retire:
    reason: str


@dataclass(frozen=True, slots=True)
class Promote:
    reason: str


@dataclass(frozen=True, slots=True)
class Keep:
    words: str


def judged(figures: EvaluationFigures, terms: EvaluationSettings) -> Retire | Promote | Keep:
    """Return the first reason to retire it; else whether all three figures are high enough to promote it.

    If a figure is missing the strategy is kept as it is.
    """
    if figures.losses_in_a_row >= terms.losses_in_a_row:
        return Retire(f"{figures.losses_in_a_row} losses in a row, {terms.losses_in_a_row} retire it")
    sharpe = figures.daily_sharpe
    if sharpe is None or isinstance(sharpe, NoFigure):
        return Keep(f"skipped this time: {'no Sharpe ratio' if sharpe is None else sharpe.reason}")
    if isinstance(figures.win_rate, NoFigure):
        return Keep(f"skipped this time: {figures.win_rate.reason}")
    if sharpe < (least := of_a_session(terms.least_sharpe)):
        return Retire(
            f"Sharpe {sharpe:.3f} a session of {terms.window_days} days is under {least:.3f}, "
            f"which is {terms.least_sharpe} a year"
        )
    if figures.win_rate < terms.least_win_rate:
        return Retire(
            f"it won {percent(figures.win_rate, 1)} of {figures.trades} trades, "
            f"under {percent(terms.least_win_rate, 0)}"
        )
    if isinstance(figures.profit_factor, NoFigure):
        return Keep(f"nothing more is proposed: {figures.profit_factor.reason}")
    if (
        terms.more
        and sharpe > of_a_session(terms.more_over_sharpe)
        and figures.win_rate > terms.more_over_win_rate
        and figures.profit_factor > terms.more_over_profit_factor
    ):
        return Promote(
            f"Sharpe {sharpe:.2f} a session, {percent(figures.win_rate, 1)} of {figures.trades} trades won, "
            f"profit factor {figures.profit_factor:.2f}"
        )
    return Keep("goes on as it is")


def bad_regimes(results: Sequence[Result], since: date, terms: EvaluationSettings) -> Iterator[tuple[str, str]]:
    """Yield regimes in which it lost money and won too rarely, each with the reason."""
    by_regime: dict[str, list[Decimal]] = {}
    for result in results:
        if result.day >= since and result.regime and not result.is_failed:
            by_regime.setdefault(result.regime, []).append(result.profit)
    for regime, profits in sorted(by_regime.items()):
        wins, lost = sum(profit > ZERO for profit in profits), -sum(profits, ZERO)
        if len(profits) >= terms.regime_trades and lost > ZERO and wins < terms.least_win_rate * len(profits):
            yield regime, f"{len(profits)} trades in it lost {lost:,.2f} USD, {wins} of them won"


def vix_is_high(closes: Sequence[tuple[date, Decimal]], terms: EvaluationSettings) -> bool:
    """Return whether the last `vix_days` closes are all over the limit."""
    last = closes[-terms.vix_days :]
    return len(last) == terms.vix_days and all(value > terms.vix_over for _, value in last)


KINDS: dict[type, str] = {
    facts.StrategiesEvaluated: "strategy",
    facts.StrategySuspended: "strategy",
    facts.StrategyReinstated: "strategy",
    facts.PromotionProposed: "strategy",
    facts.PromotionDecided: "strategy",
    facts.PromotionRefused: "strategy",
    facts.ReinstatementRefused: "strategy",
    facts.ThesisInvalidated: "strategy",
    facts.ThesisPauseDeclined: "strategy",
    facts.ThesesChecked: "strategy",
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
        case facts.ReinstatementRefused():
            return f"{fact.strategy} stays paused: {fact.reason}"
        case facts.ThesisInvalidated():
            words = Invalidation(fact.thesis, fact.kind, fact.evidence, fact.earlier).in_words
            return f"{fact.thesis.strategy}: a pause is proposed, + in Strategies: thesis {words}"
        case facts.ThesisPauseDeclined():
            return f"{fact.strategy}: the pause is declined, it goes on although its thesis is INVALIDATED"
        case facts.ThesesChecked():
            each = (f"{v.thesis.name} {v.status} by {v.kind} trades" for v in fact.verdicts)
            return f"checked the theses the night of {fact.day}: {'; '.join(each)}"
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


EVERY = ""
"""Means every strategy."""
RESUMED = frozenset({SuspensionCause.RETIRED, SuspensionCause.THESIS, SuspensionCause.REGIME})
"""Causes that only the operator ends; the others end by themselves."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """A strategy may not open, in one regime if `scope` names one; `until` is None if no time ends it."""

    strategy: str
    cause: SuspensionCause
    scope: str
    reason: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A larger allocation, for the operator to adopt or decline."""

    step: Fraction
    reason: str
    at: datetime


@dataclass(slots=True)
class EvaluationRecord:
    """The record of one strategy.

    `results` holds the trades of the window, oldest first. `decided_on` is the day of the operator's last decision on a
    larger allocation.
    """

    began_on: date
    results: list[Result] = field(default_factory=list)
    losses_in_a_row: int = 0
    decided_on: date | None = None


@dataclass(slots=True)
class EvaluationState:
    """State of the evaluation of all strategies.

    `entered_in` holds the regime in which each open position was opened, by `SYMBOL/strategy`. `days` holds the trading
    days of the window on which the desk ran, `last` each strategy's last evaluation.
    """

    records: dict[str, EvaluationRecord] = field(default_factory=dict)
    entered_in: dict[str, str] = field(default_factory=dict)
    days: list[date] = field(default_factory=list)
    vix: list[tuple[date, Decimal]] = field(default_factory=list)
    shut: dict[str, Suspension] = field(default_factory=dict)
    proposed: dict[str, Proposed] = field(default_factory=dict)
    last: dict[str, Evaluated] = field(default_factory=dict)
    evaluated_on: date | None = None


class EvaluationBook:
    """Folds trades and verdicts of the evaluation.

    Parameters
    ----------
    regime
        The current market regime.
    day_of
        The trading day of an instant.
    ended
        The trade of a strategy that the current fill closed.
    """

    name = "evaluation"

    def __init__(
        self,
        terms: Callable[[], EvaluationSettings],
        regime: Callable[[], Regime],
        day_of: Callable[[datetime], date],
        ended: Callable[[], Ended | None] = lambda: None,
    ) -> None:
        self.terms = terms
        self.regime = regime
        self.day_of = day_of
        self.ended = ended
        self.state = EvaluationState()
        self.folds = {
            facts.OrderFilled: self._order_filled,
            facts.FillReversed: self._fill_reversed,
            facts.DayStarted: self._day_started,
            facts.PositionChanged: self._position_changed,
            facts.RegimeMeasured: self._measured,
            facts.StrategySuspended: self._shut,
            facts.StrategyReinstated: self._opened,
            facts.PromotionProposed: self._proposed,
            facts.PromotionDecided: self._decided,
            facts.StrategiesEvaluated: self._evaluated,
        }

    def restore(self, state: EvaluationState) -> None:
        self.state = state

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def shut(self, strategy: str, at: datetime) -> Suspension | None:
        """Return the suspension that blocks a strategy's entries now; a retirement comes before temporary ones."""
        now_in = label_of(self.regime())
        found = [
            shut
            for shut in self.state.shut.values()
            if shut.strategy in (strategy, EVERY)
            and (shut.until is None or at < shut.until)
            and (shut.cause is not SuspensionCause.REGIME or shut.scope == now_in)
        ]
        return min(found, key=lambda shut: [*SuspensionCause].index(shut.cause), default=None)

    def shuts_of(self, strategy: str) -> Iterator[Suspension]:
        """Return every recorded suspension of a strategy, also those without effect in the current regime."""
        return (shut for shut in self.state.shut.values() if shut.strategy in (strategy, EVERY))

    def is_retired(self, strategy: str) -> bool:
        return key_of(strategy, SuspensionCause.RETIRED, "") in self.state.shut

    def is_due(self, strategy: str, day: date) -> bool:
        """Return whether it has traded long enough to be evaluated, and is not retired already."""
        record = self.state.records.get(strategy)
        is_old = record is not None and (day - record.began_on).days >= self.terms().least_days
        return is_old and not self.is_retired(strategy)

    def since(self, strategy: str, day: date) -> date:
        """Return the first day that counts on the night of `day`."""
        return max(self.state.records[strategy].began_on, day - timedelta(days=self.terms().window_days - 1))

    def figures(self, strategy: str, day: date) -> EvaluationFigures:
        """Return the figures on the night of `day`.

        Days on which the desk did not run do not count as days without a result.
        """
        record, since = self.state.records[strategy], self.since(strategy, day)
        counted = [each for each in self.state.days if since <= each <= day]
        return figures_of(record.results, since, counted, record.losses_in_a_row, self.terms().least_trades)

    def lost_since(self, strategy: str, monday: date) -> Decimal:
        """Sum the losses of its trades that ended since Monday, USD; below zero is a gain."""
        record = self.state.records.get(strategy)
        return -sum((r.profit for r in record.results if r.day >= monday), ZERO) if record is not None else ZERO

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, trade: Trade) -> None:
        """Add a closed trade. Times never go back: a late one counts on the newest day."""
        day = self.day_of(trade.exit_time)
        record = self.state.records.setdefault(trade.strategy, EvaluationRecord(day))
        if record.results:
            day = max(day, record.results[-1].day)
        regime = self.state.entered_in.get(f"{trade.symbol}/{trade.strategy}", "")
        record.results.append(Result(day, trade.profit, regime, trade.is_failed))
        if not trade.is_failed:
            record.losses_in_a_row = record.losses_in_a_row + 1 if trade.profit < ZERO else 0
        oldest = day - timedelta(days=self.terms().window_days - 1)
        while record.results[0].day < oldest:
            del record.results[0]

    def _order_filled(self, _at: datetime, _fact: facts.OrderFilled) -> None:
        if (over := self.ended()) is not None:
            self.take(over.trade)

    def _fill_reversed(self, _at: datetime, fact: facts.FillReversed) -> None:
        """Drop the trade that is open again, or take its corrected profit."""
        record = None if fact.undone is None else self.state.records.get(fact.undone.strategy)
        if record is None or fact.undone is None:
            return
        profit = fact.undone.profit
        last = max((n for n, one in enumerate(record.results) if one.profit == profit), default=None)
        if last is None:
            return
        after, one = fact.corrected, record.results[last]
        record.results[last : last + 1] = [] if after is None else [replace(one, profit=after.profit)]
        traded = [one.profit for one in record.results if not one.is_failed]
        gained = max((n for n, one in enumerate(traded) if one >= ZERO), default=-1)
        record.losses_in_a_row = len(traded) - 1 - gained

    def _day_started(self, _at: datetime, fact: facts.DayStarted) -> None:
        if fact.day in self.state.days:
            return
        oldest = fact.day - timedelta(days=self.terms().window_days - 1)
        self.state.days = [*(day for day in self.state.days if day >= oldest), fact.day]

    def _position_changed(self, _at: datetime, fact: facts.PositionChanged) -> None:
        key = f"{fact.symbol}/{fact.strategy}"
        if fact.quantity:
            self.state.entered_in.setdefault(key, label_of(self.regime()))
        else:
            self.state.entered_in.pop(key, None)

    def _measured(self, _at: datetime, fact: facts.RegimeMeasured) -> None:
        """Keep the closes of the measured history; without one, keep one value per day."""
        vix = fact.regime.vix
        if not isinstance(vix, VixReading):
            return
        if vix.closes:
            self.state.vix = [(close.day, close.value) for close in vix.closes]
        if vix.closes or vix.measured_at is not None:  # rules by day take no value in the day
            return
        kept = [(day, value) for day, value in self.state.vix if day < vix.measured_on]
        self.state.vix = [*kept[-(CLOSES - 1) :], (vix.measured_on, vix.value)]

    def _shut(self, at: datetime, fact: facts.StrategySuspended) -> None:
        shut = Suspension(fact.strategy, fact.cause, fact.scope, fact.reason, at, fact.until)
        self.state.shut[key_of(fact.strategy, fact.cause, fact.scope)] = shut
        if fact.cause is SuspensionCause.RETIRED:
            self.state.proposed.pop(fact.strategy, None)

    def _opened(self, at: datetime, fact: facts.StrategyReinstated) -> None:
        """Restart the evaluation after the operator resumes: earlier results no longer count, in that regime
        or in all.
        """
        self.state.shut.pop(key_of(fact.strategy, fact.cause, fact.scope), None)
        record = self.state.records.get(fact.strategy)
        if record is None:
            return
        if fact.cause is SuspensionCause.RETIRED:
            self.state.records[fact.strategy] = EvaluationRecord(self.day_of(at))
        if fact.cause is SuspensionCause.REGIME:
            record.results = [replace(r, regime="") if r.regime == fact.scope else r for r in record.results]

    def _proposed(self, at: datetime, fact: facts.PromotionProposed) -> None:
        self.state.proposed[fact.strategy] = Proposed(fact.step, fact.reason, at)

    def _decided(self, at: datetime, fact: facts.PromotionDecided) -> None:
        self.state.proposed.pop(fact.strategy, None)
        record = self.state.records.get(fact.strategy)
        if record is not None:
            record.decided_on = self.day_of(at)

    def _evaluated(self, _at: datetime, fact: facts.StrategiesEvaluated) -> None:
        self.state.evaluated_on = fact.day
        self.state.last = {**self.state.last, **{each.strategy: each for each in fact.results}}


def label_of(regime: Regime) -> str:
    """Return a label such as `up, calm`; empty if the market's labels are not known."""
    market = regime.market
    if not isinstance(market, MarketMeasure) or market.trend is None or market.volatility is None:
        return ""
    return f"{market.trend.value}, {market.volatility.value}"


def key_of(strategy: str, cause: SuspensionCause, scope: str) -> str:
    return f"{strategy}/{cause.value}/{scope}"
