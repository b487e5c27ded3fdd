"""`keyturn explain`: a trade and a day told to the cent, each figure beside the record that it comes from."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from core.facts import OrderCreated, OrderFilled, TradeClosed
from state.journal import Chain, days_of, read
from tests.scenarios.backtests import Keyturn

WEEK = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09")


@pytest.fixture
def played(keyturn: Keyturn, minutes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded week whose every proposal was confirmed. It is played once, and only read."""
    folder = tmp_path_factory.getbasetemp() / "an explained week"
    if not folder.is_dir():
        words = ("replay", minutes, "--headless", "--operator", "confirm-all", "--json", "--journal-dir", folder)
        assert keyturn(*words).code == 0
    return folder


def explained(keyturn: Keyturn, folder: Path, *words: object) -> Any:
    return keyturn("explain", *words, "--journal-dir", folder, "--json").json


def summed(parts: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(part["amount"]) for part in parts), Decimal(0))


def test_each_day_and_each_trade_add_up_to_the_cent(keyturn: Keyturn, played: Path) -> None:
    """AN-03, AN-06: parts and rest are the change; parts of a trade are its result, as the journal has it."""
    trades = [record for record in read(played) if isinstance(record.fact, TradeClosed)]
    assert trades

    told = []
    for day in days_of(played):
        found = explained(keyturn, played, day)
        if found["equity_change"] is not None:
            assert summed(found["parts"]) + Decimal(found["rest"]) == Decimal(found["equity_change"])
            assert Decimal(found["rest"]) == 0
        told += found["trades"]

    assert [row["record"] for row in told] == [record.sequence for record in trades]
    for row, record in zip(told, trades, strict=True):
        assert isinstance(record.fact, TradeClosed)
        assert summed(row["parts"]) == record.fact.trade.profit.quantize(Decimal("0.01"))


def test_each_figure_names_the_record_that_it_comes_from(keyturn: Keyturn, played: Path) -> None:
    """AN-06"""
    records = {record.sequence: record.fact for record in read(played)}
    orders = {f.order.client_order_id: f for f in records.values() if isinstance(f, OrderCreated)}

    for day in days_of(played):
        for trade in explained(keyturn, played, day)["trades"]:
            assert trade["fills"]
            assert trade["record"] in [record["record"] for record in trade["timeline"]]
            for fill in trade["fills"]:
                fact = records[fill["record"]]
                assert isinstance(fact, OrderFilled)
                assert (fact.fill.price, fact.fill.client_order_id) == (Decimal(fill["price"]), fill["order"])
                aimed = orders[fact.fill.client_order_id].intended_price
                assert Decimal(fill["intended"]) == (aimed if aimed is not None else fact.fill.price)


def test_days_together_are_the_sum_of_each(keyturn: Keyturn, played: Path) -> None:
    """AN-06"""
    days = [str(day) for day in days_of(played)][:-1]
    alone = [explained(keyturn, played, day) for day in days]

    found = explained(keyturn, played, f"{days[0]}..{days[-1]}")

    assert Decimal(found["equity_change"]) == sum(Decimal(each["equity_change"]) for each in alone)
    assert summed(found["parts"]) == sum(summed(each["parts"]) for each in alone)
    assert found["trades"] == [trade for each in alone for trade in each["trades"]]
    assert [each["day"] for each in found["days"]] == days


def test_a_trade_is_told_by_the_order_that_closed_it(keyturn: Keyturn, played: Path) -> None:
    """AN-06: alone, with its whole way."""
    first = next(record.fact.trade for record in read(played) if isinstance(record.fact, TradeClosed))

    found = explained(keyturn, played, first.exit_order[:8])
    words = keyturn("explain", first.exit_order[:8], "--journal-dir", played).out

    assert [row["exit_order"] for row in found["trades"]] == [first.exit_order]
    assert "waiting for the key" in words
    assert "its way:" in words
    assert "approved on fresh figures" in words


def test_the_page_needs_nothing_else(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-06: it asks no network, and has a picture of each trade."""
    page = tmp_path / "day.html"

    found = keyturn("explain", "2026-01-05..2026-01-09", "--journal-dir", played, "--html", page)

    text = page.read_text()
    seen: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert not {name for name, _ in attrs} & {"src", "href"}

    Reader().feed(text)
    trades = sum(isinstance(record.fact, TradeClosed) for record in read(played))
    assert found.code == 0
    assert str(page) in found.out
    assert "script" not in seen
    assert seen.count("circle") >= 2 * trades
    assert seen.count("polyline") == 2 * trades


def test_without_a_word_it_is_the_last_day(keyturn: Keyturn, played: Path) -> None:
    """AN-06"""
    assert explained(keyturn, played)["first"] == str(days_of(played)[-1])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("2026-02-30", "2026-02-30 is no day; write it as 2026-11-19"),
        ("2026-01-05..", "nothing is no day; write it as 2026-11-19"),
        ("2025-01-01", "the journal has no record of it; it goes from 2026-01-05 to 2026-01-09"),
        ("ffffffff", "no trade was closed by an order with an id that begins with 'ffffffff'"),
        ("a b", "a b is no order, no day and no days"),
    ],
)
def test_what_it_cannot_explain_is_said_in_one_line(keyturn: Keyturn, played: Path, asked: str, words: str) -> None:
    """AN-06"""
    found = keyturn("explain", asked, "--journal-dir", played)

    assert found.code != 0
    assert words in found.err
    assert len(found.err.strip().splitlines()) == 1


def test_a_page_that_cannot_be_written_is_named_before_anything_is_read(keyturn: Keyturn, played: Path) -> None:
    """AN-06"""
    found = keyturn("explain", "--journal-dir", played, "--html", "/nowhere/at/all.html")

    assert found.code != 0
    assert "there is no folder /nowhere/at" in found.err


def test_an_empty_folder_has_no_day(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06"""
    assert "there is no journal in" in keyturn("explain", "--journal-dir", tmp_path).err


def test_a_journal_of_before_there_were_quotes_is_explained_too(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
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

    found = [explained(keyturn, older, day) for day in days_of(older)]

    trades = [trade for each in found for trade in each["trades"]]
    assert trades
    for trade in trades:
        assert summed(trade["parts"]) == Decimal(trade["profit"])
        assert any("no quote" in words for words in trade["unknown"])
    assert json.dumps(found)


def without_quotes(fact: Any) -> Any:
    has = {field.name for field in fields(fact)} if hasattr(fact, "__dataclass_fields__") else set()
    return replace(fact, bid=None, ask=None) if {"bid", "ask"} <= has else fact


def test_what_nobody_took_says_what_it_would_have_made(keyturn: Keyturn, minutes: Path, tmp_path: Path) -> None:
    """OP-12, AN-06: as the desk's own shadow trades do; and on the day's page."""
    folder, page = tmp_path / "declined", tmp_path / "declined.html"
    assert keyturn("replay", minutes, "--headless", "--json", "--journal-dir", folder).code == 0

    found = [row for day in days_of(folder) for row in explained(keyturn, folder, day)["not_taken"]]
    words = keyturn("explain", days_of(folder)[1], "--journal-dir", folder, "--html", page).out

    made = [Decimal(row["would_have_made"]) for row in found if row["would_have_made"] is not None]
    assert made
    assert {row["end"] for row in found} == {"expired"}
    assert {row["strategy"] for row in found} == {"vwap"}
    assert "vwap would have made" in words
    assert "Not taken" in page.read_text()
