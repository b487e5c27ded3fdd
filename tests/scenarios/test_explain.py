"""`keyturn explain` and `keyturn journal explain`: days and trades to the cent, and who handles what in the engine."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.journal import routes
from core.facts import BarClosed, OrderCreated, OrderFilled, PositionCorrected, TradeClosed
from core.messages.commands import Confirm, OpenTicket, ProposeClose
from core.messages.inputs import DeadlineReached
from core.post_mortem.post_mortem import PostMortem
from core.post_mortem.trade_attribution import Cause
from core.runtime.routes import FactRoute, InputRoute
from docs.requirements import ROOT
from state.journal import Chain, days_of, read
from state.past_days import explained
from tests.scenarios.backtests import Keyturn, keyturn_at, minutes_of, only_before
from tests.scenarios.changes import passes
from tests.scenarios.house import House
from tests.scenarios.test_account_activities import SESSIONS, a_house, buys, plays_the_month, sells_all
from tests.unit.core.brokers.trading_floor import SPY


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeded mornings whose every proposal was confirmed; only read."""
    folder = tmp_path_factory.mktemp("explained")
    bars = only_before("16:30", minutes_of(folder / "SPY_seeded.csv", last=date(2026, 1, 7)))
    words = ("replay", bars, "--headless", "--operator", "confirm-all", "--json")
    assert keyturn_at(folder / "home")(*words, "--journal-dir", folder / "journal").code == 0
    return folder / "journal"


def explained_by(keyturn: Keyturn, folder: Path, *words: object) -> Any:
    return keyturn("explain", *words, "--journal-dir", folder, "--json").json


def summed(parts: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(part["amount"]) for part in parts), Decimal(0))


def test_days_and_trades_add_up_to_the_cent(keyturn: Keyturn, played: Path) -> None:
    """AN-03, AN-06: parts and rest are the change; parts of a trade are its result, as the journal has it."""
    trades = [record for record in read(played) if isinstance(record.fact, TradeClosed)]
    assert trades

    told = []
    for day in days_of(played):
        found = explained_by(keyturn, played, day)
        if found["equity_change"] is not None:
            assert summed(found["parts"]) + Decimal(found["rest"]) == Decimal(found["equity_change"])
            assert Decimal(found["rest"]) == 0
        told += found["trades"]

    assert [row["record"] for row in told] == [record.sequence for record in trades]
    for row, record in zip(told, trades, strict=True):
        assert isinstance(record.fact, TradeClosed)
        assert summed(row["parts"]) == record.fact.trade.profit.quantize(Decimal("0.01"))


def test_each_figure_names_its_record(keyturn: Keyturn, played: Path) -> None:
    """AN-06"""
    records = {record.sequence: record.fact for record in read(played)}
    orders = {f.order.client_order_id: f for f in records.values() if isinstance(f, OrderCreated)}

    for day in days_of(played):
        for trade in explained_by(keyturn, played, day)["trades"]:
            assert trade["fills"]
            assert trade["record"] in [record["record"] for record in trade["timeline"]]
            for fill in trade["fills"]:
                fact = records[fill["record"]]
                assert isinstance(fact, OrderFilled)
                assert (fact.fill.price, fact.fill.client_order_id) == (Decimal(fill["price"]), fill["order"])
                aimed = orders[fact.fill.client_order_id].intended_price
                assert Decimal(fill["intended"]) == (aimed if aimed is not None else fact.fill.price)


def test_range_of_days_is_their_sum(keyturn: Keyturn, played: Path) -> None:
    """AN-06"""
    days = [str(day) for day in days_of(played)][:-1]
    alone = [explained_by(keyturn, played, day) for day in days]

    found = explained_by(keyturn, played, f"{days[0]}..{days[-1]}")

    assert Decimal(found["equity_change"]) == sum(Decimal(each["equity_change"]) for each in alone)
    assert summed(found["parts"]) == sum(summed(each["parts"]) for each in alone)
    assert found["trades"] == [trade for each in alone for trade in each["trades"]]
    assert [each["day"] for each in found["days"]] == days


def test_trade_is_found_by_its_exit_order(keyturn: Keyturn, played: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06: alone, with its whole way."""
    first = next(record.fact.trade for record in read(played) if isinstance(record.fact, TradeClosed))

    found = explained_by(keyturn, played, first.exit_order[:8])
    page = keyturn("explain", first.exit_order[:8], "--journal-dir", played).out

    assert [row["exit_order"] for row in found["trades"]] == [first.exit_order]
    told, way = page.partition("    while it was held")[0], page.partition("its way:")[2]
    assert told == snapshot
    kinds = [line.split()[2] for line in way.splitlines() if line]
    assert kinds[:4] == ["bar", "strategy", "proposal", "ticket"]
    assert {"fill", "position", "trade"} <= set(kinds)


def test_html_page_needs_nothing_else(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-06: it asks no network, and has a picture of each trade."""
    page = tmp_path / "day.html"

    found = keyturn("explain", "2026-01-05..2026-01-07", "--journal-dir", played, "--html", page)

    text = page.read_text()
    seen: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert all(str(value).startswith("#") for name, value in attrs if name in {"src", "href"})

    Reader().feed(text)
    trades = sum(isinstance(record.fact, TradeClosed) for record in read(played))
    assert found.code == 0
    assert str(page) in found.out
    assert "script" not in seen
    assert seen.count("figure") == trades


def test_last_day_is_the_default(keyturn: Keyturn, played: Path) -> None:
    """AN-06"""
    assert explained_by(keyturn, played)["first"] == str(days_of(played)[-1])


def test_unexplainable_requests_are_refused(
    keyturn: Keyturn, played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """AN-06"""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    here = ("--journal-dir", played)
    cases: dict[str, tuple[object, ...]] = {
        **{asked: (asked, *here) for asked in ("2026-02-30", "2026-01-05..", "2025-01-01", "ffffffff", "a b")},
        "page without a folder": ("--html", "/nowhere/at/all.html", *here),
        "empty folder": ("--journal-dir", "empty"),
    }
    refused = {}
    for name, words in cases.items():
        answer = keyturn("explain", *words)

        assert (answer.code, answer.err.count("\n")) == (2, 1), name
        refused[name] = answer.err
    assert refused == snapshot


def test_journal_without_quotes_is_explained(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-03, SP-07: what has no quote is named, and the parts still add up."""
    older = tmp_path / "older"
    older.mkdir()
    chain = Chain()
    for day in days_of(played):
        lines = []
        for record in read(played):
            if str(record.at.date()) == str(day):
                lines.append(chain.line(record.at, without_quotes(record.fact)))
        (older / f"{day}.jsonl").write_bytes(b"".join(lines))

    found = [explained_by(keyturn, older, day) for day in days_of(older)]

    trades = [trade for each in found for trade in each["trades"]]
    assert trades
    for trade in trades:
        assert summed(trade["parts"]) == Decimal(trade["profit"])
        assert [words for words in trade["unknown"] if "no quote" in words]
    assert json.dumps(found)


def without_quotes(fact: Any) -> Any:
    has = {field.name for field in fields(fact)} if hasattr(fact, "__dataclass_fields__") else set()
    return replace(fact, bid=None, ask=None) if {"bid", "ask"} <= has else fact


def test_untaken_signal_reports_what_it_would_have_made(
    keyturn: Keyturn, bars: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """OP-12, AN-06: as the desk's own shadow trades do; and on the day's page."""
    folder, page = tmp_path / "declined", tmp_path / "declined.html"
    assert keyturn("replay", bars, "--headless", "--json", "--journal-dir", folder).code == 0

    found = [row for day in days_of(folder) for row in explained_by(keyturn, folder, day)["not_taken"]]
    words = keyturn("explain", days_of(folder)[1], "--journal-dir", folder, "--html", page).out

    assert [row["would_have_made"] for row in found if row["would_have_made"] is not None]
    assert {(row["end"], row["strategy"]) for row in found} == {("expired", "vwap")}
    assert [line for line in words.splitlines() if "would have made" in line] == snapshot
    assert "Not taken" in page.read_text()


def written(house: House, folder: Path) -> Path:
    """Its journal as files."""
    chain, lines = Chain(), defaultdict[date, list[bytes]](list)
    for record in house.journal.records():
        lines[house.calendar.trading_day(record.at)].append(chain.line(record.at, record.fact))
    folder.mkdir()
    for day, of_day in lines.items():
        (folder / f"{day}.jsonl").write_bytes(b"".join(of_day))
    return folder


def of_day(folder: Path, day: date) -> PostMortem:
    return explained(folder, day.isoformat())[0]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten shares that a split made twenty, sold in the last week; read alone."""
    return written(plays_the_month(a_house()), tmp_path_factory.mktemp("month") / "journal")


def test_trade_over_a_split_is_not_split_up(month: Path, snapshot: SnapshotAssertion) -> None:
    """AN-03: shares of before are other shares; its result stands whole."""
    (trade,) = of_day(month, SESSIONS[-3]).trades

    assert trade.split.of(Cause.UNTOLD) == trade.story.trade.profit.quantize(Decimal("0.01")) != 0
    assert trade.split.unknown == snapshot


def test_trade_after_a_correction_has_its_own_fills(tmp_path: Path) -> None:
    """AN-03, EX-09: shares of nobody's order were taken over and sold; the next trade begins anew."""
    house = a_house("2026-11-05 shares SPY 3 at 101")
    house.until("09:36", SESSIONS[4])
    house.presses(ProposeClose(symbol=SPY))
    passes(house, 1)
    house.presses(OpenTicket(house.desk.stage.proposals()[0].id))
    passes(house, 1)
    house.confirms()
    buys(house, "10", "09:40", SESSIONS[5])
    sells_all(house, "09:42", SESSIONS[5])
    house.until("09:40", SESSIONS[6])
    folder = written(house, tmp_path / "journal")

    taken, own = (trade for day in SESSIONS[3:6] for trade in of_day(folder, day).trades)

    assert len(house.facts(PositionCorrected)) == 1
    assert [f.trade for f in house.facts(TradeClosed)] == [taken.story.trade, own.story.trade]
    assert taken.split.of(Cause.UNTOLD) == taken.story.trade.profit.quantize(Decimal("0.01"))
    assert [(fill.sign, fill.quantity) for fill in own.story.fills] == [(1, 10), (-1, 10)]
    assert Cause.UNTOLD.value not in {part.name for part in own.split.parts}


def test_day_names_shares_taken_over(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-09: what the broker held all along made nothing by being found."""
    house = a_house("2026-11-05 shares SPY 3 at 101")
    house.until("09:40", SESSIONS[5])
    folder = written(house, tmp_path / "journal")

    came, after = of_day(folder, SESSIONS[3]).days[0], of_day(folder, SESSIONS[4]).days[0]

    assert came.notes == snapshot
    assert [part.amount for part in after.parts] == [after.change] != [Decimal(0)]
    assert after.rest == 0


KNOWN = routes()


def all_routes() -> list[FactRoute | InputRoute]:
    return [KNOWN.of(name) for name in KNOWN.names]


def test_tail_explains_folds_and_followers(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """SY-07"""
    folder = tmp_path / "journal"
    keyturn("replay", only_before("16:30", bars), "--headless", "--operator", "confirm-all", "--journal-dir", folder)
    tail = ("journal", "tail", "-n", "2000", "--journal-dir", folder)

    plain, explained = keyturn(*tail).out.splitlines(), keyturn(*tail, "--explain").out.splitlines()

    assert explained[::3] == plain
    filled = [pair for pair in zip(explained[1::3], explained[2::3], strict=True) if "OrderFilled is" in pair[0]]
    assert filled
    for folds, follows in filled:
        assert "orders, exits," in folds
        assert "ProtectiveStops.after_fill" in follows
    told = [json.loads(line) for line in keyturn(*tail, "--explain", "--json").out.splitlines()]
    assert {"orders"} <= {name for row in told if row["fact"] == "OrderFilled" for name in row["folded_by"]}
    assert {tuple(row["followed_by"]) for row in told if row["fact"] == "BarClosed"} == {("Notifying.after_bar",)}


def test_input_is_explained_by_its_workflows(keyturn: Keyturn) -> None:
    """SY-07"""
    words = keyturn("journal", "explain", "AccountFetched").out.splitlines()

    assert words[0] == "AccountFetched, an input"
    handlers = [line.split()[2] for line in words[1:4]]
    assert handlers == ["CircuitBreaker.hear", "AccountBlocks.on_figures", "AccountUpdates.on_account"]
    settled = dict(line.split()[1:3] for line in words if line.startswith("  then "))
    assert settled["Reconciliation.settle"].strip("(),") == "core/workflows/reconciliation.py"
    (found,) = keyturn("journal", "explain", "Confirm", "--json").json
    assert found["is_command"]
    assert found["answered_by"][0]["name"] == "Confirmations.on_confirm"
    assert "Submission" in found["answered_by"][0]["uses"]


def test_fact_is_found_by_its_older_name(keyturn: Keyturn) -> None:
    """SP-07"""
    assert keyturn("journal", "explain", "PlanOpened").out == keyturn("journal", "explain", "BasketOpened").out


def test_unknown_name_suggests_near_ones(keyturn: Keyturn, snapshot: SnapshotAssertion) -> None:
    """SY-07"""
    answer = keyturn("journal", "explain", "OrderFiled")

    assert answer.code == 2
    assert answer.err == snapshot


def test_all_names_are_listed(keyturn: Keyturn) -> None:
    """SY-07"""
    lines = keyturn("journal", "explain").out.splitlines()

    assert [line.split(",")[0] for line in lines if not line.startswith((" ", "At "))] == list(KNOWN.names)


def test_names_are_unique() -> None:
    """SY-07"""
    assert len(KNOWN.names) == len(set(KNOWN.names))


def test_named_files_exist() -> None:
    """SY-07"""
    inputs = [route for route in all_routes() if isinstance(route, InputRoute)]
    files = {step.file for route in inputs for step in (*route.answered_by, *route.due, *route.settled_by)}

    assert len(files) > 20
    assert [file for file in sorted(files) if not (ROOT / file).is_file()] == []


def test_every_input_is_answered() -> None:
    """SY-07"""
    inputs = [route for route in all_routes() if isinstance(route, InputRoute)]

    assert [route.name for route in inputs if not route.answered_by] == []
    assert [route.name for route in inputs if route.due] == [DeadlineReached.__name__]
    assert [step.name for step in KNOWN.of_input(Confirm).answered_by] == ["Confirmations.on_confirm"]


def test_folds_of_any_fact_exclude_bars() -> None:
    """SY-07: the strategies fold bars on their own, and whatever else another slice folds"""
    assert KNOWN.of_fact(OrderFilled).folded_by[0] == "orders"
    assert "strategies" in KNOWN.of_fact(OrderFilled).folded_by
    assert KNOWN.of_fact(BarClosed).folded_by.count("strategies") == 1
