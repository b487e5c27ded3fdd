"""Every check of the gate as a control: the rules that ask for it, its settings, its test and its trial.

`keyturn attest` and docs/CONTROLS.md are made from this table alone. A check without a row fails a test; a protection
has the usual one if it needs no other. A rule is cited by the paragraph that asks for the control; for FIA's paper the
subject is named.

A trial overrides the settings of an account without limits, so that only this control can refuse. The trial's values
may differ from the settings in force; both are reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from pydantic import BaseModel

from core.messages.commands import ListSymbol, RefuseSymbol
from core.model.instrument import ListKind
from core.risk.protections.protection_registry import WITHOUT_OWN_CHECK
from core.risk.trials import Asked, Control, First, Trial, Tried, value_of
from core.settings.risk import ANY_DEFICITS, ANY_PRICE, ANY_QUANTITY, SHORTEST_TWIN, UNLIMITED
from core.settings.settings import Settings
from core.settings.types import AmountSettings

SEC_CREDIT = "SEC 15c3-5(c)(1)(i)"
SEC_ERRONEOUS = "SEC 15c3-5(c)(1)(ii)"
SEC_BEFORE_ENTRY = "SEC 15c3-5(c)(2)(i)"
SEC_RESTRICTED = "SEC 15c3-5(c)(2)(ii)"
RTS_KILL = "RTS 6 art. 12(1)"
RTS_COLLAR = "RTS 6 art. 15(1)(a)"
RTS_VALUE = "RTS 6 art. 15(1)(b)"
RTS_VOLUME = "RTS 6 art. 15(1)(c)"
RTS_MESSAGES = "RTS 6 art. 15(1)(d)"
RTS_REPEATED = "RTS 6 art. 15(3)"
RTS_LIMITS = "RTS 6 art. 15(4)"
RTS_THRESHOLDS = "RTS 6 art. 15(5)"
RTS_MONITORING = "RTS 6 art. 16"
RTS_EXPOSURE = "RTS 6 art. 17(2)"
FIA = "FIA 2024, "


WORDS: Mapping[str, str] = {
    SEC_CREDIT: "no order over pre-set credit or capital thresholds",
    SEC_ERRONEOUS: "no order over price or size parameters, nor one that indicates a duplicate",
    SEC_BEFORE_ENTRY: "no order before what must be satisfied on a pre-order entry basis is",
    SEC_RESTRICTED: "no order in securities that may not be traded",
    RTS_KILL: "unexecuted orders cancelled at once as an emergency measure",
    RTS_COLLAR: "price collars, an order and over a period",
    RTS_VALUE: "maximum order values",
    RTS_VOLUME: "maximum order volumes",
    RTS_MESSAGES: "maximum messages limits",
    RTS_REPEATED: "repeated automated execution throttles",
    RTS_LIMITS: "market and credit risk limits",
    RTS_THRESHOLDS: "orders blocked that risk compromising one's own risk thresholds",
    RTS_MONITORING: "real-time monitoring for signs of disorderly trading",
    RTS_EXPOSURE: "market and credit risk assessed and monitored as effective exposure",
}
"""A short text of each paragraph's requirement."""


def _protection(
    name: str,
    test: str,
    rules: tuple[str, ...] = (),
    *,
    nothing_at_most: str = "trade_limit",
    parts: Mapping[str, Asked] | None = None,
    **terms: object,
) -> Control:
    """Build a protection's control.

    At the maximum of the term `nothing_at_most` it never trips, unless `parts` say more.
    """
    key = f"risk.protections.{name}"
    settings = {f"{key}.{term}": value for term, value in {"enabled": True, **terms}.items()}
    tried, off = Trial(settings, first=First.STOPPED_OUT), _off(key)
    never = _all(parts) if parts else _most(f"{key}.{nothing_at_most}")
    return Control(
        name.replace("_", " "), rules, (key,), test, tried, lambda each: off(each) or never(each), parts or {}
    )


def _off(key: str) -> Asked:
    return lambda settings: value_of(settings, f"{key}.enabled") is False


def largest(key: str) -> object:
    """Return the maximum of a setting; None if it has none."""
    *path, name = key.split(".")
    table: type[BaseModel] = Settings
    for each in path:
        kind = table.model_fields[each].annotation
        assert isinstance(kind, type)
        table = kind
    bounds = (getattr(each, "le", None) for each in table.model_fields[name].metadata)
    return next((most for most in bounds if most is not None), None)


def _most(key: str) -> Asked:
    """Return a test whether a setting is at its maximum; older settings may exceed it."""
    most: Any = largest(key)
    assert most is not None, key
    return lambda settings: bool(value_of(settings, key) >= most)


def _never(protection: str, term: str) -> Asked:
    """Return a test whether a protection is off, or cannot trip by that term."""
    off, most = _off(f"risk.protections.{protection}"), _most(f"risk.protections.{protection}.{term}")
    return lambda settings: off(settings) or most(settings)


def _all(parts: Mapping[str, Asked]) -> Asked:
    return lambda settings: all(limits_nothing(settings) for limits_nothing in parts.values())


def _any(parts: Mapping[str, Asked]) -> Asked:
    return lambda settings: any(limits_nothing(settings) for limits_nothing in parts.values())


def _loses_all(key: str) -> Asked:
    """Return a test whether a loss limit is all of equity, or unlimited."""

    def asked(settings: Settings) -> bool:
        amount = value_of(settings, key)
        assert isinstance(amount, AmountSettings)
        return amount.limits_nothing or amount.of_equity == 1

    return asked


def _any_range(settings: Settings) -> bool:
    terms = settings.risk.frequency
    return not terms.enabled or _most("risk.frequency.none_over")(settings)


def _at_any_time(settings: Settings) -> bool:
    return settings.risk.window_start == time.min and settings.risk.window_end >= time(23, 59)


def _is_no_twin(settings: Settings) -> bool:
    return not settings.risk.twins.enabled or settings.risk.twins.seconds < SHORTEST_TWIN


def _repeats(settings: Settings) -> bool:
    return _off(REPEATED)(settings) or _all(_REPETITIONS)(settings)


REPEATED = "risk.protections.repeated_execution"
_FAILURES: Mapping[str, Asked] = {
    "requests without an answer": _most("execution.breaker_failures"),
    "late answers": _any({key: _most(f"execution.{key}") for key in ("breaker_slow_times", "breaker_slow_seconds")}),
}
_MESSAGES: Mapping[str, Asked] = {
    f"messages a {span}": _most(f"risk.messages.per_{span}") for span in ("second", "minute", "day")
}
_SPREADS: Mapping[str, Asked] = {
    "spreads": _most("risk.spread_limit"),
    "spreads against the way to the stop": _most("risk.spread_of_stop_limit"),
}
_AGES: Mapping[str, Asked] = {
    "quotes": _most("risk.quote_age_seconds"),
    "quotes of IEX": _most("risk.quote_age_seconds_iex"),
}
_REPETITIONS: Mapping[str, Asked] = {"fills": _most(f"{REPEATED}.fills"), "renewals": _most(f"{REPEATED}.renewals")}


def _shares_nothing_out(settings: Settings) -> bool:
    return all(settings.strategies.of(name).allocation is None for name in settings.strategies.names)


_CHECKS = "tests/unit/core/risk/test_checks.py::"
_STORIES = "tests/scenarios/"
_HISTORIES = "tests/unit/core/risk/protections/test_histories.py::test_each_protection_equals_a_rescan"
_PROTECTIONS: Mapping[str, Control] = {
    row.name: row
    for row in (
        _protection(
            "max_drawdown",
            "tests/unit/core/risk/protections/test_max_drawdown.py::test_a_fall_over_the_limit_locks_for_a_day",
            (RTS_THRESHOLDS,),
            nothing_at_most="limit",
            method="within",
            limit="0",
            trade_limit=1,
        ),
        _protection(
            "cooldown",
            _STORIES + "test_protections.py::test_a_loss_pauses_its_symbol_for_a_while",
            nothing_at_most="loss",
            loss="0",
        ),
        _protection("low_profit", _HISTORIES, trade_limit=1, required_profit="0"),
        _protection(
            "volatility_halt",
            _STORIES + "test_volatility_halt.py::test_a_wild_symbol_alone_is_halted_over_a_restart",
            parts={
                "the swing": _most("risk.protections.volatility_halt.limit"),
                "the swing against the median": _most("risk.protections.volatility_halt.times_median"),
            },
            limit="0.0001",
        ),
        Control(
            "equity curve",
            (),
            ("risk.protections.equity_curve",),
            _STORIES + "test_weeks_of_the_market.py::test_equity_curve",
            "what is typed has no curve: a strategy's results of many days are what it measures",
            _never("equity_curve", "trades"),
        ),
    )
}
"""Rows of protections that need another than the usual one."""


def _row_of(protection: str) -> Control:
    """Return a protection's own row, or the usual one: the first trade that is stopped out trips it."""
    own = _PROTECTIONS.get(protection.replace("_", " "))
    return own or _protection(protection, _HISTORIES, trade_limit=1)


CONTROLS: tuple[Control, ...] = (
    Control(
        "kill switch",
        (RTS_KILL, FIA + "kill switch"),
        (),
        _CHECKS + "test_nothing_opens_while_killed_or_halted",
        Trial(first=First.HALT),
    ),
    Control(
        "breaker",
        (RTS_MONITORING,),
        ("execution.breaker_failures", "execution.breaker_slow_times", "execution.breaker_seconds"),
        _STORIES + "test_entry_breaker.py::test_five_unanswered_requests_open_the_breaker",
        Trial({"execution.breaker_failures": 1}, first=First.SILENT_BROKER),
        _all(_FAILURES),
        _FAILURES,
    ),
    Control(
        "back-pressure",
        (RTS_MESSAGES, FIA + "message throttles"),
        ("execution.max_queued",),
        _STORIES + "test_entry_breaker.py::test_too_many_pending_orders_stage_no_entry",
        Trial({"execution.max_queued": 1}, first=First.SLOW_BROKER),
        _most("execution.max_queued"),
    ),
    Control(
        "message rate",
        (RTS_MESSAGES, FIA + "message throttles"),
        ("risk.messages",),
        _STORIES + "test_message_rate.py::test_a_full_minute_refuses_a_strategys_entry",
        Trial({"risk.messages.enabled": True, "risk.messages.per_day": 2}),
        lambda settings: _off("risk.messages")(settings) or _all(_MESSAGES)(settings),
        _MESSAGES,
    ),
    Control(
        "mode",
        (),
        ("account.mode",),
        _CHECKS + "test_each_check_holds_its_limit",
        "a run has no live account",
    ),
    Control(
        "symbol refused today",
        (SEC_RESTRICTED,),
        (),
        _STORIES + "test_paused_and_refused.py::test_a_refused_symbol_is_declined_and_not_staged",
        Trial(first=First.COMMAND, says=lambda symbol: RefuseSymbol(symbol, "attested")),
    ),
    Control(
        "lists",
        (SEC_RESTRICTED, RTS_THRESHOLDS),
        (),
        _STORIES + "test_symbol_lists.py::test_a_listed_symbol_is_declined_and_stays_off",
        Trial(first=First.COMMAND, says=lambda symbol: ListSymbol(symbol, ListKind.NEVER, "attested")),
    ),
    Control(
        "session and clock",
        (SEC_BEFORE_ENTRY,),
        ("risk.clock_wrong_seconds", "risk.session.policy"),
        _CHECKS + "test_a_closed_market_refuses",
        Trial(first=First.CLOSED_MARKET),
        parts={"clock": _most("risk.clock_wrong_seconds")},
    ),
    Control(
        "session limits",
        (),
        ("risk.session",),
        "tests/unit/core/risk/test_hours.py::test_each_hour_is_judged",
        Trial({"risk.session.policy": "include_extended"}, first=First.CLOSED_MARKET),
    ),
    Control(
        "tradable",
        (SEC_RESTRICTED, RTS_THRESHOLDS),
        (),
        _CHECKS + "test_each_check_holds_its_limit",
        Trial(order=Tried.UNLISTED),
    ),
    Control(
        "trading halt",
        (SEC_BEFORE_ENTRY,),
        (),
        _STORIES + "test_trading_hours.py::test_entry_in_a_halted_symbol_is_refused",
        Trial(first=First.HALTED_SYMBOL),
    ),
    Control(
        "quantity",
        (SEC_ERRONEOUS,),
        (),
        _CHECKS + "test_each_check_holds_its_limit",
        Trial(order=Tried.TINY),
    ),
    Control(
        "order size",
        (SEC_ERRONEOUS, RTS_VOLUME, FIA + "maximum order size"),
        ("risk.order_size.shares", "risk.order_size.of_volume"),
        _STORIES + "test_order_controls.py::test_a_control_refuses_typed_orders_and_baskets",
        Trial({"risk.order_size.shares": "1"}, order=Tried.LARGE),
        lambda settings: settings.risk.order_size.shares >= ANY_QUANTITY,
        {"the part of the volume": _most("risk.order_size.of_volume")},
    ),
    Control(
        "price",
        (SEC_ERRONEOUS,),
        ("risk.price_band",),
        _CHECKS + "test_each_check_holds_its_limit",
        Trial(order=Tried.OFF_TICK),
        parts={
            "the way from the quote": lambda settings: (
                not settings.risk.collar.is_on and _most("risk.price_band")(settings)
            )
        },
    ),
    Control(
        "price collar",
        (SEC_ERRONEOUS, RTS_COLLAR, FIA + "price tolerance"),
        ("risk.collar",),
        _STORIES + "test_order_controls.py::test_a_control_refuses_typed_orders_and_baskets",
        Trial({"risk.collar.band": "0.03"}, order=Tried.HIGH_LIMIT),
        lambda settings: not settings.risk.collar.is_on or settings.risk.collar.period_band >= ANY_PRICE,
        {"spreads": _most("risk.collar.spreads")},
    ),
    Control(
        "self-cross",
        (),
        ("risk.self_cross",),
        _STORIES + "test_self_cross.py::test_an_entry_crossing_an_own_sale_is_refused",
        Trial({"risk.self_cross.enabled": True}, Tried.HIGH_LIMIT, First.RESTING_SALE),
        _off("risk.self_cross"),
    ),
    Control(
        "twin",
        (SEC_ERRONEOUS,),
        ("risk.twins",),
        _STORIES + "test_twin_entries.py::test_twin_needs_its_word",
        Trial({"risk.twins.enabled": True}, first=First.ENTRY, warns=True),
        _is_no_twin,
    ),
    Control(
        "stop",
        (),
        (),
        _CHECKS + "test_each_check_holds_its_limit",
        Trial(order=Tried.WITHOUT_STOP),
    ),
    Control(
        "loss at the stop",
        (RTS_LIMITS, RTS_THRESHOLDS),
        ("risk.per_trade", "strategies.vwap.limits.per_trade"),
        _CHECKS + "test_each_check_holds_its_limit",
        Trial(order=Tried.LARGE, as_set=("risk.per_trade",)),
        _loses_all("risk.per_trade"),
    ),
    Control(
        "risk budget",
        (SEC_CREDIT, RTS_LIMITS),
        ("risk.sizing.budget",),
        "tests/unit/core/risk/test_risk_budget.py::test_the_budget_is_15_percent_of_equity",
        Trial(order=Tried.LARGE, as_set=("risk.sizing.budget",)),
        lambda settings: settings.risk.sizing.budget >= 1,
    ),
    Control(
        "notional",
        (SEC_ERRONEOUS, RTS_VALUE, FIA + "maximum order size"),
        ("risk.max_notional", "risk.min_notional", "strategies.vwap.limits.max_notional"),
        _CHECKS + "test_each_check_holds_its_limit",
        Trial(order=Tried.LARGE, as_set=("risk.max_notional",)),
        lambda settings: settings.risk.max_notional.limits_nothing,
    ),
    Control(
        "day value",
        (SEC_CREDIT, RTS_VALUE),
        ("risk.max_day_value",),
        _STORIES + "test_order_controls.py::test_a_control_refuses_typed_orders_and_baskets",
        Trial({"risk.max_day_value": {"usd": "1"}}),
        lambda settings: settings.risk.max_day_value.limits_nothing,
    ),
    Control(
        "buying power",
        (SEC_CREDIT,),
        (),
        _CHECKS + "test_each_check_holds_its_limit",
        Trial(order=Tried.LARGE),
    ),
    Control(
        "broker limits",
        (SEC_BEFORE_ENTRY,),
        (),
        "tests/unit/core/risk/test_broker_limits.py::test_six_times_equity_is_foreseen",
        "the simulated exchange has no limits beside its rules",
    ),
    Control(
        "margin",
        (SEC_CREDIT,),
        ("risk.margin",),
        "tests/unit/core/risk/test_margin.py::test_margin_is_judged",
        Trial(order=Tried.LARGE),
    ),
    Control(
        "margin deficits",
        (SEC_CREDIT,),
        ("risk.margin.deficit_limit", "risk.margin.deficit_days"),
        _STORIES + "test_margin_deficits.py::test_too_many_deficits_refuse_further_borrowing",
        "a run is one day, and deficits are counted by days",
        lambda settings: settings.risk.margin.deficit_limit >= ANY_DEFICITS,
    ),
    Control(
        "portfolio",
        (SEC_CREDIT, RTS_LIMITS, RTS_EXPOSURE, FIA + "maximum intraday position"),
        ("risk.portfolio.max_exposure", "risk.portfolio.reserve"),
        "tests/unit/core/risk/test_portfolio.py::test_the_portfolio_is_judged",
        Trial(order=Tried.LARGE, as_set=("risk.portfolio.max_exposure",)),
        lambda settings: settings.risk.portfolio.limits_nothing,
        {"exposure": _most("risk.portfolio.max_exposure")},
    ),
    Control(
        "concentration",
        (SEC_CREDIT, RTS_LIMITS, RTS_EXPOSURE),
        ("risk.portfolio.symbol_exposure", "risk.portfolio.sector_exposure"),
        _STORIES + "test_order_controls.py::test_a_control_refuses_typed_orders_and_baskets",
        Trial({"risk.portfolio.symbol_exposure": "0.000001"}),
        lambda settings: settings.risk.portfolio.symbol_exposure >= UNLIMITED,
        {"sectors": _most("risk.portfolio.sector_exposure")},
    ),
    Control(
        "allocation",
        (),
        ("strategies.vwap.allocation", "strategies.vwap.position_part"),
        _STORIES + "test_capital_per_strategy.py::test_order_over_the_share_is_refused",
        "only a strategy's entry has its own share, and a strategy sizes within it",
        _shares_nothing_out,
    ),
    Control(
        "open positions",
        (RTS_LIMITS,),
        ("risk.max_open_positions", "risk.several_strategies_a_symbol"),
        _CHECKS + "test_position_counts_stay_within_the_profile",
        Trial({"risk.max_open_positions": 1}),
        _most("risk.max_open_positions"),
    ),
    Control(
        "daily loss",
        (RTS_THRESHOLDS,),
        ("risk.daily_loss", "risk.on_missing_equity", "strategies.vwap.limits.daily_loss"),
        _CHECKS + "test_each_check_holds_its_limit",
        Trial({"risk.daily_loss": {"usd": "0.01"}}, first=First.STOPPED_OUT),
        _loses_all("risk.daily_loss"),
    ),
    Control(
        "weekly loss",
        (RTS_THRESHOLDS,),
        ("risk.weekly_loss", "risk.on_missing_equity"),
        _STORIES + "test_weeks_of_losses.py::test_weekly_loss",
        Trial({"risk.weekly_loss": {"usd": "0.01"}}, first=First.STOPPED_OUT),
        _loses_all("risk.weekly_loss"),
    ),
    *map(_row_of, WITHOUT_OWN_CHECK),
    Control(
        "repeated execution",
        (RTS_REPEATED,),
        ("risk.protections.repeated_execution",),
        _STORIES + "test_repeated_execution.py::test_a_strategy_that_filled_too_often_stops_opening",
        Trial(
            {"risk.protections.repeated_execution.enabled": True, "risk.protections.repeated_execution.fills": 1},
            first=First.ENTRY,
        ),
        _repeats,
        _REPETITIONS,
    ),
    Control(
        "day trades",
        (),
        ("risk.protections.day_trades",),
        "tests/unit/core/risk/protections/test_day_trades.py::test_the_third_day_trade_ends_entries",
        Trial(
            {
                "risk.protections.day_trades.enabled": True,
                "risk.protections.day_trades.trade_limit": 2,
                "risk.protections.day_trades.equity": "1000000000",
            },
            first=First.STOPPED_OUT,
        ),
        _never("day_trades", "trade_limit"),
    ),
    Control(
        "trade frequency",
        (RTS_REPEATED,),
        ("risk.entries_a_day", "risk.frequency", "strategies.vwap.limits.entries_a_day"),
        _STORIES + "test_daily_entries.py::test_one_of_two_simultaneous_signals_passes",
        Trial({"risk.entries_a_day": 1}),
        lambda settings: _most("risk.entries_a_day")(settings) and _any_range(settings),
        {"entries a day": _most("risk.entries_a_day")},
    ),
    Control(
        "vix",
        (),
        (),
        _STORIES + "test_regime.py::test_a_high_vix_warns_on_the_ticket",
        Trial(first=First.HIGH_VIX, warns=True),
    ),
    Control(
        "entry window",
        (),
        ("risk.window_start", "risk.window_end", "strategies.vwap.limits.windows"),
        _CHECKS + "test_entries_only_inside_the_window",
        Trial({"risk.window_start": "23:00"}),
        _at_any_time,
    ),
    Control(
        "spread",
        (SEC_ERRONEOUS, FIA + "price tolerance"),
        ("risk.spread_limit", "risk.spread_of_stop_limit"),
        _CHECKS + "test_a_wide_quote_blocks_a_market_order",
        Trial({"risk.spread_limit": "0.000001"}),
        _all(_SPREADS),
        _SPREADS,
    ),
    Control(
        "quote age",
        (SEC_ERRONEOUS, FIA + "price tolerance"),
        ("risk.quote_age_seconds", "risk.quote_age_seconds_iex"),
        _CHECKS + "test_an_old_quote_blocks_a_market_order",
        Trial(order=Tried.OLD_QUOTE, as_set=("risk.quote_age_seconds", "risk.quote_age_seconds_iex")),
        _all(_AGES),
        _AGES,
    ),
)
"""In the order of the gate."""

BY_NAME: Mapping[str, Control] = {control.name: control for control in CONTROLS}
