"""What happens as soon as a fault is told: what lasts begins, what is over at once is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core.model.bar import Quote
from core.model.broker import UpdateEvent
from core.model.order import Effect, OrderRequest, OrderType, Side, TimeInForce
from core.model.values import ZERO, ClientOrderId, Price, Quantity, Symbol
from tests.wire.exchange.faults import Fault, Moment, UnknownFaultError
from tests.wire.exchange.strange import option_json, two_legs
from tests.wire.exchange.trading_api import closing_order

if TYPE_CHECKING:
    from tests.wire.exchange.server import LoopbackExchange

HALF_A_FRAME = b"\x82\x7e\x01\x00half of what was"
"""A binary frame of 256 bytes, of which sixteen come."""
ELSEWHERE = "elsewhere"
BLOCKS = {"account-blocked": {"trading_blocked": True, "account_blocked": True}, "orders-forbidden": {}}
"""How the account's figures show each."""
WRONG: Mapping[str, Callable[[Quote], Quote]] = {
    "crossed-quotes": lambda quote: replace(quote, bid=quote.ask, ask=quote.bid),
    "zero-quotes": lambda quote: replace(quote, bid=Price(ZERO), bid_size=Quantity(ZERO)),
}
SWITCHES = {"legs-left-out": "leaves_legs_out", "legs-hidden": "hides_legs"}
"""Faults that are one attribute of the floor."""


class Deeds:
    """Begins and ends faults. In the server's loop alone."""

    def __init__(self, house: LoopbackExchange) -> None:
        self._house = house

    def begin(self, fault: Fault) -> None:
        """Raises `UnknownFaultError` where it lacks what it needs, `RefusalError` where the exchange says no."""
        self._require_what_it_needs(fault)
        if fault.moment is not Moment.AT_ONCE:
            self._house.faults.add(fault)
        self._set(fault, begins=True)
        self._house.say(f"fault told: {fault.name}")
        self._house.publish()

    def end(self, name: str | None) -> list[Fault]:
        ended = self._house.faults.end(name)
        for fault in ended:
            self._set(fault, begins=False)
            self._house.say(f"fault ended: {fault.name}")
        self._house.publish()
        return ended

    def _set(self, fault: Fault, *, begins: bool) -> None:
        floor = self._house.floor
        match fault.name:
            case "cancel-pending" if begins:
                floor.cancels_stay_pending = True
            case "cancel-pending":
                floor.carry_out_cancels()
            case "clock-skew":
                floor.skew = timedelta(seconds=fault.seconds if begins else 0)
            case "account-unreadable" | "asset-unreadable" as name:
                lacking = {"account-unreadable": "trading_blocked", "asset-unreadable": "shortable"}[name]
                floor.left_out = floor.left_out | {lacking} if begins else floor.left_out - {lacking}
            case "account-blocked" | "orders-forbidden" as name:
                floor.refuses_orders, floor.shown_block = begins, dict(BLOCKS[name]) if begins else {}
            case name if name in SWITCHES:
                setattr(floor, SWITCHES[name], begins)
            case "positions-lag":
                floor.listed_positions = floor.positions() if begins else None
            case "unknown-symbol":
                (floor.unknown.add if begins else floor.unknown.discard)(Symbol(fault.symbol))
            case "legs-unlinked":
                floor.link_legs(not begins)
            case "market-halted":
                self._halt(Symbol(fault.symbol), begins=begins)
            case "crossed-quotes" | "zero-quotes" as name:
                floor.shown_wrong = WRONG[name] if begins else lambda quote: quote
            case "gone":
                self._house.after(self._house.be_gone(fault.seconds))
            case "disconnect":
                for transport in self._house.transports_of(fault.of):
                    transport.close()
            case "cut-mid-frame":
                for transport in self._house.transports_of(fault.of):
                    self._cut(transport)
            case "cancelled-elsewhere":
                floor.cancel(ClientOrderId(fault.order))
            case "fills-taken-back" | "fills-busted" as name:
                floor.take_back(ClientOrderId(fault.order), UpdateEvent.TRADE_BUST if name == "fills-busted" else None)
            case "closed-elsewhere":
                self._close(Symbol(fault.symbol))
            case "bought-elsewhere":
                floor.submit(self._a_share(Symbol(fault.symbol)))
            case "dollars-elsewhere":
                self._rest(Symbol(fault.symbol), {"qty": None, "notional": "25"})
            case "legs-elsewhere":
                self._rest(Symbol(fault.symbol), two_legs(fault.symbol))
            case "auction-elsewhere":
                self._rest(Symbol(fault.symbol), {"time_in_force": "opg"})
            case "option-held":
                floor.options_held = (option_json(fault.symbol),) if begins else ()
            case "no-symbol-elsewhere":
                self._rest(Symbol(fault.symbol), {"symbol": None})

    def _halt(self, symbol: Symbol, *, begins: bool) -> None:
        floor = self._house.floor
        if begins:
            floor.halt(symbol)
        else:
            floor.resume(symbol)
        code, words = ("H", "Trading Halt") if begins else ("T", "Trading Resumption")
        for stream in self._house.data.values():
            stream.tell_status(symbol, code, words, floor.walked)

    def _close(self, symbol: Symbol) -> None:
        floor = self._house.floor
        for name in floor.open_orders(symbol):
            floor.cancel(name)
        for held in floor.positions():
            if held.symbol == symbol:
                floor.submit(closing_order(held, Quantity(abs(held.quantity)), self._name()))

    def _rest(self, symbol: Symbol, said: dict[str, object]) -> None:
        """An order far below the market, told in other words than a desk's own."""
        order = replace(self._a_share(symbol), type=OrderType.LIMIT, limit_price=Price(Decimal(1)))
        self._house.floor.submit(order, said)

    def _a_share(self, symbol: Symbol) -> OrderRequest:
        name = ClientOrderId(self._name())
        return OrderRequest(
            name, symbol, Side.BUY, Effect.OPEN, Quantity(Decimal(1)), OrderType.MARKET, TimeInForce.DAY
        )

    def _name(self) -> str:
        return f"{ELSEWHERE}-{len(self._house.floor.papers)}"

    @staticmethod
    def _cut(transport: asyncio.Transport) -> None:
        transport.write(HALF_A_FRAME)
        transport.close()

    @staticmethod
    def _require_what_it_needs(fault: Fault) -> None:
        needs = {
            "cancelled-elsewhere": ("order",), "fills-taken-back": ("order",), "fills-busted": ("order",),
            "closed-elsewhere": ("symbol",), "bought-elsewhere": ("symbol",),
            "dollars-elsewhere": ("symbol",), "no-symbol-elsewhere": ("symbol",), "legs-elsewhere": ("symbol",),
            "auction-elsewhere": ("symbol",), "option-held": ("symbol",), "market-halted": ("symbol",),
            "unknown-symbol": ("symbol",), "gone": ("seconds",), "clock-skew": ("seconds",),
        }  # fmt: skip
        for name in needs.get(fault.name, ()):
            if not getattr(fault, name):
                raise UnknownFaultError(f"{fault.name} needs {name}")
