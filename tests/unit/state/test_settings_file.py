"""The settings as an operator writes them, and the one line that says what is wrong with them."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

import pytest

from core.model.account import Mode
from core.model.order import StopHolder
from core.settings.settings import PROFILES, Settings
from state.example_settings import example_settings
from state.folders import Home
from state.settings_file import SettingsError, load_settings


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
    message = str(raised.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_the_example_of_each_profile_gives_the_profile(home, name):
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


def test_an_amount_in_another_unit_replaces_the_profiles(home):
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[risk]\ndaily_loss = { usd = -3 }", "settings.toml: risk.daily_loss.usd = -3: must be greater than 0"),
        ("[risk]\nspread_limit = 0.5\nmove = 1", "settings.toml: risk.move: there is no such setting; did you mean"),
        (
            "[risk]\nspred_limit = 0.5",
            "settings.toml: risk.spred_limit: there is no such setting; did you mean risk.spr",
        ),
        ("zebra = 1", "settings.toml: zebra: there is no such setting"),
        (
            "[staging.plan]\nlife_seconds = 60",
            "settings.toml: staging.plan: there is no such setting; it is called staging.basket now: write that",
        ),
        ("[risk]\nmax_open_positions = 1.5", "settings.toml: risk.max_open_positions = 1.5: must be a valid integer"),
        (
            "[risk]\nmax_open_positions = true",
            "settings.toml: risk.max_open_positions = true: must not be true",
        ),
        (
            '[strategies.vwap]\nsymbols = ["SPY", "QQQ"]',
            "settings: strategies.vwap.symbols: QQQ: not among the symbols; add it there, or take it out",
        ),
        ("[strategies.vwap]\nenabled = 1", "settings.toml: strategies.vwap.enabled = 1: must be true or false"),
        ("[risk]\nwindow_start = 10", 'settings.toml: risk.window_start = 10: must be a time of day, as in "10:00"'),
        ("[risk]\nspread_limit = nan", "settings.toml: risk.spread_limit = NaN: must be a finite number"),
        ("risk = 5", "settings.toml: risk = 5: must be a table of per_trade"),
        ("[risk]\ndaily_loss = 10", "settings.toml: risk.daily_loss = 10: must be a table of usd, of_equity"),
        (
            "[risk]\ndaily_loss = { usd = 1, of_equity = 0.1 }",
            "settings.toml: risk.daily_loss = { usd = 1, of_equity = 0.1 }: give exactly one of usd and of_equity",
        ),
        (
            '[account]\nbroker = "ibkr"',
            "settings.toml: account.broker = \"ibkr\": must be 'alpaca' or 'simulated'",
        ),
        ('[account]\ndata = "bloomberg"', "settings.toml: account.data = \"bloomberg\": must be 'alpaca'"),
        ('[account]\nbroker = "No Name"', 'settings.toml: account.broker = "No Name": must match pattern'),
        ('symbols = ["SPY", "spy"]', 'settings.toml: symbols = "spy": must be in capitals: "SPY"'),
        ('symbols = ["SPY", "$PY"]', 'settings.toml: symbols = "$PY": must match pattern'),
        (
            '[risk]\nwindow_start = "12:00"',
            "settings: risk.window_start is after risk.window_end; change one of the two",
        ),
        (
            'symbols = ["SPY", "IBM", "SPY"]',
            'settings.toml: symbols = ["SPY", "IBM", "SPY"]: must name each symbol once',
        ),
        ('symbols = "SPY"', 'settings.toml: symbols = "SPY": must be a list, as in ["SPY", "IBM"]'),
        (
            '[risk]\nwindow_start = "09:30:00Z"',
            'settings.toml: risk.window_start = "09:30:00Z": must have no zone: times of day are New York\'s',
        ),
        (
            "[risk]\nentries_a_day = 10001",
            "settings.toml: risk.entries_a_day = 10001: must be less than or equal to 100",
        ),
        (
            "[risk]\nmax_open_positions = 1001",
            "settings.toml: risk.max_open_positions = 1001: must be less than or equ",
        ),
        (
            "[exchange]\nlatency_seconds = 3601",
            "settings.toml: exchange.latency_seconds = 3601: must be less than or e",
        ),
        (
            "[exchange]\nanswer_delay_seconds = 1e9",
            "settings.toml: exchange.answer_delay_seconds = 1E+9: must be less ",
        ),
        (
            "[risk.sizing.vix]\nhigh = 0.9",
            "settings.toml: risk.sizing.vix.high: risk.sizing.vix.high is over risk.sizing.vix.elevated, and",
        ),
        (
            "[risk]\nmin_notional = 60",
            "settings.toml: risk.min_notional: risk.min_notional is over risk.max_notional, so that no order passes; ",
        ),
        (
            "[risk]\nmax_notional = { of_equity = 1.5 }",
            "settings.toml: risk.max_notional.of_equity = 1.5: must be less than or equal to 1",
        ),
        ("[exchange]\nhalf_spread_ticks = 1001", "settings.toml: exchange.half_spread_ticks = 1001: must be less than"),
        ('profile = "macro"', 'settings.toml: profile = "macro": must be one of micro, '),
        ("a = \n", "settings.toml: Invalid value (at line 1, column"),
        ("[risk", "settings.toml: Expected"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(home, text, message):
    """OP-10"""
    assert refusal(home, text).startswith(message)


def test_a_wrong_variable_and_a_wrong_option_are_named(home):
    """OP-10"""
    assert refusal(home, "", {"KEYTURN_RISK__SPREAD_LIMIT": "2"}) == (
        "environment: KEYTURN_RISK__SPREAD_LIMIT = 2: must be less than or equal to 1"
    )
    assert refusal(home, "", {"KEYTURN_RISK__SPRED_LIMIT": "2"}) == (
        "environment: KEYTURN_RISK__SPRED_LIMIT: there is no such setting; did you mean KEYTURN_RISK__SPREAD_LIMIT?"
    )
    assert refusal(home, "", {"KEYTURN_STAGING__PLAN__LIFE_SECONDS": "60"}) == (
        "environment: KEYTURN_STAGING__PLAN__LIFE_SECONDS: there is no such setting; "
        "it is called KEYTURN_STAGING__BASKET now: write that"
    )
    assert refusal(home, "", {}, "risk.max_open_positions=none") == (
        '--set risk.max_open_positions = "none": must be a valid integer, unable to parse string as an integer'
    )
    assert refusal(home, "", {}, "risk") == "--set risk: write it as key=value, as in --set risk.max_open_positions=1"
    assert refusal(home, "", {"KEYTURN_RISK": "1"}).startswith("environment: KEYTURN_RISK = 1: must be a table")
    assert "whole already" in refusal(home, "", {"KEYTURN_RISK": "1", "KEYTURN_RISK__SPREAD_LIMIT": "1"})
    assert "give one of the two" in refusal(home, "", {}, "risk.spread_limit=0.1", "risk=5")


@pytest.mark.parametrize("value", ["live", "paper"])
def test_the_mode_is_taken_from_the_file_alone(home, value):
    """OP-10: two gates in two places; whoever can set variables or options opens one of them at most."""
    told = "the mode is taken from settings.toml alone; write it there"
    variables = {"KEYTURN_ACCOUNT__MODE": value}, {"KEYTURN_ACCOUNT": f'{{ mode = "{value}" }}'}
    for variable in variables:
        (name,) = variable
        assert refusal(home, "", variable).startswith(f"environment: {name}")
        assert refusal(home, "", variable).endswith(told)
        assert refusal(home, '[account]\nmode = "live"\n', variable).endswith(told)
    for option in (f"account.mode={value}", f'account={{ mode = "{value}" }}'):
        assert refusal(home, "", {}, option) == f"--set {option.split('=')[0].strip()}: {told}"
    assert load_settings(home, {}).account.mode is Mode.PAPER
    home.settings.write_text('[account]\nmode = "live"\n')
    assert load_settings(home, {"KEYTURN_ALLOW_LIVE": "1"}).account.mode is Mode.LIVE


def test_an_unknown_variable_is_refused_without_its_value(home):
    """SY-06"""
    told = refusal(home, "", {"KEYTURN_APCA__SECRET": "hunter2"})
    assert told == "environment: KEYTURN_APCA__SECRET: there is no such setting; did you mean KEYTURN_ALPACA?"


def test_the_table_of_your_own_strategies_is_named_as_it_is_written(home):
    """OP-10"""
    for text in ('[strategies]\nown = "x"\n', '[strategies]\nown = "x"\n[strategies.mine]\nfalls = 3\n'):
        assert refusal(home, text).startswith('settings.toml: strategies.own = "x": ')


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

DEEP = "lists and tables stand in each other too deep; write it flat"
DIGITS = "a number has 18 digits at most, before its point and behind it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('# [[[\nx = """\n[[[[\n"""\nsymbols = ' + "[" * 4000, f"settings.toml: line 5: {DEEP}"),
        ("symbols = " + "[" * 100 + "]" * 100, f"settings.toml: symbols{'.0' * 15}: {DEEP}"),
        ("keys" + ".a" * 3000 + " = 1", f"settings.toml: keys{'.a' * 15}: {DEEP}"),
        ("strategies.dips" + ".a" * 3000 + " = 1", f"settings.toml: strategies.dips{'.a' * 14}: {DEEP}"),
        ("symbols = []\nkeys" + ".a" * 30_000 + " = 1", "settings.toml: line 2 has 60,008 characters, 20,000 at most"),
        ("risk.entries_a_day = 1e999999999", f"settings.toml: risk.entries_a_day: {DIGITS}"),
        ("risk.daily_loss.usd = 1e-999999999", f"settings.toml: risk.daily_loss.usd: {DIGITS}"),
        ("strategies.dips.size = 0e999999999", f"settings.toml: strategies.dips.size: {DIGITS}"),
        ("exchange.settlement_days = 0x" + "f" * 9000, f"settings.toml: exchange.settlement_days: {DIGITS}"),
        ("risk.entries_a_day = " + "1" * 5000, "settings.toml: a number in it is too long"),
        ("a" * 1_000_001, "settings.toml: it has more than 1,000,000 bytes; move it away"),
    ],
)
def test_text_that_would_never_end_is_one_line_with_its_place(home, text, said):
    """OP-10, RK-13: a running engine reads it too."""
    assert said in refusal(home, text)


@pytest.mark.parametrize("value", ["[" * 3000, "9" * 5000, "1e999999999"])
@pytest.mark.parametrize("place", ["--set risk.entries_a_day", "environment: KEYTURN_RISK__ENTRIES_A_DAY"])
def test_nor_does_a_value_from_elsewhere(home, value, place):
    """OP-10"""
    if place.startswith("--set"):
        assert refusal(home, "", {}, f"risk.entries_a_day={value}").startswith(f"{place}: ")
    else:
        assert refusal(home, "", {"KEYTURN_RISK__ENTRIES_A_DAY": value}).startswith(f"{place}: ")


def test_a_byte_order_mark_is_passed_over(home):
    """OP-10: some editors write one."""
    home.settings.write_bytes('\ufeffprofile = "swing"'.encode())

    assert load_settings(home, {}).profile == "swing"
