"""`keyturn report`: the page of a day and the digest of a week, each amount the one that `keyturn explain` tells."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import DaySummarised, ProposalStaged, TradeClosed
from core.messages.commands import Halt
from core.messages.inputs import Start
from core.post_mortem.page import made_by_strategy
from core.reports.report import Report
from core.reports.report_formats import page
from core.reports.report_text import SUMMARIES, lines_of, text_of
from core.settings.settings import Settings
from state.files import Home, JournalFolder
from state.journal import Chain, FileJournal, days_of, read
from state.past_days import explained, reported
from tests.scenarios.backtests import Keyturn, minutes_of
from tests.scenarios.changes import confirms_now
from tests.scenarios.house import House, a_day, a_house_in_a_position, a_typed_buy
from tests.scenarios.test_account_activities import SESSIONS, SPLIT_ON, a_house, plays_the_month
from tests.scenarios.test_explain import written
from tests.wire.receivers import WebServer, a_web_server

A_PAGE = 72
"""Lines that are printed on one."""
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


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten shares held for weeks, with a dividend, a fee and a split between."""
    return written(plays_the_month(a_house()), tmp_path_factory.mktemp("month") / "journal")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first hour of the busy demo: a dozen trades, controls that trip, answers that are late."""
    home = tmp_path_factory.mktemp("busy")
    with ExitStack() as stack:
        host = Host.of({"KEYTURN_HOME": str(home)})
        runtime = demo_runtime(host, DemoOptions(operator="confirm-all"), stack)
        runtime.pace.speed = None
        runtime.take(runtime.at, Start())
        runtime.play(runtime.at + timedelta(minutes=70))
    return next(home.rglob("*-*-*.jsonl")).parent


def told(keyturn: Keyturn, folder: Path, *words: object) -> Any:
    found = keyturn("report", *words, "--journal-dir", folder, "--json")
    assert found.code == 0, found.err
    return found.json


def summed(rows: list[dict[str, Any]], what: str = "amount") -> Decimal:
    return sum((Decimal(row[what]) for row in rows if row[what] is not None), Decimal(0))


TOLD = (SESSIONS[0], SESSIONS[3], SPLIT_ON, SESSIONS[-3], SESSIONS[-1])
"""Days of the month: nothing held yet, a dividend, the split, the sale, the last."""


def all_days(month: Path, *folders: Path) -> Iterator[tuple[Path, date]]:
    """Of the month those that are told of."""
    yield from ((month, day) for day in TOLD)
    yield from ((folder, day) for folder in folders for day in days_of(folder))


def test_a_days_sums_equal_those_of_explain(
    keyturn: Keyturn, week: Path, declined: Path, month: Path, busy: Path
) -> None:
    """AN-06: to the cent, by strategy and by cause, with what nobody took and what nothing explains."""
    some = [(week, days_of(week)[0]), (week, days_of(week)[-1]), (declined, days_of(declined)[1])]
    for folder, day in [*all_days(month, busy), *some]:
        found = told(keyturn, folder, "--day", day)
        of_explain = keyturn("explain", day, "--journal-dir", folder, "--json").json

        result = sum((summed(trade["parts"]) for trade in of_explain["trades"]), Decimal(0))
        rounding = Decimal("0.005") * len(of_explain["trades"]) if folder == busy else Decimal(0)
        sums = [Decimal(found["whole"]["result"]), summed(found["causes"])]
        sums += [summed(found[name], "result") for name in ("strategies", "trades")]
        assert all(abs(each - result) <= rounding for each in sums)
        assert found["whole"]["equity_change"] == of_explain["equity_change"]
        assert found["rest"] == of_explain["rest"]
        assert found["parts"] == of_explain["parts"]
        if found["explained"] is not None:
            assert Decimal(found["explained"]) + Decimal(found["rest"]) == Decimal(found["whole"]["equity_change"])
        made = made_by_strategy(explained(folder, str(day))[0].let_go)
        assert summed(found["not_taken"], "would_have_made") == sum((part.amount for part in made), Decimal(0))
        assert sum(row["entries"] for row in found["not_taken"]) == len(of_explain["not_taken"])


def test_a_week_is_the_sum_of_its_days(keyturn: Keyturn, month: Path) -> None:
    """AN-06"""
    alone = [told(keyturn, month, "--day", day) for day in SESSIONS if date(2026, 11, 16) <= day <= date(2026, 11, 20)]
    before = keyturn("explain", "2026-11-09..2026-11-13", "--journal-dir", month, "--json").json

    found = told(keyturn, month, "--week", "2026-11-18")

    assert (found["whole"]["first"], found["whole"]["last"]) == ("2026-11-16", "2026-11-20")
    assert found["days"] == [each["whole"] for each in alone]
    for name in ("result", "fees", "equity_change"):
        assert Decimal(found["whole"][name]) == sum(Decimal(each["whole"][name]) for each in alone)
    assert found["week_before"]["equity_change"] == before["equity_change"]
    assert Decimal(found["week_before"]["equity_change"]) > 0


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


def test_the_curve_ends_at_fills_and_holdings(month: Path, busy: Path) -> None:
    """AN-06: to the cent, on days with a split, a dividend and dozens of trades."""
    for folder, day in all_days(month, busy):
        found = reported(folder, str(day), None)
        held = explained(folder, str(day))[0].days[0]

        moves = sum((part.amount for part in held.parts if "dividend" in part.name or part.name in MOVES), Decimal(0))
        if found.curve and day != SPLIT_ON:
            assert abs(found.curve[-1].made - (held.explained - moves)) < Decimal("0.01"), day


MOVES = ("interest", "transfer", "fee")


def test_a_busy_day_fits_on_one_page(keyturn: Keyturn, busy: Path) -> None:
    """AN-06: long lists are cut, and say where the rest is."""
    day = days_of(busy)[0]
    trades = [record for record in read(busy) if isinstance(record.fact, TradeClosed)]

    found = keyturn("report", "--day", day, "--journal-dir", busy)

    assert len(trades) > 10
    assert len(found.lines) <= A_PAGE
    assert max(map(len, found.lines)) < 200
    assert f"… and {len(trades) - 6} more: keyturn explain {day}" in found.out


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


def test_tripped_controls_are_counted(keyturn: Keyturn, busy: Path) -> None:
    """AN-06, RK-06"""
    found = told(keyturn, busy, "--day", days_of(busy)[0])

    did = {(row["control"], row["did"]): row["times"] for row in found["controls"]}
    refused = [name for name, kind in did if kind == "refused"]
    assert [name for name, kind in did if kind == "tripped"]
    assert refused
    blocked = sum(row["ends"].get("blocked", 0) for row in found["not_taken"])
    assert sum(did[name, "refused"] for name in refused) >= blocked > 0
    assert found["near_misses"][0]["control"] == "spread"


def test_connection_troubles_are_counted(keyturn: Keyturn, busy: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-15"""
    troubles = {row["what"]: row for row in told(keyturn, busy, "--day", days_of(busy)[0])["quality"]["troubles"]}

    assert troubles["orders in doubt"]["times"] > 0
    assert troubles == snapshot


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


def test_an_unclosed_day_ends_at_the_brokers_list(keyturn: Keyturn, month: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06: the next day's first record is what tells a close; until then the account's own figures do."""
    found = keyturn("report", "--day", SESSIONS[-1], "--journal-dir", month).out

    assert found == snapshot


def test_a_week_ends_at_the_last_known_close(keyturn: Keyturn, week: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06: what is explained so far has the last day too."""
    alone = [told(keyturn, week, "--day", day) for day in days_of(week)]

    found = keyturn("report", "--week", "2026-01-07", "--journal-dir", week).lines

    known = sum(Decimal(each["whole"]["equity_change"]) for each in alone[:-1])
    assert f"{known:+}" in found[0]
    assert found[0] == snapshot
    assert f"  explained so far {sum(summed(each['parts']) for each in alone):+} USD" in found


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


def of_house(house: House, folder: Path) -> Report:
    return reported(written(house, folder), None, None)


def test_a_position_names_who_holds_its_stop(tmp_path: Path) -> None:
    """AN-06, OP-06"""
    house = a_house_in_a_position(("10:06", "10:30", "99.60"))
    house.until("10:20")
    (stop,) = house.stops

    found = of_house(house, tmp_path / "journal")

    (held,) = found.standing.held
    assert (held.stop, held.covered) == (stop.request.stop_price, abs(held.standing.quantity))
    assert found.standing.orders == ()
    assert f": stop {stop.request.stop_price} at the broker" in "\n".join(lines_of(found))


def test_a_long_held_position_is_on_every_page(month: Path) -> None:
    """AN-06: bought long before the day, its shares twice as many since a split; and its stop ended with its day."""
    before, after = (reported(month, str(day), None).standing for day in (SESSIONS[3], SESSIONS[14]))

    assert [(held.symbol, held.standing.quantity) for held in before.held] == [("SPY", 10)]
    assert [(held.symbol, held.standing.quantity) for held in after.held] == [("SPY", 20)]
    assert [proposal.is_guard for proposal in before.exits] == [True]
    assert reported(month, str(SESSIONS[-1]), None).standing.is_empty


def test_a_halt_and_working_orders_are_listed(tmp_path: Path) -> None:
    """AN-06, OP-07"""
    house = House(a_day(("10:06", "10:30", "100")), ROOMY, cash=Decimal(10000)).opens()
    house.until("10:02")
    house.presses(a_typed_buy("10", limit="90.00", stop="89.00"))
    confirms_now(house)
    house.until("10:10")
    house.presses(Halt("key"))
    house.until("10:20")

    found = of_house(house, tmp_path / "journal")

    assert [str(order.quantity) for order in found.standing.orders] == ["10"]
    assert any(words.startswith("halted: ") for words in found.standing.shut)
    assert any(each.name == "kill switch" for each in found.controls.acted)


def test_an_order_near_its_limit_is_a_near_miss(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-11: 1,800 of 2,000 USD; a half as large one is none."""
    found = []
    for quantity in ("18", "9"):
        house = House(a_day(("10:06", "10:30", "100")), ROOMY, cash=Decimal(10000)).opens()
        house.until("10:02")
        house.presses(a_typed_buy(quantity, limit="100.00", stop="99.50"))
        confirms_now(house)
        house.until("10:10")
        found.append(of_house(house, tmp_path / quantity).controls.near)

    near, none = ({miss.name: miss for miss in each} for each in found)
    assert near["notional"].most == Decimal("0.9")
    assert near["notional"].words == snapshot
    assert "notional" not in none


ROOMY = Settings.model_validate(
    {
        "risk": {
            "max_notional": {"usd": "2000"},
            "per_trade": {"usd": "20"},
            "entries_a_day": 5,
            "sizing": {"budget": "1"},
        },
        "strategies": {"vwap": {"enabled": False}},
        "exchange": {"cash": "10000"},
    }
)


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
    assert not {"http", "<", "\x1b"} & set(text_of(found))
    assert "evil.example" not in text_of(found)


def test_a_message_names_no_order(busy: Path) -> None:
    """AN-06, SY-03: sums, controls and what stands, in a few lines."""
    found = reported(busy, str(days_of(busy)[0]), None)

    text = text_of(found)

    assert len(text.splitlines()) <= 12
    assert "by strategy: vwap" in text
    orders = [str(each.told.story.trade.exit_order) for each in found.trades]
    assert orders
    assert not any(order[:6] in text for order in orders)


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
    assert message["message"].splitlines()[0] == found.lines[0]


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
    assert "quiet" not in text_of(report)
