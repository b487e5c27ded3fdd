"""The slices as plain documents and back, and the rebuild of a desk from documents and journal (SP-02, SP-03)."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.desk import Desk
from core.execution.ledger import LedgerState
from core.facts.older_words import with_codes
from core.ports import NO_INDEX, Checkpoint, Documents, JournalDamagedError, NoCheckpoint
from core.strategies.memory import Memories

MEMORIES = "memories"
"""The document of what the strategies remember, which is no slice."""

LATER: dict[str, object] = {"allocations": {}, "exits": {}, "plans": {}, MEMORIES: {}}
"""What documents that were written before these were there stand for. It is history: where documents of another slice
are missing, the journal says what it holds.
"""


def states(desk: Desk) -> dict[str, Any]:
    """The state of every slice, by the name of its document."""
    return {each.name: each.state for each in desk.slices}


def adapters(desk: Desk) -> dict[str, TypeAdapter[Any]]:
    """Of every document, what it holds."""
    return {**{each.name: _adapter(type(each.state)) for each in desk.slices}, MEMORIES: _adapter(Memories)}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _MADE:
        _MADE[kind] = TypeAdapter(kind)
    return _MADE[kind]


_MADE: dict[Any, TypeAdapter[Any]] = {}


def documents_of(desk: Desk) -> dict[str, object]:
    """Every slice, and what the strategies remember, as plain JSON values."""
    kept, made = {**states(desk), MEMORIES: desk.orchestrator.memories}, adapters(desk)
    return {name: made[name].dump_python(state, mode="json") for name, state in kept.items()}


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
    made = adapters(desk)  # now, and not in the middle of a session
    notes: tuple[str, ...] = ()
    start = 0
    _require_its_end(desk, found.sequence)
    if isinstance(found, Checkpoint):
        try:
            start = _restore(desk, found, made)
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


def _restore(desk: Desk, found: Checkpoint, made: dict[str, TypeAdapter[Any]]) -> int:
    written = {**LATER, **with_codes(found.documents)}
    loaded = {name: adapter.validate_python(written.get(name)) for name, adapter in made.items()}
    ledger: LedgerState = loaded[desk.ledger.name]
    if ledger.forgotten_sum == NO_INDEX:
        return 0
    if not desk.journal.past.covers(ledger.forgotten, ledger.forgotten_sum):
        raise PastMissingError
    desk.orchestrator.remember(loaded[MEMORIES])
    for each in desk.slices:
        each.restore(loaded[each.name])
    return found.sequence
