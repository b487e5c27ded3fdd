"""What an export keeps back cannot be read in it, nor guessed: of trades, and of what the broker tells (SP-08)."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import UnionType

import orjson
import pytest

from core.facts import ActivitiesCompared, CashMoved, CorporateActionApplied, Fact, SharesMoved
from core.facts.registry import BY_TYPE
from core.model.reconciliation import ActivityId, ActivityKind
from core.model.values import ClientOrderId, Digest, ExecutionId, Money, Price, ProposalId, Quantity, Symbol
from core.ports import JournalDamagedError, OperatorError
from state.codec import RecordError, checked_sum, encode
from state.files import AccountFolder
from state.journal import FileJournal
from state.journal_files import segments
from state.proof import heads
from state.proof.export import export
from state.proof.heads import SIGNED_AS, read_heads, sign_days
from state.proof.parts import EITHER, KINDS, MADE_OF_SYMBOLS, SHOWN, SYMBOLS, Parts, joined, split
from tests.proof.journals import FIRST, KEY, exported, over, verdict, written
from tests.proof.mutations import Lines
from tests.scenarios.test_account_activities import a_house, plays_the_month

DAY = date(2026, 11, 20)


def account_of(place: Path, facts: typing.Iterable[tuple[datetime, Fact]]) -> AccountFolder:
    """Signed, whatever day it is about."""
    folder = AccountFolder(place)
    folder.prepare()
    journal = FileJournal(folder)
    for at, fact in facts:
        journal.append(at, fact)
    journal.close()
    sign_days(folder, KEY, datetime(2027, 1, 1, tzinfo=UTC))
    return folder


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> AccountFolder:
    """A month of an account: a position, and each evening the broker's dividends, fees, transfers and a split."""
    house = plays_the_month(a_house())
    records = ((record.at, record.fact) for record in house.journal.records())
    return account_of(tmp_path_factory.mktemp("month") / "paper", records)


def shown(folder: AccountFolder, *kept_back: str) -> Lines:
    lines = export(folder, KEY, date(2020, 1, 1), date(2026, 12, 31), kept_back=kept_back)
    return [line.rstrip(b"\n") for line in lines]


def kinds_in(lines: Lines) -> set[str]:
    """The facts that it shows, by their names."""
    return {name for line in lines for name in re.findall(r'\\"fact\\":\\"(\w+)', line.decode())}


def test_the_record_includes_broker_activities(month: AccountFolder) -> None:
    """SP-08, EX-09: fees, dividends, interest, transfers and splits, and that they were compared"""
    lines = shown(month)
    assert verdict(lines).startswith("complete")
    assert {kind.__name__ for kind in (CashMoved, CorporateActionApplied, ActivitiesCompared)} <= kinds_in(lines)
    whole = b"".join(lines)
    for amount in (b"3.33", b"-120.50", b"-0.35"):
        assert b'\\"' + amount + b'\\"' in whole


@pytest.mark.parametrize("kept_back", [("amounts",), ("symbols",), ("amounts", "symbols")], ids="-".join)
def test_redacted_values_are_nowhere_in_a_month(month: AccountFolder, kept_back: tuple[str, ...]) -> None:
    """SP-08: and neither is the chained sum of a record, out of which an amount could be guessed"""
    lines = shown(month, *kept_back)
    assert verdict(lines).startswith("complete")
    assert {"CashMoved", "CorporateActionApplied", "OrderFilled"} <= kinds_in(lines)
    text = b"".join(lines).decode()
    sums = [orjson.loads(line)["sum"] for path in segments(month.journal) for line in path.read_bytes().splitlines()]
    assert len(sums) > 300
    assert not any(total in text for total in sums)
    if "amounts" in kept_back:
        assert re.findall(r'\\"-?\d+(?:\.\d+)?\\"', text) == []
        assert re.findall(r"-?\d+\.\d+(?!\d*Z)", text) == []
    if "symbols" in kept_back:
        assert "SPY" not in text
        assert not any(order in text for order in orders_of(month))


def orders_of(folder: AccountFolder) -> set[str]:
    """Identifiers that the desk makes of strategy, symbol and time (EX-04)."""
    text = b"".join(path.read_bytes() for path in segments(folder.journal)).decode()
    found = set(re.findall(r'"client_order_id":"(\w+)"', text))
    assert len(found) > 2
    return found


def test_digests_and_execution_ids_are_kept_back(month: AccountFolder) -> None:
    """SP-08: a hash without a salt is as good as what it is of"""
    lines = [line for path in segments(month.journal) for line in path.read_bytes().splitlines()]
    digests = {each for line in lines for each in re.findall(r'digest":"(\w{16,})"', line.decode())}
    fills = {each for line in lines for each in re.findall(r'"execution_id":"([^"]+)"', line.decode())}
    assert digests
    assert fills
    for what in ("amounts", "symbols"):
        text = b"".join(shown(month, what)).decode()
        assert not any(each in text for each in digests | fills)


def test_the_chained_sum_is_kept_back_with_amounts(month: AccountFolder) -> None:
    """SP-08: what a stranger can do with a dividend that was split in the first way, and with no other"""
    before, line = next(
        (orjson.loads(before)["sum"], line)
        for path in segments(month.journal)
        for before, line in pairwise(path.read_bytes().splitlines())
        if b'"kind":"dividend"' in line
    )
    assert guessed(split(line, 1), before) == orjson.loads(line)["data"]["amount"] == "3.33"
    assert orjson.loads(split(line, 2).skeleton)["sum"].startswith("#t")
    assert orjson.loads(line)["sum"] in orjson.loads(split(line, 2).texts)


def guessed(parts: Parts, before: str) -> str | None:
    """Each amount up to 10 USD is tried; the sum of the record before is known."""
    for cents in range(1000):
        amount = str(Decimal(cents) / 100)
        try:
            checked_sum(joined(replace(parts, amounts=orjson.dumps([amount, amount]))), before)
        except RecordError:
            continue
        return amount
    return None


def parts_of(fact: Fact) -> dict[str, str]:
    """Each part of a fact's line, as text."""
    line = encode(1, datetime(2026, 11, 20, tzinfo=UTC), fact, "0" * 32)[0].rstrip(b"\n")
    names = ("skeleton", "amounts", "symbols", "texts")
    return {name: part.decode() for name, part in zip(names, split(line, 2).all, strict=True)}


@pytest.mark.parametrize(
    "words", ["dividend", "DIV", "12.50USD", "12.50", "AVAXUSD:0.22", "Cash dividend @ 0.22", "2026-11-20", "x_y"]
)
def test_the_brokers_words_are_always_text(words: str) -> None:
    """SP-08"""
    parts = parts_of(
        CashMoved(ActivityId("a-1"), DAY, ActivityKind.DIVIDEND, Money(Decimal("9.75")), Symbol("SPY"), words)
    )
    assert orjson.loads(parts.pop("texts"))[0] == words
    assert '"a-1"' in parts["skeleton"]
    assert "dividend" in parts["skeleton"]
    assert (parts["amounts"], parts["symbols"]) == ('["9.75"]', '["SPY"]')


@pytest.mark.parametrize("symbol", ["SPY", "BRK.B", "AVAXUSD", "037833100", "123ESC019", "spy", "BTC/USD", "X1"])
def test_a_symbol_is_one_whatever_it_looks_like(symbol: str) -> None:
    """SP-08: a broker names some shares by a number"""
    moved = SharesMoved(
        ActivityId("a-1"), DAY, ActivityKind.SHARES, Symbol(symbol), Quantity(Decimal("-7")), Price(Decimal("1.10")), ""
    )
    parts = parts_of(moved)
    assert parts["symbols"] == f'["{symbol}"]'
    assert parts["amounts"] == '["-7","1.10"]'
    assert symbol not in parts["skeleton"].replace("1.10", "")


def test_an_unknown_field_is_kept_back() -> None:
    """SP-08: a later release adds one; what is not known to be harmless is text"""
    data = {"beneficiary": "anna", "legs": [{"strike_text": "12.50C"}], "rates": {"AVAXUSD": 3}, "at_most": 1.5}
    parts = split(orjson.dumps({"seq": 1, "fact": "Later", "v": 9, "data": data, "sum": "00"}), 2)
    assert orjson.loads(parts.skeleton) == {
        "seq": 1,
        "fact": "Later",
        "v": 9,
        "data": {"beneficiary": "#t0", "legs": [{"strike_text": "#t1"}], "rates": "#t2", "at_most": "#a0"},
        "sum": "#t3",
    }


NAMES = {"account", "check", "checks", "source", "strategy"}
"""Keys of plain text that hold a name of ours."""


def test_shown_keys_hold_no_amount_symbol_or_text() -> None:
    """SP-08: a fact that uses such a key for them needs another name for it"""
    found = {(key, kind) for made in BY_TYPE for key, kind in leaves(made)}
    assert {key for key, kind in found if kind is Symbol} == SYMBOLS | {"positions"}
    assert {key for key, kind in found if kind in (ClientOrderId, ProposalId)} <= MADE_OF_SYMBOLS | {"left_out"}
    assert {key for key, kind in found if kind in (Digest, ExecutionId)} <= EITHER
    assert {key for key, kind in found if kind is str} & SHOWN == NAMES
    assert {key for key, _ in found} >= SHOWN - {"fact"}


def leaves(kind: type, seen: frozenset[type] = frozenset()) -> Iterator[tuple[str, object]]:
    """What the fields of a record are, by key, down to what is written."""
    for key, hint in typing.get_type_hints(kind).items():
        for each in arguments(hint):
            if is_dataclass(each) and each not in seen:
                yield from leaves(typing.cast(type, each), seen | {kind})
            elif not is_dataclass(each):
                yield key, each


def arguments(hint: object) -> Iterator[object]:
    if typing.get_origin(hint) in (typing.Union, UnionType, tuple, frozenset):
        for each in typing.get_args(hint):
            yield from arguments(each)
    else:
        yield hint


def test_days_of_the_first_split_are_not_redacted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SP-07, SP-08: they stay what they are, and later ones follow them"""
    folder = written(tmp_path / "paper", 2, 40)
    with monkeypatch.context() as before:
        before.setattr(heads, "VERSION", 1)
        sign_days(folder, KEY, over(1))
    as_the_first_release_did(folder)
    sign_days(folder, KEY, over(2))
    assert [signed.head.v for signed in read_heads(folder.heads)] == [1, 2]
    assert verdict(exported(folder, 2)).startswith("complete")
    with pytest.raises(OperatorError, match="2025-11-18 was signed in the first way"):
        exported(folder, 2, kept_back=("amounts",))
    second = FIRST + timedelta(days=1)
    lines = [line.rstrip(b"\n") for line in export(folder, KEY, second, second, kept_back=("amounts",))]
    assert verdict(lines).startswith("complete")


def as_the_first_release_did(folder: AccountFolder) -> None:
    """The first day's head with the sum itself."""
    signed = orjson.loads(folder.heads.read_bytes())
    last = segments(folder.journal)[0].read_bytes().splitlines()[-1]
    signed["head"]["sum"] = orjson.loads(last)["sum"]
    signed["signature"] = KEY.sign(SIGNED_AS + orjson.dumps(signed["head"])).hex()
    folder.heads.write_bytes(orjson.dumps(signed) + b"\n")


def test_heads_of_a_later_release_are_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SP-07"""
    folder = written(tmp_path / "paper", 1, 3)
    with monkeypatch.context() as later:
        later.setattr(heads, "VERSION", 3)
        later.setitem(KINDS, 3, KINDS[2])
        sign_days(folder, KEY, over(1))
    with pytest.raises(JournalDamagedError, match="a newer Keyturn signed it; start that one"):
        read_heads(folder.heads)
