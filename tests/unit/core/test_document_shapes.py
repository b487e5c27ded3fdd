"""Which change of a state leaves its documents to the journal, and which does not."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from enum import Enum

from core.trading_state.checkpoint import digest_of
from tests.kit.rows import table

SIDE = Enum("Side", {"BUY": "buy", "SELL": "sell"})
SIDES = Enum("Side", {"BUY": "buy", "SELL": "sell", "SHORT": "short"})


@dataclass
class Counts:
    side: SIDE | None = None  # type: ignore[valid-type]
    seen: dict[str, int] = field(default_factory=dict)


def like_counts(**fields: object) -> type:
    """Counts with other fields: those with a dictionary begin empty."""
    made = [(name, kind, field(default_factory=dict) if "dict" in str(kind) else None) for name, kind in fields.items()]
    return make_dataclass("Counts", made)


def test_a_member_more_changes_nothing() -> None:
    """SP-02, SP-07: what was written has none of the new ones, and is read as it was"""
    grown = like_counts(side=SIDES | None, seen=dict[str, int])

    assert digest_of([("counts", grown)]) == digest_of([("counts", Counts)])


@table(
    "changed",
    like_counts(side=SIDE | None),
    like_counts(side=SIDE | None, seen=dict[str, int], late=int),
    like_counts(side=SIDE | None, seen=dict[str, str]),
    like_counts(side=SIDE, seen=dict[str, int]),
    like_counts(side=SIDE | None, sights=dict[str, int]),
)
def test_a_field_that_comes_goes_or_changes_does(changed: type) -> None:
    """SP-02, SP-07: older documents cannot say what nobody looked for then"""
    assert digest_of([("counts", changed)]) != digest_of([("counts", Counts)])


def test_another_default_is_another_shape() -> None:
    """SP-02, SP-07: a field with its default is not written"""
    other = make_dataclass(
        "Counts", [("side", SIDE | None, SIDE.BUY), ("seen", dict[str, int], field(default_factory=dict))]
    )  # type: ignore[name-defined]

    assert digest_of([("counts", other)]) != digest_of([("counts", Counts)])


def test_a_new_slice_changes_the_shape() -> None:
    """SP-02, SP-07"""
    turned = like_counts(seen=dict[str, int], side=SIDE | None)

    assert digest_of([("counts", turned)]) == digest_of([("counts", Counts)])
    assert digest_of([("counts", Counts), ("sums", Counts)]) != digest_of([("counts", Counts)])
