"""The frictions of an account on the simulated exchange: one set of figures, fixed at its opening."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from core.brokers.simulated.log import fault_in
from core.ports import OperatorError
from core.runtime.simulated_exchange import config_of, opening_record, opening_settings, require_the_same
from core.settings.orders import BACKTEST_FRICTIONS, REALISTIC, ExchangeSettings
from core.settings.settings import Settings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import at

FIGURES = {name: Decimal(value) for name, value in REALISTIC.items()}


def settings(**exchange: object) -> Settings:
    return Settings.model_validate({"exchange": exchange})


def figures(exchange: ExchangeSettings) -> dict[str, Decimal]:
    return {name: getattr(exchange, name) for name in REALISTIC}


def test_realistic_frictions_are_those_of_a_backtest() -> None:
    """AN-04, SY-09: 2 to 10 basis points, one partial fill in ten, one rejection in 200, 12 % a year"""
    found = settings(frictions="realistic")

    assert figures(found.exchange) == FIGURES
    assert tuple(f"exchange.{name}={value}" for name, value in figures(found.exchange).items()) == BACKTEST_FRICTIONS
    assert (found.exchange.slippage, found.exchange.slippage + found.exchange.slippage_by_size) == (
        Decimal("0.0002"), Decimal("0.0010"),
    )  # fmt: skip
    assert config_of(found, "SIM", "7").has_frictions


def test_without_the_setting_nothing_has_changed() -> None:
    """SP-07: neither a figure nor the record of the settings"""
    plain = settings()

    assert set(figures(plain.exchange).values()) == {Decimal(0)}
    assert plain.model_dump() == settings(frictions="none").model_dump() == Settings().model_dump()
    assert not config_of(plain, "SIM", "7").has_frictions


@table("name", *REALISTIC)
def test_a_figure_of_its_own_counts_before_the_set(name: str) -> None:
    """SY-09: also a zero, and also after the settings were recorded and read"""
    exchange = settings(frictions="realistic", **{name: 0}).exchange

    assert figures(exchange) == FIGURES | {name: Decimal(0)}
    assert ExchangeSettings.model_validate(exchange.model_dump(mode="json")) == exchange


def test_another_word_is_refused() -> None:
    """SP-07"""
    with pytest.raises(ValidationError, match=r"exchange\.frictions"):
        settings(frictions="fancy")


def test_an_account_keeps_the_frictions_of_its_opening() -> None:
    """SY-09, SP-03: its log has the figures, so that neither setting rewrites what was traded"""
    config = config_of(settings(frictions="realistic", rejections=0), "SIM", "7")
    opening = opening_record(config, ["SPY"], at("09:30"))
    told = dict(each.removeprefix("exchange.").split("=") for each in opening_settings([opening])[1:])

    assert fault_in(opening) is None
    assert config_of(settings(**told), "SIM", "7") == config
    require_the_same([opening], config, "realistic")


def test_an_account_without_frictions_gets_none_later() -> None:
    """SY-09: it is refused with the setting's own name"""
    opening = opening_record(config_of(settings(), "SIM", "7"), ["SPY"], at("09:30"))
    told = dict(each.removeprefix("exchange.").split("=") for each in opening_settings([opening])[1:])
    later = settings(frictions="realistic", **told)

    with pytest.raises(OperatorError, match=r"exchange\.frictions = realistic: this account was opened with"):
        require_the_same([opening], config_of(later, "SIM", "7"), later.exchange.frictions)
