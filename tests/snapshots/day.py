"""One trading day as the engine would picture it: everything that a pane can hold, each thing once.

The figures agree with each other as a broker's would: 47 SPY at 166.76 cost 7,837.72, and so on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.model.account import Mode
from core.model.bar import Feed, Quote
from core.model.codes import DeskState
from core.model.holding import Concern, Health, RulesChoice
from core.model.order import Effect, Leg, LegRole, OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.signal import ExitReason
from core.model.staging import CheckResult, ListedExit, NoStop, Review, ReviewFigures, StopPlan, Ticket, Verdict
from core.model.values import ClientOrderId, Digest, Fraction, Money, Price, ProposalId, Quantity, Symbol, TicketId
from core.views import (
    ChartBar,
    ChartFill,
    ChartView,
    DeskView,
    GroupRow,
    KillView,
    LogRow,
    MeasuresView,
    OrderRow,
    PositionRow,
    ProposalRow,
    ProtectionRow,
    ResultRow,
    RowMark,
    ShadowRow,
    StatusView,
    StrategyRow,
    SymbolView,
    TicketView,
    TradeRow,
    WatchlistRow,
    WatchRow,
    WatchView,
)

NOW = datetime(2013, 10, 8, 14, 51, 7, tzinfo=UTC)
"""10:51:07 in New York."""
CLOSE = datetime(2013, 10, 8, 20, 0, tzinfo=UTC)
SPY, IBM, AIG, BAC = (Symbol(name) for name in ("SPY", "IBM", "AIG", "BAC"))


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def money(text: str) -> Money:
    return Money(Decimal(text))


def price(text: str) -> Price:
    return Price(Decimal(text))


def shares(text: str) -> Quantity:
    return Quantity(Decimal(text))


STATUS = StatusView(
    at=NOW, account="PA3X", mode=Mode.PAPER, profile="swing", word=DeskState.ON, entries_refused=None,
    exits_refused=None, killed_by=None, killed_at=None, kill_reason="", halted_at=None, halts=(),
    market_closes_at=CLOSE, market_opens_at=None, quote_at=ago(0.3), feed="iex",
    equity=money("100034.43"), equity_at=ago(12),
    day_change=money("34.43"), day_fraction=Decimal("0.000344"), buying_power=money("186155.89"), unsettled=None,
    daily_loss_limit=money("2000"), disk=None, notes=(),
)  # fmt: skip


def proposal(
    effect: Effect = Effect.OPEN,
    side: Side = Side.BUY,
    quantity: str = "47",
    symbol: Symbol = SPY,
    limit: str | None = "166.76",
    stop: str | None = "166.26",
    exit_reason: ExitReason | None = None,
    staged: float = 18,
) -> ProposalRow:
    is_entry = not effect.only_reduces
    risk = money("23.50") if is_entry and stop else None
    return ProposalRow(
        id=ProposalId(f"{symbol.lower()}{effect.value}".ljust(16, "0")[:16]), strategy="vwap", side=side,
        effect=effect, quantity=shares(quantity), symbol=symbol,
        type=OrderType.MARKET if limit is None else OrderType.LIMIT, limit_price=price(limit) if limit else None,
        stop_price=price(stop) if stop else None, exit_reason=exit_reason,
        reference=price("167.29") if is_entry else None, risk=risk,
        reason="close 166.76 is 0.32 % below VWAP 167.29" if is_entry else "stop 48.43 touched, low 48.41",
        staged_at=ago(staged), expires_at=NOW + timedelta(seconds=72) if is_entry else None, is_confirming=False,
    )  # fmt: skip


ENTRY = proposal()
EXIT = proposal(Effect.CLOSE, Side.SELL, "100", AIG, None, "48.43", ExitReason.STOP_LOSS, 21)
EFFECTS = {
    "buy": ENTRY, "add": proposal(Effect.ADD), "sell": EXIT,
    "reduce": proposal(Effect.REDUCE, Side.SELL, "50", AIG, None, None, ExitReason.MANUAL, 3),
    "short": replace(
        proposal(Effect.SHORT, Side.SELL, "47", SPY, "166.76", "167.26"), reference=price("166.23"),
        reason="close 166.76 is 0.32 % above VWAP 166.23",
    ),
    "cover": proposal(Effect.COVER, Side.BUY, "47", SPY, None, None, ExitReason.STOP_LOSS, 5),
}  # fmt: skip

PASSING = tuple(Verdict(f"check {number}", CheckResult.PASSES, "passes") for number in range(16))
WARNED = Review((*PASSING, Verdict("session", CheckResult.WARNS, "the stop does not act outside 09:30–16:00")))
REFUSED = Review((*PASSING, Verdict("spread", CheckResult.REFUSES, "0.42 % is over 0.20 %")))


def ticket(row: ProposalRow, review: Review = WARNED, refused: tuple[str, ...] = ()) -> TicketView:
    is_entry = not row.effect.only_reduces
    order = OrderRequest(
        ClientOrderId(row.id), row.symbol, row.side, row.effect, row.quantity, row.type, limit_price=row.limit_price
    )
    stop = StopPlan(row.stop_price, StopHolder.BROKER) if is_entry and row.stop_price else NoStop("it closes")
    figures = ReviewFigures(
        cost=money("7837.72") if row.symbol == SPY else money("4841.00"),
        worst_loss=money("23.50") if is_entry else None,
        share_of_equity=Fraction(Decimal("0.078")),
        buying_power_after=money("178318.17") if is_entry else None,
    )
    last = row.limit_price or price("48.42")
    return TicketView(
        ticket=Ticket(
            id=TicketId(f"t{row.id}"), proposal_id=row.id, account="PA3X", order=order, stop=stop, cancels=(),
            digest=Digest("3416ca9a7ec93741"), opened_at=ago(6), ends_at=NOW + timedelta(seconds=54), figures=figures,
            review=review, price_at_opening=last,
        ),
        proposal=row,
        quote=Quote(
            row.symbol, ago(0.4), Price(last - Decimal("0.01")), shares("300"), Price(last + Decimal("0.01")),
            shares("500"), Feed.IEX,
        ),
        now=review, refused_because=refused, is_confirming=False,
        signal_time=datetime(2013, 10, 8, 14, 50, tzinfo=UTC), reason=row.reason,
        cancels_in_words=() if is_entry else (f"SELL 100 {row.symbol} stop 48.43",), quantity_after=_after(row),
        capped_by="8 % of equity" if is_entry else None, moved=Decimal("0.0006") if is_entry else None,
        average_price=None if is_entry else price("48.63"),
        exits=(ListedExit("target VWAP", row.reference),) if is_entry and row.reference is not None else (),
    )  # fmt: skip


def _after(row: ProposalRow) -> Quantity:
    held = {Effect.ADD: "40", Effect.CLOSE: "100", Effect.REDUCE: "100", Effect.COVER: "-47"}.get(row.effect, "0")
    return Quantity(Decimal(held) + (row.quantity if row.side is Side.BUY else -row.quantity))


def position(
    symbol: Symbol,
    quantity: str,
    average: str,
    last: str,
    profit: str,
    in_risk: str,
    stop: str,
    covered: str,
    health: Health,
) -> PositionRow:
    return PositionRow(
        key=f"{symbol}/vwap", symbol=symbol, strategy="vwap", quantity=shares(quantity), average_price=price(average),
        last=price(last), last_at=ago(2), profit=money(profit), result_in_risk=Decimal(in_risk),
        stop_price=price(stop), holder=StopHolder.BROKER if covered != "0" else StopHolder.YOU,
        covered=shares(covered), is_closing=False, health=health,
    )  # fmt: skip


HEALTHY = Health(
    days_held=3, days_here=3, way_to_stop=Fraction(Decimal("0.0215")), way_to_stop_in_r=Decimal("2.1"),
    target=price("186.84"), way_to_target=Fraction(Decimal("0.026")), way_to_target_in_r=Decimal("2.6"),
    days_to_time_rule=3, days_to_leave=Decimal("0.02"), spread=Fraction(Decimal("0.0002")),
    choice=RulesChoice("stop, target, 5 d"),
)  # fmt: skip
UNGUARDED = Health(concerns=(Concern.NO_STOP, Concern.WIDE_SPREAD), days_here=1, spread=Fraction(Decimal("0.004")))
HELD = position(IBM, "27", "180.02", "182.11", "56.43", "1.1", "178.20", "27", HEALTHY)
BARE = position(AIG, "100", "48.63", "48.41", "-22.00", "-1.1", "48.43", "0", UNGUARDED)
CHOICE = RulesChoice("none: yours", is_watched=False, offered="stop, target, 5 d", asks=True)
TAKEN_OVER = replace(BARE, key=f"{AIG}/broker", strategy="broker", health=replace(UNGUARDED, choice=CHOICE))


def order(
    number: int,
    symbol: Symbol,
    side: Side,
    effect: Effect,
    quantity: str,
    status: OrderStatus,
    *,
    limit: str | None = None,
    stop: str | None = None,
    filled: str = "0",
    average: str | None = None,
    marks: tuple[str, ...] = (),
    reason: str = "",
) -> OrderRow:
    kind = OrderType.STOP if stop else OrderType.LIMIT if limit else OrderType.MARKET
    return OrderRow(
        id=ClientOrderId(f"{number:016x}"), strategy="vwap", side=side, effect=effect, quantity=shares(quantity),
        symbol=symbol, type=kind, limit_price=price(limit) if limit else None,
        stop_price=price(stop) if stop else None, status=status, filled_quantity=shares(filled),
        average_price=price(average) if average else None, created_at=ago(41 + 60 * number),
        ended_at=None if status.is_working else ago(30 + 60 * number),
        expires_at=NOW + timedelta(seconds=49) if status.is_working and limit else None,
        is_protective=stop is not None, marks=marks, reason=reason,
    )  # fmt: skip


WORKING = order(1, BAC, Side.BUY, Effect.OPEN, "300", OrderStatus.SUBMITTED, limit="13.85")
STOP = order(2, IBM, Side.SELL, Effect.CLOSE, "27", OrderStatus.SUBMITTED, stop="178.20")
ORDERS = (
    WORKING, STOP,
    order(3, IBM, Side.BUY, Effect.OPEN, "27", OrderStatus.FILLED, limit="180.02", filled="27", average="180.02"),
    order(
        4, AIG, Side.SELL, Effect.CLOSE, "100", OrderStatus.REJECTED, stop="48.43",
        reason="insufficient qty available for order (requested: 100, available: 0)",
    ),
    order(
        5, SPY, Side.BUY, Effect.OPEN, "20", OrderStatus.PARTIALLY_FILLED, limit="166.90", filled="7",
        average="166.9",
    ),
    order(6, BAC, Side.BUY, Effect.OPEN, "10", OrderStatus.SUBMITTED, limit="13.80", marks=("in doubt",)),
    order(7, SPY, Side.BUY, Effect.OPEN, "12", OrderStatus.CANCELLED, limit="166.10", reason="past its time to live"),
)  # fmt: skip

LOG = (
    LogRow(470, ago(94), "bar", "SPY 10:49 closed at 166.90"),
    LogRow(471, ago(40), "order", "3f9a02c41d77e0b1 PENDING → SUBMITTED, BUY 300 BAC at 13.85"),
    LogRow(472, ago(21), "proposal", "VWAP: SELL 100 AIG at the market, stop 48.43 touched"),
    LogRow(473, ago(18), "proposal", "VWAP: BUY 47 SPY at 166.76, 0.32 % below VWAP 167.29"),
    LogRow(474, ago(9), "fill", "5d41402abc4b2a76 filled 7 at 166.90 (stream)"),
)

PROTECTIONS = (
    ProtectionRow(
        "daily_loss", "Daily loss", "0.00 of 2,000.00 USD", Decimal(0), False, "equity since 09:30", None, None,
    ),
    ProtectionRow("positions", "Positions", "2 of 3", Decimal("0.67"), False, "open at a time", None, None),
    ProtectionRow(
        "guard/AIG", "Guard AIG", "3 of 3 stop-outs", Decimal(1), True, "3 stop-outs in a row", ago(240),
        NOW + timedelta(minutes=26),
    ),
    ProtectionRow("window", "Window", "until 15:45", None, False, "entries from 09:35 to 15:45 New York", None, None),
)  # fmt: skip

STRATEGIES = (
    StrategyRow(
        "vwap/AIG", "vwap", AIG, "IN_POSITION", 12, "", False, (("IN_POSITION", 12), ("WARMING_UP", 19)),
        (("VWAP", "48.57"), ("bars", "81")),
    ),
    StrategyRow(
        "vwap/BAC", "vwap", BAC, "THIN_VOLUME", 40, "40 bars of THIN_VOLUME and nothing else", False,
        (("THIN_VOLUME", 40),), (("VWAP", "13.86"), ("bars", "81")),
    ),
    StrategyRow(
        "vwap/IBM", "vwap", IBM, "PAUSED", 3, "", True, (("PAUSED", 3),), (("VWAP", "181.40"), ("bars", "81")),
    ),
    StrategyRow(
        "vwap/SPY", "vwap", SPY, "PROPOSAL_WAITING", 1, "", False,
        (("PRICE_ABOVE_THRESHOLD", 60), ("WARMING_UP", 19), ("PROPOSAL_WAITING", 1)),
        (("VWAP", "167.29"), ("bars", "81")),
    ),
)  # fmt: skip

TRADES = (
    TradeRow(
        "aaaa000000000001", "vwap", SPY, shares("40"), ago(3000), price("166.50"), ago(1500), price("167.01"),
        ExitReason.MEAN_REVERSION, money("20.40"), money("0.40"),
    ),
    TradeRow(
        "aaaa000000000002", "vwap", AIG, shares("100"), ago(2000), price("48.80"), ago(900), price("48.60"),
        ExitReason.STOP_LOSS, money("-20.40"), money("1.00"),
    ),
)  # fmt: skip
SHADOWS = (
    ShadowRow("s1", "vwap", SPY, Side.BUY, shares("47"), price("166.70"), "declined", "stop", money("-23.50")),
    ShadowRow("s2", "vwap", IBM, Side.BUY, shares("27"), price("181.00"), "expired", "open", money("-17.50")),
    ShadowRow("s3", "vwap", BAC, Side.BUY, shares("500"), price("13.80"), "blocked", "waits", None),
)
GROUPS = tuple(
    GroupRow(f"today/{by}/{name}", "today", by, name, *figures)
    for by, name, *figures in (
        ("strategy", "vwap", 2, 1, 1, money("20.40"), money("-20.40")),
        ("symbol", "AIG", 1, 0, 1, money("0"), money("-20.40")),
        ("symbol", "SPY", 1, 1, 0, money("20.40"), money("0")),
        ("half_hour", "10:00", 5, 4, 1, money("45.10"), money("-20.40")),
        ("half_hour", "10:30", 4, 2, 2, money("18.00"), money("-22.00")),
        ("half_hour", "11:00", 3, 1, 2, money("4.80"), money("-25.50")),
        ("half_hour", "failed in execution", 1, 0, 1, money("0"), money("-7.50"), True),
        ("regime", "VIX low, trend up, volatility calm", 2, 1, 1, money("20.40"), money("-20.40")),
        ("reason", "STOP_LOSS", 1, 0, 1, money("0"), money("-20.40")),
        ("reason", "TAKE_PROFIT", 1, 1, 0, money("20.40"), money("0")),
        ("reason", "BROKER_REJECT", 1, 0, 1, money("0"), money("-7.50"), True),
    )
)  # fmt: skip
MEASURES = MeasuresView(
    63, 63, Fraction(Decimal("0.0412")), Decimal("1.37"), Decimal("2.05"), Decimal("4.9"), Fraction(Decimal("0.0351")),
    money("101234.50"), date(2013, 9, 18), datetime(2013, 9, 18, 18, 31, 7, tzinfo=UTC), money("1200.07"), 14,
)  # fmt: skip
RESULTS = (ResultRow("vwap", 2, 1, money("0.00"), money("34.43"), 3, money("-41.00")),)


def chart() -> ChartView:
    """An hour and a quarter that falls to the entry and back."""
    bars = []
    for minute in range(75):
        close = Decimal("167.80") - Decimal(minute) / 50 + (Decimal(max(0, minute - 55)) / 25)
        start = datetime(2013, 10, 8, 13, 30, tzinfo=UTC) + timedelta(minutes=minute)
        reference = price(str(Decimal("167.60") - Decimal(minute) / 200))
        span = Decimal("0.06")
        bars.append(
            ChartBar(start, Price(close + span / 2), Price(close + span), Price(close - span), Price(close), reference)
        )
    return ChartView(
        SPY, tuple(bars), (price("166.76"),), (price("166.26"),), (ChartFill(ago(900), Side.BUY, price("166.76")),)
    )


def _watched(symbol: Symbol, last: str, before: str, **parts: object) -> WatchRow:
    now = price(last)
    quote = Quote(symbol, ago(0.4), Price(now - TICK), shares("3"), Price(now + TICK), shares("2"), Feed.IEX)
    course = tuple(price(text) for text in (before, last, before, last, last, before, last))
    terms = {"quote": quote, "last": now, "last_at": ago(0.4), "before": price(before), "volume": shares("1240000")}
    return WatchRow(symbol, **{**terms, "course": course, **parts})  # type: ignore[arg-type]


TICK = Decimal("0.01")
WATCHED = WatchView(
    (WatchlistRow("main", (SPY, IBM, AIG, BAC)), WatchlistRow("banks", (BAC,))),
    (
        _watched(SPY, "166.76", "167.11", proposed=True),
        _watched(IBM, "182.11", "180.65", held=shares("27"), working=1),
        _watched(AIG, "48.41", "48.95", held=shares("100"), exit_waits=True),
        _watched(BAC, "13.86", "13.86", working=2),
    ),
)


def full(status: StatusView = STATUS, **changes: object) -> DeskView:
    """The whole day; `changes` are fields of the view."""
    values: dict[str, object] = {
        "number": 1,
        "status": status,
        "proposals": (EXIT, ENTRY),
        "positions": (HELD, BARE),
        "orders": ORDERS,
        "log": LOG,
        "tickets": (),
        "endings": (),
        "refusals": (),
        "kill": KillView((WORKING,), (STOP,), (BARE,)),
        "symbols": tuple(
            SymbolView(symbol, Quote(symbol, ago(0.4), last, shares("1"), last, shares("1"), Feed.IEX), last, True)
            for symbol, last in (
                (SPY, price("166.76")),
                (IBM, price("182.11")),
                (AIG, price("48.41")),
                (BAC, price("13.86")),
            )
        ),
        "strategies": STRATEGIES,
        "staged": 2,
        "protections": PROTECTIONS,
        "trades": TRADES,
        "shadows": SHADOWS,
        "results": RESULTS,
        "groups": GROUPS,
        "measures": MEASURES,
        "chart": chart(),
        "watch": WATCHED,
    }
    return DeskView(**(values | changes))  # type: ignore[arg-type]


def empty(status: StatusView = STATUS) -> DeskView:
    """The morning: nothing was proposed, sent or held yet."""
    nothing = dict.fromkeys(
        (
            "proposals", "positions", "orders", "log", "strategies", "protections", "trades", "shadows", "results",
            "symbols",
        ),
        (),
    )  # fmt: skip
    return full(status, kill=KillView((), (), ()), chart=None, staged=0, **nothing)


def with_legs() -> tuple[OrderRow, ...]:
    """An entry whose legs wait for it, one with a stop that works, and one whose stop closed it."""
    legs = (Leg(LegRole.STOP, stop_price=price("13.81")), Leg(LegRole.TARGET, limit_price=price("13.92")))
    waits = replace(WORKING, legs=legs, is_entry=True)
    stop = order(11, BAC, Side.SELL, Effect.CLOSE, "300", OrderStatus.SUBMITTED, stop="13.81", marks=(RowMark.HELD,))
    target = order(12, BAC, Side.SELL, Effect.CLOSE, "300", OrderStatus.SUBMITTED, limit="13.92", marks=(RowMark.HELD,))
    held = order(5, IBM, Side.BUY, Effect.OPEN, "27", OrderStatus.FILLED, filled="27", average="180.02", limit="180.02")
    over = order(8, AIG, Side.BUY, Effect.OPEN, "50", OrderStatus.FILLED, filled="50", average="48.60", limit="48.60")
    sold = order(7, AIG, Side.SELL, Effect.CLOSE, "50", OrderStatus.FILLED, filled="50", average="48.42", stop="48.43")
    return (
        replace(target, parent=waits.id), replace(stop, parent=waits.id), waits, replace(STOP, parent=held.id), held,
        replace(sold, parent=over.id), over,
    )  # fmt: skip
