"""What each check says, at its limit exactly and one step beyond it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import DayStarted, ReconciliationFailed
from core.model.account import Mode, NoAccount
from core.model.bar import Feed, NoQuote
from core.model.instrument import WHOLE_ONES, AssetClass, Borrow, BrokerInstrument, Lots, NoInstrument
from core.model.order import Effect, OrderStatus, OrderType, Side, StopHolder, TimeInForce
from core.model.session import NoSession
from core.model.staging import CheckResult
from core.model.values import Money, Price
from core.risk.checks.desk_state import KillCheck, ModeCheck
from core.risk.checks.exposure import OpenPositionsCheck
from core.risk.checks.funds import BuyingPowerCheck, reserved_for_unseen
from core.risk.checks.losses import DailyLossCheck, PerTradeLossCheck, StopPresentCheck
from core.risk.checks.market import QuoteAgeCheck, SessionCheck, SpreadCheck, TradableCheck, WindowCheck
from core.risk.checks.order import PriceRulesCheck, QuantityRulesCheck
from core.risk.checks.order_value import NotionalCheck
from core.risk.day import Day
from core.risk.gate import Candidate
from core.settings.service import AccountSettings
from core.settings.settings import Settings
from tests.kit.rows import cases, table
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, at
from tests.unit.core.execution.books import Books, a_request
from tests.unit.core.risk.reviews import (
    HALTED,
    KILLED,
    NO_FEES,
    NOW,
    a_candidate,
    a_control,
    a_day,
    a_desk,
    a_quote,
    an_account,
    an_exit,
    of_equity,
    said,
    settings,
    usd,
)

PASSES, WARNS, REFUSES = CheckResult.PASSES, CheckResult.WARNS, CheckResult.REFUSES
A_MARKET_ORDER = a_candidate(limit=None, quantity="0.4")


# ── may anything open at all ─────────────────────────────────────────────────────────────────────────────────────────


NO_QUOTE = {"quote": NoQuote("none seen yet")}
NO_ACCOUNT = {"account": NoAccount("no answer")}
WHOLE = BrokerInstrument(SPY, lots=WHOLE_ONES)
HUNDREDS = BrokerInstrument(SPY, lots=Lots(step=Decimal(1), least=Decimal(100)))
TIGHT = {"quote": replace(a_quote(), bid=Price(Decimal("99.99")), ask=Price(Decimal("100.01")))}
Row = tuple[dict[str, Any], dict[str, Any], CheckResult]


def is_of(mode: Mode, configured: Mode) -> dict[str, Any]:
    return {"mode": mode, "settings": Settings(account=AccountSettings(mode=configured))}


def skewed(seconds: float) -> dict[str, Any]:
    return {"broker_time": NOW + timedelta(seconds=seconds)}


def of_asset(**terms: Any) -> dict[str, Any]:
    return {"instrument": BrokerInstrument(SPY, **terms)}


def priced(kind: OrderType, limit: str | None, stop_price: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "limit": limit, "stop_price": stop_price}


LIMIT, MARKET, STOP = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP
UNKNOWN_ASSET = {"instrument": NoInstrument("not asked yet")}
OPENS, SHORTS, COVERS, CLOSES = ({"effect": each} for each in (Effect.OPEN, Effect.SHORT, Effect.COVER, Effect.CLOSE))

JUDGED: dict[str, tuple[Any, list[Row]]] = {
    "a live account needs live settings": (ModeCheck(), [
        ({}, is_of(Mode.PAPER, Mode.PAPER), PASSES),
        ({}, is_of(Mode.LIVE, Mode.PAPER), REFUSES),
        ({}, is_of(Mode.PAPER, Mode.LIVE), PASSES),
        ({}, is_of(Mode.LIVE, Mode.LIVE), PASSES),
    ]),
    "a clock off by more than a second warns": (SessionCheck(), [
        ({}, skewed(0), PASSES), ({}, skewed(1), PASSES), ({}, skewed(-1), PASSES),
        ({}, skewed(1.001), WARNS), ({}, skewed(-1.001), WARNS),
    ]),
    "a symbol must trade, and be lent where it is shorted": (TradableCheck(), [
        (OPENS, of_asset(), PASSES),
        (SHORTS, of_asset(), PASSES),
        (OPENS, UNKNOWN_ASSET, REFUSES),
        (OPENS, of_asset(is_tradable=False), REFUSES),
        (SHORTS, of_asset(is_shortable=False), REFUSES),
        (SHORTS, of_asset(borrow=Borrow.HARD), REFUSES),
        (SHORTS, of_asset(borrow=Borrow.UNTOLD), REFUSES),
        (COVERS, of_asset(borrow=Borrow.HARD), PASSES),
        (OPENS, of_asset(asset_class=AssetClass.OTHER), REFUSES),
        (CLOSES, of_asset(asset_class=AssetClass.OTHER), PASSES),
        (OPENS, of_asset(is_shortable=False), PASSES),
        (OPENS, of_asset(multiplier=Decimal(100)), REFUSES),
    ]),
    "a quantity stands on its step": (QuantityRulesCheck(), [
        ({"quantity": "0.001"}, of_asset(), PASSES),
        ({"quantity": "3"}, of_asset(), PASSES),
        ({"quantity": "3"}, {"instrument": WHOLE}, PASSES),
        ({"quantity": "0"}, of_asset(), REFUSES),
        ({"quantity": "-1"}, of_asset(), REFUSES),
        ({"quantity": "0.0005"}, of_asset(), REFUSES),
        ({"quantity": "0.5"}, {"instrument": WHOLE}, REFUSES),
        ({"quantity": "99"}, {"instrument": HUNDREDS}, REFUSES),
        ({"quantity": "100"}, {"instrument": HUNDREDS}, PASSES),
        ({"quantity": "1"}, UNKNOWN_ASSET, REFUSES),
    ]),
    "a fraction is bought, and for the day": (QuantityRulesCheck(), [
        ({"quantity": "0.5", "effect": Effect.SHORT}, {}, REFUSES),
        ({"quantity": "1", "effect": Effect.SHORT}, {}, PASSES),
        ({"quantity": "0.5", "time_in_force": TimeInForce.GTC}, {}, REFUSES),
        ({"quantity": "0.5", "time_in_force": TimeInForce.IOC}, {}, REFUSES),
        ({"quantity": "1", "time_in_force": TimeInForce.GTC}, {}, PASSES),
    ]),
    "a price stands on its tick and belongs to its type": (PriceRulesCheck(), [
        *((priced(LIMIT, text), NO_QUOTE, PASSES) for text in ("100.01", "1.00", "0.9999")),
        (priced(MARKET, None), NO_QUOTE, PASSES),
        (priced(STOP, None, "99.70"), NO_QUOTE, PASSES),
        *((priced(LIMIT, text), NO_QUOTE, REFUSES) for text in ("100.005", "0.99995", None, "-1", "0.00", "Infinity")),
        (priced(MARKET, "100"), NO_QUOTE, REFUSES),
        (priced(LIMIT, "100", "99"), NO_QUOTE, REFUSES),
        (priced(STOP, None), NO_QUOTE, REFUSES),
        (priced(STOP, None, "99.705"), NO_QUOTE, REFUSES),
    ]),
    "a limit over 5 % from the middle warns": (PriceRulesCheck(), [
        ({"limit": "95.01"}, TIGHT, PASSES),
        *(({"limit": text}, TIGHT, WARNS) for text in ("94.99", "105.01", "4.00")),
    ]),
    "an entry has a stop below its price, and a short above": (StopPresentCheck(), [
        ({"stop": "99.70"}, {}, PASSES),
        ({"stop": "99.99"}, {}, PASSES),
        ({"stop": "99.70", "holder": StopHolder.DESK}, {}, WARNS),
        ({"stop": "99.70", "holder": StopHolder.YOU}, {}, WARNS),
        *(({"stop": stop}, {}, REFUSES) for stop in (None, "100.00", "100.01")),
        ({"stop": "100.01", "effect": Effect.SHORT}, {}, PASSES),
        *(({"stop": stop, "effect": Effect.SHORT}, {}, REFUSES) for stop in ("100.00", "99.99")),
    ]),
    "the loss at the stop stays within 1.50 USD, half a tick a share for its rounding": (PerTradeLossCheck(), [
        ({"quantity": "5"}, {}, PASSES), ({"quantity": "5.08"}, {}, PASSES), ({"quantity": "5.085"}, {}, REFUSES),
        ({"stop": None}, {}, REFUSES),
    ]),
    "an order costs from 1 to 50 USD": (NotionalCheck(), [
        ({"quantity": "0.5"}, {}, PASSES), ({"quantity": "0.501"}, {}, REFUSES),
        ({"quantity": "0.01"}, {}, PASSES), ({"quantity": "0.009"}, {}, REFUSES),
    ]),
    "an order stays within the buying power": (BuyingPowerCheck(), [
        ({}, {"account": an_account(buying_power="40")}, PASSES),
        ({}, {"account": an_account(buying_power="39.99")}, REFUSES),
        ({}, {"account": an_account(is_blocked=True)}, REFUSES),
        ({}, NO_ACCOUNT, REFUSES),
    ]),
    "entries end 10 USD below 200": (DailyLossCheck(), [
        ({}, {"account": an_account("190.01")}, PASSES),
        ({}, {"account": an_account("190.00")}, REFUSES),
        ({}, {"account": an_account("260")}, PASSES),
    ]),
    "the spread against mid is 0.2 % at the most": (SpreadCheck(), [
        *(({"stop": stop}, {"quote": a_quote(bid, ask)}, standing)
          for stop in ("50.00", None)
          for bid, ask, standing in (
              ("99.90", "100.10", PASSES), ("100.00", "100.20", PASSES), ("99.89", "100.10", WARNS))),
    ]),
}  # fmt: skip
"""By claim: a check, and what it says of a candidate and a desk with these terms."""


@table("claim", *JUDGED)
def test_each_check_holds_its_limit(claim: str) -> None:
    """EX-11, OP-03, OP-06, OP-10, RK-02, RK-03, RK-17"""
    check, rows = JUDGED[claim]

    for candidate, desk, standing in rows:
        assert said(check, a_candidate(**candidate), a_desk(**desk))[0] is standing, (candidate, desk)


@table(
    "happened standing reason",
    ((), PASSES, "entries are on"),
    ((KILLED,), REFUSES, "killed by key; type REARM on the kill screen to trade again"),
    ((HALTED,), REFUSES, "halted (invariant): a promise was broken"),
    ((ReconciliationFailed(("SPY: 9 against 1",)),), REFUSES, "read-only: SPY: 9 against 1"),
)
def test_nothing_opens_while_killed_or_halted(happened: tuple[object, ...], standing: CheckResult, reason: str) -> None:
    """OP-07, EX-14, EX-09"""
    assert said(KillCheck(), a_candidate(), a_desk(control=a_control(*happened))) == (standing, reason)


def test_a_closed_market_refuses(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    closed = a_desk(session=NoSession("weekend"))

    assert said(SessionCheck(), a_candidate(), closed) == (REFUSES, snapshot)
    assert said(SessionCheck(), a_candidate(), a_desk(broker_time=None))[0] is PASSES


# ── what the broker takes ────────────────────────────────────────────────────────────────────────────────────────────


# ── the stop, and what it costs ──────────────────────────────────────────────────────────────────────────────────────


@table("check", NotionalCheck(), PerTradeLossCheck())
def test_a_relative_limit_needs_an_equity(check: NotionalCheck | PerTradeLossCheck) -> None:
    """RK-01"""
    swing = settings(per_trade=of_equity("0.005"), max_notional=of_equity("0.25"), min_notional=Decimal(1))

    known = said(check, a_candidate(), a_desk(settings=swing))
    unknown = said(
        check, a_candidate(), a_desk(settings=swing, account=NoAccount("no answer"), opening=Day(NO_FEES.owed_at))
    )

    assert known[0] is PASSES
    assert unknown[0] is REFUSES


@table("check", NotionalCheck(), PerTradeLossCheck())
def test_a_relative_limit_uses_the_opening_equity(check: NotionalCheck | PerTradeLossCheck) -> None:
    """RK-02: a loss in the morning does not refuse every later size of the day."""
    swing = settings(per_trade=of_equity("0.005"), max_notional=of_equity("0.25"), min_notional=Decimal(1))
    poorer = replace(an_account(), equity=Money(Decimal(1)))

    assert said(check, a_candidate(), a_desk(settings=swing, account=poorer))[0] is PASSES


@pytest.mark.parametrize("check", [NotionalCheck(), PerTradeLossCheck(), BuyingPowerCheck()], ids=lambda c: c.name)
def test_an_unquoted_market_order_is_refused(
    check: NotionalCheck | PerTradeLossCheck | BuyingPowerCheck, snapshot: SnapshotAssertion
) -> None:
    """RK-01: what cannot be decided on fresh figures refuses."""
    staged = said(check, A_MARKET_ORDER, a_desk(quote=NoQuote("none seen yet"), is_fresh=False))
    confirmed = said(check, A_MARKET_ORDER, a_desk(quote=NoQuote("none came"), is_fresh=True))

    assert (staged[0], confirmed[0]) == (WARNS, REFUSES)
    assert staged[1] == snapshot


# ── money and positions ──────────────────────────────────────────────────────────────────────────────────────────────


@table("acknowledged_at standing", (None, REFUSES), ("10:30:00", REFUSES), ("10:30:01", REFUSES), ("10:29:59", PASSES))
def test_an_order_is_reserved_until_younger_figures(acknowledged_at: str | None, standing: CheckResult) -> None:
    """OP-03: 30 and 40 USD against 60 USD free, as the account stood at 10:30."""
    books = Books()
    order = books.creates(a_request("before", quantity="0.3", limit="100"))
    if acknowledged_at:
        books.at = at(acknowledged_at)
        books.becomes(order, OrderStatus.SUBMITTED)
    desk = a_desk(ledger=books.ledger, account=an_account(buying_power="60"))

    assert said(BuyingPowerCheck(), a_candidate(), desk)[0] is standing


@cases(
    "acknowledged_at filled_at standing",
    pytest.param("10:30:01", "10:30:02", REFUSES, id="both after the figures were taken"),
    pytest.param("10:30:00", "10:30:00", REFUSES, id="in their very instant"),
    pytest.param(None, "10:30:02", REFUSES, id="a fill of an order that was given up"),
    pytest.param("10:29:58", "10:30:02", PASSES, id="acknowledged before them: the broker had reserved for it"),
    pytest.param("10:29:58", "10:29:59", PASSES, id="both before them"),
)
def test_a_fill_is_reserved_until_younger_figures(
    acknowledged_at: str | None, filled_at: str, standing: CheckResult, snapshot: SnapshotAssertion
) -> None:
    """OP-03: 40 USD are bought, and 40 more are wanted of the 60 USD that the account had at 10:30."""
    books = Books()
    order = books.creates(a_request("before", quantity="0.4", limit="100.02"))
    if acknowledged_at is None:
        books.becomes(order, OrderStatus.CANCELLED, broker_id=None)
    else:
        books.at = at(acknowledged_at)
        books.becomes(order, OrderStatus.SUBMITTED)
    books.at = at(filled_at)
    books.fills(order, "0.4", "100", is_late=acknowledged_at is None)
    if acknowledged_at is not None:
        books.becomes(order, OrderStatus.FILLED)
    desk = a_desk(ledger=books.ledger, account=an_account(buying_power="60"))

    found = said(BuyingPowerCheck(), a_candidate(), desk)

    assert found[0] is standing
    if standing is REFUSES:
        assert found[1] == snapshot


def test_a_partial_fill_reserves_each_share_once() -> None:
    """OP-03: 10 USD are filled and 30 wait, of 60 USD."""
    books = Books()
    order = books.creates(a_request("before", quantity="0.4", limit="100"))
    books.at = at("10:30:01")
    books.becomes(order, OrderStatus.SUBMITTED)
    books.fills(order, "0.1", "100")

    assert reserved_for_unseen(books.ledger, an_account(buying_power="60")) == 40
    assert reserved_for_unseen(books.ledger, an_account(buying_power="60"), but=order.id) == 10


def test_a_late_fill_of_a_cancelled_order_is_reserved() -> None:
    """OP-03, EX-02: what the broker had reserved for it was free again in them."""
    books = Books()
    order = books.creates(a_request("before", quantity="0.4", limit="100"))
    books.at = at("10:29:50")
    books.becomes(order, OrderStatus.SUBMITTED)
    books.becomes(order, OrderStatus.CANCELLED)
    books.at = at("10:30:01")
    books.fills(order, "0.4", "100", is_late=True)

    assert reserved_for_unseen(books.ledger, an_account(buying_power="60")) == 40


def test_what_closes_is_never_reserved_for() -> None:
    """OP-03"""
    books = Books()
    books.at = at("10:29:59")
    books.buys("0.4", "100")
    books.at = at("10:30:01")
    books.sells("0.4", "100")

    assert reserved_for_unseen(books.ledger, an_account(buying_power="60")) == 0


@table(
    "limit held on_the_way standing",
    (1, [], [], PASSES),
    (1, ["IBM"], [], REFUSES),
    (1, [], ["IBM"], REFUSES),
    (2, ["IBM"], [], PASSES),
    (2, ["IBM"], ["MSFT"], REFUSES),
    (1, ["SPY"], [], PASSES),
)
def test_position_counts_stay_within_the_profile(
    limit: int, held: list[str], on_the_way: list[str], standing: CheckResult
) -> None:
    """EX-08"""
    books = Books()
    for symbol in held:
        order = books.creates(a_request(f"held-{symbol}", symbol=symbol))  # type: ignore[arg-type]
        books.fills(order, "10", "100")
        books.becomes(order, OrderStatus.FILLED)
    for symbol in on_the_way:
        books.creates(a_request(f"way-{symbol}", symbol=symbol))  # type: ignore[arg-type]
    desk = a_desk(ledger=books.ledger, settings=settings(max_open_positions=limit))

    found = said(OpenPositionsCheck(), a_candidate(), desk)

    assert found[0] is standing
    assert ("FULL, " in found[1]) is (standing is REFUSES)


def test_one_strategy_a_symbol(snapshot: SnapshotAssertion) -> None:
    """EX-08"""
    books = Books()
    books.creates(a_request("theirs"), strategy="manual")
    desk = a_desk(ledger=books.ledger, settings=settings(max_open_positions=5))

    assert said(OpenPositionsCheck(), a_candidate(), desk) == (REFUSES, snapshot)
    assert said(OpenPositionsCheck(), a_candidate(symbol=IBM), desk)[0] is PASSES


def test_strategies_may_share_a_symbol_by_setting(snapshot: SnapshotAssertion) -> None:
    """EX-08: each position has a place of its own"""
    books = Books()
    books.creates(a_request("theirs"), strategy="momentum")
    beside = settings(max_open_positions=2, several_strategies_a_symbol=True)
    full = settings(max_open_positions=1, several_strategies_a_symbol=True)

    met = said(OpenPositionsCheck(), a_candidate(), a_desk(ledger=books.ledger, settings=beside))
    refused = said(OpenPositionsCheck(), a_candidate(), a_desk(ledger=books.ledger, settings=full))

    assert met == (WARNS, snapshot)
    assert refused == (REFUSES, snapshot)


@table(
    "held works effect reason",
    (Side.BUY, None, Effect.SHORT, "SPY is held long; close it first"),
    (Side.SELL, None, Effect.OPEN, "SPY is held short; close it first"),
    (None, Side.SELL, Effect.OPEN, "an order that opens SPY the other way is working; cancel it first"),
    (Side.BUY, None, Effect.ADD, "1 of 1 before it"),
    (None, Side.BUY, Effect.OPEN, "1 of 1 before it"),
)
def test_nothing_opens_against_what_is_held(held: Side | None, works: Side | None, effect: Effect, reason: str) -> None:
    """EX-08"""
    books = Books()
    opening = {Side.BUY: Effect.OPEN, Side.SELL: Effect.SHORT}
    if held is not None:
        order = books.creates(a_request("held", held, effect=opening[held]))
        books.fills(order, "10", "100")
        books.becomes(order, OrderStatus.FILLED)
    if works is not None:
        books.creates(a_request("works", works, effect=opening[works]))

    assert said(OpenPositionsCheck(), a_candidate(effect=effect), a_desk(ledger=books.ledger))[1] == reason


@table("policy standing", ("refuse", REFUSES), ("allow", WARNS))
@table("missing", "now", "at the start", "for the limit")
def test_without_an_equity_entries_are_blocked(missing: str, policy: str, standing: CheckResult) -> None:
    """RK-03"""
    desk = a_desk(settings=settings(on_missing_equity=policy))
    if missing == "now":
        desk = replace(desk, account=NoAccount("no answer"))
    elif missing == "at the start":
        desk = replace(desk, opening=a_day(None))
    else:
        unknown = a_day(None)
        unknown.loss = lambda day, equity: Money(Decimal(1))  # type: ignore[method-assign]
        desk = replace(desk, opening=unknown, settings=settings(on_missing_equity=policy, daily_loss=of_equity("0.02")))

    assert said(DailyLossCheck(), a_candidate(), desk)[0] is standing


def test_a_day_begins_with_its_first_account_figure() -> None:
    """RK-03"""
    day = Day(NO_FEES.owed_at)
    tomorrow = THURSDAY + timedelta(days=1)
    before = day.loss(THURSDAY, Decimal(150))
    day.folds[DayStarted](NOW, DayStarted(THURSDAY, Money(Decimal(200))))

    assert before is None
    assert day.loss(THURSDAY, Decimal(150)) == 50
    assert day.loss(THURSDAY, Decimal(201)) == -1
    assert day.opening_equity(tomorrow) is None


# ── the window ───────────────────────────────────────────────────────────────────────────────────────────────────────


@table("clock standing", ("09:59", REFUSES), ("10:00", PASSES), ("11:30", PASSES), ("11:31", REFUSES))
@table("is_manual", True, False)
def test_entries_only_inside_the_window(clock: str, standing: CheckResult, is_manual: bool) -> None:
    """RK-07: a typed order by the clock, a signal by its bar's start."""
    elsewhere = at("14:00")
    candidate = a_candidate(is_manual=is_manual, signal_time=elsewhere if is_manual else at(clock))
    desk = a_desk(at=at(clock) if is_manual else elsewhere)

    assert said(WindowCheck(), candidate, desk)[0] is standing


@table(
    "clock standing words",
    ("09:59:59", REFUSES, "09:59:59 is outside 10:00 to 11:30 New York"),
    ("10:00:00", PASSES, "until 11:30 New York"),
    ("11:30:00", PASSES, "until 11:30 New York"),
    ("11:30:01", REFUSES, "11:30:01 is outside 10:00 to 11:30 New York"),
    ("11:30:59", REFUSES, "11:30:59 is outside 10:00 to 11:30 New York"),
)
def test_a_manual_order_goes_by_the_second(clock: str, standing: CheckResult, words: str) -> None:
    """RK-07: the bar that its symbol is in has no say"""
    desk = a_desk(at=at(clock))

    assert said(WindowCheck(), a_candidate(is_manual=True, signal_time=at("10:30")), desk) == (standing, words)


def test_the_windows_last_signal_passes() -> None:
    """RK-07: its bar begins at 11:30, and is complete a minute later"""
    desk = a_desk(at=at("11:32:29"))

    assert said(WindowCheck(), a_candidate(signal_time=at("11:30")), desk)[0] is PASSES
    assert said(WindowCheck(), a_candidate(signal_time=at("11:31")), desk)[0] is REFUSES


def test_the_window_is_in_new_york_time() -> None:
    """RK-07, RK-03"""
    winter, summer = at("10:15"), at("10:15", THURSDAY.replace(month=7, day=16))

    assert (winter.hour, summer.hour) == (15, 14)
    for moment in (winter, summer, summer.astimezone(ZoneInfo("Asia/Tokyo"))):
        assert said(WindowCheck(), a_candidate(signal_time=moment), a_desk())[0] is PASSES


# ── the quote ────────────────────────────────────────────────────────────────────────────────────────────────────────


@table(
    "bid ask for_market for_limit",
    ("99.99", "100.01", PASSES, PASSES),
    ("99.97", "100.03", PASSES, PASSES),
    ("99.96", "100.03", REFUSES, WARNS),
    ("99.80", "100.20", REFUSES, WARNS),
    ("0", "100", REFUSES, WARNS),
    ("100.02", "100.01", REFUSES, WARNS),
)
def test_a_wide_quote_blocks_a_market_order(
    bid: str, ask: str, for_market: CheckResult, for_limit: CheckResult
) -> None:
    """RK-17: 0.2 % of mid, or a fifth of the 0.30 USD from the limit to the stop."""
    desk = a_desk(quote=a_quote(bid, ask))
    market = a_candidate(limit=None, stop=str(Decimal(ask) - Decimal("0.30")) if Decimal(ask) > 100 else "99.70")

    assert said(SpreadCheck(), a_candidate(), desk)[0] is for_limit
    assert said(SpreadCheck(), market, desk)[0] is for_market


@pytest.mark.parametrize("part", ["0.20", "0.35"])
def test_a_wide_quote_names_its_limit(part: str, snapshot: SnapshotAssertion) -> None:
    """RK-17: 0.11 USD wide, 0.30 to the stop"""
    desk = a_desk(settings=settings(spread_of_stop_limit=part), quote=a_quote("99.91", "100.02"))

    said_of_it = said(SpreadCheck(), a_candidate(limit=None, stop="99.72"), desk)

    assert said_of_it == (REFUSES, snapshot)


@cases(
    "candidate bid ask",
    pytest.param(a_candidate(limit="100.00", stop="99.40"), "99.46", "99.52", id="a buy at the ask"),
    pytest.param(a_candidate(limit="99.52", stop="99.40"), "99.59", "99.65", id="a buy that waits"),
    pytest.param(a_candidate(effect=Effect.SHORT, limit="99.40", stop="100.00"), "99.88", "99.94", id="a short sale"),
    pytest.param(
        a_candidate(effect=Effect.SHORT, limit=None, stop="100.00"), "99.88", "99.94", id="a short sale at the market"
    ),
    pytest.param(
        a_candidate(limit="105", kind=OrderType.STOP_LIMIT, stop_price="99.52", stop="99.40"),
        "99.40",
        "99.46",
        id="a stop-limit, from its trigger",
    ),
)
def test_the_stop_distance_is_from_the_nearest_fill(
    candidate: Candidate, bid: str, ask: str, snapshot: SnapshotAssertion
) -> None:
    """RK-17: a quote 0.06 USD wide is half of the way from where it fills, and a tenth of that from its limit."""
    said_of_it = said(SpreadCheck(), candidate, a_desk(quote=a_quote(bid, ask)))

    assert said_of_it[0] is not PASSES
    assert said_of_it[1] == snapshot


@table(
    "feed age standing",
    (Feed.RECORDED, 15, PASSES),
    (Feed.RECORDED, 15.001, REFUSES),
    (Feed.SIP, 16, REFUSES),
    (Feed.IEX, 60, PASSES),
    (Feed.IEX, 60.001, REFUSES),
)
def test_an_old_quote_blocks_a_market_order(feed: Feed, age: float, standing: CheckResult) -> None:
    """RK-17"""
    desk = a_desk(quote=a_quote(age=age, feed=feed))

    assert said(QuoteAgeCheck(), A_MARKET_ORDER, desk)[0] is standing
    assert said(QuoteAgeCheck(), a_candidate(), desk)[0] is (PASSES if standing is PASSES else WARNS)


@table("check", SpreadCheck(), QuoteAgeCheck())
@table(
    "is_market is_fresh standing",
    (True, True, REFUSES),
    (True, False, WARNS),
    (False, True, WARNS),
    (False, False, WARNS),
)
def test_a_missing_quote_blocks_a_market_order(
    check: SpreadCheck | QuoteAgeCheck, is_market: bool, is_fresh: bool, standing: CheckResult
) -> None:
    """RK-17, OP-03"""
    candidate = A_MARKET_ORDER if is_market else a_candidate()

    assert said(check, candidate, a_desk(quote=NoQuote("none"), is_fresh=is_fresh))[0] is standing


# ── what only reduces ────────────────────────────────────────────────────────────────────────────────────────────────


@table(
    "check",
    StopPresentCheck(),
    PerTradeLossCheck(),
    NotionalCheck(),
    BuyingPowerCheck(),
    OpenPositionsCheck(),
    WindowCheck(),
)
def test_entry_checks_do_not_judge_exits(check: StopPresentCheck) -> None:
    """RK-22, RK-07"""
    desk = a_desk(account=NoAccount("no answer"), quote=NoQuote("none"), at=at("15:59"), settings=settings(
        daily_loss=usd("0.01")
    ))  # fmt: skip

    assert said(check, an_exit(quantity="900", limit=None, signal_time=at("15:59")), desk)[0] is PASSES
