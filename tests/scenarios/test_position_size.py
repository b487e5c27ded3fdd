"""How large an order may be: what losses, the market and other positions leave of it, and what its ticket says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import DayStarted, ProposalSkipped, ProposalStaged, RiskRestored, RiskThrottled
from core.messages.commands import ProposeClose, RequestCancel
from core.messages.inputs import RegimeArrived
from core.model.account import Account
from core.model.instrument import AssetClass, BrokerInstrument, NoInstrument
from core.model.order import Side
from core.model.sizing import UNKNOWN, VixLevel, VixReading
from core.model.staging import CheckResult
from core.model.values import Fraction, Money, Symbol
from core.risk.checks.order_value import Rooms, room_of, taken_of
from core.settings.risk import RiskSettings, SizingSettings
from core.settings.settings import Settings
from core.settings.types import AmountSettings
from core.views import TicketView
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import DIP, FALL, RARELY, STEADY, House, a_day, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, a_bar

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)


def dollars(amount: str) -> AmountSettings:
    return AmountSettings(usd=Decimal(amount), of_equity=None)


def micro(**risk: object) -> Settings:
    return Settings(symbols=("SPY", "IBM"), risk=RiskSettings(**risk), **RARELY)  # type: ignore[arg-type]


def staged(house: House) -> str:
    return str(house.last(ProposalStaged).proposal.order.quantity)


def the_ticket(house: House) -> TicketView:
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    return ticket


def the_row(house: House) -> tuple[str, bool, str, datetime | None] | None:
    """The throttle's in the pane of guards."""
    rows = ViewBuilder(house.engine).draw(house.line.at).protections
    found = next((row for row in rows if row.key == "throttle"), None)
    return None if found is None else (found.measure, found.is_tripped, found.reason, found.until)


def a_losing_day(settings: Settings) -> House:
    """The stop of the day's first entry is hit at 10:07; on Friday and Monday the price stays where it fell."""
    bars = a_day(("10:06", "10:06", STEADY), ("10:07", "10:40", FALL))
    bars += minutes("09:30", "10:40", "99.20", FRIDAY) + minutes("09:30", "10:40", "99.20", MONDAY)
    house = House(bars, settings).opens()
    house.confirms_at("10:06:02")
    return house.until("10:07:30")


def test_a_sector_leaves_what_its_other_symbols_do_not_take() -> None:
    """RK-16, RK-23: the room of a symbol is the cap of its sector, less all that the sector holds."""
    portfolio = {"symbol_exposure": "9", "sector_exposure": "0.5"}
    sectors = {Symbol("SPY"): "index", Symbol("AAA"): "index", Symbol("CCC"): "energy"}
    settings = Settings.model_validate({"symbols": ["SPY"], "risk": {"sectors": sectors, "portfolio": portfolio}})
    house = House(a_day(("10:06", "10:06", STEADY)), settings).opens()
    house.until("10:06:01").presses(a_typed_buy())
    house.confirms_at("10:06:04")
    state = house.until("10:06:30").desk
    context = state.figures_for(house.line.at, Symbol(""), None)
    taken, account = taken_of(context), state.sightings.account
    assert taken is not None
    assert isinstance(account, Account)
    assert taken.exposure[SPY] > 0

    for name, used in (("AAA", taken.exposure[SPY]), ("CCC", Decimal(0))):
        room = room_of(Side.BUY, replace(context, instrument=BrokerInstrument(Symbol(name))), taken)
        assert (room.by, room.cost) == ("its sector's exposure", account.equity / 2 - used)
    alone = room_of(Side.BUY, replace(context, instrument=BrokerInstrument(Symbol("BBB"))), taken)
    assert alone.by != "its sector's exposure"


@pytest.mark.parametrize("exposure", ["0.2", "9"])
def test_each_symbol_has_the_room_of_its_own_terms(exposure: str) -> None:
    """RK-10, RK-16: computed once for symbols with equal terms, and never that of another's"""
    sectors = {Symbol("AAA"): "energy", Symbol("CCC"): "energy"}
    portfolio = {"symbol_exposure": exposure, "sector_exposure": "9"}
    settings = Settings.model_validate({"symbols": ["SPY"], "risk": {"sectors": sectors, "portfolio": portfolio}})
    house = House(a_day(("10:06", "10:06", STEADY)), settings).opens()
    house.until("10:06:01").presses(a_typed_buy())
    house.confirms_at("10:06:04")
    state = house.until("10:06:30").desk
    account = state.sightings.account
    assert isinstance(account, Account)
    lent = {"maintenance_margin": Money(Decimal(10)), "overnight_buying_power": account.buying_power}
    state.sightings.account = replace(account, multiplier=Decimal(2), **lent)
    terms: dict[str, dict[str, Fraction]] = {
        "AAA": {"long_requirement": Fraction(Decimal("0.3"))},
        "BBB": {"long_requirement": Fraction(Decimal("0.3"))},
        "CCC": {"long_requirement": Fraction(Decimal("0.9")), "short_requirement": Fraction(Decimal(1))},
        "DDD": {},
    }
    listed = [BrokerInstrument(Symbol(name), **of) for name, of in terms.items()]  # type: ignore[arg-type]
    listed.append(BrokerInstrument(SPY))
    coin = BrokerInstrument(Symbol("ETH/USD"), asset_class=AssetClass.CRYPTO, is_marginable=False)
    context = state.figures_for(house.line.at, Symbol(""), None)
    rooms, taken = Rooms(context), taken_of(context)

    for instrument in (*listed, coin, NoInstrument("never asked for"), *listed):
        of_it = replace(context, instrument=instrument)
        assert rooms.of(instrument) == (room_of(Side.BUY, of_it, taken), room_of(Side.SELL, of_it, taken))
    assert len({rooms.of(instrument) for instrument in listed}) == 2


@pytest.mark.usefixtures("a_tick_each_way")
def test_half_the_days_limit_halves_the_risk_for_the_week(snapshot: SnapshotAssertion) -> None:
    """RK-11, SP-05: 0.16 of 0.30 USD are lost; a typed order that may lose 0.80 USD passes 1.50 and not 0.75"""
    house = a_losing_day(micro(daily_loss=dollars("0.30")))
    too_large = a_typed_buy("0.5", limit="99.20", stop="97.60")

    house.presses(too_large)
    refused = house.last(ProposalSkipped).reasons
    house.restarted().until("10:08:30")
    house.presses(too_large)
    after_a_restart = house.last(ProposalSkipped).reasons
    house.presses(a_typed_buy("0.468", limit="99.20", stop="97.60"))
    house.until("10:10", FRIDAY)
    house.presses(too_large)
    on_friday, row = house.last(ProposalSkipped).reasons, the_row(house)
    house.until("10:10", MONDAY)
    before_monday = len(house.facts(ProposalStaged))
    house.presses(too_large)

    assert refused == after_a_restart == on_friday
    assert (refused, row) == snapshot
    assert the_row(house) is None
    assert len(house.facts(ProposalSkipped)) == 3
    assert [fact.factor for fact in house.facts(RiskThrottled)] == [Decimal("0.5")]
    assert house.facts(RiskRestored) == snapshot(name="restored")
    assert [fact.day for fact in house.facts(DayStarted)] == [THURSDAY, FRIDAY, MONDAY]
    assert len(house.facts(ProposalStaged)) == before_monday + 1
    assert_can_be_rebuilt(house)


def test_a_throttled_entry_is_half_as_large() -> None:
    """RK-10, RK-11, OP-03: 0.10 USD ÷ (99.60 × 0.003) = 0.334 shares; half of it at 99.25 is 0.167"""
    house = a_losing_day(micro(per_trade=dollars("0.10"), daily_loss=dollars("0.20"), entries_a_day=5))
    first = str(house.facts(ProposalStaged)[0].proposal.order.quantity)
    house.until("10:08:01")

    house.opens_ticket()
    house.until("10:08:03")
    size = the_ticket(house).size

    assert (first, staged(house)) == ("0.334", "0.167")
    assert size is not None
    assert [str(term) for term in size.cuts] == ["0.5 throttle"]
    assert [left.name for left in size.left_out] == ["VIX"]
    assert_can_be_rebuilt(house)


def test_an_open_ticket_is_refused_after_the_loss(snapshot: SnapshotAssertion) -> None:
    """RK-10, OP-03: what was recommended is never made smaller unsaid"""
    bars = a_day(("10:06", "10:06", STEADY), ("10:07", "10:30", "99.35"))
    bars += minutes("09:30", "10:30", "99.60", symbol=IBM)
    house = House(bars, micro(daily_loss=dollars("0.20"), max_open_positions=3)).opens()
    house.confirms_at("10:06:02")
    house.until("10:06:50")
    house.presses(replace(a_typed_buy("0.5", limit="99.60", stop="97.60"), symbol=IBM))
    house.opens_ticket()
    house.until("10:06:55")
    before = the_ticket(house)

    house.until("10:07:01")
    house.confirms()
    house.until("10:07:02")

    assert before.now.passes
    assert house.desk.stage.state.refusals[before.ticket.id] == snapshot
    assert before.ticket.order.quantity == Decimal("0.5")


NORMAL, HIGH = (VixReading(Decimal(v), date(2026, 11, 18), VixLevel(w)) for v, w in (("17", "normal"), ("34", "high")))


def a_dip(settings: Settings, before: str = "100", vix: VixReading | None = None) -> House:
    """It is 10:06; `before` are the minutes of the morning, and `vix` was measured before the first of them."""
    morning = minutes("09:30", "10:04", before)
    house = House([*morning, a_bar("10:05", DIP), *minutes("10:06", "10:30", STEADY)], settings)
    house.opens()
    if vix is not None:
        house.line.take(house.line.at, RegimeArrived(replace(UNKNOWN, vix=vix)))
    return house.until("10:06")


SMALL_RISK = {"per_trade": dollars("0.10")}


def test_wide_minutes_make_the_entry_smaller() -> None:
    """RK-10: twice an average range of 0.43 USD is nearly three times the way to the stop"""
    calm, wild = a_dip(micro(**SMALL_RISK)), a_dip(micro(**SMALL_RISK), before="100 100.20 99.80 100")

    wild.opens_ticket()
    wild.until("10:06:02")
    size = the_ticket(wild).size

    assert (staged(calm), staged(wild)) == ("0.334", "0.125")
    assert size is not None
    assert [str(term) for term in size.cuts] == ["0.37 ATR"]


def test_a_high_vix_halves_the_risk_of_everyone(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-19: as it was recorded, after a restart too"""
    house = a_dip(micro(), vix=HIGH)
    proposed = a_dip(micro(**SMALL_RISK), vix=HIGH)
    too_large = replace(a_typed_buy("0.5", limit="99.50", stop="97.50"), symbol=SPY)

    house.presses(too_large)
    refused = house.last(ProposalSkipped).reasons
    house.restarted().until("10:07")
    house.presses(too_large)

    assert staged(proposed) == "0.167"
    assert refused == house.last(ProposalSkipped).reasons == snapshot
    assert_can_be_rebuilt(proposed)


def test_size_and_warning_name_the_same_measure(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-19: one measure for everybody; it warns, and refuses nothing that is sized by it"""
    house = a_dip(micro(**SMALL_RISK), vix=HIGH)

    house.opens_ticket()
    house.until("10:06:02")
    ticket = the_ticket(house)
    house.confirms()
    house.until("10:06:30")

    assert ticket.size is not None
    assert [(str(term), term.words) for term in ticket.size.cuts] == [("0.5 VIX", "high on 2026-11-18")]
    (verdict,) = (v for v in ticket.now.verdicts if v.check == "vix")
    assert verdict.standing is CheckResult.WARNS
    assert verdict.reason == snapshot
    assert house.held() == "0.167"


def test_an_unmeasured_vix_leaves_the_fixed_risk(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-19: nothing is invented"""
    house = a_dip(micro(**SMALL_RISK))

    house.opens_ticket()
    house.until("10:06:02")
    size = the_ticket(house).size

    assert staged(house) == "0.334"
    assert size is not None
    assert (size.cuts, [str(left.name) for left in size.left_out]) == ((), ["VIX"])
    assert size.left_out[0].why == snapshot


def test_a_size_rises_to_the_minimum_only_within_limits(snapshot: SnapshotAssertion) -> None:
    """RK-18: noise makes it 12.25 USD; the smallest order is 20, which the fixed risk allows and half of it does not"""
    wild = "100 100.20 99.80 100"
    raises = SizingSettings(raise_to_minimum=True)
    usual = micro(**SMALL_RISK, min_notional=Decimal(20))
    raising = micro(**SMALL_RISK, min_notional=Decimal(20), sizing=raises)

    as_it_is, raised = a_dip(usual, before=wild), a_dip(raising, before=wild)
    in_fear = a_dip(raising, before=wild, vix=HIGH)

    assert staged(raised) == "0.201"
    assert as_it_is.facts(ProposalStaged) == in_fear.facts(ProposalStaged) == []
    assert [house.last(ProposalSkipped).checks for house in (as_it_is, in_fear)] == [("notional",)] * 2
    assert [house.last(ProposalSkipped).reasons for house in (as_it_is, in_fear)] == snapshot


def test_an_unprotected_position_uses_up_the_risk_budget(snapshot: SnapshotAssertion) -> None:
    """RK-21, RK-22: 50 USD that nobody guards, of 200, are over 15 %"""
    settings = micro(max_open_positions=3)
    bars = a_day(("10:06", "10:30", STEADY)) + minutes("09:30", "10:30", "99.60", symbol=IBM)
    house = House(bars, settings).opens()
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    other = replace(a_typed_buy("0.1"), symbol=IBM)

    house.presses(other)
    guarded = len(house.desk.stage.proposals())
    (stop,) = house.stops
    house.presses(RequestCancel(stop.id))
    house.until("10:06:40")
    house.presses(other)
    refused = house.last(ProposalSkipped)
    house.presses(ProposeClose(SPY))

    assert guarded == 1
    assert refused.checks == ("risk budget",)
    assert refused.reasons == snapshot
    assert [p.only_reduces for p in house.desk.stage.proposals()] == [True, False]
