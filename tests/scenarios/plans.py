"""A house with several symbols on a margin account, and what a person does with a basket there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.messages.commands import AnswerBasket, BasketRow, LeaveBasket, MarkInBasket, OpenBasket, SignBasket
from core.model.basket import BasketPhase, BasketReport, BasketSource
from core.model.order import Effect as OrderEffect
from core.model.order import OrderType
from core.model.values import Money, Price, Quantity, Symbol
from core.settings.settings import Settings
from core.staging.baskets import BasketRun
from core.workflows.baskets import BasketDrafts, digest_now, rehearsed
from tests.scenarios.house import House, minutes

SOLD = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
BOUGHT = ("GGG", "HHH", "III", "JJJ", "KKK", "LLL", "MMM", "NNN")
SETTINGS = Settings.model_validate(
    {
        "symbols": ["SPY", *SOLD, *BOUGHT],
        "risk": {
            "per_trade": {"usd": "1000"},
            "max_notional": {"usd": "40000"},
            "max_open_positions": 14,
            "daily_loss": {"usd": "50000"},
            "weekly_loss": {"usd": "50000"},
            "entries_a_day": 100,
            "window_start": "09:35",
            "window_end": "15:45",
            "frequency": {"enabled": False},
            "sizing": {"budget": "1"},
            "protections": {"loss_streak": {"enabled": False}},
        },
        "strategies": {"vwap": {"symbols": []}},
    }
)
"""Room for fourteen positions; what binds is the buying power of the account."""


def row(symbol: str, effect: OrderEffect, quantity: str | None = None, **terms: object) -> BasketRow:
    limit, stop, notional = terms.get("limit"), terms.get("stop"), terms.get("notional")
    return BasketRow(
        place=f"{symbol} row",
        symbol=Symbol(symbol),
        effect=effect,
        quantity=None if quantity is None else Quantity(Decimal(quantity)),
        notional=None if notional is None else Money(Decimal(str(notional))),
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        limit_price=None if limit is None else Price(Decimal(str(limit))),
        stop_price=None if stop is None else Price(Decimal(str(stop))),
    )


def a_buy(symbol: str, quantity: str | None = "100", **terms: object) -> BasketRow:
    """With its stop at 99, which the broker holds."""
    return row(symbol, OrderEffect.OPEN, quantity, **{"stop": "99", **terms})


def a_sale(symbol: str, quantity: str | None = None, **terms: object) -> BasketRow:
    return row(symbol, OrderEffect.CLOSE, quantity, **terms)


def a_floor(settings: Settings = SETTINGS, **rules: object) -> House:
    """10:00; every symbol trades at 100, a hundred thousand shares a minute; 20,000 USD, lent twice."""
    bars = [bar for symbol in settings.symbols for bar in minutes("09:57", "10:15", "100", symbol=Symbol(symbol))]
    terms: dict[str, object] = {"cash": Decimal(20_000), "multiplier": Decimal(2), **rules}
    return House(bars, settings=settings, **terms).opens().until("10:00")


def passes(house: House, seconds: float) -> None:
    house.until_moment(house.line.at + timedelta(seconds=seconds))


def opens(house: House, *rows: BasketRow, source: BasketSource = BasketSource.FILE) -> BasketRun:
    """The basket is on the screen, its quotes have come."""
    house.presses(OpenBasket(source, "rows.csv", rows))
    passes(house, 1)
    return the_plan(house)


def the_plan(house: House) -> BasketRun:
    run = house.desk.plans.run
    assert run is not None
    return run


def marks(house: House, *symbols: str) -> None:
    """Each order by its own key; all of them where none is named."""
    run = the_plan(house)
    for line in run.plan.lines:
        if not symbols or line.proposal.symbol in symbols:
            house.presses(MarkInBasket(run.id, line.proposal.id, True))


def signs(house: House) -> None:
    run = the_plan(house)
    going = [t for t in rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run) if t.fits]
    going = [t for t in going if t.proposal.id in run.marked]
    house.presses(SignBasket(run.id, digest_now(house.desk, run, going)))


def answers(house: House, *, goes_on: bool) -> None:
    house.presses(AnswerBasket(the_plan(house).id, goes_on, the_plan(house).phase_since))


def leaves(house: House) -> None:
    house.presses(LeaveBasket(the_plan(house).id))


def runs_out(house: House, seconds: float = 120) -> BasketReport:
    """Until the basket is over."""
    until = house.line.at + timedelta(seconds=seconds)
    while the_plan(house).phase is not BasketPhase.OVER:
        assert house.line.at < until, (the_plan(house).phase, words(house))
        passes(house, 0.5)
    report = the_plan(house).report
    assert report is not None
    return report


def a_house_that_holds(*symbols: str, quantity: str = "50", **terms: object) -> House:
    """It bought them by a basket."""
    house = a_floor(**terms)  # type: ignore[arg-type]
    opens(house, *(a_buy(symbol, quantity) for symbol in symbols))
    marks(house)
    signs(house)
    runs_out(house)
    assert [house.held(Symbol(symbol)) for symbol in symbols] == [quantity] * len(symbols)
    return house


def words(house: House) -> list[str]:
    return [words for _, words in the_plan(house).events]
