"""What a broker-dealer checks of each order, on one's own desk: by a strategy, by hand, by a basket; an exit passes.

Price collar, order size, day value, concentration of a symbol and of a sector: `controls.py` has the table.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ConfirmationRefused, ProposalSkipped, SpreadMeasured
from core.messages.commands import Decline
from core.messages.inputs import QuoteArrived
from core.model.bar import Feed, Quote
from core.model.values import Price, Quantity
from core.settings.settings import PROFILES, Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.controls import CALM, CONTROLS, Control, an_exit_of, in_a_basket, said_by, typed
from tests.scenarios.house import House, a_day, a_house_in_a_position, a_typed_buy
from tests.scenarios.plans import passes
from tests.unit.core.brokers.trading_floor import SPY, at


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_a_control_refuses_a_strategy_entry(control: Control) -> None:
    """RK-23, RK-01: where it is proposed, or at its key when the market has gone meanwhile"""
    house = control.house()
    if house.desk.stage.proposals():
        house.opens_ticket()
        passes(house, 1)
        house.confirms()
    passes(house, 1)

    refused = [fact.reasons for fact in (*house.facts(ProposalSkipped), *house.facts(ConfirmationRefused))]
    assert any(reason.startswith(f"{control.check}: ") for reasons in refused for reason in reasons), refused
    assert house.held() == "0"


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_a_control_refuses_typed_orders_and_baskets(control: Control) -> None:
    """RK-23, RK-09, OP-05"""
    house = control.house()
    wanted = f"{control.check}: {control.words}"

    by_hand, by_basket = typed(house, control), in_a_basket(house, control)
    passes(house.restarted(), 2)
    control.starts(house)
    again = typed(house, control), in_a_basket(house, control)

    for reasons in (by_hand, by_basket, *again):
        assert [reason for reason in reasons if reason.startswith(wanted)], reasons


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_a_control_that_is_off_refuses_nothing(control: Control) -> None:
    """RK-23"""
    house = control.house(is_on=False)

    reasons = [*typed(house, control), *in_a_basket(house, control)]

    assert not [reason for reason in reasons if reason.startswith(f"{control.check}: ")]


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_an_exit_goes_whatever_a_control_says(control: Control) -> None:
    """RK-22, RK-23: it warns where it has a word on what leaves, and passes else"""
    house = a_house_in_a_position(settings=control.settings(is_on=False), **control.rules)
    house.settings = control.settings()
    house.restarted().until("10:06:40")
    control.comes(house)
    control.starts(house)

    house.presses(an_exit_of(control, house))
    house.opens_ticket()
    house.until("10:06:45")
    review = house.ticket.review
    house.confirms()
    house.until("10:07:30")

    assert review.refusals == ()
    assert bool(said_by(control.check, review)) is control.warns
    assert house.held() == "0"


def a_quote(clock: str, bid: str, ask: str) -> QuoteArrived:
    size = Quantity(Decimal(100))
    return QuoteArrived(Quote(SPY, at(clock), Price(Decimal(bid)), size, Price(Decimal(ask)), size, Feed.SIP))


def a_house_that_saw_quotes(minutes: int) -> House:
    """So many minutes of quotes with a tick between them, and then one with two dollars, which no collar would mind."""
    settings = Settings.model_validate({"risk": {**CALM, "collar": {"band": "0.03", "spreads": "10"}}})
    house = House(a_day(), settings).opens()
    for minute in range(minutes):
        clock = f"09:{31 + minute}:30"
        house.until(clock)
        house.line.take(house.line.at, a_quote(clock, "99.99", "100.00"))
        house.line.take(house.line.at, a_quote(clock, "99.00", "100.00"))
    house.until("10:00:10")
    house.line.take(house.line.at, a_quote("10:00:09", "99.00", "101.00"))
    return house


def at_the_market(house: House) -> list[str]:
    before = len(house.facts(ProposalSkipped))
    house.presses(a_typed_buy("0.1", None, "98.00"))
    found = [reason for fact in house.facts(ProposalSkipped)[before:] for reason in fact.reasons]
    return [reason for reason in found if reason.startswith("price collar")]


def test_an_unusual_spread_refuses_a_market_order(snapshot: SnapshotAssertion) -> None:
    """RK-23: the first quote of a minute counts, so a burst of wide ones makes no spread usual"""
    house = a_house_that_saw_quotes(15)

    refused = at_the_market(house)
    passes(house.restarted(), 2)
    house.line.take(house.line.at, a_quote("10:00:11", "99.00", "101.00"))

    assert [(fact.symbol, fact.spread.quantize(Decimal("0.00001"))) for fact in house.facts(SpreadMeasured)] == [
        (SPY, Decimal("0.00010"))
    ]
    assert (refused, at_the_market(house)) == (at_the_market(house), snapshot)


def test_an_unknown_usual_spread_refuses_nothing(snapshot: SnapshotAssertion) -> None:
    """RK-23, RK-01: a measure that needs more history has decided"""
    house = a_house_that_saw_quotes(13)

    assert at_the_market(house) == []
    house.opens_ticket()
    house.until("10:00:15")
    (verdict,) = [each for each in house.ticket.review.verdicts if each.check == "price collar"]
    for clock in ("10:01:10", "10:02:10"):
        house.until(clock)
        house.line.take(house.line.at, a_quote(clock, "99.99", "100.00"))

    assert house.desk.price_history.usual_spread(SPY) is not None
    assert verdict.reason == snapshot, "as it was when it was said"


def test_a_distant_limit_price_warns(snapshot: SnapshotAssertion) -> None:
    """RK-23, EX-11: 6 % under the market was warned of before; now 15 % are"""
    settings = Settings.model_validate({"risk": {**CALM, "collar": {"band": "0.03"}}})
    house = House(a_day(), settings).opens().until("10:00:10")
    told = {}
    for limit, stop in (("94.00", "93.70"), ("84.00", "83.70")):
        house.presses(a_typed_buy("0.1", limit, stop))
        house.opens_ticket()
        passes(house, 1)
        told[limit] = [(each.check, each.reason) for each in house.ticket.review.warnings if "price" in each.check]
        passes(house.restarted(), 2)
        house.presses(Decline(house.proposal.id, "only tried"))

    assert told == {"94.00": [], "84.00": [("price collar", snapshot)]}


def test_what_was_sold_again_counts_to_the_day(snapshot: SnapshotAssertion) -> None:
    """RK-23: 50 USD were bought and sold; of 80 a second order of 40 is too much, on the next day it is not"""
    settings = Settings.model_validate({"risk": {**CALM, "max_day_value": {"usd": "80"}}})
    house = a_house_in_a_position(settings=settings)
    house.presses(an_exit_of(CONTROLS[2], house))
    house.confirms_at("10:06:40")
    house.until("10:07:30")
    assert house.held() == "0"

    reasons = typed(house, CONTROLS[2])

    assert reasons == snapshot
    assert house.desk.day_value.state.filled == Decimal("49.99920")
    passes(house.restarted(), 2)
    assert typed(house, CONTROLS[2]) == reasons


def test_the_pane_shows_exposure_and_day_value(snapshot: SnapshotAssertion) -> None:
    """RK-23, RK-09: before a restart and after it; what is used up is FULL"""
    risk = {
        "max_day_value": {"usd": "49"},
        "portfolio": {"symbol_exposure": "0.5", "sector_exposure": "0.2"},
        "sectors": {"SPY": "index", "IBM": "computers"},
    }
    house = a_house_in_a_position(settings=Settings.model_validate({"risk": CALM}))
    house.settings = Settings.model_validate({"risk": {**CALM, **risk}})
    passes(house.restarted(), 2)

    rows = {row.key: row for row in ViewBuilder(house.engine).draw(house.line.at).protections}

    shown = [rows[key] for key in ("largest_symbol", "sector/index", "day_value")]
    assert [(row.name, row.measure, row.reason) for row in shown] == snapshot
    assert [key for key in ("largest_symbol", "sector/index", "day_value") if rows[key].is_full] == [
        "sector/index",
        "day_value",
    ]
    assert "sector/computers" not in rows


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_every_control(profile: str) -> None:
    """RK-23"""
    risk = Settings.model_validate({"profile": profile, **PROFILES[profile]}).risk

    assert (risk.collar.band, risk.collar.spreads) == (Decimal("0.03"), Decimal(10))
    assert (risk.collar.passive_band, risk.order_size.of_volume) == (Decimal("0.15"), Decimal("0.01"))
    assert not risk.max_day_value.limits_nothing
    assert risk.portfolio.limits_concentration
