"""What would be lost if every stop filled now, and the part of equity within which it stays."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from core.execution.order import Order
from core.exit_rules import ExitWatch
from core.facts import BarClosed
from core.model.account import NoAccount
from core.model.codes import IdleCode
from core.model.order import Effect, OrderStatus, Side, StopHolder
from core.model.session import NoSession
from core.model.staging import CheckResult
from core.model.values import Price, Symbol
from core.risk.checks.losses import PerTradeLossCheck, RiskBudgetCheck
from core.risk.exposure import open_losses
from core.risk.sizing_history import SizingBook
from core.risk.sizing_inputs import cap_of
from core.risk.standard_gate import standard_gate
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, a_bar
from tests.unit.core.execution.books import Books, a_request, a_stop_plan
from tests.unit.core.risk.reviews import a_candidate, a_day, a_desk, an_account, an_exit, said, settings, usd
from tests.unit.core.risk.test_margin import a_margin_desk, requires

PASSES, WARNS, REFUSES = CheckResult.PASSES, CheckResult.WARNS, CheckResult.REFUSES
CHECK = RiskBudgetCheck()
OF_A_SIZE = (
    "session limits", "loss at the stop", "risk budget", "notional", "buying power", "margin", "portfolio",
)  # fmt: skip


def last(**prices: str) -> dict[Symbol, Price]:
    return {Symbol(name): Price(Decimal(price)) for name, price in prices.items()}


def lost(books: Books, **prices: str) -> Decimal:
    return open_losses(books.ledger, last(**prices).get, ExitWatch(books.ledger).desk_stop)


def a_stop_at_the_broker(books: Books, quantity: str = "10", price: str = "99", name: str = "stop") -> Order:
    stop = books.creates(a_request(name, Side.SELL, quantity, effect=Effect.REDUCE, stop=price))
    books.becomes(stop, OrderStatus.SUBMITTED)
    return stop


def ten_shares_at_100() -> Books:
    books = Books()
    order = books.buys("10", "100")
    order.stop = a_stop_plan("99")
    return books


# ── the measure ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_position_risks_last_price_to_stop() -> None:
    """RK-21: what was won since the entry would be lost too"""
    books = ten_shares_at_100()
    a_stop_at_the_broker(books)

    assert lost(books) == 10
    assert lost(books, SPY="101.50") == 25


def test_a_position_without_a_stop_counts_whole() -> None:
    """RK-21: also where the stop that the broker should hold is gone"""
    books = ten_shares_at_100()
    gone = lost(books)
    stop = a_stop_at_the_broker(books)
    books.becomes(stop, OrderStatus.CANCELLED)

    assert gone == lost(books) == 1000
    assert lost(books, SPY="90") == 900


def test_a_stop_of_before_a_split_protects_nothing() -> None:
    """RK-21, EX-25: it sells at a price of other shares, and is cancelled"""
    books = ten_shares_at_100()
    stop = a_stop_at_the_broker(books)
    stop.split = Decimal(2)

    assert lost(books) == 1000


@table("idle", *((each,) for each in IdleCode))
def test_a_stop_that_the_broker_does_not_trade_protects_nothing(idle: IdleCode) -> None:
    """RK-21, EX-22: one that is leaving, too"""
    books = ten_shares_at_100()
    stop = a_stop_at_the_broker(books)
    stop.idle = idle

    assert lost(books) == 1000


def test_uncovered_shares_count_whole() -> None:
    """RK-21"""
    books = ten_shares_at_100()
    a_stop_at_the_broker(books, "4", "98")
    assert lost(books) == 4 * 2 + 6 * 100

    a_stop_at_the_broker(books, "8", "99", "second")
    assert lost(books) == 4 * 2 + 6 * 1


@table(
    "stop price a_share",
    ("99", "99", "0"),  # reached, not passed
    ("99", "98", "2"),  # what was lost since the entry
    ("99", "97.02", "2.98"),
    ("105", "103", "2"),  # nothing was lost since the entry: how far it is through
    ("105", "99", "6"),
    ("150", "60", "60"),  # never more than all of it
)
@table("holder", StopHolder.BROKER, StopHolder.DESK)
def test_a_passed_stop_caps_nothing(holder: StopHolder, stop: str, price: str, a_share: str) -> None:
    """RK-21: it did not act, and caps nothing"""
    books = ten_shares_at_100()
    if holder is StopHolder.BROKER:
        a_stop_at_the_broker(books, price=stop)
    else:
        books.ledger.state.orders[a_request().client_order_id].stop = a_stop_plan(stop, holder)

    assert lost(books, SPY=price) == 10 * Decimal(a_share)


def test_a_passed_stop_of_a_short_caps_nothing() -> None:
    """RK-21"""
    books = Books()
    order = books.creates(a_request("entry", Side.SELL, "10", effect=Effect.SHORT))
    books.fills(order, "10", "100")
    order.stop = a_stop_plan("101", StopHolder.DESK)

    assert lost(books, SPY="103") == 30


def test_only_a_persons_own_stop_is_none() -> None:
    """RK-21, OP-06: nobody acts at it by himself; before it and 2 % through it the position counts whole"""
    books = ten_shares_at_100()
    order = books.ledger.state.orders[a_request().client_order_id]

    order.stop = a_stop_plan("99", StopHolder.DESK)
    assert lost(books) == 10
    order.stop = a_stop_plan("99", StopHolder.YOU)
    assert lost(books) == 1000
    assert lost(books, SPY="97.02") == Decimal("970.20")


def test_an_entry_with_an_own_stop_counts_whole(snapshot: SnapshotAssertion) -> None:
    """RK-21: on its way as it will when it is filled; the size that passes is by its price"""
    books = Books()
    order = books.creates(a_request(quantity="0.1", limit="100"))
    order.stop = a_stop_plan("99", StopHolder.YOU)
    desk = a_desk(ledger=books.ledger)

    assert lost(books) == 10
    assert said(CHECK, a_candidate(quantity="0.2", holder=StopHolder.YOU, symbol=IBM), desk) == (PASSES, snapshot)
    assert said(CHECK, a_candidate(quantity="0.4", holder=StopHolder.YOU, symbol=IBM), desk) == (REFUSES, snapshot)
    assert cap_of(a_candidate(quantity="0.2", holder=StopHolder.YOU, symbol=IBM), desk) == snapshot


def test_a_stop_in_doubt_guards_nothing() -> None:
    """RK-21, EX-13"""
    books = ten_shares_at_100()
    stop = books.creates(a_request("stop", Side.SELL, "10", effect=Effect.REDUCE, stop="99"))
    stop.in_doubt_since = books.at

    assert lost(books) == 1000


def test_an_entry_on_its_way_counts_as_filled() -> None:
    """RK-21"""
    bare, books = Books(), Books()
    bare.creates(a_request(quantity="10", limit="100"))
    order = books.creates(a_request(quantity="10", limit="100"), stop=a_stop_plan("99"))

    assert (lost(bare), lost(books)) == (1000, 10)
    assert open_losses(books.ledger, last().get, ExitWatch(books.ledger).desk_stop, order.id) == 0


def test_a_short_counts_up_to_its_stop_above_it() -> None:
    """RK-21"""
    books = Books()
    order = books.creates(a_request("entry", Side.SELL, "10", effect=Effect.SHORT))
    books.fills(order, "10", "100")
    assert lost(books) == 1000

    order.stop = a_stop_plan("101", StopHolder.DESK)
    assert lost(books) == 10


SHARES = st.integers(1, 100)


@examples(max_examples=24)
@given(held=SHARES, stops=st.lists(st.tuples(SHARES, st.integers(50, 150)), max_size=4), price=st.integers(60, 140))
def test_the_measured_risk_is_bounded(held: int, stops: list[tuple[int, int]], price: int) -> None:
    """RK-21: and a further stop never makes it more"""
    books = Books()
    books.buys(str(held), "100")
    before = Decimal(held * price)
    assert lost(books, SPY=str(price)) == before
    for number, (quantity, at) in enumerate(stops):
        a_stop_at_the_broker(books, str(quantity), str(at), f"stop-{number}")
    covered = sum(quantity for quantity, _ in stops)
    found = lost(books, SPY=str(price))

    assert max(held - covered, 0) * price <= found <= before


# ── the check ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_budget_is_15_percent_of_equity(snapshot: SnapshotAssertion) -> None:
    """RK-21: 30 of 200 USD; the position's stop costs 29.90 of it"""
    books = Books()
    books.buys("10", "100").stop = a_stop_plan("97.01", StopHolder.DESK)
    desk = a_desk(ledger=books.ledger)

    assert said(CHECK, a_candidate(quantity="0.3", symbol=IBM), desk) == (PASSES, snapshot)
    assert said(CHECK, a_candidate(quantity="0.4", symbol=IBM), desk) == (REFUSES, snapshot)


def test_an_order_without_a_stop_counts_whole(snapshot: SnapshotAssertion) -> None:
    """RK-21"""
    verdict = said(CHECK, a_candidate(quantity="0.4", stop=None), a_desk())

    assert verdict == (REFUSES, snapshot)


def test_without_equity_no_budget_is_measured() -> None:
    """RK-21, RK-03"""
    nothing = {"account": NoAccount("the broker does not answer"), "opening": a_day(None)}

    assert said(CHECK, a_candidate(), a_desk(**nothing))[0] is REFUSES
    assert said(CHECK, a_candidate(), a_desk(is_fresh=False, **nothing))[0] is WARNS


def test_what_only_reduces_needs_no_budget(snapshot: SnapshotAssertion) -> None:
    """RK-21, RK-22"""
    books = Books()
    books.buys("10", "100")

    assert said(CHECK, an_exit(quantity="10"), a_desk(ledger=books.ledger)) == (PASSES, snapshot)


# ── what lowers the limit for everybody ──────────────────────────────────────────────────────────────────────────────


def a_book_in_which_ibm_moves_with_spy() -> SizingBook:
    book = SizingBook()
    for number in range(22):
        day = date(2026, 1, 1) + timedelta(days=number)
        for bar in (
            a_bar("10:00", str(100 + number % 3), day=day),
            a_bar("10:00", str(50 + number % 3), symbol=IBM, day=day),
        ):
            book.folds[BarClosed](bar.end, BarClosed(bar))
    return book


def test_a_correlated_order_may_lose_half(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-16: whoever sized it; a further order in the same symbol is no other position"""
    books = Books()
    books.buys("0.1", "100").stop = a_stop_plan("99", StopHolder.DESK)
    desk = a_desk(ledger=books.ledger, sizing=a_book_in_which_ibm_moves_with_spy())
    order = a_candidate(quantity="0.2", stop="95", symbol=IBM)

    assert said(PerTradeLossCheck(), order, desk) == (REFUSES, snapshot)
    assert cap_of(a_candidate(quantity="0.149", stop="95", symbol=IBM), desk) == snapshot
    assert said(PerTradeLossCheck(), a_candidate(quantity="0.2", stop="95"), desk) == (PASSES, snapshot)


def test_the_binding_budget_is_named(snapshot: SnapshotAssertion) -> None:
    """RK-21, OP-03: 29.90 USD of 30 are at the stops; a third of a share loses the last ten cents"""
    books = Books()
    books.buys("10", "100").stop = a_stop_plan("97.01", StopHolder.DESK)
    desk = a_desk(ledger=books.ledger)

    assert cap_of(a_candidate(quantity="0.333", symbol=IBM), desk) == snapshot
    assert cap_of(a_candidate(quantity="0.332", symbol=IBM), desk) is None


# ── the size that would pass ─────────────────────────────────────────────────────────────────────────────────────────


@table(
    "quantity stop terms words",
    ("0.4", "95", {}, "2.00 USD is over 1.50 USD a trade; 0.3 would pass"),
    ("3", "95", {}, "15.00 USD is over 1.50 USD a trade; 0.3 would pass"),
    ("3", "99", {"max_notional": usd("500")}, "3.00 USD is over 1.50 USD a trade; 1 would pass"),
    (
        "0.4",
        "95",
        {"min_notional": Decimal(40)},
        "2.00 USD is over 1.50 USD a trade; no size passes: the risk of a trade is under the smallest order, 40.00 USD",
    ),
)
def test_a_refusal_names_the_size_that_would_pass(
    quantity: str, stop: str, terms: dict[str, object], words: str
) -> None:
    """RK-10: never a smaller order unsaid; whole shares where any would do"""
    desk = a_desk(settings=settings(**terms), account=an_account("200", "400"))

    assert said(PerTradeLossCheck(), a_candidate(quantity=quantity, stop=stop), desk) == (REFUSES, words)


@examples(max_examples=24)
@given(
    quantity=st.integers(1, 5000).map(lambda n: Decimal(n) / 1000),
    stop=st.integers(5000, 9999).map(lambda n: Decimal(n) / 100),
    free=st.integers(0, 200),
    spent=st.integers(0, 30),
)
def test_the_size_that_would_pass_does_pass(quantity: Decimal, stop: Decimal, free: int, spent: int) -> None:
    """RK-10, RK-18: every check of a size, at the size that a refusal named"""
    books = Books()
    if spent:
        books.buys("1", "100").stop = a_stop_plan(str(100 - spent), StopHolder.DESK)
    desk = a_desk(
        ledger=books.ledger, account=an_account("200", str(free)), settings=settings(max_open_positions=9)
    )  # fmt: skip

    def refusals(shares: str) -> list[str]:
        candidate = a_candidate(quantity=shares, stop=str(stop), strategy="vwap")
        found = standard_gate().review(candidate, desk).refusals
        return [v.reason for v in found if v.check in OF_A_SIZE]

    named = {reason.split("; ")[-1] for reason in refusals(str(quantity)) if reason.endswith(" would pass")}
    assert len(named) <= 1
    for words in named:
        assert refusals(words.removesuffix(" would pass")) == []


@table(
    "quantity terms words",
    ("3", {"portfolio": {"reserve": "199"}}, "0.01 would pass"),
    ("3", {"portfolio": {"max_exposure": "0.1"}}, "0.2 would pass"),
    ("3", {"portfolio": {"reserve": "300"}}, "no size passes: the reserve"),
    ("3", {"portfolio": {"reserve": "199.5"}}, "no size passes: the reserve is under the smallest order, 1.00 USD"),
)
def test_the_passing_size_keeps_reserve_and_exposure(quantity: str, terms: dict[str, object], words: str) -> None:
    """RK-10, RK-16"""
    desk = a_desk(settings=settings(**terms))

    assert said(PerTradeLossCheck(), a_candidate(quantity=quantity, stop="95"), desk)[1].endswith(f"; {words}")


def test_extended_hours_have_their_own_passing_size(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-20: half of 1.50 USD at 5 USD a share"""
    desk = a_desk(
        settings=settings(session={"policy": "include_extended"}), session=NoSession("after hours")
    )  # fmt: skip

    assert said(PerTradeLossCheck(), a_candidate(quantity="3", stop="95"), desk)[1] == snapshot


@examples(max_examples=24)
@given(
    quantity=st.integers(50, 3000),
    effect=st.sampled_from([Effect.OPEN, Effect.SHORT]),
    requirement=st.sampled_from(["0.25", "0.3", "0.5", "0.75", "1", "1.5"]),
    exposure=st.sampled_from(["0.5", "1.7", "3", "10"]),
    reserve=st.integers(0, 90000),
    held=st.integers(0, 900),
    refuse_at=st.sampled_from(["0", "0.3", "0.68"]),
    holds_overnight=st.booleans(),
)
def test_on_margin_the_passing_size_passes(
    quantity: int,
    effect: Effect,
    requirement: str,
    exposure: str,
    reserve: int,
    held: int,
    refuse_at: str,
    holds_overnight: bool,
) -> None:
    """RK-10, RK-14, RK-16: exposure, reserve, and what margin asks for"""
    books = Books()
    if held:
        order = books.creates(a_request("held", Side.BUY, str(held), symbol=IBM, limit="100"))
        books.becomes(order, OrderStatus.SUBMITTED)
    desk = a_margin_desk(
        ledger=books.ledger, opening=a_day("100000"), instrument=requires(requirement, requirement),
        settings=settings(
            max_notional=usd("50000"), per_trade=usd("1500"), max_open_positions=9,
            portfolio={"max_exposure": exposure, "reserve": str(reserve)},
            margin={"refuse_at": refuse_at, "holds_overnight": holds_overnight},
        ),
    )  # fmt: skip
    stop = "97" if effect is Effect.OPEN else "103"

    def refusals(shares: str) -> list[str]:
        found = standard_gate().review(a_candidate(quantity=shares, stop=stop, effect=effect), desk).refusals
        return [v.reason for v in found if v.check in OF_A_SIZE]

    for reason in refusals(str(quantity)):
        if reason.endswith(" would pass"):
            named = reason.split("; ")[-1].removesuffix(" would pass")
            assert refusals(named) == []
            assert refusals(str(Decimal(named) + 1)) != []
