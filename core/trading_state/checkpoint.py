"""Convert slices to documents and back, by the shapes of their types, and rebuild a desk (SP-02, SP-03)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import orjson
from pydantic import TypeAdapter, ValidationError

from core.execution.latency import Latencies, LatenciesState
from core.execution.ledger import Ledger
from core.execution.ledger_state import LedgerState
from core.ports import Checkpoint, Documents, JournalDamagedError, NoCheckpoint
from core.risk.shadow_trades import ShadowTrades, ShadowTradesState
from core.risk.thesis_book import ThesesState, ThesisBook
from core.settings.settings import Settings
from core.staging.stage import Stage
from core.staging.stage_state import StageState
from core.strategies.memory import Memories
from core.trading_state.document_encoder import encoder_of
from core.trading_state.state import TradingState
from core.trading_state.watermark import Highs

MEMBERS = "one of"
"""Precedes the members of an enumeration."""

Shape = Any
"""A text for an atomic type; `{"a": …, "b?": …}` for fields, those with a default marked; otherwise lists."""


def shape_of(kind: Any, within: tuple[Any, ...] = (), *, with_defaults: bool = False) -> Shape:
    """Return the shape of a type; `within` are its enclosing types, which are not repeated.

    `with_defaults` adds the default values to the marks.
    """
    kind = getattr(kind, "__supertype__", kind)
    if kind in within:
        return f"as the {within.index(kind) + 1}. around it"
    if kind is Settings:
        return "settings"  # its history is handled separately
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [MEMBERS, *sorted(str(member.value) for member in kind)]
    part = partial(shape_of, with_defaults=with_defaults)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return {
            field.name + _mark_of(field, with_defaults): part(hints[field.name], (*within, kind))
            for field in fields(kind)
        }
    if get_origin(kind) is Annotated:
        return part(get_args(kind)[0], within)
    if args := [arg for arg in get_args(kind) if arg is not Ellipsis]:
        name = getattr(get_origin(kind), "__name__", str(get_origin(kind)))
        return [name.replace("UnionType", "Union"), *(part(arg, within) for arg in args)]
    return "None" if kind is type(None) else str(getattr(kind, "__name__", kind))


def _mark_of(field: Any, with_defaults: bool) -> str:
    if field.default is MISSING:
        return "" if field.default_factory is MISSING else "?"
    if not with_defaults:
        return "?"
    is_set = isinstance(field.default, frozenset)
    return f"?{sorted(map(repr, field.default)) if is_set else field.default!r}"


def digest_of(kinds: Iterable[tuple[str, Any]]) -> str:
    """Return the digest of these types' shapes, by name, without the members of enumerations.

    Data written with fewer members contains none of the new ones, and is read unchanged. Fields with their default are
    not written, so another default is another shape.
    """
    shapes = {name: _without_members(shape_of(kind, with_defaults=True)) for name, kind in kinds}
    return sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()


def _without_members(shape: Shape) -> Shape:
    if isinstance(shape, dict):
        return {name: _without_members(part) for name, part in shape.items()}
    if isinstance(shape, list):
        return shape[0] if shape[0] is MEMBERS else [_without_members(part) for part in shape]
    return shape


MEMORIES, HIGHS = "memories", "highs"
"""The documents with the strategies' memories and the account's highest figures, which are no slices."""


def states(state: TradingState) -> dict[str, Any]:
    """Return the state of every slice, by document name."""
    return {each.name: each.state for each in state.slices}


def adapters(state: TradingState) -> dict[str, TypeAdapter[Any]]:
    """Return the type adapter of every document."""
    return {name: _adapter(kind) for name, kind in _kinds(state).items()}


def _kinds(state: TradingState) -> dict[str, Any]:
    return {**{each.name: type(each.state) for each in state.slices}, MEMORIES: Memories, HIGHS: Highs}


def _kept(state: TradingState) -> dict[str, Any]:
    return {**states(state), MEMORIES: state.orchestrator.memories, HIGHS: state.highs}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _MADE:
        _MADE[kind] = TypeAdapter(kind)
    return _MADE[kind]


_MADE: dict[Any, TypeAdapter[Any]] = {}


def _shape_of_documents(state: TradingState) -> str:
    """Return a digest of the types in all documents; if it changed, the documents are ignored and the journal is read.

    Older documents may lack data that was not collected then; the journal has it.
    """
    kinds = tuple(_kinds(state).items())
    if kinds not in _DIGESTS:
        _DIGESTS[kinds] = digest_of(kinds)
    return _DIGESTS[kinds]


_DIGESTS: dict[tuple[tuple[str, Any], ...], str] = {}


def documents_of(state: TradingState) -> dict[str, object]:
    """Return every slice, and what is kept beside them, as plain JSON values."""
    made = adapters(state)
    return {name: made[name].dump_python(value, mode="json") for name, value in _kept(state).items()}


TABLES = {
    Ledger.name: ("orders", "trades"),
    Stage.name: ("confirmations",),
    Latencies.name: ("orders",),
    ThesisBook.name: ("closed",),
    ShadowTrades.name: ("outcomes",),
}
"""The fields of documents that grow with orders and trades."""
WITH_TABLES = {
    Ledger.name: LedgerState,
    Stage.name: StageState,
    Latencies.name: LatenciesState,
    ThesisBook.name: ThesesState,
    ShadowTrades.name: ShadowTradesState,
}


def in_full(documents: Mapping[str, object]) -> dict[str, object]:
    """Return the documents with the defaults that their rows leave out; those of another shape as they are."""
    full = dict(documents)
    for name, kind in WITH_TABLES.items():
        with suppress(ValidationError):
            full[name] = _adapter(kind).dump_python(_adapter(kind).validate_python(documents.get(name)), mode="json")
    return full


class CheckpointEncoder:
    """Encodes the checkpoints of one desk, one after the other; data that did not change is not encoded again."""

    def __init__(self, state: TradingState) -> None:
        self._state = state
        self._encoders = {name: encoder_of(kind, TABLES.get(name, ())) for name, kind in _kinds(state).items()}

    def encode(self) -> Checkpoint:
        """Return the current documents as JSON, of the synced journal: nothing in them changes any more.

        Raises OSError, JournalWriteError.
        """
        state = self._state
        state.journal.sync()
        state.journal.past.save()
        return Checkpoint(state.journal.sequence, self.documents(), _shape_of_documents(state))

    def documents(self) -> dict[str, object]:
        """Return the current documents, encoded."""
        kept, documents = self.kept(), dict[str, object]()
        for name, encoder in self._encoders.items():
            pieces: list[bytes] = []
            encoder.encode(kept[name], pieces)
            documents[name] = orjson.Fragment(b"".join(pieces))
        return documents

    def recall(self, loaded: Mapping[str, Any], documents: Mapping[str, Any]) -> None:
        """Take the documents as the text of the values that were read from them and are about to be restored."""
        for name, encoder in self._encoders.items():
            encoder.recall(loaded[name], documents[name])

    def kept(self) -> dict[str, Any]:
        """Return the current values of the documents."""
        return _kept(self._state)


def checkpoint_of(state: TradingState) -> Checkpoint:
    """Return the current documents."""
    return Checkpoint(state.journal.sequence, documents_of(state), _shape_of_documents(state))


def rebuild(
    state: TradingState, documents: Documents | None, encoder: CheckpointEncoder | None = None
) -> tuple[str, ...]:
    """Fold the newest valid checkpoint and the journal after it. Return notes for the operator.

    The first checkpoint of `encoder` is then as cheap as each later one.

    A damaged checkpoint only means that more of the journal is folded. No strategy runs meanwhile; then each is shown
    the bars since it was saved.

    Raises
    ------
    JournalDamagedError
        The checkpoint is ahead of the journal: records that were on the disk are gone.
    """
    found = documents.load() if documents is not None else NoCheckpoint("none is kept")
    made = adapters(state)  # now, not in the middle of a session
    notes: tuple[str, ...] = ()
    start = 0
    known = found.sequence
    if known > state.journal.sequence:
        raise JournalDamagedError(
            f"the journal ends at record {state.journal.sequence}, and the state documents know {known}: its "
            "end is lost. Put the journal of a backup in its place; or move documents.json and backups/ away to go on "
            "from what is left"
        )
    if isinstance(found, Checkpoint):
        try:
            start = _restore(state, found, made, encoder)
        except OtherShapeError:
            notes = ("the state documents are of an older Keyturn; rebuilt from the journal",)
        except ValidationError as error:
            notes = (f"the state documents do not fit: {error.error_count()} errors; rebuilt from the journal",)
        except PastMissingError:
            notes = ("the index of past orders is missing or not this journal's; rebuilt from the journal",)
    state.orchestrator.begin_rebuild(state.journal.last_at)
    for recorded in state.journal.records(start):
        state.fold(recorded.at, recorded.fact)
    state.at = state.journal.last_at
    state.orchestrator.end_rebuild()
    if encoder is not None:
        encoder.documents()
    return notes


class OtherShapeError(Exception):
    """The documents were written by a program with different slices."""


class PastMissingError(Exception):
    """Orders that left memory according to the documents are missing from the index."""


def _restore(
    state: TradingState, found: Checkpoint, made: dict[str, TypeAdapter[Any]], encoder: CheckpointEncoder | None
) -> int:
    if found.shape != _shape_of_documents(state):
        raise OtherShapeError
    loaded = {name: adapter.validate_python(found.documents.get(name)) for name, adapter in made.items()}
    ledger: LedgerState = loaded[state.ledger.name]
    if not state.journal.past.covers(ledger.forgotten, ledger.forgotten_sum):
        raise PastMissingError
    if encoder is not None:
        encoder.recall(loaded, found.documents)
    state.orchestrator.remember(loaded[MEMORIES])
    state.highs = loaded[HIGHS]
    for each in state.slices:
        each.restore(loaded[each.name])
    return found.sequence
