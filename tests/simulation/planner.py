"""A person at the basket screen: writes a file or takes what waits, marks some, signs, answers, or does otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from core.messages.commands import (
    AnswerBasket,
    BasketRow,
    Decline,
    EditProposal,
    Halt,
    Kill,
    LeaveBasket,
    MarkInBasket,
    OpenBasket,
    OpenTicket,
    ProposeClose,
    ProposeFlattening,
    ProposeOrder,
    RequestCancel,
    Resume,
    SignBasket,
)
from core.model.basket import BasketPhase, BasketSource
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Digest, Money, Price, Quantity, Symbol, TicketId
from core.runtime.scripted_operator import turn_of
from core.staging.baskets import BasketRun
from core.workflows.basket_dry_run import DryRunResult
from core.workflows.baskets import BasketDrafts, digest_now, rehearsed
from tests.simulation.world import SPY, Trouble

if TYPE_CHECKING:
    from simulation.world import World

QUANTITIES = ("1", "3", "8", "8", "8", "9", "0.5", "20")


class Planner:
    def __init__(self, world: World) -> None:
        self.world = world
        self.files = 0

    # ── what is on the screen ────────────────────────────────────────────────────────────────────────────────────

    @property
    def run(self) -> BasketRun | None:
        return self.world.engine.state.plans.run

    @property
    def is_asked(self) -> bool:
        return self.run is not None and self.run.phase is BasketPhase.ASKING

    def _going(self, run: BasketRun) -> list[DryRunResult]:
        """What the screen paints as going."""
        tried = rehearsed(self.world.engine.state, self.world.engine.the(BasketDrafts).gate, run)
        return [one for one in tried if one.fits and one.proposal.id in run.marked]

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self, source: BasketSource, chance: Random) -> None:
        """What is to wait in Proposals is staged first."""
        rows: tuple[BasketRow, ...] = ()
        if source is BasketSource.FILE:
            rows = tuple(self._rows(chance))
        elif source is BasketSource.FLATTEN:
            self.world.do(ProposeFlattening())
        else:
            self._stage_some(chance)
        self.files += 1
        name = f"rows-{self.files}.csv"
        self.world.plan_keys.files[name] = rows
        self.world.do(OpenBasket(source, name, rows))
        self.world.run(0.5)

    def has_something(self, chance: Random) -> None:
        """Where little is held some is bought first, by a basket in peace."""
        if len(self.world.engine.state.ledger.positions()) >= min(2, len(self.world.symbols)):
            return
        self.open(BasketSource.FILE, chance)
        self.mark(chance, 1.0)
        self.sign()
        self.world.run(2.0)
        self.world.bar(self.world.price)

    def mark(self, chance: Random, most: float = 0.85) -> None:
        run = self.run
        for line in run.plan.lines if run is not None else ():
            if chance.random() < most:
                self._mark(run.id, line.proposal.id, is_marked=True)
            elif chance.random() < 0.3:
                self._mark(run.id, line.proposal.id, is_marked=False)

    def _mark(self, plan_id: TicketId, proposal_id: str, *, is_marked: bool) -> None:
        self.world.plan_keys.marks.add((plan_id, proposal_id, is_marked))  # type: ignore[arg-type]
        self.world.do(MarkInBasket(plan_id, proposal_id, is_marked))  # type: ignore[arg-type]

    def sign(self, how: str = "at once") -> None:
        """`late`: something else is painted by then, perhaps; `wrong`: a digest that was never painted."""
        run = self.run
        if run is None:
            return
        going, digest = self._going(run), Digest("0" * 64)
        if how != "wrong":
            digest = digest_now(self.world.engine.state, run, going)
            orders = tuple(one.proposal.order for one in going)
            self.world.plan_keys.signatures[run.id, digest] = orders
        if how == "late":
            self.world.bar(self.world.price + Decimal("0.10"))
        self.world.do(*[SignBasket(run.id, digest)] * (2 if how == "twice" else 1))

    def answer(self, *, goes_on: bool) -> None:
        """Also where it asks nothing: that word counts for nothing."""
        run = self.run
        if run is None:
            return
        if goes_on and run.phase is BasketPhase.ASKING and self.world.holds_key:
            self.world.plan_keys.told.add(run.id)
        self.world.do(AnswerBasket(run.id, goes_on, run.phase_since))

    def leave(self) -> None:
        run = self.run
        if run is not None:
            if self.world.holds_key:
                self.world.plan_keys.stops.setdefault(run.id, self.world.journal.sequence)
            self.world.do(LeaveBasket(run.id))

    # ── what is written ──────────────────────────────────────────────────────────────────────────────────────────

    def _rows(self, chance: Random) -> Iterator[BasketRow]:
        """Sells of what is held, buys of what is not, and now and then a row that makes no sense."""
        held = {p.symbol: p.quantity for p in self.world.engine.state.ledger.positions()}
        rows: list[tuple[Symbol, Effect, dict[str, object]]] = []
        for symbol in self.world.symbols:
            if held.get(symbol, 0) > 0 and chance.random() < 0.9:
                rows.append((symbol, Effect.CLOSE, self._sale(chance, symbol)))
            elif held.get(symbol, 0) < 0:
                rows.append((symbol, Effect.COVER, self._sale(chance, symbol)))
            elif chance.random() < 0.7:
                rows.append((symbol, Effect.OPEN, self._buy(chance, symbol)))
            if chance.random() < 0.08:
                rows.append((symbol, Effect.CLOSE, self._sale(chance, symbol)))
        chance.shuffle(rows)
        for number, (symbol, effect, terms) in enumerate(rows, start=1):
            yield BasketRow(place=f"row {number}", symbol=symbol, effect=effect, **terms)  # type: ignore[arg-type]

    def _sale(self, chance: Random, symbol: Symbol) -> dict[str, object]:
        """Mostly all of it, at the market; sometimes at a limit that waits."""
        how_much, limit = (
            chance.choice(("all", "all", "all", "shares", "usd")),
            chance.choice(("", "", "", "0.60", "-0.05")),
        )
        return {
            "quantity": Quantity(Decimal(chance.choice(QUANTITIES))) if how_much == "shares" else None,
            "notional": Money(Decimal(500)) if how_much == "usd" else None,
            **self._priced(symbol, limit),
        }

    def _buy(self, chance: Random, symbol: Symbol) -> dict[str, object]:
        limit = chance.choice(("", "", "0.05", "-0.05", "-0.60"))
        is_usd, terms = chance.random() < 0.3, self._priced(symbol, limit)
        stop = STOCK_TICKS.nearest(self.world.price_of(symbol) - Decimal(chance.choice(("0.70", "1.00", "3.00"))))
        has_stop = chance.random() < 0.95
        return {
            "quantity": None if is_usd else Quantity(Decimal(chance.choice(QUANTITIES))),
            "notional": Money(Decimal(chance.choice((300, 800, 950)))) if is_usd else None,
            "stop_price": Price(stop) if has_stop else None,
            **terms,
        }

    def _priced(self, symbol: Symbol, limit: str) -> dict[str, object]:
        price = STOCK_TICKS.nearest(self.world.price_of(symbol) + Decimal(limit)) if limit else None
        return {"type": OrderType.LIMIT if limit else OrderType.MARKET, "limit_price": price}

    def _stage_some(self, chance: Random) -> None:
        """A few orders of one's own beside what waits already."""
        held = {p.symbol for p in self.world.engine.state.ledger.positions()}
        for symbol in self.world.symbols:
            if chance.random() < 0.4:
                continue
            if symbol in held:
                self.world.do(ProposeClose(symbol))
                continue
            quantity = Quantity(Decimal(chance.choice(QUANTITIES)))
            stop = Price(STOCK_TICKS.nearest(self.world.price_of(symbol) - 1))
            self.world.do(ProposeOrder(symbol, Effect.OPEN, quantity, OrderType.MARKET, None, stop, StopHolder.BROKER))

    # ── what comes between ───────────────────────────────────────────────────────────────────────────────────────

    def something_is_in_store(self, what: str, chance: Random) -> None:
        """What meets the basket once it is signed: the process dies at one of the next places, a message is lost."""
        world = self.world
        if what == "die soon":
            world.next_crash = {
                "kept": chance.randint(0, 3),
                "with_checkpoint": chance.random() < 0.5,
                "down": chance.choice((0.1, 0.1, 1.0, 30.0, 200.0)),
            }
            world.fuse.light(chance.randint(1, 90))
        elif what == "trouble":
            of = chance.choice(("SubmitOrder", "SubmitOrder", "FetchFigures", "CancelOrder", "FetchBooks", ""))
            to = "update" if not of else chance.choice(("request", "answer", "answer"))
            fate = chance.choice(("lost", "late", "late"))
            world.line.waiting.append(Trouble(to, of, fate, chance.choice((0.3, 2.0, 6.0, 20.0, 90.0))))

    def something_happens(self, what: str, chance: Random) -> None:
        """While the basket runs."""
        world, run = self.world, self.run
        desk = world.engine.state
        orders = run.orders if run is not None else ()
        one = orders[chance.randrange(len(orders))] if orders else None
        match what:
            case "bar":
                world.bar(world.price + Decimal(chance.choice(("-0.60", "0.30"))), volume=chance.choice((5, 30, 1000)))
            case "kill":
                world.do(Halt("key"), Kill("key", naked=chance.random() < 0.3))
                world.rearm()
                world.do(Resume(everything=True))
            case "halt":
                world.do(Halt("key"))
                world.run(chance.choice((0.0, 0.3)))
                world.do(Resume())
            case "stop":
                self.leave()
            case "another":
                self.open(BasketSource.FILE, chance)
            case "die":
                world.fuse.burnt["while a basket runs"] += 1
                world.restart(kept=chance.randint(0, 3), with_checkpoint=chance.random() < 0.5, down=0.1)
            case "cancel" if working := list(desk.ledger.working()):
                world.do(RequestCancel(working[chance.randrange(len(working))].id))
            case "taken away" if working := list(desk.ledger.working()):
                world.surprises.take_away(working[chance.randrange(len(working))].id)
            case "decline" if one is not None:
                world.do(Decline(one.proposal.id, ""))
            case "edit" if one is not None:
                world.do(EditProposal(one.proposal.id, Quantity(Decimal(1)), one.proposal.order.limit_price))
            case "own key" if one is not None:
                world.do(OpenTicket(one.proposal.id))
                world.run(0.3)
                for ticket in desk.stage.state.tickets.values():
                    if ticket.proposal_id == one.proposal.id:
                        press = (ticket.id, ticket.digest, ticket.order.effect.value, ticket.order.replaces)
                        world.presses.add(press)
                        world.do(turn_of(ticket))
                        break
            case "close" if one is not None:
                world.do(ProposeClose(one.proposal.symbol))
            case "closed elsewhere":
                world.surprises.close_elsewhere(one.proposal.symbol if one is not None else SPY)
            case "mark" if one is not None and run is not None:
                self._mark(run.id, one.proposal.id, is_marked=False)

    def sees_through(self, answer: str, chance: Random) -> None:
        """Up to a few minutes; what is asked is answered, or not."""
        for seconds in (0.2, 0.4, 3.0):
            self.world.run(seconds)
        for _ in range(3):
            run = self.run
            if run is None or not run.runs:
                return
            if self.is_asked and answer != "nothing":
                self.answer(goes_on=answer == "go on")
                self.world.run(3.0)
            else:
                self.world.bar(self.world.price, volume=chance.choice((30, 1000, 1000)))
