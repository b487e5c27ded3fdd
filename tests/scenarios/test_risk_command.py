"""`keyturn risk`: recorded days, positions of a file and of a journal, exit codes (AN-02)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from core.facts import PositionChanged
from core.model.values import Price, Quantity, Symbol
from core.ports import OperatorError
from core.runtime.demo_market import LIVELY
from core.runtime.simulated_exchange import config_of, opening_record
from core.settings.settings import Settings
from state.desk_files import DeskFiles
from state.files import DAILY, Home, JournalFolder, make_folder
from state.journal import FileJournal
from state.simulated_logs import ExchangeLogFile
from tests.data import MARKET
from tests.scenarios.backtests import Keyturn

SPY = Symbol("SPY")
AT = datetime(2021, 3, 31, 20, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.csv"
    path.write_text("symbol,quantity,price\nSPY,100,400\nEEM,-300,50\n")
    return path


def test_the_report_of_a_file(keyturn: Keyturn, book: Path, tmp_path: Path) -> None:
    """AN-02: the runs are those of a search with pandas, the beta is that of statsmodels 0.15.0"""
    words = ("risk", "--history", MARKET, "--positions", book, "--shock", "SPY -7 %")

    shown, told = keyturn(*words), keyturn(*words, "--json", "--csv", tmp_path / "tables")

    assert (shown.code, told.code) == (0, 0)
    assert max(map(len, shown.lines)) <= 80
    names = [each["name"] for each in told.json["scenarios"]]
    assert names == ["March 2020", "October 2008", "August 2015", "shock SPY -7 %"]
    runs = [(each["first"], each["last"], each["profit"]) for each in told.json["scenarios"]]
    assert runs == [
        ("2020-03-09", "2020-03-20", -5954.74),
        ("2008-10-02", "2008-10-10", -4673.18),
        ("2015-08-19", "2015-08-25", -3014.27),
        (None, None, -1464.67),
    ]
    by_beta = told.json["scenarios"][3]["parts"][1]
    assert (by_beta["betas"], by_beta["r_squared"], by_beta["days"]) == ({"SPY": 1.27174}, 0.725331, 3334)
    assert [jump["split"] for jump in told.json["jumps"]] == ["3 for 1"]
    assert (told.json["regime"]["level"], told.json["regime"]["vix"]) == ("elevated", 19.4)
    assert len((tmp_path / "tables" / "estimates.csv").read_text().splitlines()) == 17


def test_a_position_without_history_moves_by_its_beta(keyturn: Keyturn, book: Path, tmp_path: Path) -> None:
    """AN-02: by that of the operator's file, or by 1; marked in the text, the JSON and the tables"""
    book.write_text("symbol,quantity,price\nSPY,100,400\nXYZ,7,12.5\nABC,-3,10\n")
    beside_the_settings(tmp_path, "betas.toml", "XYZ = 1.4\n")
    words = ("risk", "--history", MARKET, "--positions", book)

    found, text = keyturn(*words, "--json", "--csv", tmp_path / "tables"), keyturn(*words).out

    betas = {each["symbol"]: (each["proxy_beta"], each["proxy_source"]) for each in found.json["positions"]}
    assert (found.code, found.json["left_out"]) == (0, [])
    assert betas == {"SPY": (None, None), "XYZ": (1.4, "betas.toml"), "ABC": (1.0, "assumed")}
    for each in found.json["scenarios"]:
        assert (sorted(each["by_beta"]), each["without"]) == (["ABC", "XYZ"], {})
        moves = {part["symbol"]: part["move"] for part in each["parts"]}
        assert moves["ABC"] == moves["SPY"]
    assert text.count("MOVED BY BETA: ") == 2
    assert "ABC: short by an assumed beta" in text.replace("\n  ", " ")
    assert "1.4,betas.toml" in (tmp_path / "tables" / "positions.csv").read_text()


def test_a_position_in_no_figure_is_code_1(keyturn: Keyturn, book: Path, tmp_path: Path) -> None:
    """AN-02: without a price, and where SPY has no file to move it by"""
    (tmp_path / "daily").mkdir()
    (tmp_path / "daily" / "QQQ.csv").symlink_to(MARKET / "QQQ_daily_2008_on.csv")
    for rows, history, out in (
        ("SPY,100,400\nXYZ,7,\n", MARKET, [("XYZ", None)]),
        ("QQQ,100,400\nXYZ,7,12.5\n", tmp_path / "daily", [("XYZ", "87.50")]),
    ):
        book.write_text(f"symbol,quantity,price\n{rows}")

        found = keyturn("risk", "--history", history, "--positions", book, "--json")

        assert found.code == 1
        assert [(each["symbol"], each["value"]) for each in found.json["left_out"]] == out
        assert all("XYZ" in each["without"] for each in found.json["scenarios"])


def test_a_folder_of_scenarios_adds_and_replaces(keyturn: Keyturn, book: Path, tmp_path: Path) -> None:
    """AN-02: a shock, a stress, days, and another March; a fault is one line that names file and key"""
    beside_the_settings(tmp_path, "scenarios/oil.toml", 'name = "oil up"\nshock = "oil +20 %"\n')
    beside_the_settings(tmp_path, "scenarios/panic.toml", 'name = "panic"\ncorrelation = 1\nvolatility = 5\n')
    march = 'name = "two days"\nfirst = 2020-03-11\nlast = 2020-03-12\n'
    beside_the_settings(tmp_path, "scenarios/march-2020.toml", march)
    words = ("risk", "--history", MARKET, "--positions", book, "--json")

    found = keyturn(*words).json

    assert {each["name"] for each in found["scenarios"]} == {"oil up", "two days", "October 2008", "August 2015"}
    assert next(len(each["path"]) for each in found["scenarios"] if each["name"] == "two days") == 2
    assert [each["name"] for each in found["correlation_stress"] if each["volatility"] == 5] == ["panic"]
    for text, named in (('name = "oil up"\nshock = "oil up"', "bad.toml: shock"), ("name = \n", "line 1")):
        beside_the_settings(tmp_path, "scenarios/bad.toml", text)
        wrong = keyturn(*words)
        assert (wrong.code, wrong.out, len(wrong.err.splitlines())) == (2, "", 1)
        assert named in wrong.err


@pytest.mark.parametrize("text", ["XYZ = 7", "XYZ = nan", 'XYZ = "1"', "XYZ = true", '"X$Z" = 1', "XYZ ="])
def test_a_wrong_beta_is_code_2(keyturn: Keyturn, book: Path, tmp_path: Path, text: str) -> None:
    """AN-02"""
    beside_the_settings(tmp_path, "betas.toml", f"{text}\n")

    found = keyturn("risk", "--history", MARKET, "--positions", book)

    assert (found.code, found.out, len(found.err.splitlines())) == (2, "", 1)
    assert "betas.toml" in found.err


def beside_the_settings(folder: Path, name: str, text: str) -> None:
    """Write a file beside the settings of the home of these tests."""
    path = Home.of({"KEYTURN_HOME": str(folder / "home")}).of_the_operator(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_positions_are_those_of_the_journal(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-02: of all strategies together, at the history's last close where no bar was recorded; old closes are named"""
    on_time, late = a_journal(tmp_path / "on time", AT), a_journal(tmp_path / "late", AT + timedelta(days=30))

    found = keyturn("risk", "--history", MARKET, "--journal-dir", on_time, "--json")
    shown = [keyturn("risk", "--history", MARKET, "--journal-dir", each) for each in (on_time, late)]

    assert found.code == 0
    assert found.json["held_on"] == "2021-03-31"
    (only,) = found.json["positions"]
    assert (only["symbol"], only["quantity"], only["price"], only["value"]) == ("SPY", "2", "396.33", "792.66")
    assert ["OLD CLOSES" in each.out for each in shown] == [False, True]


def a_journal(folder: Path, at: datetime) -> Path:
    """A journal in which two strategies hold SPY, one of them short."""
    with closing(FileJournal(JournalFolder(folder))) as journal:
        for strategy, quantity in (("vwap", "5"), ("sma", "-2"), ("vwap", "4")):
            journal.append(at, PositionChanged(SPY, strategy, Quantity(Decimal(quantity)), Price(Decimal(390))))
        journal.sync()
    return folder


def test_no_position_is_no_error(keyturn: Keyturn, book: Path) -> None:
    """AN-02"""
    book.write_text("symbol,quantity\n")

    shown, told = (keyturn("risk", "--history", MARKET, "--positions", book, *more) for more in ((), ("--json",)))

    assert (shown.code, len(shown.lines)) == (0, 1)
    assert told.json["positions"] == []


def test_wrong_words_are_code_2(keyturn: Keyturn, book: Path) -> None:
    """AN-02"""
    for more in (("--shock", "crash"), ("--no-split", "SPY"), ("--no-split", "SPY:2020-01-02"), ("--account", "x")):
        found = keyturn("risk", "--history", MARKET, "--positions", book, *more)
        assert (found.code, found.out) == (2, ""), more
        assert len(found.err.splitlines()) == 1


def test_a_desk_shows_the_same_page(keyturn: Keyturn, book: Path, tmp_path: Path) -> None:
    """AN-02: of its positions and its files of bars; without them it names the command that fetches them"""

    def run(words: Sequence[str], **_terms: object) -> CompletedProcess[str]:
        found = keyturn(*words)
        return CompletedProcess(list(words), found.code, found.out, found.err)

    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    make_folder(home.settings.parent)
    files = DeskFiles(home, lambda: JournalFolder(tmp_path), program=lambda *words: list(words), run=run)
    held = [(SPY, Quantity(Decimal(100)), Price(Decimal(400))), (Symbol("EEM"), Quantity(Decimal(-300)), None)]
    with pytest.raises(OperatorError, match="keyturn bars SPY EEM --days"):
        files.risk(held, AT.date(), "")
    home.of_the_operator(DAILY).symlink_to(MARKET, target_is_directory=True)
    book.write_text("symbol,quantity,price\nSPY,100,400\nEEM,-300,\n")

    shown = files.risk(held, AT.date(), "SPY -7 %")

    assert shown == keyturn("risk", "--history", MARKET, "--positions", book, "--shock", "SPY -7 %").lines[1:]
    with pytest.raises(OperatorError):
        files.risk(held, AT.date(), "SPY by a lot")


def test_a_demo_has_daily_files_of_its_own(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-02, SY-09: at the desk and for the command; a folder of the operator comes first"""

    def run(words: Sequence[str], **_terms: object) -> CompletedProcess[str]:
        found = keyturn(*words)
        return CompletedProcess(list(words), found.code, found.out, found.err)

    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    demo = home.account("demo")
    demo.prepare()
    with closing(ExchangeLogFile(demo)) as log:
        log.append(opening_record(config_of(Settings(), "demo", "1"), ("SPY",), AT, LIVELY.name))
    files = DeskFiles(home, lambda: demo, program=lambda *words: list(words), run=run)
    held = [(SPY, Quantity(Decimal(100)), Price(Decimal(500)))]

    shown = files.risk(held, date(2026, 1, 7), "VIX to 40")

    assert any(line.startswith("shock VIX to 40") for line in shown)
    assert "2026-01-06" in shown[0]
    home.of_the_operator(DAILY).symlink_to(MARKET, target_is_directory=True)
    assert "2026-01-06" not in files.risk(held, date(2026, 1, 7), "")[0]
