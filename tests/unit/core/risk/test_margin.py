"""Margin: how far maintenance is, what an entry does to it, and when it warns or refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from core.model.account import Account, NoAccount
from core.model.bar import NoQuote
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import Effect, OrderStatus
from core.model.staging import CheckResult, Proposal
from core.model.values import ClientOrderId, Fraction, Money, ProposalId, Symbol
from core.risk.checks.funds import MarginCheck
from core.risk.gate import Candidate, ReviewContext
from core.risk.margin import distance_of, limit_under, night_multiple
from core.settings.settings import PROFILES, Settings
from core.workflows.staging.ticket_checks import figures_of
from tests.kit.rows import cases, table
from tests.unit.core.brokers.trading_floor import IBM, SPY
from tests.unit.core.execution.books import Books, a_request
from tests.unit.core.risk.reviews import NOW, a_candidate, a_desk, an_exit, said, settings, usd

PASSES, WARNS, REFUSES = CheckResult.PASSES, CheckResult.WARNS, CheckResult.REFUSES
SECOND = timedelta(seconds=1)


def money(amount: str) -> Money:
    return Money(Decimal(amount))


def on_margin(**changes: object) -> Account:
    """100,000 USD lent twice; 100,000 are held, and 30,000 of that is what maintenance asks for."""
    account = Account(
        at=NOW, name="paper", equity=money("100000"), cash=money("0"), buying_power=money("100000"),
        multiplier=Decimal(2), initial_margin=money("50000"), maintenance_margin=money("30000"),
        overnight_buying_power=money("100000"),
    )  # fmt: skip
    return replace(account, **changes)  # type: ignore[arg-type]


def requires(long: str | None = "0.3", short: str | None = "0.3", *, is_marginable: bool = True) -> BrokerInstrument:
    return BrokerInstrument(
        SPY,
        is_marginable=is_marginable,
        long_requirement=None if long is None else Fraction(Decimal(long)),
        short_requirement=None if short is None else Fraction(Decimal(short)),
    )


def a_margin_desk(**changes: object) -> ReviewContext:
    terms = {"account": on_margin(), "instrument": requires(), "settings": settings(max_notional=usd("1000000"))}
    return a_desk(**(terms | changes))


def buys(quantity: str, **terms: object) -> Candidate:
    return a_candidate(quantity=quantity, **terms)  # type: ignore[arg-type]


def verdict(candidate: Candidate, **changes: object) -> tuple[CheckResult, str]:
    return said(MarginCheck(), candidate, a_margin_desk(**changes))


# ── the distance ─────────────────────────────────────────────────────────────────────────────────────────────────────


DAY_TRADER = on_margin(multiplier=Decimal(4), buying_power=money("300000"), overnight_buying_power=money("9000"))
UNLIMITED_NIGHT = replace(DAY_TRADER, overnight_buying_power=None)
HOLDS_OVERNIGHT = settings(margin={"holds_overnight": True}, max_notional=usd("1000000"))
LOW = {"account": on_margin(equity=money("32000"))}
CASH = {"account": on_margin(multiplier=Decimal(1))}
NO_EQUITY = {"account": on_margin(equity=money("0"))}


def warns_at(*distances: str) -> dict[str, object]:
    return {"settings": settings(margin={"warn_at": distances})}


def shorts(quantity: str) -> Candidate:
    return buys(quantity, effect=Effect.SHORT)


JUDGED: dict[str, tuple[Candidate, dict[str, object], CheckResult]] = {
    "100 × 100 USD ask for 3,000 more of 100,000": (buys("100"), {}, PASSES),
    "an entry that comes near maintenance warns": (buys("50"), LOW, WARNS),
    "an entry below maintenance is refused": (buys("100"), LOW, REFUSES),
    "no equity opens nothing": (buys("1"), NO_EQUITY, REFUSES),
    "67 % is less than 68 %": (buys("100"), {"settings": settings(margin={"refuse_at": "0.68"})}, REFUSES),
    "67 % warns under 68 %": (buys("100"), warns_at("0.68"), WARNS),
    "67 % does not warn at 67 %": (buys("100"), warns_at("0.67"), PASSES),
    "no distance warns where none is set": (buys("100"), warns_at(), PASSES),
    "60,000 USD that require all of it take 120,000 of what is lent twice": (
        buys("600"), {"instrument": requires("1")}, REFUSES),
    "60,000 USD that require 30 % pass": (buys("600"), {}, PASSES),
    "an asset that is not marginable is paid in full": (
        buys("600"), {"instrument": requires(is_marginable=False)}, REFUSES),
    "a short goes by the short requirement": (shorts("600"), {"instrument": requires("0.3", "1")}, REFUSES),
    "a long goes by the long requirement": (buys("600"), {"instrument": requires("0.3", "1")}, PASSES),
    "what the day lends and the night does not warns": (buys("100"), {"account": DAY_TRADER}, WARNS),
    "what the night lends too passes": (buys("90"), {"account": DAY_TRADER}, PASSES),
    "a night that the broker does not tell warns of nothing": (buys("100"), {"account": UNLIMITED_NIGHT}, PASSES),
    "who holds over the night is refused what it does not lend": (
        buys("100"), {"account": DAY_TRADER, "settings": HOLDS_OVERNIGHT}, REFUSES),
    "who holds over the night may take what it lends": (
        buys("90"), {"account": DAY_TRADER, "settings": HOLDS_OVERNIGHT}, PASSES),
    "an exit goes all the same": (
        an_exit(quantity="100"), {"account": DAY_TRADER, "settings": HOLDS_OVERNIGHT}, PASSES),
    "a cash account sells nothing short": (shorts("1"), CASH, REFUSES),
    "a cash account needs no margin": (buys("1"), CASH, PASSES),
    "an exit needs no margin": (an_exit(), NO_EQUITY, PASSES),
    "every warning is told": (
        buys("100"), {"account": on_margin(overnight_buying_power=money("-5")), **warns_at("0.68")}, WARNS),
    "without a price nothing can be measured": (buys("1", limit=None), {"quote": NoQuote("none")}, REFUSES),
    "without an account an entry is refused": (buys("1"), {"account": NoAccount("no answer")}, REFUSES),
}  # fmt: skip


@table(
    "multiplier night initial multiple",
    ("1", "0", "0", "1"),
    ("2", "150000", "25000", "2"),
    ("4", "150000", "25000", "2"),
    ("4", "225000", "25000", "3"),
    ("4", "400000", "25000", "4"),
    ("4", "90000", "25000", "2"),
    ("4", None, "25000", "2"),
    ("4", "150000", None, "2"),
    ("4", "0", "100000", "2"),
)
def test_the_nights_multiple_is_the_accounts(
    multiplier: str, night: str | None, initial: str | None, multiple: str
) -> None:
    """RK-14: of 100,000 USD; two where the account does not say more"""
    account = on_margin(
        multiplier=Decimal(multiplier),
        overnight_buying_power=None if night is None else money(night),
        initial_margin=None if initial is None else money(initial),
    )

    assert night_multiple(account) == Decimal(multiple)


@pytest.mark.parametrize("claim", JUDGED)
def test_margin_is_judged(claim: str, snapshot: SnapshotAssertion) -> None:
    """RK-14, RK-01, RK-22"""
    candidate, changes, standing = JUDGED[claim]

    assert verdict(candidate, **changes) == (standing, snapshot)


def test_the_swing_profile_holds_overnight() -> None:
    """RK-14"""
    assert Settings.model_validate(PROFILES["swing"]).risk.margin.holds_overnight


@table(
    "changes distance",
    ({}, "0.7"),
    ({"equity": money("30000")}, "0"),
    ({"equity": money("20000")}, "-0.5"),
    ({"equity": money("0")}, "-1"),
    ({"equity": money("-5")}, "-1"),
    ({"maintenance_margin": money("0")}, None),
    ({"maintenance_margin": None}, None),
    ({"multiplier": Decimal(1)}, None),
)
def test_the_distance_is_excess_over_equity(changes: dict[str, object], distance: str | None) -> None:
    """RK-14"""
    assert distance_of(on_margin(**changes)) == (None if distance is None else Decimal(distance))


@table("distance limit", ("0.3", None), ("0.25", None), ("0.2", "0.25"), ("0.05", "0.1"), ("-0.1", "0"))
def test_the_smallest_warning_distance_counts(distance: str, limit: str | None) -> None:
    """RK-14"""
    found = limit_under(Fraction(Decimal(distance)), (Decimal("0.25"), Decimal("0.1")))

    assert found == (None if limit is None else Decimal(limit))


# ── what an entry does ───────────────────────────────────────────────────────────────────────────────────────────────


@table(
    "requirement night is_over",
    ("0.3", "10000", False),
    ("0.3", "9999", True),
    ("0.75", "15000", False),
    ("0.75", "14999", True),
    ("1", "20000", False),
    ("1", "19999", True),
)
@table("effect", Effect.OPEN, Effect.SHORT)
def test_overnight_requirements_are_doubled(requirement: str, night: str, is_over: bool, effect: Effect) -> None:
    """RK-14: 10,000 USD at a requirement over a half take more than they cost, long or short."""
    by_day = on_margin(multiplier=Decimal(4), buying_power=money("400000"), overnight_buying_power=money(night))

    standing, _ = verdict(buys("100", effect=effect), account=by_day, instrument=requires(requirement, requirement))

    assert standing is (WARNS if is_over else PASSES)


# ── what is not known ────────────────────────────────────────────────────────────────────────────────────────────────


@cases(
    "changes reason",
    ({"instrument": requires(None)}, "the broker does not say what SPY requires on margin"),
    ({"instrument": NoInstrument("no answer")}, "what it requires on margin is not known: no answer"),
    ({"account": on_margin(maintenance_margin=None)}, "the broker does not say the account's maintenance margin"),
)
def test_unknown_requirements_are_never_assumed(
    changes: dict[str, object], reason: str, snapshot: SnapshotAssertion
) -> None:
    """RK-14, RK-01: refused on fresh figures; before the ticket has asked for them only a warning."""
    assert verdict(buys("1"), **changes) == (REFUSES, reason)
    assert verdict(buys("1"), is_fresh=False, **changes) == (WARNS, snapshot)


# ── entries on their way ─────────────────────────────────────────────────────────────────────────────────────────────


@table(
    "known left without",
    ({IBM: requires("0.5")}, "62.00 %", "65.00 %"),
    ({IBM: requires(None)}, "57.00 %", "60.00 %"),
    ({}, "57.00 %", "60.00 %"),
)
def test_working_entries_take_maintenance_too(known: dict[Symbol, BrokerInstrument], left: str, without: str) -> None:
    """RK-14: the difference is the order's own.

    100 IBM at 100 USD work; the account's own figure counts what is held alone.
    """
    books = Books()
    books.creates(a_request("on its way", symbol=IBM, quantity="100", limit="100"))

    found = verdict(buys("100"), ledger=books.ledger, instruments=known)

    assert found == (PASSES, f"excess liquidity {without} → {left} when filled")


def test_recent_fills_take_maintenance_too(snapshot: SnapshotAssertion) -> None:
    """OP-03, RK-14: the account's own figure counts what it held then alone, also of an order that it knew."""
    books = Books()
    order = books.creates(a_request("before", symbol=IBM, quantity="100", limit="100"))
    books.at = NOW - timedelta(seconds=5)
    books.becomes(order, OrderStatus.SUBMITTED)
    before = verdict(buys("100"), ledger=books.ledger, instruments={IBM: requires("0.5")})
    books.at = NOW + timedelta(seconds=1)
    books.fills(order, "100", "100")
    books.becomes(order, OrderStatus.FILLED)
    filled = verdict(buys("100"), ledger=books.ledger, instruments={IBM: requires("0.5")})
    told = verdict(
        buys("100"), ledger=books.ledger, instruments={IBM: requires("0.5")}, account=on_margin(at=books.at + SECOND)
    )

    assert before == filled == (PASSES, snapshot)
    assert told == (PASSES, snapshot)


def test_entries_in_flight_take_overnight_power() -> None:
    """RK-14: 10,000 of 15,000 USD over the night are spoken for."""
    books = Books()
    books.creates(a_request("in flight", symbol=IBM, quantity="100", limit="100"))
    account = on_margin(overnight_buying_power=money("15000"))

    assert verdict(buys("50"), ledger=books.ledger, account=account)[0] is PASSES
    assert verdict(buys("51"), ledger=books.ledger, account=account)[0] is WARNS


def test_a_replaced_entry_is_not_counted_twice(snapshot: SnapshotAssertion) -> None:
    """RK-14, EX-12"""
    books = Books()
    books.creates(a_request("before", symbol=SPY, quantity="100", limit="100"))
    again = buys("100")
    again = replace(again, order=replace(again.order, replaces=ClientOrderId("before")))

    assert verdict(again, ledger=books.ledger)[1] == snapshot


# ── whatever the figures are ─────────────────────────────────────────────────────────────────────────────────────────

amounts = st.integers(-100_000, 1_000_000).map(lambda cents: Money(Decimal(cents) / 100))
accounts = st.builds(
    on_margin, equity=amounts, buying_power=amounts.map(abs), multiplier=st.sampled_from([Decimal(2), Decimal(4)]),
    maintenance_margin=st.one_of(st.none(), amounts.map(abs)), overnight_buying_power=st.one_of(st.none(), amounts),
)  # fmt: skip
requirements = st.builds(
    requires,
    st.sampled_from([None, "0", "0.25", "0.3", "1"]),
    st.sampled_from([None, "0.3", "1", "1.4"]),
    is_marginable=st.booleans(),
)
sizes = st.integers(1, 100_000).map(str)


@examples(max_examples=24)
@given(accounts, requirements, sizes, sizes, st.sampled_from([Effect.OPEN, Effect.SHORT]))
def test_a_larger_entry_is_never_judged_better(
    account: Account, instrument: BrokerInstrument, one: str, other: str, effect: Effect
) -> None:
    """RK-14"""
    order = (PASSES, WARNS, REFUSES)
    small, large = sorted((one, other), key=int)

    kind, strict = (
        verdict(buys(size, effect=effect), account=account, instrument=instrument)[0] for size in (small, large)
    )

    assert order.index(kind) <= order.index(strict)


@examples(max_examples=24)
@given(accounts, requirements, sizes)
def test_an_exit_never_waits_for_margin(account: Account, instrument: BrokerInstrument, size: str) -> None:
    """RK-14, RK-22"""
    assert verdict(an_exit(quantity=size), account=account, instrument=instrument)[0] is PASSES


@examples(max_examples=24)
@given(accounts, requirements, sizes, st.sampled_from([Effect.OPEN, Effect.SHORT]))
def test_passing_entries_stay_over_maintenance(
    account: Account, instrument: BrokerInstrument, size: str, effect: Effect
) -> None:
    """RK-14: the figures reckoned anew from the account's."""
    standing, _ = verdict(buys(size, effect=effect), account=account, instrument=instrument)
    if standing is REFUSES:
        return

    side = instrument.long_requirement if effect is Effect.OPEN else instrument.short_requirement
    required = Decimal(1) if not instrument.is_marginable else side
    assert required is not None
    assert account.maintenance_margin is not None
    cost = 100 * Decimal(size)
    assert account.equity >= account.maintenance_margin + cost * required
    assert cost <= account.buying_power
    assert cost * required * account.multiplier <= account.buying_power


@table("requirement after", ("0.3", "40000"), ("0.75", "10000"), ("1", "-20000"))
def test_a_tickets_buying_power_is_the_checks(requirement: str, after: str) -> None:
    """OP-03, RK-14: 600 at 100 USD take 60,000 of 100,000, and more of it where margin asks for more than half"""
    wish, desk = buys("600"), a_margin_desk(instrument=requires(requirement))
    proposal = Proposal(
        ProposalId("wish"), "vwap", wish.order, wish.stop, NOW, NOW, None, "", None, None, None
    )  # fmt: skip

    figures = figures_of(proposal, wish.price(desk.quote), desk)

    assert figures.buying_power_after == Decimal(after)
    assert (MarginCheck().review(wish, desk).standing is REFUSES) == (Decimal(after) < 0)
