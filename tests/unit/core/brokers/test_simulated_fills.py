"""At which price, when and how much: orders of every type against bars whose walk is known."""

from __future__ import annotations

from decimal import Decimal

from core.model.broker import Accepted, Refused
from core.model.instrument import BrokerInstrument
from core.model.order import OrderStatus, TimeInForce
from tests.kit.rows import table
from tests.unit.core.brokers.stories import bar, buy, quote, sell, stories
from tests.unit.core.brokers.trading_floor import IBM, SPY, Floor, a_bar, a_quote, at

FLAT, WALK = bar("10:00", "100"), bar("10:00", "100 101 99 100.5")
LENT, THRICE = {"multiplier": Decimal(2)}, {"multiplier": Decimal(4)}

STORIES = stories(
    {
        "a market order pays the spread": (
            WALK, buy("10:00:05"), sell("10:00:45"),
            {"buy 10:00:50": "10@100.01", "sell 10:00:50": "10@100.99"},
        ),
        "slippage worsens both sides": (
            FLAT, buy("10:00:05"), sell("10:00:06"),
            {"buy 10:00:10": "10@100.12", "sell 10:00:10": "10@99.89"}, {"slippage": Decimal("0.001")},
        ),
        "slippage below a tick of 20 USD costs one": (
            bar("10:00", "20"), buy("10:00:05"), sell("10:00:06"),
            {"buy 10:00:10": "10@20.02", "sell 10:00:10": "10@19.98"}, {"slippage": Decimal("0.0002")},
        ),
        "slippage of 100 USD rounds to a tick": (
            FLAT, buy("10:00:05"), sell("10:00:06"),
            {"buy 10:00:10": "10@100.04", "sell 10:00:10": "10@99.97"}, {"slippage": Decimal("0.0002")},
        ),
        "a recorded quote counts until a later price, its spread for the minute": (
            WALK, quote("10:00:00", "99.90", "100.20"),
            buy("10:00:05", name="early"), buy("10:00:25", name="late"),
            {"early 10:00:30": "10@100.2", "late 10:00:30": "10@99.15"},
        ),
        "a crossed limit fills at the quote": (
            WALK, buy("10:00:00", limit="100.50"), {"buy 10:00:00": "10@100.01"},
        ),
        "a limit passed by the price fills at the limit": (
            WALK, buy("10:00:05", limit="99.50"), {"buy 10:00:19": "", "buy 10:00:20": "10@99.5"},
        ),
        "a limit at which the ask arrives fills, a tick above the low": (
            WALK, buy("10:00:05", limit="99.01"), {"buy 10:00:20": "10@99.01"},
        ),
        "a limit gapped after a pause gets the ask": (
            FLAT, buy("10:00:05", limit="99.50"), bar("14:10", "98.70 101 98 100"), {"buy 14:10:00": "10@98.71"},
        ),
        "a stop pays half a recorded spread and slippage: 99.50 − 0.10 − 0.0994": (
            FLAT, buy("10:00:05"), sell("10:00:06", stop="99.50"),
            bar("10:01", "100 101 99 100.5"), quote("10:01:00", "99.90", "100.10"),
            {"sell 10:01:19": "", "sell 10:01:20": "10@99.3"}, {"slippage": Decimal("0.001")},
        ),
        "a gapped stop fills from the open": (
            FLAT, buy("10:00:05"), sell("10:00:06", stop="99.50"), bar("10:01", "98 100 97 99"),
            {"sell 10:01:00": "10@97.99"},
        ),
        "a crossed stop is elected at once": (
            FLAT, buy("10:00:05"), sell("10:00:06", stop="100.50"), {"sell 10:00:06": "10@99.99"},
        ),
        "a stop of a short pays the spread": (
            FLAT, sell("10:00:05"), buy("10:00:07", "5", "stop", stop="101.00"), bar("10:01", "100 102 98 100"),
            {"stop 10:01:59": "5@101.01"}, LENT,
        ),
        "our orders share a bar's volume": (
            bar("10:00", "100", 400),
            buy("10:00:05", "30", "first", limit="100.01"), buy("10:00:06", "30", "second", limit="100.01"),
            {"first 10:00:59": "10@100.01 10@100.01 10@100.01", "second 10:00:59": "10@100.01"},
        ),
        "a thin bar gives one step, and none before a share has traded": (
            bar("10:00", "100", 0), buy("10:00:05", "5", limit="100.01"), bar("10:01", "100", 3),
            {"buy 10:01:19": "", "buy 10:01:59": "1@100.01"},
        ),
        "a fractional order fills in the instrument's steps": (
            bar("10:00", "100", 5), buy("10:00:06", "0.725", limit="100.01"), bar("10:01", "100", 5),
            {"buy 10:01:20": f"{'0.125@100.01 ' * 5}0.1@100.01"},
        ),
        "a market order at a stale price waits for the next bar": (
            FLAT, buy("10:30:00"), bar("10:35", "110"), {"buy 10:35:59": "10@110.01"},
        ),
        "a limit at a stale price waits too": (
            FLAT, buy("10:30:00", limit="100.50"), bar("10:35", "110"), {"buy 10:35:59": ""},
        ),
        "a stop beyond a stale price is judged by the next bar": (
            FLAT, buy("10:00:05"), sell("10:30:00", stop="100.50"), bar("10:35", "99"),
            {"sell 10:34:59": "", "sell 10:35:00": "10@98.99"},
        ),
        "an elected stop's rest goes on at the market": (
            FLAT, buy("10:00:05", "50"), sell("10:00:06", "50", stop="99.00"),
            bar("10:01", "100 100 98 100", 300), bar("10:02", "100.50", 300),
            {"sell 10:02:59": "15@98.99 7@97.99 8@99.99 7@100.49 8@100.49 5@100.49"},
        ),
        "an elected stop's rest misses the rebound: the path that came back to 102 came from 97": (
            FLAT, buy("10:00:05", "50"), sell("10:00:06", "50", stop="99.00"), bar("10:01", "100 102 97 98", 400),
            {"sell 10:01:59": "20@98.99 10@96.99 10@97.99"},
        ),
        "a market order's rest gains nothing by the path that its beginning turned": (
            bar("10:00", "100 100.50 99.50 100", 4_000), buy("10:00:00", "200"),
            {"buy 10:00:59": "100@100.01 100@100.01"}, THRICE,
        ),
        "a stop entry's rest misses the low": (
            FLAT, buy("10:00:05", "300", stop="101.00"), bar("10:01", "100 102 98 101", 4_000),
            {"buy 10:01:59": "200@101.01 100@102.01"}, THRICE,
        ),
        "sub-dollar prices move by a hundredth of a cent": (
            bar("10:00", "0.5"), buy("10:00:05"), {"buy 10:00:06": "10@0.5001"},
        ),
        "a repeated or older bar changes nothing": (
            FLAT, bar("10:01", "101"), bar("10:01", "50"), bar("10:00", "60"), buy("10:01:30", "1"),
            {"buy 10:01:30": "1@101.01"},
        ),
    }
)  # fmt: skip


@table("claim", *STORIES)
def test_each_order_fills_as_its_story_says(claim: str) -> None:
    """EX-05, EX-08, EX-11, EX-12, AN-04, MD-03, MD-05, RK-02, ST-02"""
    assert STORIES[claim].told() == STORIES[claim].fills


def test_an_answer_is_acceptance_and_a_fill_an_update() -> None:
    """EX-01"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    answer = floor.buys("10:00:05", "10")

    assert isinstance(answer, Accepted)
    assert (answer.report.raw_status, answer.report.broker_order_id) == ("new", "sim-000001")
    assert floor.updates() == ["buy new 10:00:05", "buy fill 10:00:05"]
    report = floor.report("10:00:06", "buy")
    assert (report.status, report.raw_status) == (OrderStatus.FILLED, "filled")
    assert [e.id for e in report.executions] == ["sim-000001-1"]


def test_a_stop_fills_before_a_target_in_one_bar() -> None:
    """MD-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "20")
    floor.sells("10:00:06", "10", name="target", limit="101.00")
    floor.sells("10:00:07", "10", name="stop", stop="99.00")
    floor.updates()

    floor.bars(a_bar("10:01", "100 102 98 100"))
    floor.exchange.advance(at("10:01:59"))

    assert floor.updates() == ["stop fill 10:01:20", "target fill 10:01:40"]


def test_a_stop_takes_volume_before_a_target() -> None:
    """MD-05"""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "10", name="dip", limit="99.00")
    floor.buys("10:00:06", "10", name="owned")
    floor.sells("10:00:07", "10", name="stop", stop="99.00")
    floor.updates()

    floor.bars(a_bar("10:01", "100 102 98 100", volume=200))
    floor.exchange.advance(at("10:01:39"))

    assert floor.updates() == ["stop fill 10:01:20"]


def test_the_high_comes_first_when_we_are_short() -> None:
    """MD-05"""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"))
    floor.sells("10:00:05", "10")
    floor.buys("10:00:06", "5", name="target", limit="99.00")
    floor.buys("10:00:07", "5", name="stop", stop="101.00")
    floor.updates()

    floor.bars(a_bar("10:01", "100 102 98 100"))
    floor.exchange.advance(at("10:01:59"))

    assert floor.updates() == ["stop fill 10:01:20", "target fill 10:01:40"]
    assert floor.fills("10:01:59", "stop") == [("5", "101.01")]


@table("sold stopped", ("10:00:05", "10:00:20"), ("10:00:25", "10:00:40"))
def test_a_short_turns_a_bar_before_its_first_extreme(sold: str, stopped: str) -> None:
    """MD-05, AN-04: what has been walked stays."""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100 102 98 100"))

    floor.sells(sold, "10")
    floor.buys("10:00:26" if sold > "10:00:20" else "10:00:06", "10", name="stop", stop="101.00")
    floor.exchange.advance(at("10:00:59"))

    assert floor.updates()[-1] == f"stop fill {stopped}"


def test_a_large_order_fills_across_bars() -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))

    floor.buys("10:00:05", "100")
    floor.bars(a_bar("10:01", "101", volume=455))
    floor.exchange.advance(at("10:01:59"))
    floor.bars(a_bar("10:02", "102", volume=400))

    fills = floor.fills("10:02:30", "buy")
    assert [sum(int(q) for q, price in fills if price == paid) for paid in ("100.01", "101.01", "102.01")] == [
        40,
        45,
        15,
    ]
    assert floor.updates() == [
        "buy new 10:00:05",
        "buy partial_fill 10:00:05",
        *(f"buy partial_fill 10:00:{second}" for second in ("20", "40", "59")),
        *(f"buy partial_fill 10:01:{second}" for second in ("00", "20", "40", "59")),
        "buy partial_fill 10:02:00",
        "buy fill 10:02:20",
    ]


def test_without_a_bar_the_quote_size_fills() -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    floor.buys("10:01:30", "150")

    assert floor.fills("10:01:59", "buy") == [("100", "100.01")]
    floor.exchange.take_quote(a_quote("10:06:30", "100.10", "100.30", size=20))
    assert floor.fills("10:07:00", "buy")[1:] == [("20", "100.3")]
    assert floor.fills("10:09:00", "buy")[2:] == [("20", "100.3"), ("10", "100.3")]


def test_an_ioc_remainder_is_cancelled() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))

    floor.buys("10:00:05", "100", limit="100.01", time_in_force=TimeInForce.IOC)

    assert floor.updates() == ["buy new 10:00:05", "buy partial_fill 10:00:05", "buy canceled 10:00:05"]
    report = floor.report("10:00:06", "buy")
    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELLED, 10)
    assert floor.exchange.next_at is None


def test_it_wakes_only_for_orders_in_reach() -> None:
    """EX-17"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    assert floor.exchange.next_at is None

    floor.buys("10:00:05", "10", limit="99.00")
    assert floor.exchange.next_at == at("16:00:00")
    floor.bars(a_bar("10:01", "100 101 99.50 100"))
    assert floor.exchange.next_at == at("16:00:00")
    floor.bars(a_bar("10:02", "100 101 98 100"))
    assert floor.exchange.next_at == at("10:02:20")

    floor.exchange.advance(at("10:02:20"))
    assert floor.exchange.next_at is None


def test_symbols_do_not_meet() -> None:
    """EX-08"""
    floor = Floor({SPY: BrokerInstrument(SPY), IBM: BrokerInstrument(IBM)})
    floor.bars(a_bar("10:00", "100"), a_bar("10:00", "180", symbol=IBM))
    floor.buys("10:00:05", "10", name="spy", limit="99.00")
    floor.buys("10:00:06", "10", name="ibm", limit="179.00", symbol=IBM)

    floor.bars(a_bar("10:01", "100 100 98 99"), a_bar("10:01", "180 180 178 179", symbol=IBM))
    floor.exchange.advance(at("10:01:59"))

    assert floor.fills("10:01:59", "spy") == [("10", "99")]
    assert floor.fills("10:01:59", "ibm") == [("10", "179")]


def test_a_quantity_below_the_step_is_refused() -> None:
    """EX-11"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    assert isinstance(floor.buys("10:00:05", "0.7255"), Refused)
