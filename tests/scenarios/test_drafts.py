"""Agents draft, the operator adopts, and only a key sends (OP-09, OP-14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core import facts
from core.messages.commands import Decline, ProposeOrder
from core.messages.effects import AnswerAgent
from core.messages.inputs import AgentRefused, AgentSaid, DraftSubmitted, DraftWithdrawn
from core.model.bar import Bar
from core.model.draft import (
    DraftAnswer,
    DraftEnd,
    DraftFact,
    DraftRefusal,
    DraftRequest,
    DraftTerms,
    DraftWord,
    FactResult,
)
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Fraction, Price, Quantity, Symbol
from core.settings.settings import Settings
from core.views.builders.history import history_of
from core.workflows.draft_review import facts_now
from core.workflows.drafting import MOST_OVERSTEPS, NOT_DECLINED, NOT_SHOWN
from core.workflows.staging.manual_proposals import ManualProposals, order_of_draft
from tests.kit.drafts import adopts, declines
from tests.scenarios.changes import passes
from tests.scenarios.house import House, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

CLAUDE = "claude"
BARS = minutes("09:45", "10:40", "99.70")
NOTHING: Mapping[str, object] = {}


def a_house(tables: Mapping[str, object] = NOTHING, bars: Sequence[Bar] = BARS, **terms: object) -> House:
    """`tables` are others of the settings; `terms` are those of the agent."""
    settings = Settings.model_validate(
        {
            **tables,
            "strategies": {"vwap": {"enabled": False}},
            "risk": {
                "per_trade": {"usd": "20"},
                "max_notional": {"usd": "4000"},
                "entries_a_day": 5,
                "window_end": "15:55",
            },
            "agents": {CLAUDE: terms},
        }
    )
    house = House(bars, settings, cash=Decimal(10_000)).opens().until("10:05")
    house.answers = []  # type: ignore[attr-defined]
    house.line.answer_agent = house.answers.append  # type: ignore[attr-defined]
    return house


def terms(quantity: str | None = "5", limit: str = "99.60", stop: str = "99.00", symbol: str = "SPY") -> DraftTerms:
    shares = None if quantity is None else Quantity(Decimal(quantity))
    prices = Price(Decimal(limit)), Price(Decimal(stop))
    return DraftTerms(Symbol(symbol), Effect.OPEN, shares, OrderType.LIMIT, *prices)


def drafts(
    house: House,
    order: DraftTerms | None = None,
    key: str = "a",
    stated: tuple[DraftFact, ...] = (),
    agent: str = CLAUDE,
) -> DraftAnswer:
    request = DraftRequest(key, order or terms(), "it is near its low", stated, Fraction(Decimal("0.6")))
    house.line.take(house.line.at, DraftSubmitted(agent, request, 7))
    return answer_of(house)


def answer_of(house: House) -> DraftAnswer:
    answers: list[AnswerAgent] = house.answers  # type: ignore[attr-defined]
    return answers[-1].answer


def test_a_draft_waits_and_sends_nothing() -> None:
    """OP-09"""
    house = a_house()
    answer = drafts(house)
    house.until("10:10")

    (waiting,) = house.desk.drafts.waiting
    assert (answer.number, answer.quantity, answer.code) == (1, 5, None)
    assert (waiting.draft.agent, waiting.draft.reason) == (CLAUDE, "it is near its low")
    assert house.desk.stage.proposals() == ()
    assert house.requests() == []
    assert_can_be_rebuilt(house)


def test_an_adopted_draft_is_confirmed_filled_and_closed() -> None:
    """OP-01, OP-09, OP-14: its agent learns each step"""
    house = a_house()
    drafts(house, terms(limit="99.80"))
    house.presses(adopts(house.desk, 1))
    staged = house.desk.drafts.outcome(1)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("10:09")
    filled = house.desk.drafts.outcome(1)

    assert staged is not None
    assert filled is not None
    assert (staged.word, filled.word) == (DraftWord.STAGED, DraftWord.FILLED)
    assert staged.order_id == filled.order_id == house.entry.id
    assert house.held() == "5"
    assert_can_be_rebuilt(house)


def test_an_order_of_a_draft_names_its_agent() -> None:
    """OP-09: in Proposals, Orders and History; its stop is the desk's own"""
    house = a_house()
    drafts(house, terms(limit="99.80"))
    house.presses(adopts(house.desk, 1))
    (waiting,) = house.line.view().proposals
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("10:09")
    rows, _ = history_of(house.desk.journal.records())
    orders = house.line.view().orders

    assert (waiting.agent, waiting.strategy) == (CLAUDE, "manual")
    assert waiting.reason.startswith(f"drafted by agent {CLAUDE} ")
    assert {order.agent for order in orders if order.is_entry} == {CLAUDE}
    assert {order.agent for order in orders if not order.is_entry} == {""}
    assert [row.strategy for row in rows if row.order == house.entry.id] == [f"agent {CLAUDE}"]


def test_a_declined_draft_tells_its_agent_why() -> None:
    """OP-09"""
    house = a_house()
    drafts(house)
    house.presses(declines(house.desk, 1, "earnings tonight"))
    one = house.desk.drafts.outcome(1)

    assert one is not None
    assert (one.word, one.reason) == (DraftWord.DECLINED, "earnings tonight")
    house.presses(adopts(house.desk, 1))
    assert house.last(facts.DraftNotStaged).number == 1
    assert house.desk.stage.proposals() == ()


def test_a_draft_that_was_not_shown_is_neither_adopted_nor_declined() -> None:
    """OP-09: its number is that of the shown one, which a torn journal lost"""
    house, before = a_house(), a_house()
    drafts(before, terms(limit="99.50"))
    drafts(house)
    shown = adopts(before.desk, 1), declines(before.desk, 1, "not today")
    for command in shown:
        house.presses(command)

    assert [fact.reasons for fact in house.facts(facts.DraftNotStaged)] == [(NOT_SHOWN,), (NOT_DECLINED,)]
    assert [one.number for one in house.desk.drafts.waiting] == [1]
    assert house.desk.stage.proposals() == ()
    house.presses(adopts(house.desk, 1))
    assert len(house.desk.stage.proposals()) == 1


PARTS = {
    "key": "b",
    "agent": "other",
    "reason": "another one",
    "terms": terms(limit="99.61"),
    "quantity": Quantity(Decimal(6)),
    "confidence": None,
}


def the_order_of(house: House, number: int = 1) -> ProposeOrder:
    known = house.desk.drafts.outcome(number)
    assert known is not None
    return order_of_draft(house.desk, replace(known.draft.terms, quantity=known.draft.quantity), number)


OTHER_TERMS: Mapping[str, object] = {
    "symbol": Symbol("IBM"),
    "effect": Effect.SHORT,
    "quantity": Quantity(Decimal(50)),
    "type": OrderType.MARKET,
    "limit_price": Price(Decimal("99.90")),
    "stop_price": Price(Decimal("90.00")),
    "target_price": Price(Decimal("120.00")),
    "stop_holder": StopHolder.YOU,
}


@pytest.mark.parametrize("part", ["", *OTHER_TERMS])
@pytest.mark.parametrize("is_adopted", [False, True])
def test_a_number_of_a_draft_makes_no_order_of_other_terms(part: str, is_adopted: bool) -> None:
    """OP-09, OP-14: nor the same order beside the adoption, whose facts would be on no ticket"""
    house = a_house()
    drafts(house)
    order = the_order_of(house)
    if is_adopted:
        house.presses(adopts(house.desk, 1))
    staged = house.desk.stage.proposals()
    house.presses(replace(order, **{part: OTHER_TERMS[part]}) if part else order)

    assert house.desk.stage.proposals() == staged
    assert len(house.facts(facts.ProposalSkipped)) == 1
    known = house.desk.drafts.outcome(1)
    assert known is not None
    assert known.word is (DraftWord.STAGED if is_adopted else DraftWord.WAITING)
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("part", PARTS)
def test_a_digest_is_that_of_all_parts(part: str) -> None:
    """OP-09"""
    house = a_house()
    drafts(house, stated=(fact("price", "99.70"),))
    draft = house.desk.drafts.waiting[0].draft
    checked = draft.facts[0]
    another_value = replace(checked, fact=replace(checked.fact, value=Decimal(1)))

    assert replace(draft, **{part: PARTS[part]}).digest != draft.digest
    assert replace(draft, facts=()).digest != draft.digest
    assert replace(draft, facts=(another_value,)).digest != draft.digest
    assert replace(draft).digest == draft.digest


def test_a_proposal_that_is_declined_is_told_too() -> None:
    """OP-09: the draft was adopted, and its proposal declined"""
    house = a_house()
    drafts(house)
    house.presses(adopts(house.desk, 1))
    house.presses(Decline(house.proposal.id, "too wide"))
    one = house.desk.drafts.outcome(1)

    assert one is not None
    assert (one.word, one.reason) == (DraftWord.DECLINED, "too wide")


def test_the_desk_sizes_a_draft_without_a_quantity() -> None:
    """RK-10: 20 USD over 0.60 USD a share, at most 2,000 USD of the agent; then over 5 USD"""
    answer = drafts(a_house(), terms(quantity=None))
    more = drafts(a_house(most_value="4000"), terms(quantity=None, stop="94.60"))

    assert (answer.quantity, more.quantity) == (20, 4)


REFUSED = {
    DraftRefusal.OFF: ({"enabled": False}, terms()),
    DraftRefusal.HOURS: ({"begins": "11:00"}, terms()),
    DraftRefusal.SYMBOL: ({}, terms(symbol="TSLA")),
    DraftRefusal.VALUE: ({"most_value": "400"}, terms()),
    DraftRefusal.CHECKS: ({"most_value": "100000"}, terms(quantity="900")),
}


@pytest.mark.parametrize("code", REFUSED, ids=str)
def test_a_draft_beyond_a_limit_is_rejected(code: DraftRefusal) -> None:
    """OP-09: when it is drafted, with the reason"""
    limits, order = REFUSED[code]
    house = a_house(**limits)
    answer = drafts(house, order)

    assert (answer.number, answer.code) == (None, code)
    assert answer.reasons == house.last(facts.DraftRejected).reasons != ()
    assert house.desk.drafts.waiting == ()


@pytest.mark.parametrize("enabled", [True, False])
def test_an_agent_that_is_switched_off_says_nothing(enabled: bool) -> None:
    """OP-09"""
    house = a_house(enabled=enabled)
    house.line.take(house.line.at, AgentSaid(CLAUDE, "look at SPY"))
    house.line.take(house.line.at, AgentSaid(CLAUDE, "nothing was bought", THURSDAY))

    assert len(house.facts(facts.AdviceGiven)) == len(house.facts(facts.DaySummarised)) == int(enabled)


def test_an_unknown_agent_drafts_nothing() -> None:
    """OP-09"""
    house = a_house()
    assert drafts(house, agent="sly").code is DraftRefusal.UNKNOWN_AGENT


def test_a_sell_of_more_than_is_held_is_rejected() -> None:
    """EX-13"""
    house = a_house()
    order = DraftTerms(SPY, Effect.CLOSE, Quantity(Decimal(5)), OrderType.MARKET)
    assert drafts(house, order).code is DraftRefusal.CHECKS


def test_a_flood_is_recorded_once() -> None:
    """OP-09: 10,000 drafts write a few lines, and each is answered"""
    house = a_house(per_hour=3, waiting=50)
    codes = [drafts(house, key=str(number)).code for number in range(40)]

    assert codes == [None] * 3 + [DraftRefusal.FLOOD] * 37
    assert len(house.facts(facts.DraftRejected)) == 1
    passes(house, 3_601)
    assert drafts(house, key="later").code is None


def test_a_key_names_one_draft() -> None:
    """OP-14: the same again is the same draft; a change is a new one"""
    house = a_house()
    first, again = drafts(house), drafts(house)
    changed = drafts(house, terms(quantity="6"))

    assert (first.number, again.number, changed.code) == (1, 1, DraftRefusal.CHANGED)
    assert len(house.facts(facts.DraftReceived)) == 1


def test_waiting_drafts_are_limited_and_can_be_withdrawn() -> None:
    """OP-09"""
    house = a_house(waiting=1)
    drafts(house)
    assert drafts(house, key="b").code is DraftRefusal.WAITING
    house.line.take(house.line.at, DraftWithdrawn(CLAUDE, "a", 8))
    one = house.desk.drafts.outcome(1)

    assert one is not None
    assert one.word is DraftWord.WITHDRAWN
    assert drafts(house, key="b").number == 2
    house.line.take(house.line.at, DraftWithdrawn("sly", "b", 8))
    assert answer_of(house).code is not None
    assert len(house.desk.drafts.waiting) == 1


def test_a_draft_expires() -> None:
    house = a_house(minutes=10)
    drafts(house)
    house.until("10:14:59")
    assert len(house.desk.drafts.waiting) == 1
    house.until("10:15")

    assert house.last(facts.DraftEnded).end is DraftEnd.EXPIRED


def test_attempts_beyond_drafting_are_recorded() -> None:
    """OP-09"""
    house = a_house(per_hour=2)
    for _ in range(50):
        house.line.take(house.line.at, AgentRefused(CLAUDE, "send an order", is_overstep=True))

    assert len(house.facts(facts.AgentOverstepped)) == MOST_OVERSTEPS
    assert len(house.facts(facts.DraftRejected)) == 3
    assert house.requests() == []
    passes(house, 3_600)
    for agent in (CLAUDE, "(unknown)"):
        house.line.take(house.line.at, AgentRefused(agent, "send an order", is_overstep=True))
    assert len(house.facts(facts.AgentOverstepped)) == MOST_OVERSTEPS + 2


def test_drafts_wait_over_a_restart() -> None:
    """OP-09, SP-03"""
    house = a_house()
    drafts(house)
    house = house.restarted().until("10:06")

    assert [one.number for one in house.desk.drafts.waiting] == [1]
    house.presses(adopts(house.desk, 1))
    assert len(house.desk.stage.proposals()) == 1


def fact(field: str, value: str, symbol: str = "SPY", ago: int | None = None, house: House | None = None) -> DraftFact:
    at = None if ago is None or house is None else house.line.at - timedelta(seconds=ago)
    return DraftFact(symbol, field, Decimal(value), at, "get_quote")


STATED = {
    ("price", "99.70"): FactResult.MATCHES,
    ("price", "101"): FactResult.DIFFERS,
    ("position", "0"): FactResult.MATCHES,
    ("position", "3"): FactResult.DIFFERS,
    ("stop_distance", "0.00602"): FactResult.MATCHES,
    ("stop_distance", "0.01"): FactResult.DIFFERS,
    ("equity", "10000"): FactResult.MATCHES,
    ("equity", "20000"): FactResult.DIFFERS,
    ("average_price", "99"): FactResult.UNKNOWN,
    ("earnings", "2"): FactResult.UNKNOWN,
}


@pytest.mark.parametrize("stated", STATED, ids=" ".join)
def test_facts_are_compared_with_the_desks_figures(stated: tuple[str, str]) -> None:
    """OP-14"""
    answer = drafts(a_house(), stated=(fact(*stated),))
    (checked,) = answer.facts

    assert checked.result is STATED[stated]


def test_a_fact_of_tomorrow_differs() -> None:
    """OP-14"""
    house = a_house()
    answer = drafts(house, stated=(fact("price", "99.70", ago=-600, house=house),))
    assert answer.facts[0].result is FactResult.DIFFERS


def test_a_price_stays_true_after_the_market_moved() -> None:
    """OP-14: it is compared with the prices of its draft's time"""
    bars = [*minutes("09:45", "10:09", "99.70"), *minutes("10:10", "10:40", "102.70")]
    house = a_house(bars=bars)
    drafts(house, stated=(fact("price", "99.70"), fact("price", "102.70")))
    before = [one.result for one in house.desk.drafts.waiting[0].draft.facts]
    house.until("10:15")
    (waiting,) = house.desk.drafts.waiting
    after = [one.result for one in facts_now(house.desk, waiting)]

    assert before == after == [FactResult.MATCHES, FactResult.DIFFERS]


def test_facts_of_a_position_are_compared() -> None:
    """OP-14: shares, average and stop of what is held"""
    house = a_house()
    drafts(house, terms(limit="99.80"))
    house.presses(adopts(house.desk, 1))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("10:09")
    average = house.desk.ledger.positions_in(SPY)[0].average_price
    stated = [("position", "5"), ("average_price", str(average)), ("stop_price", "99"), ("stop_price", "98")]
    answer = drafts(house, terms(limit="99.60"), key="b", stated=tuple(fact(*one) for one in stated))

    results = [one.result for one in answer.facts]
    assert results == [FactResult.MATCHES, FactResult.MATCHES, FactResult.MATCHES, FactResult.DIFFERS]


def holding_five() -> House:
    """Five shares of a typed draft and their stop."""
    house = a_house()
    drafts(house, terms(limit="99.80"))
    house.presses(adopts(house.desk, 1))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    return house.until("10:09")


MALFORMED = {"quantity": ("0.3333333333", "120"), "price": ("5", "99.801234567"), "tiny": ("5", "0.00000001")}


@pytest.mark.parametrize("kind", MALFORMED)
def test_an_exit_that_the_broker_would_reject_is_rejected(kind: str) -> None:
    """OP-09, EX-11: its stop would be cancelled for nothing"""
    house = holding_five()
    quantity, limit = (Decimal(text) for text in MALFORMED[kind])
    exit_ = DraftTerms(SPY, Effect.CLOSE, Quantity(quantity), OrderType.LIMIT, Price(limit))

    assert drafts(house, exit_, key="b").code is DraftRefusal.CHECKS
    assert house.desk.ledger.exits.covered(SPY, "manual") == 5


def test_a_draft_of_a_removed_agent_is_not_staged() -> None:
    """OP-09"""
    house = a_house()
    drafts(house)
    house.settings = house.settings.model_copy(update={"agents": {}})
    house = house.restarted().until("10:06")
    house.presses(adopts(house.desk, 1))

    assert house.desk.stage.proposals() == ()
    assert house.last(facts.DraftNotStaged).number == 1


@pytest.mark.parametrize("lost_after", [facts.DraftEnded, facts.ProposalStaged])
def test_a_crash_while_a_draft_is_adopted_doubles_nothing(lost_after: type[facts.Fact]) -> None:
    """EX-20, OP-14: the proposal is always the draft's, and the draft is adopted once"""
    house = a_house()
    drafts(house, stated=(fact("position", "3"),))
    house.presses(adopts(house.desk, 1))
    last = next(r.sequence for r in house.journal.records() if isinstance(r.fact, lost_after))
    house.loses_the_journal_after(last)
    house = house.restarted().until("10:06")
    house.presses(adopts(house.desk, 1))

    found = house.desk.stage.proposals()
    assert len(found) == (lost_after is facts.ProposalStaged)
    assert all(house.desk.drafts.of_proposal(proposal.id) is not None for proposal in found)
    one = house.desk.drafts.outcome(1)
    assert one is not None
    assert one.word is (DraftWord.STAGED if found else DraftWord.BLOCKED)


@pytest.mark.parametrize(("field", "value"), [("position", "3"), ("price", "101")])
def test_a_false_fact_stays_false(field: str, value: str) -> None:
    """OP-14: also when the desk has forgotten the figure of its time"""
    house = a_house(minutes=1000)
    drafts(house, stated=(fact(field, value, ago=0, house=house),))
    house.presses(adopts(house.desk, 1))
    passes(house, 90)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 5)

    assert house.requests() == []
    assert len(house.facts(facts.ConfirmationRefused)) == 1


def test_a_draft_that_cannot_be_judged_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-09, EX-14: it halts nothing"""
    house = a_house()
    monkeypatch.setattr(ManualProposals, "entry_of", lambda *_: 1 / 0)

    assert drafts(house).code is DraftRefusal.CHECKS
    assert house.facts(facts.Halted) == []
