"""`keyturn report`: the page of a day and the digest of a week, each amount the one that `keyturn explain` tells."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import DaySummarised, ProposalStaged, TradeClosed
from core.model.report_sheet import Section, html_of, lines_of, sheet_in
from core.model.values import Money
from core.reports.notice_sheet import sheet_of
from core.reports.report import ByTheBroker, Quarter
from core.reports.report_formats import page
from core.reports.report_text import SUMMARIES, equity_in_words, risk_of
from state.files import Home, JournalFolder
from state.journal import Chain, FileJournal, days_of, read
from state.past_days import reported
from tests.scenarios.backtests import Keyturn, minutes_of
from tests.scenarios.reports import assert_sums_are_those_of_explain, summed, told
from tests.wire.receivers import WebServer, a_web_server

HOSTILE = "\x1b[2Jclick <script>alert(1)</script> https://evil.example/x?token=1"


@pytest.fixture
def week(keyturn: Keyturn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded week whose every proposal was confirmed. It is played once, and only read."""
    folder = tmp_path_factory.getbasetemp() / "a reported week"
    return folder if folder.is_dir() else a_replay(keyturn, tmp_path_factory, folder, "--operator", "confirm-all")


@pytest.fixture
def declined(keyturn: Keyturn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first three days, and nobody at the keys."""
    folder = tmp_path_factory.getbasetemp() / "a week of nobody"
    last = date(2026, 1, 7)
    return folder if folder.is_dir() else a_replay(keyturn, tmp_path_factory, folder, last=last)


def a_replay(
    keyturn: Keyturn, places: pytest.TempPathFactory, folder: Path, *words: str, last: date = date(2026, 1, 9)
) -> Path:
    bars = minutes_of(places.mktemp("bars") / "SPY_seeded.csv", last=last)
    assert keyturn("replay", bars, "--headless", "--json", "--journal-dir", folder, *words).code == 0
    return folder


def test_sums_of_a_day_equal_those_of_explain(keyturn: Keyturn, week: Path, declined: Path) -> None:
    """AN-06: to the cent, by strategy and by cause, with what nobody took."""
    days = days_of(week)
    for folder, day in ((week, days[0]), (week, days[-1]), (declined, days_of(declined)[1])):
        assert_sums_are_those_of_explain(keyturn, folder, day)


def test_the_week_before_matches_explain(keyturn: Keyturn, week: Path, tmp_path: Path) -> None:
    """AN-06: a week later there is one quiet day in the journal."""
    folder = tmp_path / "longer"
    shutil.copytree(week, folder)
    *_, last = read(week)
    end = days_of(week)[-1]
    chain = Chain(last.sequence, json.loads((week / f"{end}.jsonl").read_text().splitlines()[-1])["sum"], last.at)
    (folder / "2026-01-12.jsonl").write_bytes(chain.line(last.at + timedelta(days=3), last.fact))

    found = told(keyturn, folder, "--week", "2026-01-12")

    of_explain = keyturn("explain", "2026-01-05..2026-01-09", "--journal-dir", week, "--json").json
    assert found["week_before"]["trades"] == len(of_explain["trades"]) == 5
    by_day: dict[date, Decimal] = {}
    for record in read(week):
        if isinstance(record.fact, TradeClosed):
            by_day[record.at.date()] = by_day.get(record.at.date(), Decimal(0)) + record.fact.trade.profit
    assert Decimal(found["week_before"]["result"]) == sum(round(exact, 2) for exact in by_day.values())
    assert found["whole"]["trades"] == 0


def test_a_trade_shows_its_entry_and_exit_reasons(keyturn: Keyturn, week: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06"""
    staged = next(record.fact.proposal for record in read(week) if isinstance(record.fact, ProposalStaged))

    found = keyturn("report", "--day", days_of(week)[0], "--journal-dir", week).out

    assert f"entered: {staged.reason}" in found
    assert found == snapshot


def test_missed_trades_are_summed_by_strategy(keyturn: Keyturn, declined: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06, OP-12"""
    found = keyturn("report", "--day", days_of(declined)[1], "--journal-dir", declined).out

    assert found == snapshot


def test_a_quiet_day_is_one_line(keyturn: Keyturn, bars: Path, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06"""
    folder = tmp_path / "quiet"
    words = ("replay", bars, "--headless", "--json", "--set", "strategies.vwap.enabled=false")
    assert keyturn(*words, "--journal-dir", folder).code == 0

    found = keyturn("report", "--day", days_of(folder)[0], "--journal-dir", folder)

    assert found.lines == snapshot


def test_the_last_day_is_the_one_without_a_word(keyturn: Keyturn, week: Path) -> None:
    """AN-06"""
    assert told(keyturn, week)["whole"]["first"] == str(days_of(week)[-1])


def test_a_week_without_its_last_close_goes_on_by_prices(
    keyturn: Keyturn, week: Path, snapshot: SnapshotAssertion
) -> None:
    """AN-06, SY-03: the last day counts by its fills and prices"""
    alone = [told(keyturn, week, "--day", day) for day in days_of(week)]

    found = keyturn("report", "--week", "2026-01-07", "--journal-dir", week).lines

    known = sum(Decimal(each["whole"]["equity_change"]) for each in alone[:-1])
    assert f"equity {known + summed(alone[-1]['parts']):+} USD so far" in found[0]
    assert found[0] == snapshot
    assert f"  explained so far {sum(summed(each['parts']) for each in alone):+} USD" in found


def test_a_list_of_the_morning_is_not_the_days_equity(week: Path) -> None:
    """SY-03: the broker's list is of the start until the evening's comes"""
    found = reported(week, f"{days_of(week)[-1]}", None)
    lists = [ByTheBroker(at, Money(Decimal(999)), Money(Decimal(1))) for at in (found.curve[0].at, found.curve[-1].at)]

    morning, evening = (equity_in_words(replace(found, by_the_broker=each)) for each in lists)

    assert morning == equity_in_words(found)
    assert "999.00" in evening


def test_a_week_has_its_deepest_drawdown(keyturn: Keyturn, week: Path) -> None:
    """AN-06, AN-01: along the curve, and by closes as `measures` has it; no Sharpe ratio of four returns"""
    report = reported(week, None, "2026-01-07")
    found = told(keyturn, week, "--week", "2026-01-07")
    measures = keyturn("measures", "--journal-dir", week, "--json").json

    values = [value for _, value in report.equity]
    peaks = list(accumulate(values, max))
    assert found["fall"]["fraction"] == float(max((p - v) / p for p, v in zip(peaks, values, strict=True)))
    assert found["quarter"] == {
        "returns": measures["returns"],
        "needed": 63,
        "sharpe": None,
        "max_drawdown": measures["measures"]["max_drawdown"],
    }
    assert told(keyturn, week, "--day", "2026-01-07")["quarter"] is None


def test_closes_that_do_not_move_have_no_sharpe_ratio_and_lack_no_session(week: Path) -> None:
    """SY-03, AN-01"""
    found = replace(reported(week, None, "2026-01-07"), quarter=Quarter(63, 63, None, 0.0))

    assert not any("needs" in line for line in risk_of(found))


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources |= {str(value) for name, value in attrs if name in {"src", "href"}}


@pytest.mark.parametrize("words", [("--day", "2026-01-06"), ("--week", "2026-01-06")])
def test_the_page_needs_nothing_else(keyturn: Keyturn, week: Path, tmp_path: Path, words: tuple[str, str]) -> None:
    """AN-06: it asks no network, and has a picture of the equity."""
    path = tmp_path / "report.html"

    found = keyturn("report", *words, "--journal-dir", week, "--html", path)

    reader = Reader()
    reader.feed(path.read_text())
    assert found.code == 0
    assert f"written: {path}" in found.out
    assert reader.tags.count("figure") == 1
    assert all(source.startswith("#") for source in reader.sources)
    assert not {"script", "link", "img"} & set(reader.tags)


def test_the_tables_are_those_of_the_json(keyturn: Keyturn, week: Path, tmp_path: Path) -> None:
    """SY-08, AN-06: every row and every column, and no folder with something in it is written to"""
    words = ("report", "--week", "2026-01-06", "--journal-dir", week, "--csv", tmp_path / "tables")
    found = keyturn(*words, "--json")
    told = json.loads(found.out)

    def rows_of(name: str) -> list[dict[str, str]]:
        with (tmp_path / "tables" / f"{name}.csv").open() as file:
            return [*csv.DictReader(file)]

    assert told["trades"]
    for name in ("trades", "days", "strategies", "causes", "parts"):
        flat = [{key: each for key, each in row.items() if isinstance(each, str)} for row in told[name]]
        assert [{key: row[key] for key in each} for row, each in zip(rows_of(name), flat, strict=True)] == flat
    assert {row["name"]: row["value"] for row in rows_of("whole")}["result"] == told["whole"]["result"]
    assert {row["name"]: row["value"] for row in rows_of("values")}["is_week"] == "true"
    assert keyturn(*words).code == 2


def with_hostile_reasons(folder: Path, to: Path) -> Path:
    """What a strategy says of itself may be anything."""
    to.mkdir()
    chain = Chain()
    for day in days_of(folder):
        lines = []
        for record in read(folder):
            fact = record.fact
            if isinstance(fact, ProposalStaged):
                fact = replace(fact, proposal=replace(fact.proposal, reason=HOSTILE))
            if record.at.date() == day:
                lines.append(chain.line(record.at, fact))
        (to / f"{day}.jsonl").write_bytes(b"".join(lines))
    return to


def test_hostile_reasons_are_made_harmless(keyturn: Keyturn, week: Path, tmp_path: Path) -> None:
    """AN-06, SY-06: no tag, no link, no control character."""
    folder = with_hostile_reasons(week, tmp_path / "hostile")

    found = reported(folder, "2026-01-06", None)
    printed = keyturn("report", "--day", "2026-01-06", "--journal-dir", folder).out

    reader = Reader()
    reader.feed(page(found))
    assert "click" in page(found)
    assert "script" not in reader.tags
    assert "click" in printed
    assert "\x1b" not in printed
    sheet = sheet_of(found)
    for text in ("\n".join((sheet.head, *lines_of(sheet))), html_of(sheet, [sheet.head])):
        assert not [part for part in ("http", "<script", "\x1b", "evil.example") if part in text]


@pytest.fixture
def web() -> Iterator[WebServer]:
    with a_web_server() as server:
        yield server


@pytest.fixture
def rules(tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A phone that is told of reports, and a channel of another kind of notice."""
    monkeypatch.setenv("KEYTURN_CHANNEL_PHONE", web.ntfy)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    home.settings.parent.mkdir(parents=True)
    home.settings.write_text(
        "[notify.channels.phone]\n[notify.channels.nowhere]\n"
        '[notify.rules.evening]\nchannels = ["phone"]\nkinds = ["report"]\n'
        '[notify.rules.kills]\nchannels = ["nowhere"]\nkinds = ["kill"]\n'
    )
    return home


@pytest.mark.usefixtures("rules")
def test_a_report_is_sent_by_the_rules(
    keyturn: Keyturn, week: Path, web: WebServer, snapshot: SnapshotAssertion
) -> None:
    """AN-06, SY-03"""
    found = keyturn("report", "--day", "2026-01-06", "--journal-dir", week, "--send")

    assert found.code == 0
    assert found.lines[-1] == "phone: delivered"
    (message,) = web.heard
    assert message["title"] == snapshot
    notice = keyturn("report", "--day", "2026-01-06", "--journal-dir", week, "--notice").lines
    assert message["message"].splitlines() == notice[1:]


def test_a_notice_has_the_figures_of_the_report(keyturn: Keyturn, week: Path) -> None:
    """SY-03: of each day and of the week, to the cent"""
    for which in (*(("--day", f"{day}") for day in days_of(week)), ("--week", "2026-01-05")):
        page_of = told(keyturn, week, *which)
        sheet = keyturn("report", *which, "--journal-dir", week, "--notice", "--json").json
        rows = {(section["name"], name): said for section in sheet["sections"] for name, said in section["rows"]}

        whole = page_of["whole"]
        assert f": {Decimal(whole['result']):+,.2f} USD" in sheet["head"]
        assert f"{whole['trades']} trade" in sheet["head"]
        assert rows["result", "realised by all fills"] == f"{Decimal(whole['realised']):+,.2f} USD"
        assert rows["result", "fees of fills"].startswith(f"{Decimal(whole['fees']):+,.2f} USD")
        assert rows["result", "open result"].startswith(f"{Decimal(page_of['standing']['open_result']):+,.2f} USD")
        for each in page_of["strategies"]:
            told_of = rows["by strategy", each["strategy"]]
            assert told_of.startswith(f"{Decimal(each['result']):+,.2f}, {each['trades']} trade")
        assert [Decimal(each["result"]) for each in page_of["trades"]] == [
            Decimal(name) for (section, name) in _pairs(sheet) if section == "trades"
        ]


def test_a_week_with_every_section_is_read_again(week: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-03: shut, shares without a stop, orders and troubles at once; the engine reads what its program prints"""
    monkeypatch.setattr("core.reports.notice_sheet.section_of", lambda name, _rows: Section(name, (("", "one"),)))

    sheet = sheet_of(reported(week, None, "2026-01-07"))

    assert sheet_in(asdict(sheet)) == sheet


def test_a_day_without_its_close_has_the_equity_so_far(keyturn: Keyturn, week: Path) -> None:
    """SY-03: as at five past four, when nobody has recorded the closing equity"""
    page_of = told(keyturn, week, "--day", days_of(week)[-1])
    opening, made = Decimal(page_of["whole"]["opening"]), sum(Decimal(part["amount"]) for part in page_of["parts"])

    found = keyturn("report", "--day", days_of(week)[-1], "--journal-dir", week, "--notice").lines[1]

    assert page_of["whole"]["closing"] is None
    assert found.startswith(f"equity {made:+,.2f} USD so far")
    assert f"{opening:,.2f} → {opening + made:,.2f};" in found


def _pairs(sheet: dict[str, Any]) -> list[tuple[str, str]]:
    return [(section["name"], name) for section in sheet["sections"] for name, _ in section["rows"]]


def test_an_empty_day_is_one_line_of_a_notice(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """SY-03"""
    folder = tmp_path / "quiet"
    words = ("replay", bars, "--headless", "--json", "--set", "strategies.vwap.enabled=false")
    assert keyturn(*words, "--journal-dir", folder).code == 0

    found = keyturn("report", "--journal-dir", folder, "--notice", "--json").json

    assert found["sections"] == []
    assert "nothing was traded" in found["head"]


def test_an_undelivered_report_exits_with_one(
    keyturn: Keyturn, week: Path, rules: Home, snapshot: SnapshotAssertion
) -> None:
    """AN-06, SY-03"""
    rules.settings.write_text(rules.settings.read_text().replace('"phone"', '"nowhere"'))

    found = keyturn("report", "--journal-dir", week, "--send")

    assert (found.code, found.lines[-1]) == (1, snapshot)
    assert '"is_delivered": false' in keyturn("report", "--journal-dir", week, "--send", "--json").out


def test_without_a_rule_nothing_is_sent(keyturn: Keyturn, week: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06, SY-03"""
    found = keyturn("report", "--journal-dir", week, "--send")

    assert (found.code, found.out, found.err) == (2, "", snapshot)


def test_bad_report_days_are_one_line(keyturn: Keyturn, week: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06"""
    asked = (
        ("--day", "2026-02-30"),
        ("--day", "2025-01-01"),
        ("--week", "2025-01-01"),
        ("--day", "2026-01-05", "--week", "2026-01-05"),
        ("--html", "/nowhere/at/all.html"),
    )
    found = [keyturn("report", *words, "--journal-dir", week) for words in asked]

    assert [answer.code for answer in found] == [2] * 5
    assert [answer.err.replace(str(week), "JOURNAL").splitlines() for answer in found] == snapshot


def test_a_half_written_record_is_not_read(keyturn: Keyturn, week: Path, tmp_path: Path) -> None:
    """AN-06: it is read beside an engine that runs."""
    folder = tmp_path / "growing"
    shutil.copytree(week, folder)
    whole = told(keyturn, folder)
    with (folder / f"{days_of(week)[-1]}.jsonl").open("ab") as file:
        file.write(b'{"seq":99999,"at":"2026-01-09T21:00:00Z","fact":"BarCl')

    assert told(keyturn, folder) == whole


def test_a_report_says_whose_words_a_summary_is(
    keyturn: Keyturn, declined: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """AN-06: the last text of each agent, also one of a later day; the message away from the desk has none"""
    folder = tmp_path / "journal"
    shutil.copytree(declined, folder)
    first, later = days_of(folder)[0], list(read(folder))[-1].at + timedelta(minutes=1)
    with closing(FileJournal(JournalFolder(folder))) as journal:
        for agent, text in (("claude", "first"), ("claude", "It was quiet. " * 20), ("gpt", HOSTILE)):
            journal.append(later, DaySummarised(agent, first, text))
        journal.append(later, DaySummarised("claude", first + timedelta(days=1), "another day"))

    found, printed = told(keyturn, folder, "--day", first), keyturn("report", "--day", first, "--journal-dir", folder)
    assert [each["agent"] for each in found["summaries"]] == ["claude", "gpt"]
    lines = printed.out.splitlines()
    assert lines[lines.index(SUMMARIES) :] == snapshot
    report = reported(folder, f"{first}", None)
    assert "<script>" not in page(report)
    assert not [line for line in lines_of(sheet_of(report)) if "quiet" in line]
