"""What was recorded before there were codes: its words are read here, once, when a record or a document is decoded.

Nothing else reads words (SP-07). The words of this table are those of the releases that had no codes: they never
change, whatever is said today.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from core.model.codes import CancelCode, EndCode

Data = dict[str, Any]
Words = tuple[tuple[str, Enum], ...]
"""How the words begin, and what they meant."""

ENDS: Words = (("never arrived", EndCode.NEVER_ARRIVED), ("replaced", EndCode.REPLACED))

CANCELS: Words = (
    ("cancelled by the operator", CancelCode.OPERATOR),
    ("killed by ", CancelCode.KILLED),
    ("its position is being closed", CancelCode.MAKES_WAY),
    ("it is for more than is held", CancelCode.TOO_MUCH),
    ("the broker's books show none of it", CancelCode.NONE_AT_THE_BROKER),
    ("the position is closed", CancelCode.FLAT),
    ("its time to live is over", CancelCode.OUTLIVED),
    ("the broker's warning was not confirmed in time", CancelCode.WARNING),
    ("flattened by the operator", CancelCode.FLATTENED),
    ("what it was made with has ended", CancelCode.ORPHANED),
    ("the order that it replaces filled further meanwhile", CancelCode.FILLED_FURTHER),
)


def _meant(table: Words, words: str, otherwise: Enum) -> str:
    found = next((code for beginning, code in table if words.startswith(beginning)), otherwise)
    return str(found.value)


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def order_state_changed(data: Data) -> Data:
    return {**data, "code": _meant(ENDS, data["reason"], EndCode.AS_ITS_STATE_SAYS)}


def cancel_requested(data: Data) -> Data:
    return {**data, "code": _meant(CANCELS, data["reason"], CancelCode.OTHER)}


# ── documents ────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_codes(documents: Mapping[str, Any]) -> dict[str, Any]:
    """The documents of a checkpoint, those of before codes as they are written now."""
    orders = _part(documents, "orders", "orders")
    return {**documents, **_in("orders", documents, orders={name: _order(order) for name, order in orders.items()})}


def _order(order: Data) -> Data:
    if "cancel_code" in order:
        return order
    cancel = _meant(CANCELS, order["cancel_reason"], CancelCode.OTHER) if order["cancel_reason"] else None
    return {**order, "end_code": _meant(ENDS, order["reason"], EndCode.AS_ITS_STATE_SAYS), "cancel_code": cancel}


def _part(documents: Mapping[str, Any], name: str, part: str) -> Data:
    document = documents.get(name)
    found = document.get(part) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _in(name: str, documents: Mapping[str, Any], **parts: Data) -> dict[str, Any]:
    """The document with other parts; nothing where it has none of them."""
    document = documents.get(name)
    return {name: {**document, **parts}} if isinstance(document, dict) and any(parts.values()) else {}
