"""Read the scores and the receipts of agents from a journal, while the engine runs or not (OP-14)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from core import facts
from core.model.session import HOME
from core.reports.agent_receipts import RECEIPT_FACTS, Receipt, receipts_in
from core.reports.agent_scores import SCORE_FACTS, AgentScore, scores_of
from state.journal import days_of
from state.past_days import announced_calendar, days_between, records_of

DRAFTED = (facts.DraftReceived, facts.DraftRejected, facts.AgentOverstepped)


def scored(folder: Path, most_days: int | None = None) -> tuple[AgentScore, ...]:
    """Return the score of each agent, from the first day with a draft on, or of the last `most_days` alone.

    Raises OperatorError: there is no journal.
    Raises JournalDamagedError: a record is not valid.
    """
    known = _all_days(folder) if most_days is None else _all_days(folder)[-most_days:]
    first = next(records_of(folder, known, DRAFTED), None)
    if first is None:
        return ()
    days = [day for day in known if day >= HOME.day_of(first.at)]
    sessions = announced_calendar(folder, days[0], days[-1])
    by_day = {day: list(records_of(folder, [day], SCORE_FACTS)) for day in days}
    return scores_of(by_day, sessions.session_at)


def receipts(folder: Path) -> Iterator[Receipt]:
    """Yield every receipt of the journal, oldest first. The chain is not checked here; the proof does that (SP-08).

    Raises OperatorError: there is no journal.
    """
    return receipts_in(records_of(folder, _all_days(folder), RECEIPT_FACTS))


def _all_days(folder: Path) -> tuple[date, ...]:
    days_between(folder, None, None)  # raises where there is none
    return days_of(folder)
