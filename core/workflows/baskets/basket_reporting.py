"""Report the result of a basket, per order and by the broker's books."""

from __future__ import annotations

from core.execution.current_effect import effect_now, working_entries
from core.execution.order import Order
from core.model.account import Account
from core.model.basket import (
    BasketOrderState,
    BasketReport,
    BasketSource,
    ReportLine,
    SignedOrder,
)
from core.model.broker import BrokerPicture
from core.model.order_text import order_in_words
from core.model.values import NO_SHARES, Money, Quantity, Symbol, plain
from core.staging.basket_run import BasketRun
from core.trading_state.state import TradingState

STILL_CLEARING = "its stop makes way; it goes when that is gone, and Orders shows it then"


class BasketReporting:
    """Makes the report of a finished basket."""

    def __init__(self, state: TradingState) -> None:
        self.state = state

    def report(self, run: BasketRun, picture: BrokerPicture | None) -> BasketReport:
        account = picture.account if picture is not None else self.state.sightings.account
        return BasketReport(
            lines=tuple(self._line(run, signed) for signed in run.orders),
            positions=_positions(run, picture),
            power_before=run.power_before,
            power_after=Money(account.buying_power) if isinstance(account, Account) else None,
            is_of_the_broker=picture is not None,
            left=self._left(run, picture),
        )

    def _left(self, run: BasketRun, picture: BrokerPicture | None) -> tuple[str, ...]:
        """List the remains of a flattening: positions, by the broker's books if it answered, and working entries."""
        if run.plan.source is not BasketSource.FLATTEN:
            return ()
        if picture is not None:
            held = {position.symbol: position.quantity for position in picture.positions}
            unread = [f"{each.symbol or 'a position'} cannot be read" for each in picture.unreadable_positions]
        else:
            held = {p.symbol: self.state.ledger.net_quantity(p.symbol) for p in self.state.ledger.positions()}
            unread = []
        positions = [f"{symbol} {plain(quantity)} held" for symbol, quantity in held.items() if quantity]
        entries = [
            (order_in_words(o.request), effect_now(self.state.ledger, o)) for o in working_entries(self.state.ledger)
        ]
        return (*positions, *unread, *(f"{words} still works and would {effect.value}" for words, effect in entries))

    def _line(self, run: BasketRun, signed: SignedOrder) -> ReportLine:
        request = signed.proposal.order
        order: Order | None = self.state.ledger.order(signed.order_id)
        told = "; ".join(run.refusals.get(signed.proposal.id, ()))
        if self.state.plans.standings.of(run, signed) is BasketOrderState.CLEARING:
            told = STILL_CLEARING
        return ReportLine(
            proposal_id=signed.proposal.id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            filled=order.filled_quantity if order is not None else NO_SHARES,
            expected=signed.price,
            average=order.average_price if order is not None else None,
            status=order.status if order is not None else None,
            reason=order.reason if order is not None and order.reason and not told else told,
        )


def _positions(run: BasketRun, picture: BrokerPicture | None) -> tuple[tuple[Symbol, Quantity], ...]:
    if picture is None:
        return ()
    held = {position.symbol: position.quantity for position in picture.positions}
    unread = {position.symbol for position in picture.unreadable_positions}
    symbols = dict.fromkeys(signed.proposal.symbol for signed in run.orders if signed.proposal.symbol not in unread)
    return tuple((symbol, held.get(symbol, NO_SHARES)) for symbol in symbols)
