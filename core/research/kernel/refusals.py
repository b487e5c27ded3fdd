"""What the kernel does not model, by the name of the setting that asks for it (AN-08).

A setting is either modelled, of no effect on a backtest, or has to keep its default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache

import numpy as np

from core.model.order import StopHolder
from core.model.values import plain
from core.research.kernel.inputs import MOST_VOLUME, KernelBars
from core.research.kernel.layout import (
    HELD_OVER_CLOSE,
    HIGH,
    LEAVES_WHILE_BUYING,
    LEFT_BY_THE_CLOCK,
    NEAR_A_LOSS_LIMIT,
    NO_STOP,
    PART_OF_LEGS,
    QUANTITY_UNITS,
    ROUNDING_TIE,
    SALE_CUT_BY_CLOSE,
    SESSION,
    SLIPPAGE_TIE,
    STOP_AT_QUOTE,
    STOP_CUT_BY_CLOSE,
    STOP_STILL_FILLS,
    STOPPED_WHILE_BUYING,
    TOO_MANY_STOPS,
    TOO_MANY_TRADES,
    TOO_MUCH_MONEY,
    VOLUME,
)
from core.research.kernel.modelled import is_modelled
from core.research.kernel.protections import FALL_UNITS, MODELLED
from core.research.kernel.quotes import POINTS
from core.settings.changes import in_words
from core.settings.settings import Settings
from core.settings.strategies import BreakoutSettings, MomentumSettings, VwapSettings
from core.settings.types import WHOLE

REASONS = {
    "exchange.multiplier": "margin accounts",
    "exchange.events": "events of the account",
    "exchange.sec_fee": "fees at the end of a day",
    "exchange.taf_fee": "fees at the end of a day",
    "exchange.partial_fills": "partial fills by chance",
    "exchange.rejections": "rejected orders",
    "exchange.halts": "halts",
    "exchange.latency_seconds": "another latency",
    "exchange.answer_delay_seconds": "another latency",
    "exits.trail": "trailing stops",
    "exits.trail_from": "trailing stops",
    "risk.sizing.kelly": "sizes by earlier results",
    "risk.sizing.trend": "sizes by the market's trend",
    "risk.sizing.raise_to_minimum": "sizes raised to the smallest order",
    "orders.ttl_seconds": "entries with a time of their own",
}

FOUND = {
    HELD_OVER_CLOSE: "bars: a position or an order is left at the close of a session",
    STOPPED_WHILE_BUYING: "exchange.participation: a stop is filled while its entry still buys",
    LEAVES_WHILE_BUYING: "exchange.participation: an exit is due while its entry still buys",
    TOO_MANY_STOPS: "exchange.participation: an entry is filled in more than eight parts",
    NEAR_A_LOSS_LIMIT: "risk.daily_loss, risk.weekly_loss: a loss comes near its limit",
    ROUNDING_TIE: "exits: a price is exactly between two ticks after a division",
    PART_OF_LEGS: "exchange.participation: an entry with legs is filled in part at the close",
    STOP_CUT_BY_CLOSE: "exchange.participation: a stop is filled in part at the close",
    SALE_CUT_BY_CLOSE: "exchange.participation: a sale is not filled at the close",
    STOP_AT_QUOTE: "exchange.half_spread_ticks: a stop is at the quote as its day ends",
    STOP_STILL_FILLS: "exchange.participation: an exit is due while a stop is filled in parts",
    SLIPPAGE_TIE: "exchange.slippage_by_size: a price with slippage is too near a tick",
    TOO_MANY_TRADES: "risk.protections: more than 4096 trades within the time that one looks back",
    NO_STOP: "an exit of shares without a stop",
    LEFT_BY_THE_CLOCK: "bars: none within two minutes from when a position must be flat",
    TOO_MUCH_MONEY: "exchange.cash: the account grows over 20 million USD",
}
"""What the loop finds in the bars, by its number."""


def refusal(settings: Settings, bars: KernelBars, strategy: str) -> list[str]:
    """Return everything that the kernel does not model, each as `setting=value: what`; empty if it models all.

    `strategy` is the one that it plays.
    """
    names = (
        *bars.faults,
        *_changed(settings),
        *_strategies(settings, bars, strategy),
        *_limits(settings, bars, strategy),
        *_digits(settings, bars),
    )
    return list(dict.fromkeys(names))


@cache
def _fixed() -> tuple[tuple[tuple[str, ...], object], ...]:
    """Return the path and the default of each setting that is not modelled, those without a value included."""
    usual = Settings()
    paths = (tuple(name.split(".")) for name, _ in flat(usual.model_dump(context=WHOLE)) if not is_modelled(name))
    return tuple((path, _at(usual, path)) for path in paths)


def _at(settings: Settings, path: tuple[str, ...]) -> object:
    found: object = settings
    for name in path:
        found = getattr(found, name, None)
    return found


def _changed(settings: Settings) -> Iterator[str]:
    """Yield settings that are not modelled and have not their default."""
    if all(_at(settings, path) == usual for path, usual in _fixed()):
        return
    usual = dict(flat(Settings().model_dump(context=WHOLE)))
    for name, value in flat(settings.model_dump(context=WHOLE)):
        if not is_modelled(name) and usual.get(name) != value:
            reason = next(
                (why for key, why in REASONS.items() if name == key or name.startswith(f"{key}.")), "not modelled"
            )
            yield f"{name}={_text(value)}: {reason}"


def flat(values: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield each setting below some tables, by its whole name."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def _strategies(settings: Settings, bars: KernelBars, strategy: str) -> Iterator[str]:
    if len(settings.symbols) != 1:
        yield f"symbols={','.join(settings.symbols)}: more than one symbol"
    elif bars.symbol and bars.symbol not in settings.symbols:
        yield f"symbols={settings.symbols[0]}: the bars are of {bars.symbol}"
    for name in settings.strategies.names:
        if settings.strategies.of(name).enabled is not (name == strategy):
            state = "it is not enabled" if name == strategy else "another strategy"
            yield f"strategies.{name}.enabled={settings.strategies.of(name).enabled}: {state}"
    terms = settings.strategies.of(strategy)
    values = terms.model_dump(context=WHOLE)
    if values.get("stop_holder", StopHolder.BROKER) is not StopHolder.BROKER:
        yield f"strategies.{strategy}.stop_holder=desk: a stop that the desk watches"
    if values.get("requires_recommendation"):
        yield f"strategies.{strategy}.requires_recommendation=true: recommendations"
    for key in ("per_trade", "max_notional", "daily_loss"):
        amount = getattr(terms.limits, key)
        if not amount.limits_nothing:
            yield f"strategies.{strategy}.limits.{key}={in_words(amount)}: an amount of one strategy"
    if terms.allocation is not None:
        yield f"strategies.{strategy}.allocation={_text(terms.allocation)}: a share of the account"
    if values.get("quantity_step", Decimal("0.001")) % Decimal("0.001"):
        yield f"strategies.{strategy}.quantity_step={_text(values['quantity_step'])}: parts of a thousandth of a share"
    overnight, minutes = settings.holds_overnight(strategy), settings.flat_minutes(strategy)
    if bars.is_daily and not overnight:
        yield f"strategies.{strategy}.holds_overnight=false: bars of days that are flat by the close"
    if not bars.is_daily and overnight:
        yield f"strategies.{strategy}.holds_overnight=true: bars of minutes held over night"
    if not bars.is_daily and not overnight and minutes < LEAST_FLAT_MINUTES:
        yield f"strategies.{strategy}.flat_minutes={minutes}: less than {LEAST_FLAT_MINUTES}"

    if settings.evaluation.enabled:
        yield "evaluation.enabled=true: the evaluation of strategies"
    if isinstance(terms, VwapSettings):
        yield from _vwap(terms, bars)
    if isinstance(terms, MomentumSettings) and terms.minimum_gain % EIGHT_PLACES:
        yield f"strategies.momentum.minimum_gain={_text(terms.minimum_gain)}: more than eight decimals"
    if isinstance(terms, BreakoutSettings) and terms.buffer % EIGHT_PLACES:
        yield f"strategies.breakout.buffer={_text(terms.buffer)}: more than eight decimals"


def _vwap(terms: VwapSettings, bars: KernelBars) -> Iterator[str]:
    if terms.adaptive.enabled:
        yield "strategies.vwap.adaptive.enabled=true: thresholds that adapt"
    if terms.minimum_volume > MOST_VOLUME:
        yield f"strategies.vwap.minimum_volume={_text(terms.minimum_volume)}: more than {MOST_VOLUME}"
    if terms.filters.enabled and terms.filters.bar_volume > MOST_VOLUME:
        yield f"strategies.vwap.filters.bar_volume={_text(terms.filters.bar_volume)}: more than {MOST_VOLUME}"
    if len(bars):
        _, firsts = np.unique(bars.columns[SESSION], return_index=True)
        most = int(np.add.reduceat(bars.columns[VOLUME], firsts).max())
        if 3 * int(bars.columns[HIGH].max()) * most > MOST:
            yield "bars: volumes of a session that are too large for VWAP"


EIGHT_PLACES = Decimal("0.00000001")
LEAST_FLAT_MINUTES = 3
"""Before the close: later, an entry could still wait at it."""


def _limits(settings: Settings, bars: KernelBars, strategy: str) -> Iterator[str]:
    risk, exchange = settings.risk, settings.exchange
    for name in type(risk.protections).model_fields:
        if name not in MODELLED and getattr(getattr(risk.protections, name), "enabled", False):
            yield f"risk.protections.{name}.enabled=true: this protection"
    fall, ratios = risk.protections.max_drawdown, risk.protections
    if fall.enabled and fall.method == "current" and fall.limit * FALL_UNITS % 1:
        yield f"risk.protections.max_drawdown.limit={_text(fall.limit)}: more than four decimals"
    for name in ("stop_loss_guard", "low_profit"):
        required = getattr(ratios, name).required_profit
        if abs(required) > MOST_RATIO:
            yield f"risk.protections.{name}.required_profit={_text(required)}: more than {MOST_RATIO}"
    policy = "include_extended" if bars.is_daily else "regular_only"
    if risk.session.policy != policy:
        yield f"risk.session.policy={risk.session.policy}: other hours"
    for name, limit in (("daily_loss", risk.daily_loss), ("weekly_loss", risk.weekly_loss)):
        if limit.usd is None:
            yield f"risk.{name}.of_equity={_text(limit.of_equity)}: a loss limit that follows equity"
    if risk.sectors:
        yield "risk.sectors: sectors"
    if exchange.multiplier != 1:
        yield f"exchange.multiplier={_text(exchange.multiplier)}: margin accounts"


MOST_RATIO = 1_000_000
MOST_CASH = Decimal(10_000_000)


def _digits(settings: Settings, bars: KernelBars) -> Iterator[str]:
    """Yield figures that the kernel's integers cannot hold."""
    exchange, exits = settings.exchange, settings.exits
    for name, value, unit, places in (
        ("exchange.cash", exchange.cash, Decimal("0.0000001"), "seven"),
        ("exchange.slippage", exchange.slippage, EIGHT_PLACES, "eight"),
        ("exchange.slippage_by_size", exchange.slippage_by_size, EIGHT_PLACES, "eight"),
        ("exchange.half_spread_ticks", exchange.half_spread_ticks, Decimal("0.01"), "two"),
        ("exchange.participation", exchange.participation, Decimal("0.000001"), "six"),
        ("exchange.fee_per_share", exchange.fee_per_share, Decimal("0.0001"), "four"),
        ("exits.profit_target", exits.profit_target, Decimal("0.0001"), "four"),
        ("exits.stale_gain", exits.stale_gain, Decimal("0.0001"), "four"),
    ):
        if value % unit:
            yield f"{name}={_text(value)}: more than {places} decimals"
    if exchange.cash > MOST_CASH:
        yield f"exchange.cash={_text(exchange.cash)}: more than {plain(MOST_CASH)} USD"
    part, most = Fraction(exchange.participation), int(bars.columns[VOLUME].max(initial=0))
    if most * POINTS * max(part.numerator * QUANTITY_UNITS, part.denominator) > MOST:
        yield f"exchange.participation={_text(exchange.participation)}: too many digits for these volumes"


MOST = 2**62
