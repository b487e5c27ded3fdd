"""The settings as an operator writes them, and the one line that says what is wrong with them."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

import pytest

from core.model.account import Mode
from core.model.order import StopHolder
from core.settings.settings import PROFILES, Settings
from state.files import Home
from state.settings_file import SettingsError, example_settings, load_settings


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.of({"KEYTURN_HOME": str(tmp_path)})


def profile(name: str) -> Settings:
    return Settings.model_validate({**PROFILES[name], "profile": name})


KNOWN = {("account", "broker"): ("alpaca", "simulated"), ("account", "data"): ("", "alpaca")}


def refusal(home: Home, text: str = "", environ: dict[str, str] | None = None, *overrides: str) -> str:
    home.settings.write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_settings(home, environ or {}, overrides, known=KNOWN)
    message = str(raised.value).replace(f"{home.settings.parent}/", "")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_each_example_gives_its_profile(home, name):
    """RK-01: an example of each settings file is generated from the code."""
    home.settings.write_text(example_settings(name))
    assert load_settings(home, {}) == profile(name) == load_settings(home, {}, [f"profile={name}"])


def test_without_a_file_the_micro_profile_holds(home):
    """OP-10"""
    assert load_settings(home, {"HOME": "/", "KEYTURN_HOME": "/x", "KEYTURN_KILL": "1"}) == profile("micro")


def test_each_layer_goes_over_the_one_below(home):
    """OP-10"""
    home.settings.write_text(
        'profile = "swing"\n[risk]\nmax_open_positions = 7\nentries_a_day = 7\nspread_limit = 0.00300'
    )
    environ = {"KEYTURN_RISK__MAX_OPEN_POSITIONS": "8", "KEYTURN_RISK__WINDOW_START": "09:40"}
    settings = load_settings(home, environ, ["risk.max_open_positions=9"])

    assert settings.risk.max_open_positions == 9
    assert settings.risk.entries_a_day == 7
    assert settings.risk.window_start == time(9, 40)
    assert settings.risk.window_end == time(15, 45)
    assert str(settings.risk.spread_limit) == "0.00300"


def test_an_amount_in_another_unit_replaces(home):
    """RK-03"""
    home.settings.write_text('profile = "swing"\n[risk]\ndaily_loss = { usd = 50.10 }')
    assert load_settings(home, {}).risk.daily_loss.usd == Decimal("50.10")
    assert load_settings(home, {}).risk.daily_loss.of_equity is None
    over = load_settings(home, {"KEYTURN_RISK__DAILY_LOSS__OF_EQUITY": "0.01"}, ["risk.per_trade={usd=2}"])
    assert (over.risk.daily_loss.usd, over.risk.daily_loss.of_equity) == (None, Decimal("0.01"))
    assert over.risk.per_trade.usd == 2


def test_text_lists_and_words_are_understood(home):
    """OP-10"""
    settings = load_settings(
        home,
        {"KEYTURN_SYMBOLS": '["SPY", "QQQ"]'},
        ["strategies.vwap.stop_holder=desk", "strategies.vwap.enabled=false"],
    )
    assert settings.symbols == ("SPY", "QQQ")
    assert settings.strategies.vwap.stop_holder is StopHolder.DESK
    assert settings.strategies.vwap.enabled is False


WRONG = (
    "[risk]\ndaily_loss = { usd = -3 }", "[risk]\nspread_limit = 0.5\nmove = 1", "[risk]\nspred_limit = 0.5",
    "zebra = 1", "[staging.plan]\nlife_seconds = 60", "[risk]\nmax_open_positions = 1.5",
    "[risk]\nmax_open_positions = true", '[strategies.vwap]\nsymbols = ["SPY", "QQQ"]',
    "[strategies.vwap]\nenabled = 1", "[risk]\nwindow_start = 10", "[risk]\nspread_limit = nan", "risk = 5",
    "[risk]\ndaily_loss = 10", "[risk]\ndaily_loss = { usd = 1, of_equity = 0.1 }", '[account]\nbroker = "ibkr"',
    '[account]\ndata = "bloomberg"', '[account]\nbroker = "No Name"', 'symbols = ["SPY", "spy"]',
    'symbols = ["SPY", "$PY"]', '[risk]\nwindow_start = "12:00"', 'symbols = ["SPY", "IBM", "SPY"]',
    'symbols = "SPY"', '[risk]\nwindow_start = "09:30:00Z"', "[risk]\nentries_a_day = 10001",
    "[risk]\nmax_open_positions = 1001", "[exchange]\nlatency_seconds = 3601",
    "[exchange]\nanswer_delay_seconds = 1e9", "[risk.sizing.vix]\nhigh = 0.9", "[risk]\nmin_notional = 60",
    "[risk]\nmax_notional = { of_equity = 1.5 }", "[exchange]\nhalf_spread_ticks = 1001", 'profile = "macro"',
    "a = \n", "[risk",
)  # fmt: skip


def test_a_wrong_setting_is_told_in_one_line(home, snapshot):
    """OP-10"""
    assert {text: refusal(home, text) for text in WRONG} == snapshot


def test_wrong_variables_and_options_are_named(home, snapshot):
    """OP-10"""
    variables = (
        {"KEYTURN_RISK__SPREAD_LIMIT": "2"},
        {"KEYTURN_RISK__SPRED_LIMIT": "2"},
        {"KEYTURN_STAGING__PLAN__LIFE_SECONDS": "60"},
        {"KEYTURN_RISK": "1"},
        {"KEYTURN_RISK": "1", "KEYTURN_RISK__SPREAD_LIMIT": "1"},
    )
    options = (["risk.max_open_positions=none"], ["risk"], ["risk.spread_limit=0.1", "risk=5"])
    told = [refusal(home, "", each) for each in variables]

    assert [*told, *(refusal(home, "", {}, *each) for each in options)] == snapshot


@pytest.mark.parametrize("value", ["live", "paper"])
def test_the_mode_is_taken_from_the_file_alone(home, value, snapshot):
    """OP-10: two gates in two places; whoever can set variables or options opens one of them at most."""
    told = []
    for name, text in (("KEYTURN_ACCOUNT__MODE", value), ("KEYTURN_ACCOUNT", f'{{ mode = "{value}" }}')):
        told += [refusal(home, "", {name: text}), refusal(home, '[account]\nmode = "live"\n', {name: text})]
    told += [refusal(home, "", {}, f"account.mode={value}"), refusal(home, "", {}, f'account={{ mode = "{value}" }}')]
    assert told == snapshot
    home.settings.write_text("")
    assert load_settings(home, {}).account.mode is Mode.PAPER
    home.settings.write_text('[account]\nmode = "live"\n')
    assert load_settings(home, {"KEYTURN_ALLOW_LIVE": "1"}).account.mode is Mode.LIVE


def test_an_unknown_variable_hides_its_value(home):
    """SY-06"""
    told = refusal(home, "", {"KEYTURN_APCA__SECRET": "hunter2"})
    assert told.startswith("environment: KEYTURN_APCA__SECRET: ")
    assert "hunter2" not in told


def test_the_own_strategies_table_is_named(home):
    """OP-10"""
    for text in ('[strategies]\nown = "x"\n', '[strategies]\nown = "x"\n[strategies.mine]\nfalls = 3\n'):
        assert refusal(home, text).startswith("settings.toml: strategies.own = ")


def test_a_file_that_cannot_be_read_is_named(home):
    """OP-10"""
    home.settings.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"settings.toml: byte 0 is no UTF-8 text"):
        load_settings(home, {})
    home.settings.unlink()
    home.settings.mkdir()
    with pytest.raises(SettingsError, match=r"settings\.toml is a folder; move it away"):
        load_settings(home, {})


# ── text that is no settings file at all ─────────────────────────────────────────────────────────────────────────────

ENDLESS = (
    '# [[[\nx = """\n[[[[\n"""\nsymbols = ' + "[" * 4000, "symbols = " + "[" * 100 + "]" * 100,
    "keys" + ".a" * 3000 + " = 1", "strategies.dips" + ".a" * 3000 + " = 1",
    "symbols = []\nkeys" + ".a" * 30000 + " = 1", "risk.entries_a_day = 1e999999999",
    "risk.daily_loss.usd = 1e-999999999", "strategies.dips.size = 0e999999999",
    "exchange.settlement_days = 0x" + "f" * 9000, "risk.entries_a_day = " + "1" * 5000, "a" * 1000001,
)  # fmt: skip


def test_endless_text_is_refused_in_one_line(home, snapshot):
    """OP-10, RK-13: a running engine reads it too."""
    assert [refusal(home, text) for text in ENDLESS] == snapshot


def test_endless_values_from_elsewhere_are_refused(home):
    """OP-10"""
    for value in ("[" * 3000, "9" * 5000, "1e999999999"):
        assert refusal(home, "", {}, f"risk.entries_a_day={value}").startswith("--set risk.entries_a_day: ")
        told = refusal(home, "", {"KEYTURN_RISK__ENTRIES_A_DAY": value})
        assert told.startswith("environment: KEYTURN_RISK__ENTRIES_A_DAY: ")


def test_a_byte_order_mark_is_passed_over(home):
    """OP-10: some editors write one."""
    home.settings.write_bytes('\ufeffprofile = "swing"'.encode())

    assert load_settings(home, {}).profile == "swing"
