"""A fact of one version has one shape: it may grow by fields with a default, and by nothing else."""

from __future__ import annotations

import json

import pytest

from core.facts.registry import BY_NAME
from core.trading_state.checkpoint import Shape
from tests.journals.homes import KEPT
from tests.journals.shapes import losses, shapes
from tests.kit.rows import cases

RAISE = "raise its version, and write its upgrade (docs/FORMATS.md)"


@pytest.mark.parametrize("name", sorted(path.name for path in KEPT.glob("*-shapes.json")))
def test_facts_lose_no_field_without_a_new_version(name: str) -> None:
    """SP-07: a field that goes, changes its type or comes without a default is another version"""
    kept: dict[str, Shape] = json.loads((KEPT / name).read_text())
    now = json.loads(json.dumps(shapes()))

    same = {key: then for key, then in kept.items() if key in now}
    found = [f"{loss}; {RAISE}" for key, then in same.items() for loss in losses(then, now[key], key)]

    assert found == []
    assert {key.partition(" ")[0] for key in kept} <= BY_NAME.keys(), "no fact leaves the list: journals have it"


@cases(
    "then now lost",
    ({"a": "int"}, {"a": "int", "b?": "str"}, []),
    ({"a": "int"}, {"a?": "int"}, []),
    ({"a": ["one of", "x"]}, {"a": ["one of", "x", "y"]}, []),
    ({"a": "int"}, {"a": ["Union", "int", "None"]}, []),
    ({"a": ["Union", "int", "None"]}, {"a": ["Union", "None", "str", "int"]}, []),
    ({"a": ["tuple", {"b": "int"}]}, {"a": ["tuple", {"b": "int", "c?": "int"}]}, []),
    ({"a": "int"}, {"a": "int", "b": "str"}, ["fact.b is new and has no default"]),
    ({"a": "int"}, {"b": "int"}, ["fact.a is gone", "fact.b is new and has no default"]),
    ({"a": "int"}, {"a": "str"}, ["fact.a was int and is str"]),
    ({"a?": "int"}, {"a": "int"}, ["fact.a has no default any more"]),
    ({"a": ["one of", "x"]}, {"a": ["one of", "y"]}, ["fact.a: 'x' is none of them any more"]),
    ({"a": ["Union", "int", "None"]}, {"a": "int"}, ["fact.a was ['Union', 'int', 'None'] and is int"]),
    ({"a": ["tuple", {"b": "int"}]}, {"a": ["tuple", {}]}, ["fact.a[1].b is gone"]),
)
def test_a_shape_may_grow_and_lose_nothing(then: Shape, now: Shape, lost: list[str]) -> None:
    """SP-07"""
    assert list(losses(then, now, "fact")) == lost
