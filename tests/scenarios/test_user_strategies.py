"""A strategy of your own from its page to an order: written, checked, replayed, gone again."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.market.calendar import load_calendar
from core.market.synthetic import synthetic_sessions
from core.model.values import Symbol
from state.files import Home
from state.settings_file import SettingsError, load_settings
from state.user_strategies import example_strategy
from tests.scenarios.backtests import Keyturn

PAGE = Path(__file__).resolve().parents[2] / "docs" / "STRATEGIES.md"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.of({"KEYTURN_HOME": str(tmp_path / "home")})


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """A seeded day of SPY as a file."""
    day = date(2026, 1, 5)
    sessions = [s for s in load_calendar(day, day).sessions() if s.day == day]
    rows = [
        f"{bar.start:%Y-%m-%dT%H:%M:%SZ},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}"
        for bar in synthetic_sessions(1, Symbol("SPY"), sessions)
    ]
    path = tmp_path / "SPY_seeded.csv"
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    return path


def in_page(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def put(home: Home, text: str, name: str = "dips") -> Path:
    folder = home.settings.parent / "strategies"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(text)
    path.chmod(0o600)
    return path


def replayed(keyturn: Keyturn, bars: Path, *terms: object) -> dict[str, list[dict[str, str]]]:
    answer = keyturn("replay", bars, "--headless", "--json", "--operator", "confirm-all", *terms)
    assert answer.code == 0, answer.err
    found: dict[str, list[dict[str, str]]] = json.loads(answer.out)
    return found


def test_the_page_shows_what_new_writes(keyturn: Keyturn, home: Home) -> None:
    """ST-01"""
    written = keyturn("strategies", "new", "dips")

    (shown,) = in_page("python")
    assert shown == example_strategy("dips")
    assert (home.settings.parent / "strategies" / "dips.py").read_text() == shown
    assert written.code == 0


def test_the_pages_example_checks_and_trades(
    keyturn: Keyturn, home: Home, bars: Path, snapshot: SnapshotAssertion
) -> None:
    """ST-01, MD-05: written by hand from the page, with the settings of the page."""
    put(home, in_page("python")[0])
    home.settings.write_text(in_page("toml")[0])

    check = keyturn("strategies", "check", "dips")
    found = replayed(keyturn, bars)

    assert (check.code, check.out) == (0, snapshot)
    assert found["proposals"][0]["strategy"] == "dips"
    assert found["orders"][0]["status"] == "FILLED"
    assert replayed(keyturn, bars)["fingerprint"] == found["fingerprint"]


HANGS = """
from __future__ import annotations

from dataclasses import dataclass

from core.strategies.kit import NO_SETUP, Answer, Bar, Context, NoSettings, OwnStrategy


@dataclass(slots=True)
class Seen:
    bars: int = 0


class Dips(OwnStrategy):
    name = "dips"
    Settings = NoSettings
    State = Seen

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        self.state.bars += 1
        while HANGS and self.state.bars == 40:
            pass
        return NO_SETUP
"""


def test_recorded_deadlines_reproduce_a_replay(keyturn: Keyturn, home: Home, bars: Path, tmp_path: Path) -> None:
    """MD-05, ST-07: whatever it would take this time."""
    home.settings.parent.mkdir(parents=True, exist_ok=True)
    home.settings.write_text("[strategies]\nfaults = 1\n[strategies.dips]\nenabled = true\n")
    put(home, HANGS.replace("HANGS", "True"))
    first = replayed(keyturn, bars, "--journal-dir", tmp_path / "first")
    put(home, HANGS.replace("HANGS", "False"))

    again = replayed(keyturn, bars, "--deadlines", tmp_path / "first")
    without = replayed(keyturn, bars)
    nowhere = keyturn("replay", bars, "--headless", "--deadlines", tmp_path)

    assert again["fingerprint"] == first["fingerprint"] != without["fingerprint"]
    assert (nowhere.code, nowhere.err.count("\n")) == (2, 1)


def test_the_commands_of_the_page_are_commands(keyturn: Keyturn) -> None:
    """ST-01: each is known, with the options that it is shown with."""
    lines = [line.removeprefix("$ keyturn ").split() for text in in_page("console") for line in text.splitlines()]

    assert [" ".join(words[:2]) for words in lines] == [
        "strategies new",
        "strategies check",
        "strategies list",
        "replay SPY_1min.csv",
        "demo",
    ]
    for words in lines:
        assert (
            keyturn(*[word for word in words if word.islower() and not word.startswith("--")][:2], "--help").code == 0
        )


def test_list_shows_all_strategies_and_origins(keyturn: Keyturn, home: Home, snapshot: SnapshotAssertion) -> None:
    """ST-01"""
    path = put(home, example_strategy("dips"))
    put(home, "import os", "broken")
    home.settings.write_text("[strategies.dips]\nenabled = true\n[strategies.gone]\nenabled = true\n")

    words = keyturn("strategies", "list").out
    rows = {row["name"]: row for row in json.loads(keyturn("strategies", "list", "--json").out)}

    assert re.search(r"^vwap +on +built-in$", words, re.MULTILINE)
    assert re.search(rf"^dips +on +{path}$", words, re.MULTILINE)
    assert [line for line in words.splitlines() if line.startswith("  ")] == snapshot
    assert (rows["dips"]["ok"], rows["dips"]["on"], rows["broken"]["ok"]) == (True, True, False)


def test_check_lists_every_reason(keyturn: Keyturn, home: Home, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """ST-01, OP-01"""
    put(home, example_strategy("dips"))
    home.settings.write_text("[strategies.dips]\nfalls = 99\n")
    elsewhere = tmp_path / "mine.py"
    elsewhere.write_text("import socket\nimport time\n")

    table, text = keyturn("strategies", "check", "dips"), keyturn("strategies", "check", elsewhere)

    assert table.code == text.code == 1
    assert table.out == snapshot
    assert [line.partition(": ")[0] for line in text.out.splitlines()] == ["mine.py, line 1", "mine.py, line 2", "mine"]
    assert keyturn("strategies", "check", "nothing").code == 2


def test_new_overwrites_nothing(keyturn: Keyturn, home: Home) -> None:
    """ST-01"""
    path = put(home, "# mine")

    answer = keyturn("strategies", "new", "dips")

    assert (answer.code, path.read_text()) == (2, "# mine")
    assert answer.err.count("\n") == 1


def test_replay_runs_only_the_named_strategy(keyturn: Keyturn, home: Home, bars: Path) -> None:
    """ST-07: it need not be on; one that does not load is refused with its reason."""
    put(home, example_strategy("dips"))
    put(home, "import os", "broken")

    of_dips = replayed(keyturn, bars, "--strategy", "dips")
    of_vwap = replayed(keyturn, bars, "--strategy", "vwap")

    assert of_dips["proposals"][0]["strategy"] == "dips"
    assert of_vwap["fingerprint"] == replayed(keyturn, bars)["fingerprint"] != of_dips["fingerprint"]
    for name, words in (("broken", "broken.py, line 1: it imports os"), ("nobody", "there is none; one of vwap")):
        answer = keyturn("replay", bars, "--headless", "--strategy", name)
        assert answer.code == 2
        assert words in answer.err


def test_replay_refuses_allocations_over_the_account(
    keyturn: Keyturn, home: Home, bars: Path, snapshot: SnapshotAssertion
) -> None:
    """ST-08: off they fit, on they do not."""
    put(home, example_strategy("dips"))
    home.settings.write_text("[strategies.dips]\nallocation = 0.7\n[strategies.sma]\nallocation = 0.7\n")

    answer = keyturn("replay", bars, "--headless", "--strategy", "dips", "--strategy", "sma")

    assert (answer.code, answer.err) == (2, snapshot)


def test_a_journal_decodes_when_the_file_is_gone(keyturn: Keyturn, home: Home, bars: Path, tmp_path: Path) -> None:
    """SP-01, SP-03: its settings stand in it as plain values."""
    path = put(home, example_strategy("dips"))
    home.settings.write_text(in_page("toml")[0])
    folder = tmp_path / "journal"
    replayed(keyturn, bars, "--journal-dir", folder)
    path.unlink()

    told = keyturn("journal", "tail", "-n", "5000", "--journal-dir", folder)

    assert keyturn("journal", "verify", "--journal-dir", folder).code == 0
    assert "dips: BUY" in told.out


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("falls = 99", "dips cannot start: strategies.dips.falls = 99: must be less than or equal to 20"),
        ('falls = "zz"', "dips cannot start: strategies.dips.falls = 'zz': must be a valid integer"),
        ("fals = 2", "dips cannot start: strategies.dips.fals: there is no such setting"),
        (None, "dips cannot start: dips.py is not among your strategies; put it back, or turn it off"),
    ],
)
@pytest.mark.parametrize("command", [("backtest",), ("replay", "--headless")])
def test_replay_needs_an_enabled_strategy(
    keyturn: Keyturn, home: Home, bars: Path, command: tuple[str, ...], table: str | None, words: str
) -> None:
    """ST-01, SY-07: a desk opens without it and says so; a report without it would look like an answer."""
    if table is None:
        home.settings.parent.mkdir(parents=True)
    else:
        put(home, example_strategy("dips"))
    home.settings.write_text(f"[strategies.dips]\nenabled = true\n{table or ''}\n")

    answer = keyturn(*command, bars)

    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert answer.err.count("\n") == 1


def test_an_unusable_setting_is_refused_by_name(keyturn: Keyturn, home: Home, bars: Path) -> None:
    """ST-01"""
    put(home, example_strategy("dips"))

    answer = keyturn("backtest", bars, "--strategy", "dips", "--set", "strategies.dips.falls=zz")

    assert answer.code == 2
    assert "falls" in answer.err


def test_the_folder_is_a_setting(home: Home, keyturn: Keyturn, tmp_path: Path) -> None:
    """ST-01"""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "dips.py").write_text(example_strategy("dips"))
    home.settings.parent.mkdir(parents=True)
    home.settings.write_text(f'[strategies]\nfolder = "{tmp_path / "elsewhere"}"\n')

    assert "elsewhere/dips.py" in keyturn("strategies", "list").out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[strategies.vwpa]\nenabled = true", "there is no such setting; did you mean strategies.vwap?"),
        ("[strategies.momentun]\nenabled = true", "did you mean strategies.momentum?"),
        ("[strategies.limits]\nentries_a_day = 1", "strategies.limits: there is no such setting"),
        ("[strategies.manual.limits]\nentries_a_day = 1", "strategies.manual: there is no such setting"),
        ("[strategies.Dips]\nenabled = true", "there is no such setting"),
        ("[strategies.dips]\nenabled = 3", "strategies.dips.enabled = 3: must be true or false"),
        ("[strategies.dips]\nallocation = 2", "strategies.dips.allocation = 2: must be less than or equal to 1"),
        ('[strategies.dips]\nsymbols = ["IBM"]', "strategies.dips.symbols: IBM: not among the symbols"),
        ('[strategies.own."a/b"]\nenabled = true', "'a/b' is no name for a strategy"),
        ("[strategies]\ndips = 3", "strategies.dips: there is no such setting"),
    ],
)
def test_a_slip_in_a_table_of_a_strategy_is_told(home: Home, text: str, words: str) -> None:
    """ST-01, SY-06: what the desk reads of it is checked as everything else."""
    home.settings.parent.mkdir(parents=True)
    home.settings.write_text(text)

    with pytest.raises(SettingsError, match=re.escape(words)):
        load_settings(home, {})


def test_variables_and_options_override_its_table(home: Home) -> None:
    """OP-10"""
    home.settings.parent.mkdir(parents=True)
    home.settings.write_text("[strategies.dips]\nenabled = true\nfalls = 4\nstop = 0.004\n")

    settings = load_settings(home, {"KEYTURN_STRATEGIES__DIPS__FALLS": "5"}, ("strategies.dips.gain=0.01",))

    assert settings.strategies.of("dips").terms == {"falls": 5, "stop": "0.004", "gain": "0.01"}  # type: ignore[union-attr]
