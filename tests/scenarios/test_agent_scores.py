"""Scores and receipts of agents, read from the journal of a day (OP-14)."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from core.facts import BarClosed, DraftReceived, TradeClosed
from core.messages.commands import ProposeClose
from core.messages.inputs import AgentRefused
from core.model.bar import ONE_MINUTE
from core.model.draft import DraftEnd, DraftRefusal
from core.model.signal import ExitReason
from core.model.values import Money
from core.ports import Recorded
from core.reports.agent_receipts import Receipt, ReceiptKind, receipts_in
from core.reports.agent_scores import AgentScore, score_as_json, score_in_brief, scores_of
from core.runtime.scripted_operator import turn_of
from state.desk_files import DeskFiles
from state.files import Home, JournalFolder
from tests.kit.drafts import adopts, declines
from tests.scenarios.backtests import Keyturn
from tests.scenarios.changes import passes
from tests.scenarios.house import House
from tests.scenarios.test_drafts import CLAUDE, a_house, drafts, fact, terms
from tests.scenarios.test_explain import written
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY


def score_of(house: House) -> AgentScore:
    (score,) = scores_of({THURSDAY: list(house.journal.records())}, house.calendar.session_at)
    return score


def a_day_with_drafts() -> House:
    """One draft is adopted, confirmed although a fact differs, and closed; one is declined, one is rejected.

    The price stays at 99.70.
    """
    house = a_house()
    drafts(house, terms(limit="99.80"), stated=(fact("price", "99.70"), fact("position", "3"), fact("mood", "1")))
    house.presses(adopts(house.desk, 1))
    house.opens_ticket()
    passes(house, 1)
    house.presses(replace(turn_of(house.ticket), reviewed=(1,)))
    house.until("10:09")
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("10:12")
    drafts(house, terms(limit="99.80"), key="b")
    house.presses(declines(house.desk, 2, "enough"))
    drafts(house, terms(quantity="900"), key="c")
    house.line.take(house.line.at, AgentRefused(CLAUDE, "submit_order", is_overstep=True))
    return house.until("10:40")


def test_an_agent_is_scored() -> None:
    """OP-14, OP-12: false facts, ends, results as followed and if always followed"""
    house = a_day_with_drafts()
    score = score_of(house)
    profit = sum(each.profit for each in house.desk.ledger.state.trades)

    assert (score.agent, score.drafts, score.oversteps) == (CLAUDE, 2, 1)
    assert score.ends == {DraftEnd.STAGED: 1, DraftEnd.DECLINED: 1}
    assert score.rejected == {DraftRefusal.VALUE: 1, DraftRefusal.UNREADABLE: 1}
    assert (score.stated, score.checkable, score.false) == (3, 2, 1)
    assert len(house.desk.ledger.state.trades) == 1
    assert score.as_followed == profit == 0
    assert score.if_always == Decimal("-1.10")  # twice 5 shares from their limit of 99.80 to half a spread under 99.70


def stopped_after(records: list[Recorded]) -> Recorded:
    """The minute after all of them, in which the price falls to the stop of every draft."""
    last = next(each for each in reversed(records) if isinstance(each.fact, BarClosed) and each.fact.bar.symbol == SPY)
    (stop,) = {each.fact.draft.terms.stop_price for each in records if isinstance(each.fact, DraftReceived)}
    start = last.fact.bar.start + ONE_MINUTE
    stopped = BarClosed(replace(last.fact.bar, start=start, low=stop, close=stop))
    return Recorded(records[-1].sequence + 1, start + ONE_MINUTE, stopped)


def test_confidence_is_compared_with_outcomes() -> None:
    """OP-14: two drafts at 0.6, none gained: Brier 0.36; the declined one is followed to its stop"""
    house = a_day_with_drafts()
    records = list(house.journal.records())
    (score,) = scores_of({THURSDAY: [*records, stopped_after(records)]}, house.calendar.session_at)

    assert (score.judged, score.brier) == (2, Decimal("0.36"))
    (row,) = score.reliability
    assert (row.low, row.high, row.drafts, row.stated, row.gained) == (
        Decimal("0.6"),
        Decimal("0.8"),
        2,
        Decimal("0.6"),
        0,
    )


def test_a_failed_execution_is_judged_by_its_shadow_trade() -> None:
    """EX-18, OP-14: its gain counts as followed, and is no outcome of the draft"""
    house = a_day_with_drafts()
    records = list(house.journal.records())
    place, closed = next((n, each) for n, each in enumerate(records) if isinstance(each.fact, TradeClosed))
    failed = replace(closed.fact.trade, exit_reason=ExitReason.BROKER_REJECT, profit=Money(Decimal(5)))
    records[place] = replace(closed, fact=TradeClosed(failed))
    (score,) = scores_of({THURSDAY: [*records, stopped_after(records)]}, house.calendar.session_at)

    assert score.as_followed == 5
    assert (score.judged, score.brier) == (2, Decimal("0.36"))


def test_a_draft_whose_trade_goes_on_has_no_outcome_yet() -> None:
    """OP-14: the declined draft is still followed; what it would have made so far counts in the result alone"""
    score = score_of(a_day_with_drafts())

    assert (score.drafts, score.judged, score.brier) == (2, 1, Decimal("0.36"))
    assert score.if_always == Decimal("-1.10")


def test_each_step_of_a_draft_has_a_receipt() -> None:
    """OP-14, SP-08: with its record's number, its agent, and the person who decided"""
    house = a_day_with_drafts()
    receipts = list(receipts_in(house.journal.records()))
    by_kind = {kind: [one for one in receipts if one.kind is kind] for kind in ReceiptKind}
    records = {record.sequence: record for record in house.journal.records()}

    def agents(kind: ReceiptKind) -> list[tuple[str, int | None]]:
        return [(one.agent, one.number) for one in by_kind[kind]]

    assert agents(ReceiptKind.DRAFTED) == [(CLAUDE, 1), (CLAUDE, 2)]
    assert agents(ReceiptKind.ADOPTED) == agents(ReceiptKind.CONFIRMED) == agents(ReceiptKind.CLOSED) == [(CLAUDE, 1)]
    assert agents(ReceiptKind.ENDED) == [(CLAUDE, 2)]
    assert agents(ReceiptKind.REJECTED) == [(CLAUDE, None), (CLAUDE, None)]
    assert {one.order_id for one in by_kind[ReceiptKind.FILLED]} == {house.entry.id}
    assert all(_names(records[one.sequence].fact, one) for one in receipts)


def _names(fact: object, receipt: Receipt) -> bool:
    """Whether the record is of the receipt's kind: the receipt can be proven by it."""
    of = {
        ReceiptKind.DRAFTED: "DraftReceived",
        ReceiptKind.REJECTED: "DraftRejected",
        ReceiptKind.OVERSTEPPED: "AgentOverstepped",
        ReceiptKind.NOT_STAGED: "DraftNotStaged",
        ReceiptKind.ADOPTED: "DraftEnded",
        ReceiptKind.ENDED: "DraftEnded",
        ReceiptKind.DIFFERED: "DraftDiffered",
        ReceiptKind.REVIEWED: "DraftReviewed",
        ReceiptKind.PROPOSAL_ENDED: "ProposalEnded",
        ReceiptKind.CONFIRMED: "ConfirmationReceived",
        ReceiptKind.FILLED: "OrderFilled",
        ReceiptKind.CLOSED: "TradeClosed",
    }
    return type(fact).__name__ == of[receipt.kind]


def test_the_commands_read_the_journal(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-14: `keyturn agents score` and `receipts` give the same from files, an empty journal gives none"""
    house = a_day_with_drafts()
    folder = written(house, tmp_path / "journal")
    (score,) = json.loads(keyturn("agents", "score", "--journal-dir", folder, "--json").out)
    found = json.loads(keyturn("agents", "receipts", CLAUDE, "--journal-dir", folder, "--json").out)

    assert score == json.loads(json.dumps(score_as_json(score_of(house))))
    assert [one["sequence"] for one in found] == [one.sequence for one in receipts_in(house.journal.records())]
    assert keyturn("agents", "receipts", "nobody", "--journal-dir", folder, "--json").out.strip() == "[]"
    assert len(keyturn("agents", "score", "--journal-dir", folder).out.splitlines()) == 5


def test_a_desk_reads_the_score_of_the_last_days(tmp_path: Path) -> None:
    """OP-14: the same figures in one line; of an agent without a draft it says so"""
    house = a_day_with_drafts()
    files = DeskFiles(Home(tmp_path / "settings.toml", tmp_path), lambda: JournalFolder(folder))
    folder = written(house, tmp_path / "journal")

    assert files.agent_score(CLAUDE).endswith(f": {score_in_brief(score_of(house))}")
    assert files.agent_score("nobody").endswith(": no draft")
