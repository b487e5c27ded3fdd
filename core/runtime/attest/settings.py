"""The settings of a run: an account without limits, overlaid with the settings of one trial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.risk.controls import Trial, value_of
from core.risk.protections.book import NAMES
from core.runtime.attest.market import QUOTED
from core.settings.settings import Settings
from core.settings.types import WHOLE, SettingsTable

WIDE: Mapping[str, object] = {
    "symbols": [str(symbol) for symbol in QUOTED],
    "exchange.cash": "1000000",
    "exchange.multiplier": "2",
    "risk.per_trade": {"usd": "100000000"},
    "risk.max_notional": {"usd": "100000000"},
    "risk.max_open_positions": 1000,
    "risk.daily_loss": {"usd": "900000"},
    "risk.weekly_loss": {"usd": "900000"},
    "risk.entries_a_day": 10_000,
    "risk.window_start": "00:00",
    "risk.window_end": "23:59",
    "risk.on_missing_equity": "allow",
    "risk.spread_limit": "0.5",
    "risk.spread_of_stop_limit": "1",
    "risk.quote_age_seconds": "3600",
    "risk.quote_age_seconds_iex": "3600",
    "risk.price_band": "0.9",
    "risk.sizing.budget": "1",
    "risk.frequency.enabled": False,
    "risk.messages.enabled": False,
    "risk.twins.enabled": False,
    "risk.self_cross.enabled": False,
    "reconciliation.every_seconds": "0",
    "evaluation.enabled": False,
    "execution.max_queued": 1000,
    **{f"risk.protections.{name}.enabled": False for name in NAMES},
}
"""Overrides of the defaults: no limits on orders, days or positions, and no checks that depend on earlier trades."""


def wide() -> Settings:
    """Return the settings of an account that no control limits."""
    return laid_over(Settings(), WIDE)


def tried_at(trials: Iterable[Trial], account: Settings) -> Settings:
    """Return the settings that these trials need, with the keys that they keep from the account."""
    settings = wide()
    for trial in trials:
        kept = {key: plain(value_of(account, key)) for key in trial.as_set}
        settings = laid_over(settings, {**kept, **trial.settings})
    return settings


def laid_over(settings: Settings, values: Mapping[str, object]) -> Settings:
    """Return the settings with these values at their dotted keys.

    Raises
    ------
    ValidationError
        A value is not valid.
    KeyError
        A key names no table.
    """
    whole = settings.model_dump(context=WHOLE)
    for key, value in values.items():
        *path, last = key.split(".")
        table = whole
        for name in path:
            table = table[name]
        table[last] = value
    return Settings.model_validate(whole)


def plain(value: object) -> object:
    return value.model_dump(context=WHOLE) if isinstance(value, SettingsTable) else value
