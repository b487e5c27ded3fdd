"""`keyturn backtest` on files that are damaged, incomplete or misnamed: nothing is left out without a word."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.market.calendar import load_calendar
from core.messages.inputs import BarArrived
from core.model.bar import Bar
from core.model.values import Price, Quantity, Symbol
from core.runtime.feed import bar_item
from core.runtime.feed_quality import quality_of
from tests.kit.rows import table
from tests.scenarios.backtests import HEADER, Keyturn, minutes_of, shortened

VWAP = ("--strategy", "vwap")
SMA = ("--strategy", "sma")
EAGER = (*SMA, "--set", "strategies.sma.regime_filter=false", "--set", "strategies.sma.pairs=[[3,8]]")
WITH_A_TRADE = 70
"""Days of the year to the end of the first trade of these."""


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """The first 90 minutes of a seeded day of SPY."""
    return shortened(minutes_of(tmp_path / "SPY_seeded.csv", last=date(2026, 1, 5)), 90)


def rewritten(path: Path, change: dict[int, str | None]) -> Path:
    """The file with those lines, by their number from 1, written otherwise or left out."""
    lines = path.read_text().splitlines()
    kept = [change.get(number, line) for number, line in enumerate(lines, 1)]
    path.write_text("\n".join(line for line in kept if line is not None) + "\n")
    return path


def test_rows_without_a_bar_are_counted(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """AN-04, MD-03: set aside, or outside of every session; the page tells the first, and so does the HTML."""
    bars = shortened(minutes_of(tmp_path / "SPY_seeded.csv", last=date(2026, 1, 5)), 240)
    outside = f"2026-01-05T14:29:00Z,500,500,500,500,10\n{bars.read_text().splitlines()[1]}"
    rewritten(bars, {2: outside, 5: "2026-01-05T14:33:00Z,x,1,1,1,1", 6: "2026-01-05T14:34:30Z,99,99,99,99,10"})
    html = bars.with_name("page.html")

    found = keyturn("backtest", bars, *VWAP, "--json").json
    page = keyturn("backtest", bars, *VWAP, "--html", html).out

    assert (found["quarantined"], found["outside_session"], found["missing"]["missing"]) == (2, 1, 2)
    assert found["first_quarantined"].startswith("SPY_seeded.csv:6: ")
    notes = page.partition("\n\n")[0]
    assert notes == snapshot
    assert notes.splitlines()[2] in html.read_text().replace("&#x27;", "'")


def test_missing_bars_are_counted_between_the_ends(
    keyturn: Keyturn, bars: Path, year: Path, snapshot: SnapshotAssertion
) -> None:
    """AN-04, MD-05: what lies before the first bar or after the last is not missing."""
    whole = keyturn("backtest", bars, *VWAP, "--json").json["missing"]
    rewritten(bars, {2: None, **dict.fromkeys(range(20, 60), None), 91: None})
    rewritten(shortened(year, 100), dict.fromkeys(range(60, 80), None))

    minutes, sessions = (keyturn("backtest", *words, "--json").json for words in ((bars, *VWAP), (year, *SMA)))

    none = {"first": None, "in_a_row": 0, "since": None}
    assert whole == {"unit": "minutes", "missing": 0, "of": 90} | none
    hole = {"first": "2026-01-05T14:48:00Z", "in_a_row": 40, "since": "2026-01-05T14:48:00Z"}
    assert minutes["missing"] == {"unit": "minutes", "missing": 40, "of": 88} | hole
    assert {key: sessions["missing"][key] for key in ("missing", "of", "in_a_row")} == {
        "missing": 20,
        "of": 100,
        "in_a_row": 20,
    }
    assert keyturn("backtest", bars, *VWAP).lines[2] == snapshot


@table("bad code", (2, 0), (3, 2), (80, 2))
def test_at_most_one_row_in_a_hundred_is_broken(
    keyturn: Keyturn, tmp_path_factory: pytest.TempPathFactory, bad: int, code: int
) -> None:
    """MD-08: whether its figures cannot be read, or its time is none of a minute."""
    folder = tmp_path_factory.mktemp("bad")
    bars = shortened(minutes_of(folder / "SPY_seeded.csv", last=date(2026, 1, 5)), 240)
    odd: dict[int, str | None] = {3: "2026-01-05T14:31:30Z,9,9,9,9,1"}
    rewritten(bars, odd | dict.fromkeys(range(10, 9 + bad), "2026-01-05T15:00:00Z,4_9,5,4,5,1"))

    answer = keyturn("backtest", bars, *VWAP, "--json")

    assert answer.code == code
    assert answer.err.count(f" {bad} of 240 ") == (code == 2)


CONTENTS: dict[str, bytes] = {
    "half/SPY_half.csv": f"timestamp,{HEADER}\n2026-01-05T14:30:30Z,9,9,9,9,1\n".encode(),
    "weekend/SPY_daily.csv": f"date,{HEADER}\n2024-01-06,9,9,9,9,1\n2024-01-07,9,9,9,9,1\n".encode(),
    "empty/SPY_daily.csv": b"",
    "packed/SPY_daily.csv.gz": gzip.compress(b"date,open", mtime=0),
    "latin/SPY_daily.csv": b"date,\xff",
}
UNNAMED = ("lowercase_daily.csv", "123.csv", ".csv", "SPY.csv")
BACKTEST, REPLAY = ("backtest",), ("replay", "--headless")


def test_unplayable_files_are_refused(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """SY-07, MD-03, AN-04: each in one line, which names the file and says what it is."""
    monkeypatch.chdir(tmp_path)
    for name, content in {**CONTENTS, **{f"unnamed/{name}": CONTENTS["half/SPY_half.csv"] for name in UNNAMED}}.items():
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    Path("afile").touch()
    cases = [("backtest", name, *SMA) for name in CONTENTS]
    cases += [(*command, f"unnamed/{name}") for name in UNNAMED for command in (BACKTEST, REPLAY)]
    cases += [(*command, ".") for command in (BACKTEST, REPLAY, ("backtest", "--symbol", "SPY"))]
    cases += [("replay", "half/SPY_half.csv", "--headless"), ("backtest", "half/SPY_half.csv", *VWAP, "--csv", "afile")]

    answers = {" ".join(words): keyturn(*words) for words in cases}

    assert {(answer.code, answer.out, answer.err.count("\n")) for answer in answers.values()} == {(2, "", 1)}
    assert {words: answer.err for words, answer in answers.items()} == snapshot


def test_report_names_the_symbol_played(keyturn: Keyturn, days: Path, tmp_path: Path) -> None:
    """AN-04: by the file's name, a class of shares too, or as it is said."""
    days = shortened(days.rename(days.with_name("BRK.B_daily.csv")), 60)

    by_name = keyturn("backtest", days, *SMA, "--html", tmp_path / "page.html").out
    said = keyturn("backtest", days.rename(days.with_name("mine.csv")), *SMA, "--symbol", "ibm", "--json").json

    assert " BRK.B, " in by_name
    assert '<td>symbol</td><td class="n">BRK.B</td>' in (tmp_path / "page.html").read_text()
    assert said["symbol"] == "IBM"


def test_existing_page_is_not_overwritten(keyturn: Keyturn, bars: Path, snapshot: SnapshotAssertion) -> None:
    """SY-07, AN-04: nor what a link leads to, nor a link that leads nowhere."""
    page, link, kept = (bars.with_name(name) for name in ("page.html", "link.html", "kept.html"))
    page.write_text("mine")
    link.symlink_to(kept)

    answers = [keyturn("backtest", bars, *VWAP, "--html", path) for path in (page, link)]

    assert [answer.code for answer in answers] == [2, 2]
    assert [answer.err.replace(str(bars.parent), "…") for answer in answers] == snapshot
    assert (page.read_text(), link.is_symlink(), kept.exists()) == ("mine", True, False)


def test_an_own_page_is_written_anew(keyturn: Keyturn, bars: Path) -> None:
    """SY-07: as every other command does"""
    page = bars.with_name("page.html")
    assert [keyturn("backtest", bars, *VWAP, "--html", page).code for _ in range(2)] == [0, 0]


def split_on(path: Path, day: str, many: Decimal) -> Path:
    """From that day on each price is divided by so many."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines[1:], 1):
        named, *prices, volume = line.split(",")
        if named >= day:
            lines[number] = ",".join((named, *(f"{Decimal(price) / many:.4f}" for price in prices), volume))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_split_is_reported_with_the_trades_held_over_it(
    keyturn: Keyturn, year: Path, snapshot: SnapshotAssertion
) -> None:
    """AN-04, EX-09: its loss is none, and no page may look as if it were."""
    shortened(year, WITH_A_TRADE)
    words = (*EAGER, "--without-frictions")
    before = keyturn("backtest", year, *words, "--json").json
    trade = next(t for t in before["trades"] if t["entry_time"][:10] < t["exit_time"][:10])
    day = next(d["day"] for d in before["equity"] if d["day"] > trade["entry_time"][:10])
    split_on(year, day, Decimal(7))
    html = year.with_name("page.html")

    found = keyturn("backtest", year, *words, "--json", "--html", html).json
    page = keyturn("backtest", year, *words).out

    (split,) = found["splits"]
    assert before["splits"] == []
    assert (split["time"][:10], split["symbol"], split["split"]) == (day, "QQQ", "7 for 1")
    assert [held["entry_time"] for held in split["held_over"]] == [trade["entry_time"]]
    assert page.partition("\n\n")[0] == snapshot
    assert split["split"] in html.read_text()


def test_only_a_jump_near_a_ratio_is_a_split() -> None:
    """AN-04: the market moves on its day too, as with AAPL in 2020 and USO in 2020"""
    cases = [
        ("645.57", "92.69", ["7 for 1"]),
        ("499.23", "127.67", ["4 for 1"]),
        ("2.13", "18.01", ["1 for 8"]),
        ("10", "98.5", ["1 for 10"]),
        ("100", "56", []),
        ("100", "43", []),
        ("100", "120", []),
    ]
    calendar = load_calendar(date(2024, 1, 1), date(2024, 1, 31))
    for before, opened, splits in cases:
        bars = [
            Bar(Symbol("SPY"), datetime(2024, 1, day, 14, 30, tzinfo=UTC), *[Price(price)] * 4, Quantity(Decimal(1)))
            for day, price in ((2, Decimal(before)), (3, Decimal(opened)))
        ]

        quality = quality_of([bar_item(BarArrived(bar, "")) for bar in bars], calendar)

        assert [jump.split for jump in quality.jumps] == splits, (before, opened)


class InThisProcess(Executor):
    """Does each job as it is handed in."""

    def __init__(self, _many: int, **_terms: object) -> None: ...

    def submit(self, job: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        done = Future[Any]()
        done.set_result(job(*args))
        return done


def test_narrow_page_drops_columns_and_cuts_no_figure(
    keyturn: Keyturn, year: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """AN-04, SY-07: of one file and of several, each with what is missing in it."""
    shortened(year, WITH_A_TRADE)
    found = keyturn("backtest", year, *EAGER, "--json").json
    other = year.with_name("BRK.B_daily_seeded.csv")
    other.write_text(year.read_text())
    rewritten(shortened(other, 60), {30: None})
    monkeypatch.setenv("COLUMNS", "40")
    here = SimpleNamespace(Manager=lambda: nullcontext(SimpleNamespace(Queue=Queue)))
    monkeypatch.setattr("multiprocessing.get_context", lambda _: here)
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", InThisProcess)
    one, both = keyturn("backtest", year, *EAGER).out, keyturn("backtest", year, other, *EAGER).out

    assert "…" not in one + both
    assert max(map(len, (one + both).splitlines())) <= 40
    assert f"{found['metrics']['last_equity']:,.2f}" in one
    assert found["trades"]
    for trade in found["trades"][-10:]:
        begins = f"{trade['entry_time'][:10]} QQQ {trade['quantity']} "
        row = next(line for line in one.splitlines() if line.startswith(begins))
        assert row.rstrip().endswith(f" {float(trade['profit']):.2f}")
    assert f"{found['metrics']['total_return'] * 100:.2f} %" in both
    assert both[both.index("BRK.B_daily_seeded.csv: ") :].splitlines()[:2] == snapshot


def test_buy_and_hold_of_daily_bars_has_the_close_of_each_day(keyturn: Keyturn, year: Path) -> None:
    """AN-04: a day's bar is heard at the next open, and is of its own day"""
    rows = [line.split(",") for line in shortened(year, 40).read_text().splitlines()[1:]]
    close, first_open = {row[0][:10]: float(row[4]) for row in rows}, float(rows[0][1])
    start, *series = keyturn("backtest", year, "--json").json["equity"]

    assert len(series) == len(rows)
    for row in series:
        assert abs(row["buy_and_hold"] - start["equity"] * close[row["day"]] / first_open) < 0.006


def test_vwap_on_daily_bars_is_said_to_need_minutes(
    keyturn: Keyturn, days: Path, bars: Path, snapshot: SnapshotAssertion
) -> None:
    """AN-04, ST-02"""
    of_days, of_minutes = (keyturn("backtest", path, *VWAP).out for path in (shortened(days, 60), bars))

    note = of_days.partition("\n\n")[0]
    assert note == snapshot
    assert note.splitlines()[-1] not in of_minutes


def test_paused_strategy_counts_no_more_failures(
    keyturn: Keyturn, bars: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """ST-07, AN-04: from then on it is PAUSED, and the equity curve has no part in it."""
    keyturn("strategies", "new", "dips")
    path = tmp_path / "home" / "strategies" / "dips.py"
    path.write_text(path.read_text().replace("before, self.state", "1 / 0\n        before, self.state"))

    lines = keyturn("backtest", bars, "--strategy", "dips").lines
    reasons = keyturn("backtest", bars, "--strategy", "dips", "--json").json["reasons"]["dips"]

    assert reasons == {"PAUSED": 87, "RAISED": 3}
    assert [line for line in lines if "PAUSED" in line or "equity curve" in line] == snapshot
