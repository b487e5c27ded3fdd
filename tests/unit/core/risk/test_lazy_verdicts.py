"""A verdict's words are made when somebody reads them, and are then what they would have been when it was judged."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime

import orjson
from pydantic import TypeAdapter

from core.facts import ProposalStaged
from core.model.staging import CheckResult, Review, Verdict, unsaid
from core.views.builders.desk import ViewBuilder
from state.codec import GENESIS, decode, encode
from tests.scenarios.house import House, a_house_with_a_proposal

NOW = datetime(2026, 11, 19, 15, tzinfo=UTC)
SAID, UNSAID = Verdict("notional", CheckResult.PASSES, "5 USD"), unsaid("notional", lambda: "5 USD")


def staged(house: House) -> ProposalStaged:
    return house.facts(ProposalStaged)[-1]


def test_reasons_are_made_when_read() -> None:
    """RK-01"""
    made: list[str] = []
    verdict = unsaid("notional", lambda: made.append("") or "5 USD")  # type: ignore[func-returns-value]
    assert (verdict.standing, Review((verdict,)).passes, made) == (CheckResult.PASSES, True, [])

    assert verdict.reason == "5 USD"
    assert made == [""]


def test_whoever_looks_finds_no_difference() -> None:
    """RK-01: equal, hashed alike, copied and pickled"""
    assert SAID == UNSAID == copy.copy(UNSAID) == copy.deepcopy(UNSAID) == pickle.loads(pickle.dumps(UNSAID))
    assert hash(SAID) == hash(UNSAID)
    assert unsaid("notional", lambda: "6 USD") != SAID
    assert unsaid("margin", lambda: "5 USD") != SAID


def test_a_lazy_verdict_serialises_the_same() -> None:
    """SP-01: in the journal and in the documents"""
    adapter: TypeAdapter[Review] = TypeAdapter(Review)

    assert orjson.dumps(Review((UNSAID,))) == orjson.dumps(Review((SAID,)))
    assert adapter.dump_json(Review((UNSAID,))) == adapter.dump_json(Review((SAID,)))
    assert adapter.dump_python(Review((UNSAID,)), mode="json") == adapter.dump_python(Review((SAID,)), mode="json")


def test_a_verdict_round_trips_in_the_journal() -> None:
    """SP-01, SP-03"""
    house = a_house_with_a_proposal()
    proposal = house.proposal
    pictures = ViewBuilder(house.engine)
    house.opens_ticket()
    house.until("10:06:05")
    (ticket,) = pictures.draw(house.line.at).tickets
    fact = ProposalStaged(proposal, ticket.now)

    line, _ = encode(1, NOW, fact, GENESIS)

    assert decode(line[:-1]).fact == fact
    assert staged(house).review.passes


def test_a_reason_does_not_change_later() -> None:
    """OP-03: a ticket shows what was judged, whenever it is read"""
    house = a_house_with_a_proposal()
    pictures = ViewBuilder(house.engine)
    house.opens_ticket()
    house.until("10:06:05")
    (read_late,) = pictures.draw(house.line.at).tickets
    (read_at_once,) = pictures.draw(house.line.at).tickets
    words = [verdict.reason for verdict in read_at_once.now.verdicts]

    house.confirms()
    house.until("10:25")

    assert [verdict.reason for verdict in read_late.now.verdicts] == words
