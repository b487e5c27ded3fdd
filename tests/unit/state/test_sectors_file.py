"""The sectors as an operator writes them, and the one line that says what is wrong with them."""

from __future__ import annotations

import pytest

from core.ports import OperatorError
from core.settings.changes import ChangeKind, changes_between, with_changes
from core.settings.history import read, written
from core.settings.settings import Settings
from state.files import Home
from state.home_files import MOST
from state.settings_file import load_settings, sectors_file
from tests.kit.rows import cases


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.of({"KEYTURN_HOME": str(tmp_path)})


def with_sectors(home: Home, text: str, *overrides: str) -> dict[str, str]:
    sectors_file(home).write_text(text)
    return load_settings(home, {}, overrides).risk.sectors


def refusal(home: Home, text: str, *overrides: str) -> str:
    with pytest.raises(OperatorError) as raised:
        with_sectors(home, text, *overrides)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_line_is_a_symbol_and_its_sector(home: Home) -> None:
    """RK-23: with quotation marks around a symbol and without them; capitals make no other sector"""
    found = with_sectors(home, 'XOM = "energy"\nCVX = " Energy "\n"BRK.B" = "financials"\nBF.B = "Food & drinks"')

    assert found == {"XOM": "energy", "CVX": "energy", "BRK.B": "financials", "BF.B": "food & drinks"}


def test_without_a_file_no_symbol_has_a_sector(home: Home) -> None:
    """RK-23, SP-07"""
    settings = load_settings(home, {})

    assert settings.risk.sectors == {}
    assert "sectors" not in written(settings)["risk"]


@cases(
    "text said",
    ("XOM = ", "sectors.toml: Invalid value"),
    ("XOM = 3", 'sectors.toml: XOM: its sector must be a text, as in XOM = "energy"'),
    ('xom = "energy"', "sectors.toml: xom is not how a symbol is written"),
    ('XOM = ""', "sectors.toml: XOM = '': a sector is called by 1 to 32 letters"),
    (f'XOM = "{"e" * 33}"', "sectors.toml: XOM = "),
    ("\n".join(f'A{n} = "a"' for n in range(MOST + 1)), "sectors.toml: 5,001 symbols, 5,000 at most"),
)
def test_a_line_that_cannot_stand_is_named(home: Home, text: str, said: str) -> None:
    """RK-23, SY-07"""
    assert refusal(home, text).startswith(said)


def test_a_sectors_folder_is_refused(home: Home) -> None:
    """RK-23, SY-07"""
    sectors_file(home).mkdir()

    with pytest.raises(OperatorError, match=r"sectors\.toml.* is a folder"):
        load_settings(home, {})


@pytest.mark.parametrize("place", ["settings.toml", "--set"])
def test_sectors_stand_in_their_file_alone(home: Home, place: str, snapshot) -> None:
    """RK-23: one place, so that nobody looks for the other"""
    home.settings.write_text('[risk.sectors]\nXOM = "energy"' if place == "settings.toml" else "")
    overrides = ['risk.sectors.XOM="energy"'] if place == "--set" else []

    assert refusal(home, "", *overrides) == snapshot


def test_sector_changes_are_looser_or_tighter(home: Home) -> None:
    """RK-13, RK-23"""
    old = Settings.model_validate({"risk": {"sectors": {"XOM": "energy", "SPY": "index"}}})
    new = Settings.model_validate({"risk": {"sectors": {"XOM": "oil", "CVX": "energy"}}})

    changes = changes_between(old, new)

    assert [(change.words, change.kind) for change in changes] == [
        ("risk.sectors.XOM energy → oil", ChangeKind.LOOSER),
        ("risk.sectors.SPY index → not set", ChangeKind.LOOSER),
        ("risk.sectors.CVX not set → energy", ChangeKind.TIGHTER),
    ]
    tighter = [change for change in changes if change.kind is ChangeKind.TIGHTER]
    assert with_changes(old, new, changes) == new
    assert with_changes(old, new, tighter).risk.sectors == {"XOM": "energy", "SPY": "index", "CVX": "energy"}


def test_sectors_come_back_out_of_a_journal(home: Home) -> None:
    """RK-23, SP-07"""
    settings = Settings.model_validate({"risk": {"sectors": {"XOM": "energy"}}})

    assert read(written(settings, "json"), 2) == settings
