"""Turn rows of a file into orders of a basket, and a reversal into two orders (OP-05).

A size that the desk computes, from an amount or raised to the smallest order, goes through the same dry run and checks
as a typed one (RK-18).

The second order may go only when nothing of the symbol is held: before that a sale would close instead of selling
short, and a purchase would cover. Its stop is as far from the price as the planned stop of the closed position was from
the price paid.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from core.messages.commands import BasketRow, OpenBasket, ReversePosition
from core.model.basket import BasketLine, SkippedRow
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderType, Side, StopHolder, TimeInForce, order_id_of, traded_in
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MANUAL, NoStop, Proposal, StopPlan
from core.model.values import ZERO, Price, ProposalId, Quantity, Symbol, TicketId, plain, priced, rounded_down
from core.staging.resting_entries import aimed_at, reach_of, refusal_of, stop_for, with_legs
from core.staging.stage_state import marked_for
from core.trading_state.state import TradingState
from core.workflows.staging.manual_proposals import side_of
from core.workflows.staging.proposal_staging import closing_side, effect_of_exit, left_to_close

NO_PRICE = "no price of it is known yet, so its amount cannot become shares; give a limit_price, or shares"


class BasketRows:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def lines(self, command: OpenBasket, plan_id: TicketId) -> tuple[tuple[BasketLine, ...], tuple[SkippedRow, ...]]:
        """Return the orders of the rows, and the rows that were skipped."""
        lines: list[BasketLine] = []
        skipped = list(command.skipped)
        for number, row in enumerate(command.rows, start=1):
            order_id = order_id_of("plan", self.state.control.state.installation or "", plan_id, str(number))
            made = self._exit(row, order_id) if row.effect.only_reduces else self._entry(row, order_id)
            if isinstance(made, str):
                skipped.append(SkippedRow(row.place, made))
            else:
                lines.append(BasketLine(made))
        return tuple(lines), tuple(skipped)

    # ── entries ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _entry(self, row: BasketRow, order_id: str) -> Proposal | str:
        sized = self._size(row)
        if isinstance(sized, str):
            return sized
        quantity, how = sized
        side = side_of(row.effect)
        held = self.state.ledger.position(row.symbol, MANUAL)
        adds = held is not None and row.effect is OrderEffect.OPEN and held.quantity > 0
        written = StopPlan(row.stop_price, StopHolder.BROKER) if row.stop_price else NoStop("none was written")
        order = OrderRequest(
            client_order_id=order_id,  # type: ignore[arg-type]
            symbol=row.symbol,
            side=side,
            effect=OrderEffect.ADD if adds else row.effect,
            quantity=quantity,
            type=row.type,
            time_in_force=row.time_in_force,
            limit_price=row.limit_price,
            stop_price=row.trigger_price,
            trail_price=row.trail_price,
            trail_fraction=row.trail_fraction,
        )
        order = traded_in(self.state.traded(row.symbol), order)
        market = self._price(row.symbol)
        stop = refusal_of(order, row.ttl_seconds) or stop_for(order, written, market)
        if isinstance(stop, str):
            return stop
        return Proposal(
            id=ProposalId(order_id),
            strategy=MANUAL,
            order=with_legs(self._marked(order), stop),
            stop=stop,
            signal_time=self.state.at,
            staged_at=self.state.at,
            expires_at=None,
            reason=f"{row.place}{how}",
            intended_price=aimed_at(order, market) if order.type.waits else row.limit_price,
            reference=None,
            exit_reason=None,
            ttl_seconds=row.ttl_seconds,
        )

    def _size(self, row: BasketRow) -> tuple[Quantity, str] | str:
        """Return the number of shares, and how it was computed."""
        if row.quantity is not None:
            return row.quantity, ""
        reach = reach_of(side_of(row.effect), row.limit_price, row.trigger_price or self._price(row.symbol))
        price = row.limit_price if reach is None else reach.most
        if row.notional is None or price is None:
            return NO_PRICE
        (step, whole), of = self._step(row), self.state.traded(row.symbol)
        shares = Quantity(rounded_down(of.quantity_for(row.notional, price), step))
        how = f", {plain(row.notional)} USD at {priced(price)}"
        risk = self.state.control.settings.risk
        if of.cost(shares, price) >= risk.min_notional or not risk.sizing.raise_to_minimum:
            too_little = (
                f"{plain(row.notional)} USD buys less than {plain(step)} {row.symbol} at {priced(price)}{whole}"
            )
            return (shares, how) if shares > 0 else too_little
        steps = (of.quantity_for(risk.min_notional, price) / step).to_integral_value(ROUND_CEILING)
        return Quantity(steps * step), f"{how}, raised to the smallest order of {plain(risk.min_notional)} USD"

    def _price(self, symbol: Symbol) -> Price | None:
        found = self.state.last_price(symbol)
        return found[1] if found is not None else None

    def _step(self, row: BasketRow) -> tuple[Decimal, str]:
        """Return the quantity step, and the reason for whole shares if the broker takes no fraction.

        The stop of a fractional entry follows its fill, as a day order.
        """
        instrument = self.state.sightings.instruments.get(row.symbol)
        if row.time_in_force is not TimeInForce.DAY:
            return Decimal(1), f": {row.time_in_force.value} is for whole shares; write day, or more"
        if row.effect is OrderEffect.SHORT:
            return Decimal(1), ": a short is for whole shares; write more"
        step = Decimal(1) if instrument is None else instrument.quantity_step
        return step, "; write more" if step < 1 else ": its market takes whole shares; write more"

    # ── exits ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _exit(self, row: BasketRow, order_id: str) -> Proposal | str:
        side = side_of(row.effect)
        held = [p for p in self.state.ledger.positions_in(row.symbol) if closing_side(p) is side]
        position = min(held, key=lambda position: position.strategy != MANUAL, default=None)
        if position is None:
            return f"there is no {row.symbol} position that it would reduce"
        left = left_to_close(self.state, position.symbol, position.strategy, side)
        wanted = self._wanted(row, position)
        if isinstance(wanted, str):
            return wanted
        quantity = Quantity(min(wanted, left))
        if quantity <= ZERO:
            return f"an exit of all {row.symbol} is on its way already"
        is_all = quantity == abs(position.quantity)
        effect = OrderEffect.COVER if row.effect is OrderEffect.COVER else OrderEffect.REDUCE
        order = OrderRequest(
            client_order_id=order_id,  # type: ignore[arg-type]
            symbol=row.symbol,
            side=side,
            effect=OrderEffect.CLOSE if is_all and effect is OrderEffect.REDUCE else effect,
            quantity=quantity,
            type=row.type,
            time_in_force=row.time_in_force,
            limit_price=row.limit_price,
            stop_price=row.stop_price if row.type.has_stop else None,
        )
        order = traded_in(position.instrument, order)
        clamped = f"; {plain(wanted)} was asked for, {plain(quantity)} is left to close" if quantity < wanted else ""
        return Proposal(
            id=ProposalId(order_id),
            strategy=position.strategy,
            order=self._marked(order),
            stop=NoStop("it closes"),
            signal_time=self.state.at,
            staged_at=self.state.at,
            expires_at=None,
            reason=f"{row.place}{clamped}",
            intended_price=row.limit_price or self._price(row.symbol),
            reference=None,
            exit_reason=ExitReason.MANUAL,
        )

    def _wanted(self, row: BasketRow, position: Position) -> Quantity | str:
        if row.quantity is not None:
            return row.quantity
        if row.notional is None:
            return Quantity(abs(position.quantity))
        price = row.limit_price or self._price(row.symbol)
        if price is None:
            return NO_PRICE
        instrument = self.state.sightings.instruments.get(row.symbol)
        step = Decimal(1) if instrument is None else instrument.quantity_step
        return Quantity(rounded_down(position.instrument.quantity_for(row.notional, price), step))

    def _marked(self, order: OrderRequest) -> OrderRequest:
        """Mark an order written in extended hours for the extended session if it can be (RK-20)."""
        return marked_for(self.state.at, order, self.state.calendar, self.state.control.settings.risk.session)


EXIT_WAITS = "an exit of it waits in Proposals already: confirm or decline that one first"
NO_STOP_KNOWN = "no stop was planned with it, and so none is known for the other way: close it, and type the entry"
NO_STOP_PRICE = "no price of it is known yet, from which its stop could stand"
ENTRIES_WORK = "an entry of it works at the broker: cancel that first"
SHARED = "others hold it too, and the broker nets them: close each on a ticket of its own"


class Reversal:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def lines(self, command: ReversePosition, plan_id: TicketId) -> tuple[BasketLine, ...] | str:
        """Return the close and the entry after it; a reason if there can be none."""
        position = self.state.ledger.position(command.symbol, command.strategy)
        if position is None:
            return f"there is no {command.symbol} position of {command.strategy}"
        if position.quantity != command.quantity:
            return f"{plain(command.quantity)} were to be turned and {plain(position.quantity)} are held: look again"
        if refusal := self._refusal(position):
            return refusal
        stop = self._stop(position)
        if isinstance(stop, str):
            return stop
        return BasketLine(self._close(position, plan_id)), BasketLine(self._entry(position, stop, plan_id))

    def _refusal(self, position: Position) -> str | None:
        symbol, ledger = position.symbol, self.state.ledger
        if len(ledger.positions_in(symbol)) > 1:
            return SHARED
        if any(p.is_exit and (p.symbol, p.strategy) == (symbol, position.strategy) for p in self._waiting()):
            return EXIT_WAITS
        return ENTRIES_WORK if any(o.request.symbol == symbol for o in ledger.working_entries()) else None

    def _waiting(self) -> tuple[Proposal, ...]:
        return tuple(self.state.stage.state.proposals.values())

    def _stop(self, position: Position) -> StopPlan | str:
        entry, last = self.state.ledger.order(position.entry_order), self.state.last_price(position.symbol)
        if entry is None or entry.stop is None:
            return NO_STOP_KNOWN
        if last is None:
            return NO_STOP_PRICE
        way = entry.stop.way_from(position.average_price)
        price = last[1] + way if position.quantity > 0 else last[1] - way
        return StopPlan(position.instrument.ticks.nearest(price), StopHolder.BROKER)

    def _close(self, position: Position, plan_id: TicketId) -> Proposal:
        held, side = Quantity(abs(position.quantity)), closing_side(position)
        order = self._order(position, plan_id, 1, side, effect_of_exit(side, held, held))
        return self._proposal(
            position.strategy, order, NoStop("it closes"), f"turns {plain(held)} round: first all of it"
        )

    def _entry(self, position: Position, stop: StopPlan, plan_id: TicketId) -> Proposal:
        side = closing_side(position)
        effect = OrderEffect.SHORT if side is Side.SELL else OrderEffect.OPEN
        order = with_legs(self._order(position, plan_id, 2, side, effect), stop)
        return self._proposal(MANUAL, order, stop, "turned round: as much the other way")

    def _order(
        self, position: Position, plan_id: TicketId, number: int, side: Side, effect: OrderEffect
    ) -> OrderRequest:
        installation = self.state.control.state.installation or ""
        order = OrderRequest(
            client_order_id=order_id_of("plan", installation, plan_id, str(number)),
            symbol=position.symbol,
            side=side,
            effect=effect,
            quantity=Quantity(abs(position.quantity)),
            type=OrderType.MARKET,
        )
        order = traded_in(position.instrument, order)
        return marked_for(self.state.at, order, self.state.calendar, self.state.control.settings.risk.session)

    def _proposal(self, strategy: str, order: OrderRequest, stop: StopPlan | NoStop, reason: str) -> Proposal:
        last = self.state.last_price(order.symbol)
        return Proposal(
            id=ProposalId(order.client_order_id),
            strategy=strategy,
            order=order,
            stop=stop,
            signal_time=self.state.at,
            staged_at=self.state.at,
            expires_at=None,
            reason=reason,
            intended_price=None if last is None else Price(last[1]),
            reference=None,
            exit_reason=ExitReason.MANUAL if order.effect.only_reduces else None,
        )
