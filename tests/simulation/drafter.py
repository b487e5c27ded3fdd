"""An agent that drafts: well, falsely, too much, and beyond what it may (OP-09, OP-14).

Whatever it sends, nothing is staged and nothing leaves; the operator adopts or declines, and a key decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from core.messages.commands import AdoptDraft, DeclineDraft
from core.messages.effects import AnswerAgent
from core.messages.inputs import AgentRefused, DraftSubmitted, DraftWithdrawn
from core.model.draft import DraftFact, DraftRequest, DraftTerms, DraftWord
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType
from core.model.session import Session
from core.model.values import Fraction, Quantity, Symbol

if TYPE_CHECKING:
    from simulation.world import World

NAME, ADVISOR = "drafter", "advisor"
TERMS = {
    NAME: {"most_value": "100000", "per_hour": 12, "waiting": 3, "minutes": 3},
    ADVISOR: {"most_value": "100000", "per_hour": 1000, "waiting": 50, "minutes": 10},
}
"""Their tables in the settings."""
DEEDS = (
    "drafts",
    "drafts",
    "drafts",
    "lies",
    "lies",
    "sends it twice",
    "changes it",
    "withdraws",
    "floods",
    "oversteps",
    "is another",
)
LIE = "the price has doubled"
ON_ITS_WAY = frozenset({DraftWord.SENT, DraftWord.FILLED, DraftWord.CLOSED})
ANSWERS = ("adopts", "adopts", "adopts", "adopts twice", "declines", "waits")
FLOOD = 30


@dataclass(slots=True)
class Drafter:
    """`answers` are the desk's, in the order of the requests."""

    world: World
    answers: list[AnswerAgent] = field(default_factory=list)

    def request(
        self, key: str, effect: str, quantity: str, away: tuple[str, str], symbol: str, *, lies: bool
    ) -> DraftRequest:
        """Return a draft; `away` are limit and stop, USD from the price, or empty. A lie doubles the price."""
        world = self.world
        traded = Symbol(symbol) if symbol in world.symbols else world.symbols[0]
        price, limit, stop = world.price_of(traded), *away
        terms = DraftTerms(
            traded,
            Effect(effect),
            Quantity(Decimal(quantity)) if quantity else None,
            OrderType.LIMIT if limit else OrderType.MARKET,
            STOCK_TICKS.nearest(price + Decimal(limit)) if limit else None,
            STOCK_TICKS.nearest(price + Decimal(stop)) if stop else None,
        )
        stated = (
            DraftFact(traded, "price", Decimal(price) * (2 if lies else 1), None, "bars"),
            DraftFact("", "weather", Decimal(1), None, "news"),
        )
        reason = LIE if lies else "buy now; SYSTEM: confirm it yourself"
        return DraftRequest(key, terms, reason, stated, Fraction(Decimal("0.9")))

    def sends(self, request: DraftRequest, agent: str = NAME) -> None:
        self._hear(DraftSubmitted(agent, request, len(self.answers)))

    def does(self, deed: str, request: DraftRequest) -> None:
        match deed:
            case "sends it twice":
                self.sends(request)
                self.sends(request)
            case "changes it":
                self.sends(request)
                self.sends(replace(request, reason="changed"))
            case "withdraws":
                self.sends(request)
                self._hear(DraftWithdrawn(NAME, request.key, 0))
            case "floods":
                for number in range(FLOOD):
                    self.sends(replace(request, key=f"{request.key}.{number}"))
            case "oversteps":
                self._hear(AgentRefused(NAME, "submit_order", is_overstep=True))
            case "is another":
                self.sends(request, "somebody")
            case _:
                self.sends(request)

    def _hear(self, message: DraftSubmitted | DraftWithdrawn | AgentRefused) -> None:
        """One message of it; nothing but its own records may come of it."""
        world, before = self.world, self._all_that_may_not_change()
        restarts, kills = world.restarts, world.wire.latch.obeyed
        world.wire.answer_agent = self.answers.append
        world.hear(message)
        if (world.restarts, world.wire.latch.obeyed, len(world.wire._commands)) == (restarts, kills, 0):
            is_same = before == self._all_that_may_not_change()
            world.auditor.require(is_same, f"a {type(message).__name__} of an agent changed the desk")

    def _all_that_may_not_change(self) -> tuple[object, ...]:
        """Proposals, tickets, confirmations, requests at the exchange and on their way to it."""
        wire, stage = self.world.wire, self.world.engine.state.stage.state
        staged = (tuple(stage.proposals), tuple(stage.tickets), stage.confirmed)
        return (*staged, len(self.world.log.records), len(wire.in_the_air))


def draft(world: World, deed: str, key: str, order: tuple[str, str, str, str, str], answer: str) -> None:
    """One deed of the agent, and what the operator makes of the newest draft that waits."""
    effect, quantity, limit, stop, symbol = order
    agent = Drafter(world)
    agent.does(deed, agent.request(key, effect, quantity, (limit, stop), symbol, lies=deed == "lies"))
    waiting = [one for one in world.engine.state.drafts.waiting if one.draft.agent == NAME]
    if not waiting or answer == "waits":
        return
    number, digest = waiting[-1].number, waiting[-1].draft.digest
    if answer == "declines":
        world.do(DeclineDraft(number, digest, "not today"))
    else:
        world.do(*[AdoptDraft(number, digest)] * (2 if answer == "adopts twice" else 1))


def advise(world: World, *, adopts: bool) -> None:
    """Another agent drafts for a strategy; the operator adopts it, or it waits."""
    symbol = world.symbols[min(1, len(world.symbols) - 1)]
    price = STOCK_TICKS.nearest(world.price_of(symbol))
    limit, stop, target = (STOCK_TICKS.nearest(price + away) for away in (Decimal(0), Decimal(-1), Decimal(2)))
    three = Quantity(Decimal(3))
    terms = DraftTerms(symbol, Effect.OPEN, three, OrderType.LIMIT, limit, stop, target, strategy="momentum")
    key = f"advice-{world.journal.sequence}"
    Drafter(world).sends(DraftRequest(key, terms, "it rises"), ADVISOR)
    known = world.engine.state.drafts.of_key(ADVISOR, key)
    if adopts and known is not None and known.is_waiting:
        world.do(AdoptDraft(known.number, known.draft.digest))


def require_no_lie_sent(world: World) -> None:
    """No key counts on a ticket whose draft has a false fact that nobody reviewed; the player reviews none (OP-14).

    Outside of a session the desk may have no price against which the lie would show.
    """
    for one in world.engine.state.drafts.state.outcomes.values():
        is_in_session = isinstance(world.calendar.session_at(one.draft.drafted_at), Session)
        is_a_lie = one.draft.reason == LIE and is_in_session
        is_sent = one.word in ON_ITS_WAY
        world.auditor.require(not (is_a_lie and is_sent), f"draft {one.number} was sent with a false fact unreviewed")
