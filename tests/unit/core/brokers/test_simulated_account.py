"""Money and shares on the simulated exchange: settlement, buying power, held shares, and what never drifts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.model.broker import Accepted, NotFound, Refused
from core.model.codes import RefusalKind
from core.model.instrument import BrokerInstrument
from core.model.order import Side, TimeInForce
from core.model.values import ClientOrderId, Fraction
from tests.unit.core.brokers.trading_floor import IBM, SPY, Floor, a_bar, an_order, at

FRIDAY = date(2026, 11, 20)
MONDAY = date(2026, 11, 23)
BEFORE_THANKSGIVING = date(2026, 11, 25)
HALF_DAY = date(2026, 11, 27)
MONDAY_AFTER = date(2026, 11, 30)


def refused(answer: object) -> RefusalKind:
    assert isinstance(answer, Refused), answer
    return answer.kind


def test_sale_proceeds_settle_the_next_trading_day() -> None:
    """EX-11"""
    floor = Floor(cash=Decimal(2000))
    floor.bars(a_bar("10:00", "100", day=FRIDAY))
    floor.exchange.submit(at("10:00", FRIDAY), an_order("buy", Side.BUY, "19"))
    floor.exchange.submit(at("10:01", FRIDAY), an_order("sell", Side.SELL, "19"))

    friday = floor.exchange.account(at("15:00", FRIDAY))
    sunday = floor.exchange.account(at("15:00", date(2026, 11, 22)))
    monday = floor.exchange.account(at("00:00", MONDAY))

    assert friday.cash == Decimal(2000) - 19 * Decimal("0.02")
    assert friday.buying_power == Decimal(2000) - 19 * Decimal("100.01") == sunday.buying_power
    assert monday.buying_power == monday.cash


def test_a_sale_before_thanksgiving_settles_friday() -> None:
    """EX-11"""
    floor = Floor(cash=Decimal(1000))
    floor.bars(a_bar("10:00", "100", day=BEFORE_THANKSGIVING))
    floor.exchange.submit(at("10:00", BEFORE_THANKSGIVING), an_order("buy", Side.BUY, "9"))
    floor.exchange.submit(at("10:01", BEFORE_THANKSGIVING), an_order("sell", Side.SELL, "9"))

    thanksgiving = floor.exchange.account(at("12:00", date(2026, 11, 26)))
    half_day = floor.exchange.account(at("09:30", HALF_DAY))

    assert thanksgiving.buying_power < Decimal(100)
    assert half_day.buying_power == half_day.cash


def test_last_equity_stays_the_close_all_day() -> None:
    """RK-03: a gap over the night belongs to the day that it opens."""
    floor = Floor(cash=Decimal(2000))
    opened = floor.exchange.account(at("09:00", FRIDAY)).last_equity
    floor.bars(a_bar("10:00", "100", day=FRIDAY))
    floor.exchange.submit(at("10:00", FRIDAY), an_order("buy", Side.BUY, "19"))
    floor.bars(a_bar("15:59", "101", day=FRIDAY))
    friday = floor.exchange.account(at("15:59:30", FRIDAY))
    early = floor.exchange.account(at("08:00", MONDAY)).last_equity
    floor.bars(a_bar("09:30", "90", day=MONDAY))
    floor.bars(a_bar("10:30", "80", day=MONDAY))
    monday = floor.exchange.account(at("10:30:30", MONDAY))

    assert opened == friday.last_equity == Decimal(2000)
    assert early == monday.last_equity == Decimal(2000) - 19 * Decimal("100.01") + 19 * Decimal(101)
    assert monday.equity == Decimal(2000) - 19 * Decimal("100.01") + 19 * Decimal(80)


def test_after_hours_prices_are_no_close() -> None:
    """RK-03, AN-01: a half day's close is at 13:00; what trades later moves the next day's equity alone."""
    floor = Floor(cash=Decimal(2000))
    floor.bars(a_bar("10:00", "100", day=HALF_DAY))
    floor.exchange.submit(at("10:00", HALF_DAY), an_order("buy", Side.BUY, "10"))
    floor.bars(a_bar("12:59", "101", day=HALF_DAY), a_bar("13:00", "105", day=HALF_DAY))
    floor.bars(a_bar("16:59", "95", day=HALF_DAY))
    evening = floor.exchange.closing(at("17:00", HALF_DAY))
    floor.bars(a_bar("08:00", "90", day=MONDAY_AFTER), a_bar("09:30", "80", day=MONDAY_AFTER))

    closed = Decimal(2000) - 10 * Decimal("100.01") + 10 * Decimal(101)
    assert evening == (closed, 10 * Decimal(101))
    assert floor.exchange.account(at("09:31", MONDAY_AFTER)).last_equity == closed


def test_interest_of_a_night_is_after_its_close() -> None:
    """RK-03"""
    floor = Floor(cash=Decimal(1000), multiplier=Decimal(2), margin_interest=Decimal("0.36"))
    floor.bars(a_bar("10:00", "100", day=FRIDAY))
    floor.exchange.submit(at("10:00", FRIDAY), an_order("buy", Side.BUY, "15"))
    floor.bars(a_bar("15:59", "100", day=FRIDAY))
    evening, _ = floor.exchange.closing(at("16:00", FRIDAY))

    monday = floor.exchange.account(at("09:00", MONDAY))

    assert floor.exchange.interest > 0
    assert monday.last_equity == evening == monday.equity + floor.exchange.interest


def test_a_working_buy_reserves_its_cost() -> None:
    """EX-11"""
    floor = Floor(cash=Decimal(1000))
    floor.bars(a_bar("10:00", "100"))

    floor.buys("10:00", "6", name="first", limit="99.00")

    assert floor.exchange.account(at("10:00")).buying_power == 1000 - 6 * 99
    assert refused(floor.buys("10:00", "6", name="second", limit="99.00")) is RefusalKind.INSUFFICIENT_BUYING_POWER
    floor.exchange.cancel(at("10:00:01"), ClientOrderId("first"))
    assert isinstance(floor.buys("10:00:02", "6", name="third", limit="99.00"), Accepted)


def test_a_working_stop_holds_its_shares(snapshot: SnapshotAssertion) -> None:
    """EX-06, EX-21"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00", "10")
    floor.sells("10:00:01", "10", name="stop", stop="99.00")

    answer = floor.sells("10:00:02", "10")

    assert refused(answer) is RefusalKind.INSUFFICIENT_SHARES
    assert isinstance(answer, Refused)
    assert answer.message == snapshot
    floor.exchange.cancel(at("10:00:03"), ClientOrderId("stop"))
    assert isinstance(floor.sells("10:00:04", "10"), Accepted)


def test_a_cash_account_never_sells_short() -> None:
    """EX-11"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    assert refused(floor.sells("10:00", "1")) is RefusalKind.INSUFFICIENT_SHARES


def test_a_margin_account_spends_its_multiple() -> None:
    """RK-14"""
    floor = Floor(cash=Decimal(1000), multiplier=Decimal(2), half_spread_ticks=Decimal(0))
    floor.bars(a_bar("10:00", "100"))

    assert refused(floor.buys("10:00", "21", name="too much", limit="100.00")) is RefusalKind.INSUFFICIENT_BUYING_POWER
    floor.buys("10:00", "15", limit="100.00")

    account = floor.exchange.account(at("10:00"))
    assert (account.cash, account.equity, account.buying_power) == (-500, 1000, 500)


def test_a_margin_position_has_its_requirements() -> None:
    """RK-14: half to open by the multiple of two, 30 % to keep, a short sale as a purchase."""
    floor = Floor(cash=Decimal(1000), multiplier=Decimal(2), half_spread_ticks=Decimal(0))
    floor.bars(a_bar("10:00", "100"))

    floor.buys("10:00", "10", limit="100.00")
    long = floor.exchange.account(at("10:00"))
    floor.sells("10:00:30", "10", name="close", limit="100.00")
    floor.sells("10:00:40", "5", name="short", limit="100.00")
    short = floor.exchange.account(at("10:00:40"))

    assert (long.initial_margin, long.maintenance_margin, long.overnight_buying_power) == (500, 300, long.buying_power)
    assert (short.initial_margin, short.maintenance_margin) == (250, 150)


def test_an_instruments_own_requirement_wins() -> None:
    """RK-14"""
    own = BrokerInstrument(SPY, long_requirement=Fraction(Decimal("0.9")))
    unlent = BrokerInstrument(IBM, is_marginable=False)
    floor = Floor({SPY: own, IBM: unlent}, cash=Decimal(10_000), multiplier=Decimal(2), half_spread_ticks=Decimal(0))
    floor.bars(a_bar("10:00", "100"), a_bar("10:00", "50", symbol=IBM))

    floor.buys("10:00", "10", limit="100.00")
    of_spy = floor.exchange.account(at("10:00"))
    floor.exchange.submit(at("10:00:01"), an_order("ibm", Side.BUY, "2", limit="50.00", symbol=IBM))
    of_both = floor.exchange.account(at("10:00:01"))

    assert (of_spy.initial_margin, of_spy.maintenance_margin) == (900, 900)
    assert (of_both.initial_margin, of_both.maintenance_margin) == (1000, 1000)
    told = floor.exchange.instrument(SPY)
    assert isinstance(told, BrokerInstrument)
    assert (told.long_requirement, told.short_requirement) == (Decimal("0.9"), Decimal("0.3"))


def test_overnight_lending_is_twice_the_equity() -> None:
    """RK-14: Regulation T."""
    floor = Floor(cash=Decimal(1000), multiplier=Decimal(4), half_spread_ticks=Decimal(0))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00", "15", limit="100.00")

    account = floor.exchange.account(at("10:00"))

    assert (account.buying_power, account.overnight_buying_power) == (2500, 500)
    floor.buys("10:01", "10", name="more", limit="100.00")
    assert floor.exchange.account(at("10:01")).overnight_buying_power == 0


def test_a_short_sale_adds_cash() -> None:
    """RK-14"""
    floor = Floor(cash=Decimal(1000), multiplier=Decimal(2), half_spread_ticks=Decimal(0))
    floor.bars(a_bar("10:00", "100"))

    floor.sells("10:00", "5", limit="100.00")

    picture = floor.exchange.books(at("10:00"))
    assert [(p.symbol, p.quantity, p.average_price) for p in picture.positions] == [(SPY, -5, 100)]
    assert (picture.account.cash, picture.account.equity, picture.account.buying_power) == (1500, 1000, 1500)


def test_no_order_turns_long_into_short() -> None:
    """EX-11"""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00", "5")

    assert refused(floor.sells("10:00:01", "8")) is RefusalKind.INSUFFICIENT_SHARES


def test_a_short_is_refused_while_a_buy_works() -> None:
    """EX-11"""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00", "5", limit="90.00")

    assert refused(floor.sells("10:00:01", "5")) is RefusalKind.WASH_TRADE


def test_every_execution_costs_its_fee() -> None:
    """AN-04"""
    floor = Floor(fee_per_share=Decimal("0.005"))
    floor.bars(a_bar("10:00", "100"))

    floor.buys("10:00", "10")
    floor.sells("10:00:01", "10")

    assert floor.exchange.account(at("10:00:02")).cash == 100_000 - Decimal("0.20") - Decimal("0.10")


def test_average_price_is_of_shares_still_held() -> None:
    """EX-08"""
    floor = Floor(half_spread_ticks=Decimal(0))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00", "10", name="one", limit="100.00")
    floor.bars(a_bar("10:01", "110"))
    floor.buys("10:01", "10", name="two", limit="110.00")
    floor.sells("10:01:01", "5")

    (position,) = floor.exchange.books(at("10:01:02")).positions

    assert (position.quantity, position.average_price) == (15, 105)


def test_closed_orders_are_listed_for_seven_days() -> None:
    """EX-09"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00", "1")
    floor.buys("10:00", "1", name="resting", limit="50.00", time_in_force=TimeInForce.GTC)

    week_later = at("10:00", date(2026, 11, 26))
    later = at("10:01", date(2026, 11, 26))

    assert [r.client_order_id for r in floor.exchange.orders(week_later)] == ["buy", "resting"]
    assert [r.client_order_id for r in floor.exchange.orders(later)] == ["resting"]
    assert not isinstance(floor.exchange.order(later, ClientOrderId("buy")), NotFound)
