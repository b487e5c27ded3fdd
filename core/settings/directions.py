"""The looser direction of each setting, or why it has none: read by a reload of limits and by a start (RK-13).

A looser value waits for the word LOOSEN, at a start too. A setting under `risk` that is not named, and one of
`EITHER_WAY`, counts as looser with any change. Every other one is named, or has no direction and a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

from core.model.order import StopHolder

HOUSE = ("vwap", "momentum", "breakout", "mean_reversion", "sma")
"""The built-in strategies, by their tables."""


OWN = "own"
"""In the place of the name of a strategy of the user's."""


def _of_each(key: str) -> tuple[str, ...]:
    """Return a key for every built-in strategy, and for the user's."""
    return tuple(f"strategies.{name}.{key}" for name in (*HOUSE, OWN))


def _of_house(key: str, *without: str) -> tuple[str, ...]:
    """Return a key for the built-in strategies that have it."""
    return tuple(f"strategies.{name}.{key}" for name in HOUSE if name not in without)


MORE_IS_LOOSER = frozenset(
    {
        "per_trade",
        "max_notional",
        "max_open_positions",
        "several_strategies_a_symbol",
        "daily_loss",
        "weekly_loss",
        "entries_a_day",
        "window_end",
        "spread_limit",
        "spread_of_stop_limit",
        "quote_age_seconds",
        "quote_age_seconds_iex",
        "price_band",
        "collar.band",
        "collar.spreads",
        "collar.period_band",
        "collar.passive_band",
        "order_size.shares",
        "order_size.of_volume",
        "max_day_value",
        "clock_skew_seconds",
        "clock_wrong_seconds",
        "clock_jump_seconds",
        "margin.deficit_limit",
        "portfolio.max_exposure",
        "portfolio.symbol_exposure",
        "portfolio.sector_exposure",
        "messages.per_second",
        "messages.per_minute",
        "messages.per_day",
        "session.extended.part",
        "session.extended.spread_limit",
        "session.crypto.part",
        "session.crypto.spread_limit",
        "protections.stop_loss_guard.trade_limit",
        "protections.cooldown.loss",
        "protections.low_profit.trade_limit",
        "protections.loss_streak.trade_limit",
        "protections.max_drawdown.limit",
        "protections.max_drawdown.trade_limit",
        "protections.volatility_halt.limit",
        "protections.volatility_halt.times_median",
        "protections.equity_curve.disabled_after",
        "protections.repeated_execution.fills",
        "protections.repeated_execution.renewals",
        "protections.day_trades.trade_limit",
        "protections.override_minutes",
        "frequency.none_over",
        "frequency.one_more_under",
        "sizing.vix.elevated",
        "sizing.vix.high",
        "sizing.trend.against",
        "sizing.trend.volatile",
        "sizing.correlation.limit",
        "sizing.correlation.factor",
        "sizing.throttle.daily_part",
        "sizing.throttle.daily_factor",
        "sizing.throttle.weekly_part",
        "sizing.throttle.weekly_factor",
        "sizing.kelly.fraction",
        "sizing.budget",
        "sizing.raise_to_minimum",
        "execution.breaker_failures",
        "execution.breaker_openings",
        "execution.breaker_slow_seconds",
        "execution.breaker_slow_times",
        "execution.max_queued",
        "execution.warning_seconds",
        "attendance.cancel_minutes",
        "attendance.dead_man_hours",
        "staging.ticket_seconds",
        "staging.signal_seconds",
        "staging.manual_seconds",
        "staging.approval_seconds",
        "staging.move_of_stop",
        "staging.move",
        "confirm.silent_seconds",
        "orders.ttl_seconds",
        "reconciliation.max_missing",
        "reconciliation.max_drift",
        "reconciliation.split_tolerance",
        "reconciliation.max_unanswered",
        "reconciliation.every_seconds",
        "reconciliation.poll_seconds",
        "staging.review_seconds",
        "staging.close_seconds",
        "staging.basket.life_seconds",
        "staging.basket.run_seconds",
        "exits.stop",
        "exits.trail",
        "exits.trail_from",
        "exits.stale_days",
        "exits.max_days",
        "regime.vix_elevated",
        "regime.vix_high",
        "evaluation.least_days",
        "evaluation.least_trades",
        "evaluation.losses_in_a_row",
        "evaluation.regime_trades",
        "evaluation.vix_over",
        "evaluation.vix_days",
        "evaluation.vix_under",
        "strategies.faults",
        "strategies.slow_milliseconds",
        *_of_each("position_part"),
        *_of_house("holds_overnight", "vwap"),
        f"strategies.{OWN}.holds_overnight",
        "strategies.vwap.stop_fraction",
        "strategies.mean_reversion.max_hold_hours",
    }
)
"""Limits that allow more the larger they are, those under `risk` without its name; true is more than false."""
LESS_IS_LOOSER = frozenset(
    {
        "margin.deficit_days",
        "window_start",
        "clock_steady_seconds",
        "margin.refuse_at",
        "margin.holds_overnight",
        "portfolio.reserve",
        "messages.enabled",
        "messages.reserve",
        "twins.enabled",
        "twins.seconds",
        "twins.quantity",
        "twins.price",
        "self_cross.enabled",
        "protections.stop_loss_guard.enabled",
        "protections.stop_loss_guard.required_profit",
        "protections.stop_loss_guard.stop_minutes",
        "protections.cooldown.enabled",
        "protections.cooldown.stop_minutes",
        "protections.low_profit.enabled",
        "protections.low_profit.required_profit",
        "protections.low_profit.stop_minutes",
        "protections.loss_streak.enabled",
        "protections.loss_streak.stop_minutes",
        "protections.max_drawdown.enabled",
        "protections.max_drawdown.stop_minutes",
        "protections.volatility_halt.enabled",
        "protections.volatility_halt.stop_minutes",
        "protections.equity_curve.enabled",
        "protections.repeated_execution.enabled",
        "protections.repeated_execution.minutes",
        "protections.day_trades.enabled",
        "protections.day_trades.days",
        "protections.day_trades.equity",
        "protections.loss_override_minutes",
        "sizing.atr.enabled",
        "sizing.atr.multiple",
        "sizing.vix.enabled",
        "sizing.trend.enabled",
        "sizing.correlation.enabled",
        "execution.breaker_seconds",
        "execution.not_found_times",
        "execution.not_found_seconds",
        "exits.enabled",
        "exits.stale_gain",
        "exits.flat_minutes",
        "exits.by_hand",
        "evaluation.enabled",
        "evaluation.least_sharpe",
        "evaluation.least_win_rate",
        *_of_each("flat_minutes"),
        *_of_house("requires_recommendation", "vwap"),
    }
)
"""Limits that allow more the smaller they are."""
STRICTER: Mapping[str, object] = {
    "on_missing_equity": "refuse",
    "session.policy": "regular_only",
    "attendance.entries": "cancel",
    **dict.fromkeys(_of_house("stop_holder"), StopHolder.BROKER),
}
"""The strictest value of each choice."""
FOR_EVER = Decimal("Infinity")
ZERO_IS_NEVER = frozenset(
    {
        "attendance.dead_man_hours",
        "orders.ttl_seconds",
        "exits.stop",
        "exits.trail",
        "exits.stale_days",
        "exits.max_days",
        "reconciliation.every_seconds",
    }
)
"""Limits that are off at zero, which allows most."""
EITHER_WAY = frozenset({"exits.not_for", "exits.overnight"})
"""Settings without an order: each change of them counts as looser."""
NAMED = MORE_IS_LOOSER | LESS_IS_LOOSER | EITHER_WAY | frozenset(STRICTER)
BESIDE_RISK: Mapping[str, tuple[tuple[str, ...], ...]] = {
    table: tuple(tuple(name.split(".")[1:]) for name in sorted(NAMED) if name.startswith(f"{table}."))
    for table in (
        *("execution", "attendance", "staging", "confirm", "orders", "reconciliation"),
        *("exits", "evaluation", "strategies", "regime"),
    )
}
"""The limits of other tables, by table: all named ones; the rest of these tables is read at a start alone."""

NO_DIRECTION: Mapping[str, str] = {
    "profile": "it gives the defaults, and each of them has its own direction",
    "symbols": "what is watched: an order in any of them needs its key and passes every check",
    "account": "another account, with its own journal, limits and gates (OP-10)",
    "execution.answer_seconds": "when an answer is doubted: late costs time, early costs a look-up",
    "execution.look_up_first_seconds": "how often is asked",
    "execution.look_up_longest_seconds": "how often is asked",
    "execution.cancel_retry_seconds": "how often is asked",
    "execution.cancel_longest_seconds": "how often is asked",
    "staging.basket.entries_seconds": "a flattening waits so long, and sells all the same",
    "staging.basket.sells_seconds": "when a basket asks, and nothing goes without the answer",
    "staging.basket.poll_seconds": "how often is asked",
    "staging.basket.buys_seconds": "when the report is asked for",
    "staging.basket.report_seconds": "how long the report is waited for",
    "reconciliation.again_seconds": "how often is asked",
    "reconciliation.apart_seconds": "how often is asked",
    "attendance.key_seconds": "how long control waits for its desk, disarmed; any other halts, kills and takes it",
    "exits.profit_target": "where a gain is taken: what is lost stays bounded by the stop",
    "evaluation.minutes_after_close": "when it is judged",
    "evaluation.window_days": "a longer window counts more good and more bad trades",
    "evaluation.more_over_sharpe": "proposes alone",
    "evaluation.more_over_win_rate": "proposes alone",
    "evaluation.more_over_profit_factor": "proposes alone",
    "evaluation.more": "proposes alone",
    **dict.fromkeys(_of_each("allocation"), "it changes at a day's start alone, within the whole of equity (ST-08)"),
    "strategies": "what a strategy looks for and whether it looks: it proposes, and limits and keys are the same",
    "exchange": "rules of the simulated exchange, where no money is",
    "alpaca": "where Alpaca is reached and how long it is waited for; its hosts are held to the account's kind (OP-10)",
    "regime.vix_low": "nothing is sized by it: low and normal are traded alike",
    "regime": "where the VIX is read",
    "advisers": "advisers say words, and nothing of it is sent (OP-09)",
    "display": "the screen",
    "keys": "the screen",
    "health": "who reads figures on this machine",
    "notify": "who is told; nothing is sent by it that trades",
    "proof": "how the record is signed",
    "watchdog": "when the engine is started again; nothing that trades is decided by it",
}
"""By key or by table, why no value of it is looser than another."""


class Direction(Enum):
    """The looser direction of a setting; the value is its text."""

    MORE = "more is looser"
    LESS = "less is looser"
    CHOICE = "all but one are looser"
    EITHER = "each change counts as looser"
    NONE = "none"


def name_of(path: tuple[str, ...]) -> str:
    """As the tables here name a setting: one under `risk` without it, one of a strategy of the user's under `own`."""
    if path[0] == "risk":
        return ".".join(path[1:])
    if is_of_own(path):
        return ".".join((path[0], OWN, *path[2:]))
    return ".".join(path)


def is_of_own(path: tuple[str, ...]) -> bool:
    """Whether it stands in the table of a strategy of the user's."""
    match path:
        case ("strategies", name, _, *_):
            return name not in (*HOUSE, OWN)
    return False


def direction_of(path: tuple[str, ...]) -> Direction:
    """Return the direction of a setting by its whole key. Raises KeyError if none is defined."""
    name = name_of(path)
    if name in STRICTER:
        return Direction.CHOICE
    if name in MORE_IS_LOOSER:
        return Direction.MORE
    if name in LESS_IS_LOOSER:
        return Direction.LESS
    if name in EITHER_WAY or path[0] == "risk":
        return Direction.EITHER
    why_none(path)
    return Direction.NONE


def why_none(path: tuple[str, ...]) -> str:
    """Return why a setting has no direction, by its key or the nearest table around it.

    Raises KeyError without a reason.
    """
    for length in range(len(path), 0, -1):
        if reason := NO_DIRECTION.get(".".join(path[:length])):
            return reason
    raise KeyError(".".join(path))
