"""The settings that the kernel models, or that cannot change a backtest, one by one (AN-08).

A setting that no table here names has to keep its default, so that a new one is rejected until someone looks at it.
"""

from __future__ import annotations

from collections.abc import Mapping

LIMITS = (
    "limits.windows limits.entries_a_day limits.per_trade.usd limits.per_trade.of_equity limits.max_notional.usd "
    "limits.max_notional.of_equity limits.daily_loss.usd limits.daily_loss.of_equity"
)
"""Of every strategy; the amounts of the one that is played are looked at."""
PLAN = (
    f"{LIMITS} allocation position_part enabled symbols requires_recommendation price_tolerance range_bars stop_ranges "
    "target_ranges quantity_step stop_holder flat_minutes holds_overnight"
)
"""Of every strategy with a plan."""
TABLES: Mapping[str, str] = {
    "": "profile symbols",
    "alpaca": (
        "trading_url data_url trade_stream_url data_stream_url feed connect_seconds read_seconds silence_seconds"
    ),
    "display": "theme frames bell_seconds",
    "evaluation": (
        "enabled minutes_after_close least_days window_days least_trades losses_in_a_row least_sharpe "
        "least_win_rate more_over_sharpe more_over_win_rate more_over_profit_factor more regime_trades "
        "vix_over vix_days vix_under"
    ),
    "exchange": (
        "cash slippage slippage_by_size half_spread_ticks participation fee_per_share settlement_days halt_minutes "
        "margin_interest frictions"
    ),
    "exits": ("enabled not_for profit_target stop stale_days stale_gain max_days flat_minutes overnight"),
    "health": "listen symbols slow_sync_milliseconds",
    "notify": "command seconds give_up_minutes exit_seconds disconnect_seconds digest_at in_demo",
    "notify.quiet": "begins ends broken_from broken_by",
    "proof": "agent_key sign_daily stamp_url stamp_seconds",
    "reconciliation": (
        "max_missing max_drift split_tolerance every_seconds poll_seconds again_seconds apart_seconds max_unanswered"
    ),
    "regime": "vix_low vix_elevated vix_high vix_url vix_now_url connect_seconds read_seconds answer_seconds",
    "risk": (
        "min_notional max_open_positions several_strategies_a_symbol entries_a_day window_start window_end "
        "spread_limit spread_of_stop_limit"
    ),
    "risk.collar": "band spreads period_band period_minutes passive_band",
    "risk.daily_loss": "usd of_equity",
    "risk.frequency": "enabled none_over one_more_under",
    "risk.margin": "warn_at refuse_at holds_overnight deficit_limit deficit_days",
    "risk.max_day_value": "usd of_equity",
    "risk.max_notional": "usd of_equity",
    "risk.order_size": "shares of_volume",
    "risk.per_trade": "usd of_equity",
    "risk.portfolio": "max_exposure reserve symbol_exposure sector_exposure",
    "risk.protections": "override_minutes loss_override_minutes",
    "risk.protections.cooldown": "enabled loss stop_minutes",
    "risk.protections.day_trades": "enabled trade_limit days equity",
    "risk.protections.equity_curve": "enabled trades disabled_after",
    "risk.protections.loss_streak": "enabled trade_limit stop_minutes",
    "risk.protections.low_profit": "enabled trade_limit required_profit per_side lookback_minutes stop_minutes",
    "risk.protections.max_drawdown": "enabled method limit trade_limit lookback_minutes stop_minutes",
    "risk.protections.repeated_execution": "enabled fills renewals minutes",
    "risk.protections.stop_loss_guard": (
        "enabled per per_side consecutive trade_limit required_profit lookback_minutes stop_minutes"
    ),
    "risk.protections.volatility_halt": "enabled limit times_median returns at_least days market stop_minutes",
    "risk.session": "policy",
    "risk.session.crypto": "part spread_limit",
    "risk.session.extended": "part spread_limit",
    "risk.sizing": "budget",
    "risk.sizing.atr": "enabled multiple bars",
    "risk.sizing.correlation": "enabled limit factor days",
    "risk.sizing.throttle": "daily_part daily_factor weekly_part weekly_factor",
    "risk.sizing.vix": "enabled elevated high",
    "risk.weekly_loss": "usd of_equity",
    "strategies": "folder slow_milliseconds faults",
    "strategies.breakout": f"{PLAN} bars buffer confirming_bars counted_bars maximum_false volume_bars volume_factor",
    "strategies.mean_reversion": f"{PLAN} bars deviations max_hold_hours",
    "strategies.momentum": f"{PLAN} bars minimum_gain strength_bars strength_limit volume_bars volume_factor",
    "strategies.sma": f"{PLAN} pairs regime_filter regime_bars minimum_confidence",
    "strategies.vwap": (
        f"{LIMITS} allocation position_part enabled symbols entry_deviation stop_fraction minimum_bars minimum_volume "
        "quantity_step stop_holder flat_minutes"
    ),
    "strategies.vwap.adaptive": "enabled days usual least most",
    "strategies.vwap.filters": "enabled distance bar_volume slope_bars",
    "watchdog": "silent_seconds memory_mb growth_mb_a_day data_silent_seconds restarts within_seconds",
}
"""The names of each table: every value of theirs is modelled, is without effect, or is looked at in `refusals`."""
OPEN = ("agents", "keys", "notify.channels", "notify.rules", "strategies.own")
"""Tables whose names the user chooses; those of `strategies.own` are looked at, the others have no effect."""
NAMES = frozenset(f"{table}.{name}".lstrip(".") for table, names in TABLES.items() for name in names.split())


def is_modelled(name: str) -> bool:
    """Return whether every value of a setting is modelled, is without effect, or is looked at."""
    return name in NAMES or any(name == table or name.startswith(f"{table}.") for table in OPEN)
