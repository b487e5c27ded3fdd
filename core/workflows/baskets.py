"""Handle a basket until it is signed: open it with a dry run, mark orders, sign once, or close it (OP-05)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from core.execution.stop_coverage import working_entries
from core.facts import BasketEnded, BasketMarked, BasketOpened, BasketRefused, BasketSigned
from core.messages.command_ports import LATE
from core.messages.commands import BasketRow, LeaveBasket, MarkInBasket, OpenBasket, ReversePosition, SignBasket
from core.messages.effects import Effect, FetchFigures
from core.model.account import Account, Mode
from core.model.basket import (
    Basket,
    BasketCheck,
    BasketEnd,
    BasketLine,
    BasketSource,
    CheckedOrder,
    SignedOrder,
    SkippedRow,
    digest_of_basket,
    holds_as_typed,
)
from core.model.instrument import NoInstrument
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderType, Side, StopHolder, TimeInForce, digest_of, order_id_of, traded_in
from core.model.order_terms import order_in_words
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MANUAL, AuthorizationKind, NoStop, Proposal, StandingAuthorization, StopPlan
from core.model.touch import Touch, TouchCode, TouchPurpose, basket_message
from core.model.values import (
    ZERO,
    ClientOrderId,
    Digest,
    Money,
    Price,
    ProposalId,
    Quantity,
    Symbol,
    TicketId,
    plain,
    priced,
    rounded_down,
)
from core.risk.gate import Gate
from core.staging.baskets import BasketRun
from core.staging.deployment import Share, shares_of
from core.staging.resting_entries import aimed_at, reach_of, refusal_of, stop_for, with_legs
from core.staging.time_in_force import marked_for
from core.trading_state.state import TradingState
from core.workflows.basket_dry_run import BasketDryRun, DryRunResult
from core.workflows.operator import touch_keys
from core.workflows.operator.command_rights import turn_of
from core.workflows.staging.manual_proposals import side_of
from core.workflows.staging.proposal_intake import closing_side, effect_of_exit, left_to_close
from core.workflows.staging.tickets import NOBODY
from core.workflows.workflow import answers

# ── rows of a file, and a reversal ───────────────────────────────────────────────────────────────────────────────────
# Turn rows of a file into orders of a basket, and a reversal into two orders (OP-05).
#
# A size that the desk computes, from an amount or raised to the smallest order, goes through the same dry run and
# checks as a typed one (RK-18).
#
# The second order may go only when nothing of the symbol is held: before that a sale would close instead of selling
# short, and a purchase would cover. Its stop is as far from the price as the planned stop of the closed position was
# from the price paid.

NO_PRICE = "no price of it is known yet, so its amount cannot become shares; give a limit_price, or shares"


class BasketRows:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def lines(self, command: OpenBasket, plan_id: TicketId) -> tuple[tuple[BasketLine, ...], tuple[SkippedRow, ...]]:
        """Return the orders of the rows, and the rows that were skipped."""
        lines: list[BasketLine] = []
        skipped = list(command.skipped)
        shares = iter(self._shares(command))
        for number, row in enumerate(command.rows, start=1):
            order_id = order_id_of("plan", self.state.control.state.installation or "", plan_id, str(number))
            share = next(shares, None) if is_unsized(row) else None
            if isinstance(share, str):
                skipped.append(SkippedRow(row.place, share))
                continue
            made = self._exit(row, order_id) if row.effect.only_reduces else self._entry(row, order_id, share)
            if isinstance(made, str):
                skipped.append(SkippedRow(row.place, made))
            else:
                lines.append(BasketLine(made))
        return tuple(lines), tuple(skipped)

    def _shares(self, command: OpenBasket) -> list[Share | str]:
        """Return what each entry without a size gets of the amount to deploy, or why nothing."""
        if command.deploy is None:
            return []
        symbols = [row.symbol for row in command.rows if is_unsized(row)]
        return shares_of(command.deploy, symbols, self._price, self.state.sizing.average_range)

    # ── entries ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _entry(self, row: BasketRow, order_id: str, share: Share | None) -> Proposal | str:
        sized = self._size(row, share)
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

    def _size(self, row: BasketRow, share: Share | None) -> tuple[Quantity, str] | str:
        """Return the number of shares, and how it was computed.

        A share of a deployment is not raised to the smallest order: all of them would be more than the amount.
        """
        if row.quantity is not None:
            return row.quantity, ""
        notional, part = (row.notional, "") if share is None else (share.amount, share.words)
        at_market = self._price(row.symbol) if share is None else self._ask(row.symbol)
        reach = reach_of(side_of(row.effect), row.limit_price, row.trigger_price or at_market)
        price = row.limit_price if reach is None else reach.most
        if notional is None or price is None:
            return NO_PRICE
        (step, whole), of = self._step(row), self.state.traded(row.symbol)
        shares = Quantity(rounded_down(of.quantity_for(notional, price), step))
        how = f", {plain(notional)} USD at {priced(price)}{part}"
        risk = self.state.control.settings.risk
        is_raised = risk.sizing.raise_to_minimum and share is None
        if of.cost(shares, price) >= risk.min_notional or not is_raised:
            too_little = f"{plain(notional)} USD buys less than {plain(step)} {row.symbol} at {priced(price)}{whole}"
            return (shares, how) if shares > 0 else too_little
        steps = (of.quantity_for(risk.min_notional, price) / step).to_integral_value(ROUND_CEILING)
        return Quantity(steps * step), f"{how}, raised to the smallest order of {plain(risk.min_notional)} USD"

    def _ask(self, symbol: Symbol) -> Price | None:
        """Return the last price, or the ask above it: shares bought there cost no more than the amount."""
        last, quote = self._price(symbol), self.state.sightings.quotes.get(symbol)
        return last if last is None or quote is None else max(last, quote.ask)

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


def is_unsized(row: BasketRow) -> bool:
    """Whether it opens, and takes a share of the deployment."""
    return not row.effect.only_reduces and row.quantity is None and row.notional is None


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
        way, last = self.state.exits.way_to_stop(position), self.state.last_price(position.symbol)
        if way is None:
            return NO_STOP_KNOWN
        if last is None:
            return NO_STOP_PRICE
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


# ── baskets until they are signed ────────────────────────────────────────────────────────────────────────────────────

NOTHING_WAITS = "nothing waits in Proposals that a basket could hold"
NOTHING_HELD = "nothing is held and no entry works: there is nothing to flatten"
NO_ROWS = "no row of it became an order"
RUNS = "a basket runs already; wait for its end, or stop it on its screen"
NOT_FOLLOWED = "the engine does not follow it, and a check asks for nothing: put it on a watchlist, then check again"
NO_PLAN = "there is no such basket any more; open it again"
TIME_OVER = "the basket expired; open it again"
CHANGED = "the basket changed before the key came; read it again and sign it"
NOT_TYPED = "real money: what its entries cost in all is typed in whole dollars before the key"
NOT_PRICED = "no price of one of its entries is known, and so not what they cost; wait for a quote, or leave it out"
NONE_MARKED = "no order that would go is marked; space marks the selected one"


class BasketDrafts:
    ACTS_BY_TIME = True
    DUE_BY_FACTS = True

    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate
        self.rows = BasketRows(state)
        self.reversal = Reversal(state)

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(OpenBasket)
    def on_open(self, command: OpenBasket) -> Iterator[Effect]:
        """Open a basket with a dry run of every order, then request fresh quotes for the next dry run."""
        plan_id = self._next_id()
        if self.state.plans.running is not None:
            self._refuse(command, plan_id, RUNS)
            return
        tried, skipped = self._tried(command, plan_id)
        takes_back = command.source is BasketSource.FLATTEN and bool(working_entries(self.state.ledger))
        if not tried and not takes_back:
            nothing = {BasketSource.PROPOSALS: NOTHING_WAITS, BasketSource.FLATTEN: NOTHING_HELD}
            reasons = tuple(f"{row.place}: {row.reason}" for row in skipped)
            self._refuse(command, plan_id, nothing.get(command.source, NO_ROWS), *reasons)
            return
        yield from self._open(command, plan_id, tried, skipped)

    def check(self, command: OpenBasket, at: datetime) -> BasketCheck:
        """Return the dry run of a file as if it were opened at this time, no earlier than the last input.

        It uses the figures that the engine has. Nothing is recorded or requested.
        """
        last, self.state.at = self.state.at, max(self.state.at, at)
        try:
            tried, skipped = self._tried(command, self._next_id())
            refusal = RUNS if self.state.plans.running is not None else ""
            return BasketCheck(self.state.at, tuple(map(self._checked, tried)), skipped, refusal)
        finally:
            self.state.at = last

    def _checked(self, tried: DryRunResult) -> CheckedOrder:
        order = tried.proposal.order
        is_unknown = isinstance(self.state.instrument(order.symbol), NoInstrument)
        return CheckedOrder(
            origin=tried.proposal.reason,
            words=order_in_words(order),
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            price=tried.price,
            cost=tried.cost,
            refusals=(*((NOT_FOLLOWED,) if is_unknown else ()), *tried.refusals),
            warnings=tuple(f"{v.check}: {v.reason}" for v in tried.review.warnings),
        )

    def _tried(self, command: OpenBasket, plan_id: TicketId) -> tuple[list[DryRunResult], tuple[SkippedRow, ...]]:
        """Return the dry run of each order, reducing ones first, and the rows that are none."""
        wanted, skipped = self._lines(command, plan_id)
        ordered = [line for line in wanted if line.proposal.only_reduces]
        ordered += [line for line in wanted if not line.proposal.only_reduces]
        return dry_run(self.state, self.gate, command.source).try_all(ordered), skipped

    @answers(ReversePosition)
    def on_reverse(self, command: ReversePosition) -> Iterator[Effect]:
        """Open a reversal with both orders or none: if a check refuses either, no basket opens."""
        plan_id, opening = self._next_id(), OpenBasket(BasketSource.REVERSAL)
        lines = RUNS if self.state.plans.running is not None else self.reversal.lines(command, plan_id)
        if isinstance(lines, str):
            self._refuse(opening, plan_id, lines)
            return
        tried = dry_run(self.state, self.gate, BasketSource.REVERSAL).try_all(lines)
        if refusals := [refusal for line in tried for refusal in line.refusals]:
            self._refuse(opening, plan_id, *refusals)
            return
        yield from self._open(opening, plan_id, tried, ())

    def _open(
        self, command: OpenBasket, plan_id: TicketId, tried: list[DryRunResult], skipped: tuple[SkippedRow, ...]
    ) -> Iterator[Effect]:
        self.put_aside("another basket was opened")
        lines = tuple(BasketLine(t.proposal, t.refusals) for t in tried)
        at = self.state.at
        ends_at = at + self._seconds("life_seconds")
        plan = Basket(plan_id, command.source, command.name, lines, skipped, at, ends_at, command.request)
        marked = tuple(line.proposal.id for line in lines) if command.source is BasketSource.FLATTEN else ()
        self.state.record(BasketOpened(plan, marked))
        for number, symbol in enumerate(dict.fromkeys(line.proposal.symbol for line in lines)):
            yield FetchFigures(NOBODY, None, symbol, is_quote_alone=number > 0)

    def _next_id(self) -> TicketId:
        return TicketId(digest_of("plan", str(self.state.plans.state.opened + 1))[:16])

    def _refuse(self, command: OpenBasket, plan_id: TicketId, *reasons: str) -> None:
        self.state.record(BasketRefused(plan_id, reasons, command.name, command.request))

    def _lines(self, command: OpenBasket, plan_id: TicketId) -> tuple[tuple[BasketLine, ...], tuple[SkippedRow, ...]]:
        if command.source is BasketSource.FILE:
            return self.rows.lines(command, plan_id)
        waiting = [p for p in self.state.stage.proposals() if p.order.replaces is None and not p.is_guard]
        if command.source is BasketSource.FLATTEN:
            # An agent's exit is not the operator's: the position's own close is staged beside it.
            waiting = [p for p in waiting if p.is_exit and self.state.drafts.of_proposal(p.id) is None]
        free = [p for p in waiting if not self.state.stage.is_confirming(p.id)]
        return tuple(BasketLine(proposal) for proposal in free), command.skipped

    # ── marking ──────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(MarkInBasket)
    def on_mark(self, command: MarkInBasket) -> Iterable[Effect]:
        run = self.state.plans.open_plan(command.plan_id)
        if run is None:
            return ()
        entries = {ProposalId(order.id) for order in working_entries(self.state.ledger)}
        if any(line.proposal.id == command.proposal_id for line in run.plan.lines):
            is_marked = command.proposal_id in run.marked
        elif run.plan.source is BasketSource.FLATTEN and command.proposal_id in entries:
            is_marked = ClientOrderId(command.proposal_id) not in run.spared
        else:
            return ()
        if is_marked is not command.is_marked:
            self.state.record(BasketMarked(run.id, command.proposal_id, command.is_marked))
        return ()

    @answers(LeaveBasket)
    def on_leave(self, command: LeaveBasket) -> Iterable[Effect]:
        if self.state.plans.open_plan(command.plan_id) is not None:
            self.put_aside("closed by the operator")
        return ()

    def put_aside(self, reason: str) -> None:
        """Close the basket that waits for its signature, if there is one."""
        run = self.state.plans.run
        if run is not None and run.is_open:
            self.state.record(BasketEnded(run.id, BasketEnd.LEFT, reason, None))

    # ── signing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(SignBasket)
    def on_sign(self, command: SignBasket) -> Iterable[Effect]:
        """Sign the basket as painted. Nothing is sent yet: each order is checked again at its turn."""
        run = self.state.plans.open_plan(command.plan_id)
        if run is None:
            self.state.record(BasketRefused(command.plan_id, (NO_PLAN,)))
            return ()
        tried = rehearsed(self.state, self.gate, run)
        going = [t for t in tried if t.fits and t.proposal.id in run.marked]
        if refusal := self._refusal(run, going, command):
            self.state.record(BasketRefused(run.id, (refusal,)))
            return ()
        touch = self._touch(run, going, command)
        touch_keys.record(self.state, TouchPurpose.BASKET, run.id, touch)
        if isinstance(touch, TouchCode):
            self.state.record(BasketRefused(run.id, (f"{touch_keys.TOUCH}: {touch.in_words}",)))
            return ()
        orders = tuple(t.signed() for t in going)
        ends_at = self.state.at + self._seconds("run_seconds")
        account = self.state.sightings.account
        terminal, user, turn = turn_of(self.state, command)
        self.state.record(
            BasketSigned(
                plan_id=run.id,
                digest=command.digest,
                orders=orders,
                left_out=tuple((t.proposal.id, _why_left_out(t, run)) for t in tried if t not in going),
                authorizations=tuple(
                    self._authorization(run, number, order, command.digest, ends_at)
                    for number, order in enumerate(orders, start=1)
                ),
                ends_at=ends_at,
                buying_power=account.buying_power if isinstance(account, Account) else None,
                taken_back=taken_back(self.state, run, going),
                worth=command.worth,
                terminal=terminal,
                user=user,
                turn=turn,
            )
        )
        return ()

    def _refusal(self, run: BasketRun, going: list[DryRunResult], command: SignBasket) -> str | None:
        if command.came_late:
            return LATE
        if self.state.at >= run.plan.ends_at:
            return TIME_OVER
        if not going and not taken_back(self.state, run, going):
            return NONE_MARKED
        if command.digest != digest_now(self.state, run, going):
            return CHANGED
        return self._untyped(going, command.worth) if self.state.mode is Mode.LIVE else None

    def _touch(self, run: BasketRun, going: list[DryRunResult], command: SignBasket) -> Touch | TouchCode | None:
        """Return the touch that entries need, or why there is none; None if they need none (OP-15)."""
        if not touch_keys.is_needed_for(self.state, going):
            return None
        message = basket_message(self.state.account_name, touch_keys.nonce_now(self.state), run.id, command.digest)
        return touch_keys.judged(self.state, command, message)

    def _untyped(self, going: list[DryRunResult], typed: Money | None) -> str | None:
        """Return why the typed amount does not sign entries with real money; a key alone never does (OP-05)."""
        costs = [t.cost for t in going if not t.proposal.only_reduces]
        if not costs:
            return None
        if None in costs:
            return NOT_PRICED
        worth = Money(sum((cost for cost in costs if cost is not None), ZERO))
        if typed is None:
            return NOT_TYPED
        return None if holds_as_typed(typed, worth) else f"its entries cost {worth:,.2f} USD by now; read it again"

    def _authorization(
        self, run: BasketRun, number: int, signed: SignedOrder, digest: Digest, ends_at: datetime
    ) -> StandingAuthorization:
        order = signed.proposal.order
        return StandingAuthorization(
            id=f"{run.id}-{AuthorizationKind.BASKET.value}.{number}",
            kind=AuthorizationKind.BASKET,
            ticket_id=run.id,
            ticket_digest=digest,
            parent=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            stop_price=order.stop_price,
            ends_at=ends_at,
            terms=order.terms,
        )

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        run = self.state.plans.run
        if run is not None and run.is_open:
            yield run.plan.ends_at

    def due(self) -> Iterable[Effect]:
        run = self.state.plans.run
        if run is not None and run.is_open and self.state.at >= run.plan.ends_at:
            self.state.record(BasketEnded(run.id, BasketEnd.LAPSED, "its time was over before it was signed", None))
        return ()

    def _seconds(self, name: str) -> timedelta:
        return timedelta(seconds=float(getattr(self.state.control.settings.staging.basket, name)))


def rehearsed(state: TradingState, gate: Gate, run: BasketRun) -> list[DryRunResult]:
    """Return the dry run of each order of an open basket as it stands now.

    A marked order is tried with the effects of the marked orders before it, an unmarked one with those of every order
    before it: it shows whether it would pass if all of them were marked.
    """
    lines = [line for line in run.plan.lines if _is_still_there(state, run, line)]
    whole = dry_run(state, gate, run.plan.source).try_all(lines)
    marked = dry_run(state, gate, run.plan.source).try_all(lines, run.marked)
    return [m if m.proposal.id in run.marked else w for m, w in zip(marked, whole, strict=True)]


def dry_run(state: TradingState, gate: Gate, source: BasketSource) -> BasketDryRun:
    """Return a dry run for this source: a reversal's entry depends on its close, a flattening cancels entries."""
    return BasketDryRun(state, gate, source)


def _is_still_there(state: TradingState, run: BasketRun, line: BasketLine) -> bool:
    """Whether the proposal of the line is still active and unchanged."""
    if run.plan.source.brings_its_orders:
        return True
    waiting = state.stage.state.proposals.get(line.proposal.id)
    return waiting is not None and waiting.order == line.proposal.order


def digest_now(state: TradingState, run: BasketRun, going: Iterable[DryRunResult]) -> Digest:
    """Return the digest that `P` would sign now."""
    orders = list(going)
    digests = tuple(t.digest(state.account_name) for t in orders)
    return digest_of_basket(state.account_name, run.id, digests, taken_back(state, run, orders))


def taken_back(state: TradingState, run: BasketRun, going: Iterable[DryRunResult]) -> tuple[ClientOrderId, ...]:
    """Return the working entries that a flattening cancels first.

    A partly filled entry with legs is cancelled at the turn of the sale of its shares instead (EX-21).
    """
    if run.plan.source is not BasketSource.FLATTEN:
        return ()
    in_turn = {order_id for tried in going for order_id in tried.cancels}
    return tuple(o.id for o in working_entries(state.ledger) if o.id not in run.spared and o.id not in in_turn)


def _why_left_out(tried: DryRunResult, run: BasketRun) -> tuple[str, ...]:
    return tried.refusals if tried.proposal.id in run.marked else ("not marked",)
