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


def test_a_position_without_history_is_code_1(keyturn: Keyturn, book: Path) -> None:
    """AN-02"""
    book.write_text("symbol,quantity,price\nSPY,100,400\nXYZ,7,12.5\n")

    found = keyturn("risk", "--history", MARKET, "--positions", book, "--json")

    assert found.code == 1
    assert [(each["symbol"], each["value"]) for each in found.json["left_out"]] == [("XYZ", "87.50")]
    assert all("XYZ" in each["without"] for each in found.json["scenarios"])


def test_positions_are_those_of_the_journal(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-02: of all strategies together, at the history's last close where no bar was recorded; old closes are named"""
    on_time, late = a_journal(tmp_path / "on time", AT), a_journal(tmp_path / "late", AT + timedelta(days=30))

    found = keyturn("risk", "--history", MARKET, "--journal-dir", on_time, "--json")
    shown = [keyturn("risk", "--history", MARKET, "--journal-dir", each) for each in (on_time, late)]

    assert found.code == 0
    assert found.json["held_on"] == "2021-03-31"
    assert found.json["positions"] == [{"symbol": "SPY", "quantity": "2", "price": "396.33", "value": "792.66"}]
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
