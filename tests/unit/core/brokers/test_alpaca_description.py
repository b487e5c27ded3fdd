"""The table of what the broker promises: held to its own description, and to what the readers read (MD-07)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.brokers.alpaca.books import a_fill, a_non_trade
from core.brokers.alpaca.contract import ACCOUNT, ASSET, ERROR, ORDER
from core.brokers.alpaca.contract import RECORDS as BROKER
from core.brokers.alpaca.fields import Fields, UnreadableFieldError
from core.brokers.alpaca.order_format import a_foreign_order
from core.brokers.alpaca.parsing import (
    a_clock,
    a_position,
    a_session,
    an_account,
    an_instrument,
    an_order,
    an_update,
    listed_assets,
    submitted_at,
)
from core.brokers.alpaca.refusal_codes import refusal
from core.io.http_requests import Reply
from core.market.alpaca.parsing import (
    CORPORATE_ACTION,
    FORMS,
    read_actions,
    read_article,
    read_bar,
    read_quote,
    read_status,
)
from core.market.alpaca.parsing import RECORDS as MARKET
from core.model.api_contract import ApiField, ApiFieldKind, ApiRecord, removals
from core.model.bar import Feed
from core.model.values import Symbol
from tests.unit.core.brokers.alpaca_door import (
    NOON,
    a_position_json,
    an_account_json,
    an_asset_json,
    an_order_json,
    an_update_json,
)
from tests.unit.core.brokers.description import property_of, resolved, schemas, sunset_of, words_of

ALL = (*BROKER, *MARKET)
FIELDS = [pytest.param(record, field, id=f"{record.name}: {field.name}") for record in ALL for field in record.fields]
DESCRIBED = [param for param in FIELDS if param.values[0].described]
TYPES = {
    ApiFieldKind.TEXT: {"string"}, ApiFieldKind.NUMBER: {"string", "number", "integer"},
    ApiFieldKind.FLAG: {"boolean"}, ApiFieldKind.MOMENT: {"string"}, ApiFieldKind.LIST: {"array"},
    ApiFieldKind.OBJECT: {"object"},
}  # fmt: skip
A_FILL = {
    "id": "20261120165930123::2f63ea93-423d-4169-b3f6-3fdafc10c418",
    "order_id": "61e69015-8549-4bfd-b9c3-01e75843f47d", "transaction_time": "2026-11-20T16:59:30.123456789Z",
    "qty": "4", "price": "100.45", "symbol": "SPY", "side": "buy",
}  # fmt: skip
AN_ACTIVITY = {"id": "20261119000000000::1", "activity_type": "DIV", "date": "2026-11-19", "net_amount": "2.51"}
A_DAY = {"date": "2026-11-20", "open": "09:30", "close": "16:00"}
A_BAR = {"t": "2026-11-20T16:59:00Z", "o": Decimal(1), "h": Decimal(1), "l": Decimal(1), "c": Decimal(1), "v": 5}
AN_ACTION = {
    **dict.fromkeys(("symbol", "source_symbol", "acquiree_symbol", "old_symbol"), "SPY"),
    **dict.fromkeys(("ex_date", "effective_date", "process_date", "payable_date"), "2026-11-23"),
    **dict.fromkeys(("new_symbol", "acquirer_symbol"), "SPYX"),
    **dict.fromkeys(("rate", "old_rate", "new_rate", "source_rate"), Decimal(2)),
    **dict.fromkeys(("acquiree_rate", "acquirer_rate", "cash_rate"), Decimal(2)),
}
PAGES = ("a page of bars", "the latest quotes", "a page of corporate actions", "a page of news")
AN_ARTICLE = {
    "id": 7, "created_at": "2026-11-20T16:59:00Z", "headline": "A headline", "source": "benzinga", "symbols": ["SPY"],
}  # fmt: skip
A_STATUS = {"t": "2026-11-20T16:59:00Z", "sc": "H", "sm": "Trading Halt", "rc": "T12", "rm": "news"}
A_QUOTE = {"t": "2026-11-20T16:59:00Z", "bp": Decimal(1), "bs": 1, "ap": Decimal(2), "as": 1}


@pytest.mark.parametrize(("record", "field"), DESCRIBED)
def test_each_field_read_is_described(record: ApiRecord, field: ApiField) -> None:
    """MD-07: its type, its words, that it may be null, and the day from which it goes."""
    said = property_of(record.described, field.name)
    assert said is not None or field.goes is not None, "not described, and no day of removal stands in the table"
    if said is None:
        return
    if "type" in said:
        assert said["type"] in TYPES[field.kind]
    assert field.words >= words_of(said)
    assert field.goes == sunset_of(said)
    assert not (said.get("nullable") and field.is_always_there)
    assert bool(field.instead) is bool(said.get("deprecated"))


def test_every_object_that_is_read_is_described() -> None:
    """MD-07: but for what the streams alone tell, and for a corporate action, which is described kind by kind."""
    assert {record.described for record in ALL} - {""} <= set(schemas())
    undescribed = [record.name for record in ALL if not record.described]
    assert undescribed == ["an order update", "a trading status", "a corporate action"]


@pytest.mark.parametrize("name", FORMS)
def test_corporate_actions_are_described_by_kind(name: str) -> None:
    """MD-07: a list of its own for each kind, and each names its share and its day by other fields."""
    of_its_kind = resolved(resolved(schemas()["corporate_actions"]["properties"][name])["items"])
    form = FORMS[name]
    for field in filter(None, (form.symbol, form.day, form.cash, form.old, form.new)):
        said = resolved(of_its_kind["properties"][field])
        assert said["type"] in TYPES[CORPORATE_ACTION.field(field).kind]
    assert "process_date" in of_its_kind["required"]


def test_a_deprecated_field_is_optional() -> None:
    """MD-07: from its announcement on its absence has a meaning, and what stands in its place is read too."""
    due = removals(ALL)

    assert [(one.day, one.field) for one in due if one.day is not None] == [(date(2026, 9, 22), "easy_to_borrow")]
    for record in ALL:
        for field in record.fields:
            assert not (field.instead and field.is_always_there)
            for name in filter(None, field.instead.split(", ")):
                assert record.field(name)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Each field that a reader looks up in its table."""
    seen: set[tuple[str, str]] = set()
    look_up = ApiRecord.field

    def seeing(self: ApiRecord, name: str) -> ApiField:
        seen.add((self.name, name))
        return look_up(self, name)

    monkeypatch.setattr(ApiRecord, "field", seeing)
    return seen


def test_readers_read_the_tables_fields_only(asked: set[tuple[str, str]]) -> None:
    """MD-07: so the two cannot drift. A field that is in no table cannot be read at all."""
    an_account(an_account_json(), NOON)
    an_instrument(an_asset_json(margin_requirement_long="30"))
    an_instrument(an_asset_json(maintenance_margin_requirement=30))
    listed_assets([an_asset_json()])
    leg = an_order_json(id="leg", position_intent="buy_to_open")
    a_foreign_order(an_order_json(order_class="mleg", symbol=None, legs=[leg], submitted_at=None))
    an_order(an_order_json())
    an_order(an_order_json(type="", order_type="limit"))
    submitted_at(an_order_json(submitted_at=None))
    an_update(an_update_json())
    a_fill(A_FILL)
    a_non_trade(AN_ACTIVITY)
    a_position(a_position_json())
    noon = "2026-11-20T12:00:00.123456789-05:00"
    a_clock({"timestamp": noon, "is_open": True, "next_open": noon, "next_close": noon})
    a_session(A_DAY)
    refusal(Reply(422, {}, b'{"code": 42210000, "message": "no"}'))
    read_bar(Symbol("SPY"), A_BAR, "here")
    read_quote(Symbol("SPY"), A_QUOTE, "here", Feed.IEX)
    read_status(Symbol("SPY"), A_STATUS, "here")

    read_article(AN_ARTICLE, [Symbol("SPY")], NOON)
    read_actions({"corporate_actions": {name: [AN_ACTION] for name in FORMS}}, [Symbol("SPY")])

    in_tables = {(record.name, field.name) for record in ALL for field in record.fields}
    pages = {(name, field) for name, field in in_tables if name in PAGES}
    assert in_tables - pages - asked == set()
    with pytest.raises(KeyError):
        Fields({"sub_tag": 1}, "it", ORDER).word("sub_tag")
    assert ERROR in BROKER


@pytest.mark.parametrize("field", [field.name for field in ACCOUNT.fields if field.is_always_there])
@pytest.mark.parametrize("absent", ["left out", "null"])
def test_an_account_lacking_a_field_names_it(field: str, absent: str) -> None:
    """MD-07: a block that is not told is not taken for none, nor an amount for zero."""
    raw = an_account_json(**{field: None})
    if absent == "left out":
        del raw[field]

    with pytest.raises(UnreadableFieldError, match=f"^the account: {field} is missing$"):
        an_account(raw, NOON)


@pytest.mark.parametrize("field", [field.name for field in ORDER.fields if field.is_always_there])
def test_an_order_lacking_a_field_names_it(field: str) -> None:
    """MD-07, EX-05: one that may be ours is read without a term of it, and the term is named"""
    with pytest.raises(UnreadableFieldError, match=f": {field} is missing$"):
        an_order_of_others(an_order_json(client_order_id="by-hand") | {field: None})
    lacking = an_order_json(**{field: None})
    if field in ("id", "client_order_id", "filled_qty"):
        with pytest.raises(UnreadableFieldError, match=f": {field} is missing$"):
            an_order(lacking)
    else:
        assert an_order(lacking).unknown_words == (f"{field} None",)


def an_order_of_others(raw: object) -> object:
    return a_foreign_order(raw) or an_order(raw)


def test_a_new_enum_value_is_kept_or_named() -> None:
    """MD-07: of each enumeration that is read."""
    new = "something_new"
    assert an_instrument(an_asset_json(borrow_status=new)).borrow_said == new
    assert an_instrument(an_asset_json(attributes=[new])).attributes == (new,)
    assert an_instrument(an_asset_json(**{"class": new})).class_refused
    assert an_account(an_account_json(status=new), NOON).is_blocked
    assert an_order(an_order_json(status=new)).status is None
    assert an_update(an_update_json(new)).event.value == "other"
    for name in ("time_in_force", "order_class", "asset_class"):
        foreign = a_foreign_order(an_order_json(**{name: new}))
        assert foreign is not None
        assert new in foreign.words
    words = dict.fromkeys(("side", "type", "time_in_force"), new)
    kept = tuple(f"{name} {new}" for name in words)
    by_hand = an_order_json(client_order_id="by-hand", **words)
    assert an_order(an_order_json(**words)).unknown_words == kept
    assert an_update(an_update_json(order=by_hand)).report.unknown_words == kept
    for strange in ({"side": new, "client_order_id": "by-hand"}, {"type": new, "client_order_id": "by-hand"}):
        with pytest.raises(UnreadableFieldError, match="'something_new' is unknown here"):
            an_order(an_order_json(**strange))
    with pytest.raises(UnreadableFieldError, match="'something_new' is unknown here"):
        a_position(a_position_json(side=new))
    worded = {field.name for record in (ACCOUNT, ASSET, ORDER) for field in record.fields if field.words}
    assert worded == {
        *("status", "class", "borrow_status", "attributes", "asset_class", "side", "order_class", "type"),
        *("time_in_force", "position_intent"),
    }
