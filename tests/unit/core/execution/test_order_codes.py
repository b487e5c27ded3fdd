"""What became of an order and why is a code: the words beside it may say anything (SP-07)."""

from __future__ import annotations

from core.execution.order import Order
from core.facts import CancelDropped, CancelRequested, OrderStateChanged, Source
from core.model.codes import CancelCode, EndCode
from core.model.order import OrderStatus, Side
from tests.kit.rows import table
from tests.unit.core.execution.books import Books, a_request

OTHER_WORDS = "worte, die niemand kennt"


def a_cancelled_stop(books: Books, code: EndCode, words: str = OTHER_WORDS) -> Order:
    order = books.creates(a_request("stop", Side.SELL, stop="99"))
    books.becomes(order, OrderStatus.SUBMITTED)
    books.fold(OrderStateChanged(order.id, order.status, OrderStatus.CANCELLED, Source.STREAM, None, words, code))
    return order


@table(
    "code gave_up made_way",
    (EndCode.NEVER_ARRIVED, True, False),
    (EndCode.REPLACED, False, True),
    (EndCode.AS_ITS_STATE_SAYS, False, False),
)
def test_an_orders_end_is_read_from_its_code(code: EndCode, gave_up: bool, made_way: bool) -> None:
    """SP-07"""
    order = a_cancelled_stop(Books(), code)

    assert (order.is_given_up, order.made_way) == (gave_up, made_way)


@table("words", "never arrived", "replaced by another")
def test_the_words_of_an_end_decide_nothing(words: str) -> None:
    """SP-07"""
    order = a_cancelled_stop(Books(), EndCode.AS_ITS_STATE_SAYS, words)

    assert not order.is_given_up
    assert not order.made_way


@table("code", *list(CancelCode))
def test_an_oversized_stop_is_owed_its_shares(code: CancelCode) -> None:
    """EX-13, SP-07"""
    books = Books()
    order = books.creates(a_request("stop", Side.SELL, stop="99"))
    books.becomes(order, OrderStatus.SUBMITTED)
    books.fold(CancelRequested(order.id, OTHER_WORDS, code))
    books.becomes(order, OrderStatus.CANCELLED)

    assert order.is_cut == (code in (CancelCode.TOO_MUCH, CancelCode.NONE_AT_THE_BROKER))


def test_a_dropped_cancel_leaves_no_code() -> None:
    """EX-21, SP-07"""
    books = Books()
    order = books.creates(a_request("stop", Side.SELL, stop="99"))
    books.becomes(order, OrderStatus.SUBMITTED)
    books.fold(CancelRequested(order.id, OTHER_WORDS, CancelCode.MAKES_WAY))

    books.fold(CancelDropped(order.id, OTHER_WORDS))

    assert order.cancel_code is None
