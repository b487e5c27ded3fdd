"""The slices as plain documents and back, and the rebuild of a desk from documents and journal (SP-02, SP-03)."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.advisers.book import AdviceState
from core.control import ControlState
from core.desk import Desk
from core.execution.breaker import BreakerState
from core.execution.latency import LatenciesState
from core.execution.ledger import LedgerState
from core.execution.tally import TallyState
from core.exits.watch import WatchState
from core.facts.older_words import with_codes
from core.market.normaliser import MarketState
from core.ports import NO_INDEX, Checkpoint, Documents, JournalDamagedError, NoCheckpoint
from core.risk.allocation import AllocationsState
from core.risk.day import DayState
from core.risk.evaluation.book import EvaluationState
from core.risk.margin_samples import MarginState
from core.risk.protections.book import BookState
from core.risk.regime.book import RegimeState
from core.risk.scaling.book import SizingState
from core.shadows import ShadowsState
from core.staging.plans import PlansState
from core.staging.stage import StageState
from core.strategies.memory import Memories, OrchestratorState

ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "control": TypeAdapter(ControlState),
    "orders": TypeAdapter(LedgerState),
    "exits": TypeAdapter(WatchState),
    "proposals": TypeAdapter(StageState),
    "day": TypeAdapter(DayState),
    "allocations": TypeAdapter(AllocationsState),
    "protections": TypeAdapter(BookState),
    "regime": TypeAdapter(RegimeState),
    "sizing": TypeAdapter(SizingState),
    "margin": TypeAdapter(MarginState),
    "breaker": TypeAdapter(BreakerState),
    "latencies": TypeAdapter(LatenciesState),
    "tally": TypeAdapter(TallyState),
    "market": TypeAdapter(MarketState),
    "strategies": TypeAdapter(OrchestratorState),
    "memories": TypeAdapter(Memories),
    "shadows": TypeAdapter(ShadowsState),
    "advice": TypeAdapter(AdviceState),
    "evaluation": TypeAdapter(EvaluationState),
    "plans": TypeAdapter(PlansState),
}
"""One document a slice, the shape of each its state's; and the strategies' memories, which are no slice."""

LATER: dict[str, object] = {"allocations": {}, "exits": {}, "plans": {}, "memories": {}}
"""What documents that were written before these slices were there stand for."""


def states(desk: Desk) -> dict[str, Any]:
    """The state of every slice, by the name of its document."""
    return {
        "control": desk.control.state,
        "orders": desk.ledger.state,
        "exits": desk.exits.state,
        "proposals": desk.stage.state,
        "day": desk.opening.state,
        "allocations": desk.allocations.state,
        "protections": desk.protections.state,
        "regime": desk.regime.state,
        "sizing": desk.sizing.state,
        "margin": desk.margin.state,
        "breaker": desk.breaker.state,
        "latencies": desk.latencies.state,
        "tally": desk.tally.state,
        "market": desk.normaliser.state,
        "strategies": desk.orchestrator.state,
        "shadows": desk.shadows.state,
        "advice": desk.advice.state,
        "evaluation": desk.evaluation.state,
        "plans": desk.plans.state,
    }


def documents_of(desk: Desk) -> dict[str, object]:
    """Every slice, and what the strategies remember, as plain JSON values."""
    kept = {**states(desk), "memories": desk.orchestrator.memories}
    return {name: ADAPTERS[name].dump_python(state, mode="json") for name, state in kept.items()}


def save(desk: Desk, documents: Documents) -> None:
    """Write a checkpoint of what the journal holds on the disk. Raises OSError, JournalWriteError."""
    desk.journal.sync()
    desk.journal.past.save()
    documents.save(Checkpoint(desk.journal.sequence, documents_of(desk)))


def rebuild(desk: Desk, documents: Documents | None) -> tuple[str, ...]:
    """Fold the newest sound checkpoint and the journal after it. Returns what is worth telling, in words.

    A checkpoint that is damaged only means that more of the journal is folded. No strategy runs while it is; then each
    is shown the bars since it was saved.

    Raises
    ------
    JournalDamagedError
        The checkpoint is ahead of the journal: records that were on the disk are gone.
    """
    found = documents.load() if documents is not None else NoCheckpoint("none is kept")
    notes: tuple[str, ...] = ()
    start = 0
    _require_its_end(desk, found.sequence)
    if isinstance(found, Checkpoint):
        try:
            start = _restore(desk, found)
        except ValidationError as error:
            notes = (f"the state documents do not fit: {error.error_count()} errors; rebuilt from the journal",)
        except PastMissingError:
            notes = ("the index of past orders is missing or not this journal's; made anew from the journal",)
    desk.orchestrator.begin_rebuild(desk.journal.last_at)
    for recorded in desk.journal.records(start):
        desk.fold(recorded.at, recorded.fact)
    desk.at = desk.journal.last_at
    desk.orchestrator.end_rebuild()
    return notes


class PastMissingError(Exception):
    """What the documents say has left memory is not in the index."""


def _require_its_end(desk: Desk, known: int) -> None:
    if known > desk.journal.sequence:
        raise JournalDamagedError(
            f"the journal ends at record {desk.journal.sequence}, and the state documents know {known}: its "
            "end is lost. Put the journal of a backup in its place; or move documents.json and backups/ away to go on "
            "from what is left"
        )


def _restore(desk: Desk, found: Checkpoint) -> int:
    written = {**LATER, **with_codes(found.documents)}
    loaded = {name: adapter.validate_python(written.get(name)) for name, adapter in ADAPTERS.items()}
    ledger: LedgerState = loaded["orders"]
    if ledger.forgotten_sum == NO_INDEX:
        return 0
    if not desk.journal.past.covers(ledger.forgotten, ledger.forgotten_sum):
        raise PastMissingError
    desk.control.state = loaded["control"]
    desk.ledger.restore(loaded["orders"])
    desk.exits.state = loaded["exits"]
    desk.stage.state = loaded["proposals"]
    desk.opening.state = loaded["day"]
    desk.allocations.state = loaded["allocations"]
    desk.protections.restore(loaded["protections"])
    desk.regime.state = loaded["regime"]
    desk.sizing.restore(loaded["sizing"])
    desk.margin.state = loaded["margin"]
    desk.breaker.state = loaded["breaker"]
    desk.latencies.state = loaded["latencies"]
    desk.tally.state = loaded["tally"]
    desk.normaliser.state = loaded["market"]
    desk.advice.state = loaded["advice"]
    desk.evaluation.state = loaded["evaluation"]
    desk.orchestrator.restore(loaded["strategies"], loaded["memories"], desk.control.settings)
    desk.shadows.restore(loaded["shadows"])
    desk.plans.state = loaded["plans"]
    return found.sequence
