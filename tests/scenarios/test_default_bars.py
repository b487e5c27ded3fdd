"""Research without a named file reads the folder of `keyturn bars`, or names the command that fills it (MD-11)."""

from __future__ import annotations

from pathlib import Path

from tests.scenarios.backtests import Keyturn, days_of, shortened

NAME = "SPY_daily_raw_simulated.csv"
GRID = ("--grid", "strategies.sma.stop_ranges=1,2")
SWEPT = ("sweep", *GRID, "--strategy", "sma", "--profile", "swing", "--symbol", "SPY", "--workers", "1")
BACKTEST = ("backtest", "--strategy", "sma", "--profile", "swing", "--symbol", "SPY", "--json")


def test_a_fresh_home_names_the_command_that_fetches(keyturn: Keyturn, tmp_path: Path) -> None:
    """MD-11: in one line, with the symbols that lack"""
    book = a_book(tmp_path, "SPY", "EEM")

    asked = {
        ("backtest",): "keyturn bars SPY --days",
        ("backtest", "--symbol", "brk.b"): "keyturn bars BRK.B --days",
        ("sweep", *GRID): "keyturn bars SPY --days",
        ("regime-study",): "keyturn bars SPY --days",
        ("risk", "--positions", str(book)): "keyturn bars SPY EEM --days",
    }
    for words, command in asked.items():
        found = keyturn(*words)
        assert (found.code, found.out, len(found.err.splitlines())) == (2, "", 1), words
        assert command in found.err


def test_research_reads_what_was_fetched(keyturn: Keyturn, tmp_path: Path) -> None:
    """MD-11: made by the built-in exchange here, which each of them says"""
    book = a_book(tmp_path, "SPY", "EEM")
    a_fetched_file(tmp_path, NAME)

    found = [keyturn(*words) for words in (BACKTEST, ("regime-study",), ("risk", "--positions", book))]

    assert [each.code for each in found] == [0, 0, 1]
    assert all(f"SIMULATED, no prices of a market: {NAME}" in each.err + each.out for each in found)
    assert (found[0].json["file"], found[0].json["symbol"]) == (NAME, "SPY")
    assert "keyturn bars EEM --days" in found[2].lines[-1]


def test_named_files_and_pages_say_that_no_market_had_them(keyturn: Keyturn, tmp_path: Path) -> None:
    """MD-11: bars of the built-in exchange"""
    fetched, page = a_fetched_file(tmp_path, NAME), tmp_path / "risk.html"
    words = f"SIMULATED, no prices of a market: {NAME}"

    assert words in keyturn("regime-study", str(fetched)).err
    assert words in keyturn("backtest", str(fetched), *BACKTEST[1:]).err
    keyturn("risk", "--positions", a_book(tmp_path, "SPY"), "--html", str(page))
    assert words in page.read_text()


def test_the_older_folder_is_still_read(keyturn: Keyturn, tmp_path: Path) -> None:
    """MD-11: where the newer one has no file of the symbol"""
    a_fetched_file(tmp_path, NAME)
    a_fetched_file(tmp_path, "SPY.csv", "daily")
    a_fetched_file(tmp_path, "QQQ.csv", "daily")

    found = keyturn("risk", "--positions", a_book(tmp_path, "SPY", "QQQ"), "--json")

    assert (found.code, found.json["files"]) == (0, ["QQQ.csv", NAME])


def test_a_sweep_reads_what_was_fetched(keyturn: Keyturn, tmp_path: Path) -> None:
    """MD-11"""
    shortened(a_fetched_file(tmp_path, NAME), 60)

    found = keyturn(*SWEPT, "--json")

    assert found.code == 0, found.err
    assert NAME in found.err


def a_book(folder: Path, *symbols: str) -> Path:
    book = folder / "book.csv"
    book.write_text("\n".join(["symbol,quantity", *(f"{symbol},100" for symbol in symbols), ""]))
    return book


def a_fetched_file(home: Path, name: str, folder: str = "bars") -> Path:
    place = home / "home" / folder
    place.mkdir(parents=True, exist_ok=True)
    return days_of(place / name)
