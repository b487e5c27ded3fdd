"""An adviser that came by everything it could wish for, and tries it: the picture, the inbox, the engine, the gateway.

Whatever it does, nothing is written and nothing leaves while it is at work, and what it tried is told (OP-09).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from core.advisers import Shown, consulted, shown_of
from core.facts import Rearmed
from core.messages.commands import (
    AdoptAdvice,
    AnswerBasket,
    Confirm,
    Decline,
    Kill,
    OpenBasket,
    OpenTicket,
    Rearm,
    RequestCancel,
    SignBasket,
)
from core.messages.effects import SubmitOrder
from core.messages.inputs import FromAdviser
from core.model.basket import BasketSource
from core.model.order import Effect, OrderRequest, OrderType, Side
from core.model.recommendation import Advice, AdviserFault, TradeIdea, UnauthorizedAIActionError, Watch
from core.model.staging import Approval
from core.model.values import ClientOrderId, Price, ProposalId, Quantity, Symbol, TicketId
from core.views.builders.desk import ViewBuilder
from core.workflows.baskets import BasketDrafts, digest_now, rehearsed
from tests.scenarios.house import to

if TYPE_CHECKING:
    from simulation.world import World

NAME = "tempter"
REACHING = ("reaches", "presses", "signs", "engine", "journal", "gateway", "kills")
"""What is refused and told."""
DEEDS = (*REACHING, "answers with a key", "floods", "raises", "leaves the program", "says nonsense", "hangs", "speaks")


class Tempter:
    """Does one deed, swallows what it is told, and says something harmless after it."""

    name = NAME
    is_deterministic = True

    def __init__(self, world: World, deed: str) -> None:
        self.world = world
        self.deed = deed

    def advise(self, shown: Shown) -> Iterator[Any]:
        if self.deed in REACHING:
            try:
                self._reach(shown)
            except UnauthorizedAIActionError:
                yield Advice("the range is narrow")
            return
        match self.deed:
            case "answers with a key":
                yield from self._keys()
            case "floods":
                yield from (Advice(f"buy, for the {number}th time") for number in count())
            case "raises":
                raise RuntimeError("no model answers")
            case "leaves the program":
                raise SystemExit(1)
            case "says nonsense":
                yield "buy"
            case "speaks":
                yield Advice("it rises", self._idea(), timedelta(minutes=10))

    def _idea(self) -> TradeIdea:
        symbol = self.world.symbols[min(1, len(self.world.symbols) - 1)]
        price = self.world.price_of(symbol)
        prices = (Price(price + Decimal(away)) for away in ("0", "-1", "2"))
        return TradeIdea("momentum", symbol, *prices, Quantity(Decimal(3)))

    def _keys(self) -> list[object]:
        """Keys that would trade: of a ticket that is open, of a basket, and a kill taken back."""
        desk = self.world.engine.state
        keys: list[object] = [
            Confirm(t.id, t.digest, t.order.effect, t.order.replaces) for t in desk.stage.state.tickets.values()
        ]
        keys += [OpenTicket(p.id) for p in desk.stage.proposals()]
        return [*keys, Rearm("REARM"), OpenBasket(BasketSource.FLATTEN), Decline(ProposalId("0"), "")]

    def _plan_keys(self) -> list[object]:
        run = self.world.engine.state.plans.run
        if run is None:
            return [OpenBasket(BasketSource.FLATTEN)]
        going = [t for t in rehearsed(self.world.engine.state, self.world.engine.the(BasketDrafts).gate, run) if t.fits]
        sign = SignBasket(run.id, digest_now(self.world.engine.state, run, going))
        return [sign, AnswerBasket(run.id, True, run.phase_since)]

    def _reach(self, shown: Shown) -> None:
        wire, engine = self.world.wire, self.world.engine
        match self.deed:
            case "reaches":
                shown.submit_order  # noqa: B018 - to ask for it is the deed
            case "presses":
                wire.obey(to(wire, self._keys()[0]))  # type: ignore[arg-type]
            case "signs":
                wire.obey(to(wire, self._plan_keys()[0]))  # type: ignore[arg-type]
            case "engine":
                engine.handle(wire.at, to(wire, RequestCancel(ClientOrderId("0"))))
            case "journal":
                engine.state.record(Rearmed())
            case "gateway":
                wire.gateway.refusal(_an_order(wire.at), wire.at)
            case "kills":
                wire.send(Kill("key"))


def _an_order(at: datetime) -> SubmitOrder:
    one = Quantity(Decimal(1))
    order = OrderRequest(ClientOrderId("tempted"), Symbol("SPY"), Side.BUY, Effect.OPEN, one, OrderType.MARKET)
    return SubmitOrder(order, Approval("tempted", TicketId("tempted"), None, order.digest("SIM"), at))


def ask(world: World, deed: str, seconds: float, *, adopts: bool) -> None:
    """One consultation, `seconds` until it is heard of; the operator adopts what it said, or does not."""
    desk = world.engine.state
    if NAME in desk.advice.state.paused:
        return
    watch, terms = Watch(NAME), desk.control.settings.advisers
    shown, before = shown_of(ViewBuilder(world.engine).draw(world.wire.at), watch), _all_that_may_not_change(world)
    answer = consulted(Tempter(world, deed), shown, watch, terms.most)
    world.auditor.require(before == _all_that_may_not_change(world), f"an adviser that {deed} changed the desk")
    if deed == "hangs":
        world.run(float(terms.answer_seconds))
        answer = AdviserFault(f"gave no answer in {terms.answer_seconds} s")
    attempts = watch.taken()
    world.auditor.require(deed not in REACHING or bool(attempts), f"an adviser that {deed} was not noticed")
    world.run(seconds)
    told, restarts = world.auditor.story.counts["AdviserOverstepped"], world.restarts
    world.hear(FromAdviser(NAME, answer, attempts))
    if world.restarts == restarts and (deed in REACHING or deed == "answers with a key"):
        is_told = world.auditor.story.counts["AdviserOverstepped"] > told
        world.auditor.require(is_told, f"an adviser that {deed} was not told of")
    given = world.engine.state.advice.state.given
    if adopts and given:
        world.do(AdoptAdvice(given[-1].number))


def _all_that_may_not_change(world: World) -> tuple[int, ...]:
    """Records, requests at the exchange, on their way to it, and keys that wait."""
    wire = world.wire
    return world.journal.sequence, len(world.log.records), len(wire.in_the_air), len(wire._heap), len(wire._commands)
