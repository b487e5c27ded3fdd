"""`keyturn backtest` on files that are damaged, not whole, or called otherwise: nothing is left out without a word."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.messages.inputs import BarArrived
from core.model.bar import Bar
from core.model.values import Price, Quantity, Symbol
from core.runtime.data_quality import jumps
from core.runtime.feed import bar_item
from tests.scenarios.backtests import HEADER, Keyturn

VWAP = ("--strategy", "vwap")


def rewritten(path: Path, change: dict[int, str | None]) -> Path:
    """The file with those lines, by their number from 1, written otherwise or left out."""
    lines = path.read_text().splitlines()
    kept = [change.get(number, line) for number, line in enumerate(lines, 1)]
    path.write_text("\n".join(line for line in kept if line is not None) + "\n")
    return path


def test_rows_that_are_set_aside_are_told_with_the_first_of_them(
    keyturn: Keyturn, minutes: Path, tmp_path: Path
) -> None:
    """AN-04, MD-03"""
    rewritten(minutes, {5: "2026-01-05T14:33:00Z,x,1,1,1,1", 6: "2026-01-05T14:34:30Z,99,99,99,99,10"})
    html = tmp_path / "page.html"

    answer = keyturn("backtest", minutes, *VWAP, "--html", html)

    words = "2 rows were set aside, the first SPY_seeded.csv:5: open 'x' is not a number"
    assert words in answer.out
    assert "2 of 1,950 minutes are missing" in answer.out
    assert words in html.read_text().replace("&#x27;", "'")


def test_bars_that_lie_outside_of_every_session_are_counted_on_the_page(keyturn: Keyturn, minutes: Path) -> None:
    """AN-04, MD-03"""
    rewritten(minutes, {2: f"2026-01-05T14:29:00Z,99,99,99,99,10\n{minutes.read_text().splitlines()[1]}"})

    assert "1 bar lies outside of every session" in keyturn("backtest", minutes, *VWAP).out


def test_minutes_and_sessions_that_are_missing_are_counted_between_the_first_bar_and_the_last(
    keyturn: Keyturn, minutes: Path, days: Path
) -> None:
    """AN-04, MD-05: what lies before the first bar or after the last is not missing."""
    whole = keyturn("backtest", minutes, *VWAP, "--json").json
    rewritten(minutes, {2: None, **dict.fromkeys(range(400, 1012), None), 1951: None})
    rewritten(days, dict.fromkeys(range(100, 350), None))

    assert whole["missing"] == {"unit": "minutes", "missing": 0, "of": 1950}
    assert "612 of 1,948 minutes are missing" in keyturn("backtest", minutes, *VWAP).out
    assert re.search(r"250 of \d+ sessions are missing", keyturn("backtest", days, "--strategy", "sma").out)


@pytest.mark.parametrize("command", [("backtest",), ("replay", "--headless")])
def test_a_file_of_which_no_bar_is_left_is_refused(keyturn: Keyturn, minutes: Path, command: tuple[str, ...]) -> None:
    """SY-07, MD-03: minutes that begin at half past each."""
    minutes.write_text(minutes.read_text().replace(":00Z", ":30Z"))

    answer = keyturn(*command, minutes)

    assert answer.code == 2
    assert answer.err == (
        "keyturn: SPY_seeded.csv: no row of it is a bar of a session; "
        "the first, SPY_seeded.csv:2: starts at 09:30:30.000000 New York, not on a whole minute\n"
    )


def test_a_file_of_days_of_which_none_can_be_read_is_refused_with_the_reason(keyturn: Keyturn, tmp_path: Path) -> None:
    """SY-07"""
    path = tmp_path / "SPY_daily.csv"
    path.write_text(f"date,{HEADER}\n2024-01-06,9,9,9,9,1\n2024-01-07,9,9,9,9,1\n")

    answer = keyturn("backtest", path, "--strategy", "sma")

    assert answer.code == 2
    assert "none of its rows is the bar of a trading day; the first, SPY_daily.csv:2: 2024-01-06 has no" in answer.err


def test_several_files_tell_of_their_bars_below_their_figures(keyturn: Keyturn, minutes: Path, tmp_path: Path) -> None:
    """AN-04"""
    other = tmp_path / "IBM_seeded.csv"
    other.write_text(minutes.read_text())
    rewritten(other, {100: None})

    answer = keyturn("backtest", minutes, other, *VWAP)

    assert "IBM_seeded.csv: 1 of 1,950 minutes are missing" in answer.out
    assert "SPY_seeded.csv: " not in answer.out


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["lowercase_daily.csv", "123.csv", ".csv", "SPY.csv"])
@pytest.mark.parametrize("command", [("backtest",), ("replay", "--headless")])
def test_a_file_whose_name_begins_with_no_symbol_is_not_played_as_another(
    keyturn: Keyturn, minutes: Path, name: str, command: tuple[str, ...]
) -> None:
    """SY-07, AN-04: it is asked for."""
    path = minutes.rename(minutes.with_name(name))

    answer = keyturn(*command, path)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (f"keyturn: {name}: its name begins with no symbol, as SPY_daily.csv does; add --symbol SYM\n")


@pytest.mark.parametrize("command", [("backtest",), ("replay", "--headless"), ("backtest", "--symbol", "SPY")])
def test_a_folder_is_called_a_folder(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """SY-07, AN-04: and not a file with an odd name."""
    monkeypatch.chdir(tmp_path)

    answer = keyturn(*command, ".")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "keyturn: .: is a folder; name one CSV file in it\n"


def test_the_page_names_the_symbol_that_was_played(keyturn: Keyturn, days: Path, tmp_path: Path) -> None:
    """AN-04: by the file's name, a class of shares too, or as it is said."""
    days = days.rename(days.with_name("BRK.B_daily.csv"))

    by_name = keyturn("backtest", days, "--strategy", "sma", "--html", tmp_path / "page.html").out
    said = keyturn(
        "backtest", days.rename(days.with_name("mine.csv")), "--strategy", "sma", "--symbol", "ibm", "--json"
    ).json

    assert "daily bars of BRK.B, " in by_name
    assert '<td>symbol</td><td class="n">BRK.B</td>' in (tmp_path / "page.html").read_text()
    assert said["symbol"] == "IBM"


# ── what is there already ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("is_link", [False, True])
def test_a_page_that_is_there_is_not_written_over(
    keyturn: Keyturn, minutes: Path, tmp_path: Path, is_link: bool
) -> None:
    """SY-07, AN-04: nor what a link leads to, nor a link that leads nowhere."""
    page, kept = tmp_path / "page.html", tmp_path / "kept.html"
    if is_link:
        page.symlink_to(kept)
    else:
        page.write_text("mine")

    answer = keyturn("backtest", minutes, *VWAP, "--html", page)

    assert answer.code == 2
    assert "page.html is there already, and is not written over; name another file for the page" in answer.err
    assert page.is_symlink() or page.read_text() == "mine"
    assert not kept.exists()


def test_a_report_says_what_a_desk_measures_and_it_does_not(keyturn: Keyturn, minutes: Path, tmp_path: Path) -> None:
    """AN-04, RK-12, RK-19"""
    html = tmp_path / "page.html"
    told = keyturn("backtest", minutes, *VWAP, "--html", html).out
    found = keyturn("backtest", minutes, *VWAP, "--json").json

    words = (
        "not measured here: the VIX (--vix FILE) and SPY's trend, and entries a day by its range (--market FILE); "
        "a desk may trade otherwise"
    )
    assert words in " ".join(told.split())
    assert words in html.read_text().replace("&#x27;", "'")
    assert len(found["not_measured"]) == 2


# ── prices that are not adjusted ─────────────────────────────────────────────────────────────────────────────────────


def split_on(path: Path, day: str, many: Decimal) -> Path:
    """From that day on each price is divided by so many."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines[1:], 1):
        named, *prices, volume = line.split(",")
        if named >= day:
            lines[number] = ",".join((named, *(f"{Decimal(price) / many:.4f}" for price in prices), volume))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_split_is_named_with_the_trades_that_were_held_over_it(keyturn: Keyturn, days: Path, tmp_path: Path) -> None:
    """AN-04, EX-09: its loss is none, and no page may look as if it were."""
    words = ("--strategy", "sma", "--without-frictions", "--set", "strategies.sma.regime_filter=false")
    before = keyturn("backtest", days, *words, "--json").json
    trade = next(t for t in before["trades"] if t["entry_time"][:10] < t["exit_time"][:10])
    day = next(d["day"] for d in before["equity"] if d["day"] > trade["entry_time"][:10])
    split_on(days, day, Decimal(7))
    html = tmp_path / "page.html"

    found = keyturn("backtest", days, *words, "--json", "--html", html).json
    page = " ".join(keyturn("backtest", days, *words).out.split())

    (split,) = found["splits"]
    assert before["splits"] == []
    assert (split["time"][:10], split["symbol"], split["split"]) == (day, "QQQ", "7 for 1")
    assert [held["entry_time"] for held in split["held_over"]] == [trade["entry_time"]]
    told = "as a split 7 for 1; prices are not adjusted: what is held over it is wrong"
    assert f"{day}: opens at" in page
    assert told in page
    assert told in html.read_text()
    assert f"held over it: what was bought {trade['entry_time']}, profit -" in page


@pytest.mark.parametrize(
    ("before", "opened", "split"),
    [
        ("645.57", "92.69", "7 for 1"),
        ("100", "50.9", "2 for 1"),
        ("10", "98.5", "1 for 10"),
        ("100", "52", None),
        ("100", "120", None),
        ("60", "10", None),
    ],
)
def test_a_jump_is_taken_for_a_split_near_its_ratio_alone(before: str, opened: str, split: str | None) -> None:
    """AN-04"""
    prices = [Price(Decimal(text)) for text in (before, opened)]
    bars = [
        Bar(Symbol("SPY"), datetime(2024, 1, 2 + number, 14, 30, tzinfo=UTC), *[price] * 4, Quantity(Decimal(1)))
        for number, price in enumerate(prices)
    ]

    found = [jump.split for jump in jumps(bar_item(BarArrived(bar, "")) for bar in bars)]

    assert found == ([split] if split else [])


# ── small things of the page ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_page_drops_columns_and_cuts_no_figure(
    keyturn: Keyturn, days: Path, tmp_path: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AN-04, SY-07"""
    monkeypatch.setenv("COLUMNS", str(width))
    other = days.with_name("BRK.B_daily_seeded.csv")
    other.write_text(days.read_text())
    words = ("--strategy", "sma", "--set", "strategies.sma.regime_filter=false")

    one, both = keyturn("backtest", days, *words).out, keyturn("backtest", days, other, *words).out
    found = keyturn("backtest", days, *words, "--json").json

    assert "…" not in one + both
    assert all(len(line) <= width for line in (one + both).splitlines())
    assert f"{found['metrics']['last_equity']:,.2f}" in one
    newest = found["trades"][-10:]
    assert newest
    for trade in newest:
        begins = f"{trade['entry_time'][:10]} QQQ {trade['quantity']} "
        row = next(line for line in one.splitlines() if line.startswith(begins))
        assert row.rstrip().endswith(f" {float(trade['profit']):.2f}")
    assert f"{found['metrics']['total_return'] * 100:.2f} %" in both
    assert "slippage (+ lost), USD" in one


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("SPY_daily.csv", b"", "SPY_daily.csv: is empty; give it a header line and one row for each minute, or a day"),
        (
            "SPY_daily.csv.gz",
            gzip.compress(b"date,open", mtime=0),
            "SPY_daily.csv.gz: is packed; unpack it with `gunzip`",
        ),
        ("SPY_daily.csv", b"date,\xff", "SPY_daily.csv: is not UTF-8 text; save it as CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_told_as_what_it_is(
    keyturn: Keyturn, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    """SY-07"""
    (tmp_path / name).write_bytes(content)

    answer = keyturn("backtest", tmp_path / name, "--strategy", "sma")

    assert answer.code == 2
    assert words in answer.err


def test_tables_are_not_written_where_a_file_is(keyturn: Keyturn, minutes: Path, tmp_path: Path) -> None:
    """SY-07"""
    (tmp_path / "afile").touch()

    assert "afile is a file; name a new folder" in keyturn("backtest", minutes, *VWAP, "--csv", tmp_path / "afile").err


def test_vwap_on_days_is_told_to_need_minutes(keyturn: Keyturn, days: Path, minutes: Path) -> None:
    """AN-04, ST-02"""
    words = "vwap measures the minutes of a session, and bars of days have none: play a file of minutes"

    assert words in " ".join(keyturn("backtest", days, *VWAP).out.split())
    assert words not in " ".join(keyturn("backtest", minutes, *VWAP).out.split())


def test_one_that_was_paused_as_it_failed_says_so_and_counts_no_more_failures(
    keyturn: Keyturn, minutes: Path, tmp_path: Path
) -> None:
    """ST-07, AN-04: from then on it is PAUSED, and the equity curve has no part in it."""
    keyturn("strategies", "new", "dips")
    path = tmp_path / "home" / "strategies" / "dips.py"
    path.write_text(path.read_text().replace("before, self.state", "1 / 0\n        before, self.state"))

    told = keyturn("backtest", minutes, "--strategy", "dips").out
    reasons = keyturn("backtest", minutes, "--strategy", "dips", "--json").json["reasons"]["dips"]

    assert reasons == {"PAUSED": 1947, "RAISED": 3}
    assert "PAUSED: it failed on several bars in a row; mend it and play again." in told
    assert "equity curve" not in told
