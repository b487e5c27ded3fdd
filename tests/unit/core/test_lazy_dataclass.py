from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from types import SimpleNamespace
from typing import Any, ClassVar

import orjson
import pytest
from pydantic import TypeAdapter

from core.model import lazy_dataclass

COUNTED = field(default=3, compare=False)


def shapes(decorator: Any) -> SimpleNamespace:
    """The same classes, made by one decorator."""

    @decorator(frozen=True, slots=True)
    class Plain:
        """With a page."""

        KIND: ClassVar[str] = "plain"
        one: int
        two: str = "b"
        many: tuple[int, ...] = field(default_factory=tuple, repr=False)
        counted: int = COUNTED
        key: int = field(default=0, hash=False)

    @decorator(slots=True)
    class Open:
        one: int
        rest: dict[str, int] = field(default_factory=dict)

        def __post_init__(self) -> None:
            self.one += 1

    @decorator(frozen=True, slots=True)
    class Own:
        one: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "own"

    @decorator(frozen=True, slots=True)
    class Below(Plain):  # type: ignore[misc, valid-type]
        three: int = 4

    @decorator(frozen=True, slots=True)
    class Named:
        one: int = 1
        two: int = field(kw_only=True, default=2)
        made: list[int] = field(init=False, default_factory=list, hash=False)
        later: int = field(init=False, compare=False, repr=False, default=5)

    @decorator(frozen=True, slots=True)
    class Empty:
        pass

    @decorator
    class Bare:
        one: int = 1

    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "decorator"})


LAZY, USUAL = shapes(lazy_dataclass.dataclass), shapes(dataclasses.dataclass)
CALLS: tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...] = (
    ("Plain", (1,), {}), ("Plain", (1, "c", (5,)), {"counted": 9, "key": 2}), ("Open", (1,), {}),
    ("Own", (1,), {}), ("Below", (1,), {"three": 5}), ("Named", (), {"two": 6}), ("Empty", (), {}), ("Bare", (2,), {}),
)  # fmt: skip


def seen(kind: Any, words: tuple[Any, ...], named: dict[str, Any]) -> list[object]:
    """Everything that a caller may notice of a class."""
    one, same, known = kind(*words, **named), kind(*words, **named), dataclasses.fields(kind)
    changed = [dataclasses.replace(one, **{each.name: 99}) for each in known if each.init]
    hashes = [] if kind.__hash__ is None else [hash(each) == hash(one) for each in (same, *changed)]
    return [
        repr(one),
        [one == each for each in (same, copy.deepcopy(one), *changed, 5)],
        hashes,
        kind.__match_args__,
        [(each.name, each.default) for each in known],
        dataclasses.asdict(one),
        orjson.dumps(one),
        hasattr(one, "__dict__"),
    ]


def test_a_lazy_class_behaves_as_the_standard_one() -> None:
    for name, words, named in CALLS:
        lazy, usual = (seen(getattr(kinds, name), words, named) for kinds in (LAZY, USUAL))

        assert lazy == usual, name


def test_a_frozen_lazy_class_refuses_changes() -> None:
    one = LAZY.Plain(1)
    for change in (lambda: setattr(one, "one", 2), lambda: delattr(one, "one"), lambda: setattr(one, "new", 2)):
        with pytest.raises(FrozenInstanceError):
            change()
    with pytest.raises(FrozenInstanceError):
        LAZY.Below(1).three = 2
    opened = LAZY.Open(1)
    opened.one = 9
    assert (opened.one, LAZY.Open.__hash__) == (9, None)


def test_each_maker_extends_the_classes_of_the_other() -> None:
    for makers in (
        (lazy_dataclass.dataclass, dataclasses.dataclass),
        (dataclasses.dataclass, lazy_dataclass.dataclass),
    ):
        above, below = makers
        first = above(frozen=True, slots=True)(type("First", (), {"__annotations__": {"one": int}}))
        second = below(frozen=True, slots=True)(type("Second", (first,), {"__annotations__": {"two": int}}))
        assert (second(1, 2), hash(second(1, 2))) == (second(1, two=2), hash(second(1, 2)))
        with pytest.raises(FrozenInstanceError):
            second(1, 2).two = 3


def test_a_wrong_call_names_the_class() -> None:
    for words, named in (((), {}), ((1, 2, 3, 4, 5, 6, 7), {}), ((1,), {"none": 1})):
        with pytest.raises(TypeError, match="__init__"):
            LAZY.Plain(*words, **named)


@lazy_dataclass.dataclass(frozen=True, slots=True)
class Kept:
    one: int
    many: tuple[int, ...] = ()


def test_a_lazy_class_is_pickled_and_read_from_a_document() -> None:
    kept = Kept(1, (2, 3))

    assert pickle.loads(pickle.dumps(kept)) == kept
    assert TypeAdapter(Kept).validate_python({"one": 1, "many": [2, 3]}) == kept
    match kept:
        case Kept(one, many):
            assert (one, many) == (1, (2, 3))
