"""Alpaca's account activities, all pages, parsed one by one (EX-09).

Each page continues after the last id of the one before. An unreadable activity is reported with its id and left out;
nothing is dropped silently. Cash is read before and after, so that the list and the figures are of the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from core.brokers.alpaca.contract import ACTIVITY, FILL
from core.brokers.alpaca.fields import LONGEST_TEXT, Fields, UnreadableFieldError, rows
from core.brokers.alpaca.parsing import a_position, an_activity
from core.brokers.alpaca.questions import NoAnswerError, Questions
from core.model.account import Account
from core.model.activity import (
    Activity,
    ActivityId,
    ActivityKind,
    BrokerFill,
    DropCopy,
    UnreadableActivity,
    harmless,
)
from core.model.broker import BrokerPosition, NoAnswer
from core.model.order import Side
from core.model.values import NO_MONEY, Money, Price, Quantity, Symbol

PAGE = 100
MOST_PAGES = 500
READINGS = 3
REQUESTS = 4
"""Of one reading, if the list has no second page."""
ENDPOINT = "/account/activities"
CANCELLED = "canceled"
DOLLARS = "USD"
TRADE = "FILL"

KINDS: Mapping[str, ActivityKind] = {
    **dict.fromkeys(("FEE", "CFEE", "DIVFEE", "PTC"), ActivityKind.FEE),
    **dict.fromkeys(
        ("DIV", "DIVCGL", "DIVCGS", "DIVFT", "DIVNRA", "DIVROC", "DIVTW", "DIVTXEX", "CGD"), ActivityKind.DIVIDEND
    ),
    **dict.fromkeys(("INT", "INTNRA", "INTTW"), ActivityKind.INTEREST),
    **dict.fromkeys(("CSD", "CSW", "JNLC", "JNL", "ACATC", "TRANS"), ActivityKind.TRANSFER),
    **dict.fromkeys(("JNLS", "ACATS"), ActivityKind.SHARES),
    "SPLIT": ActivityKind.SPLIT,
}
"""By Alpaca's name; any other is `OTHER`."""


class AlpacaActivities:
    """Reads activities; `account` reads the account's figures."""

    def __init__(self, questions: Questions, account: Callable[[], Account]) -> None:
        self._questions = questions
        self._account = account

    def since(self, day: date) -> DropCopy:
        """Raises the errors of `Questions.get`; `NoAnswerError` also if the cash kept changing."""
        for reading in range(READINGS):
            if reading:
                self._questions.count_beyond(REQUESTS)
            before = self._account()
            raw = self._pages(day)
            positions = self._questions.get("/positions", "GET /positions", _positions)
            account = self._account()
            if account.cash == before.cash:
                return self._copy(day, account, positions, raw)
        raise NoAnswerError(NoAnswer(f"Alpaca: the cash changed {READINGS} times while the activities were read"))

    def _pages(self, day: date) -> list[object]:
        """Return all of them, in the order of their ids; duplicates are taken once."""
        found: dict[str, object] = {}
        query: dict[str, object] = {
            "after": f"{day - timedelta(days=1)}T00:00:00Z",
            "direction": "asc",
            "page_size": PAGE,
        }
        for pages in range(MOST_PAGES):
            if pages:
                self._questions.count_beyond()
            page = self._questions.get(ENDPOINT, f"GET {ENDPOINT}", lambda raw: rows(raw, "the activities"), query)
            known = len(found)
            for number, row in enumerate(page):
                found.setdefault(_id_of(row) or f"{len(found)} {number}", row)
            last = _id_of(page[-1]) if page else None
            if len(page) < PAGE:
                return list(found.values())
            if last is None or len(found) == known:
                break
            query["page_token"] = last
        raise NoAnswerError(NoAnswer("Alpaca: the pages of activities do not end"))

    def _copy(self, day: date, account: Account, positions: tuple[BrokerPosition, ...], raw: list[object]) -> DropCopy:
        fills, activities, unreadable = list[BrokerFill](), list[Activity](), list[UnreadableActivity]()
        for row in raw:
            try:
                if isinstance(row, dict) and row.get("activity_type") == TRADE:
                    fills.append(a_fill(row))
                else:
                    activities.append(a_non_trade(row))
            except UnreadableFieldError as error:
                self._questions.unread.note(f"GET {ENDPOINT}: {error}", row)
                name = _id_of(row)
                unreadable.append(UnreadableActivity(None if name is None else ActivityId(name), str(error)))
        return DropCopy(day, account, positions, tuple(fills), tuple(activities), tuple(unreadable))


def a_fill(raw: object) -> BrokerFill:
    """Parse an execution with its symbol and side. Raises `UnreadableFieldError` alone."""
    order_id, execution = an_activity(raw)
    fill = Fields(raw, "a fill", FILL)
    side = fill.known_word("side")
    return BrokerFill(execution, order_id, Symbol(fill.text("symbol")), Side.BUY if side == "buy" else Side.SELL)


def a_non_trade(raw: object) -> Activity:
    """Parse any other activity. A cancelled one moves nothing. Raises `UnreadableFieldError` alone."""
    name = _id_of(raw)
    row = Fields(raw, "an activity" if name is None else f"activity {name}", ACTIVITY)
    word, currency = row.text("activity_type"), row.word("currency")
    if currency is not None and currency != DOLLARS:
        raise row.unreadable("currency", f"{currency} is not {DOLLARS}")
    if word == TRADE:
        raise row.unreadable("activity_type", "is a fill without an order")
    day = row.day("date")
    moves = row.word("status") != CANCELLED
    amount = row.optional_number("net_amount") if moves else None
    quantity, symbol = row.optional_number("qty") if moves else None, row.word("symbol")
    rate = row.optional_number("per_share_amount")
    words = " ".join(one for one in (word, row.word("activity_sub_type")) if one)
    return Activity(
        ActivityId(row.text("id")),
        day,
        KINDS.get(word, ActivityKind.OTHER),
        NO_MONEY if amount is None else Money(amount),
        None if symbol is None else Symbol(symbol),
        None if quantity is None else Quantity(quantity),
        rate=None if rate is None else Price(rate),
        words=harmless(words if moves else f"{words}, cancelled"),
    )


def _id_of(raw: object) -> str | None:
    name = raw.get("id") if isinstance(raw, dict) else None
    return name if isinstance(name, str) and name.isprintable() and 0 < len(name) <= LONGEST_TEXT else None


def _positions(raw: Any) -> tuple[BrokerPosition, ...]:
    """Parse the positions for splits.

    An unreadable one is skipped here, because the comparison of the books reports it.
    """
    held = list[BrokerPosition]()
    for row in rows(raw, "the positions"):
        with suppress(UnreadableFieldError):
            position = a_position(row)
            held += [position] if isinstance(position, BrokerPosition) else []
    return tuple(held)
