"""`dataclass` of the standard library, whose methods are compiled when one is first called.

The standard library compiles six methods of a frozen class when its module is imported. A start imports hundreds of
classes and uses half of them, and that was two fifths of it. Here a class costs a tenth until it is used, and the same
from then on. Fields, `replace`, `fields`, `match`, copies and errors are those of the standard library; it also makes
each class with other options, or below one that it made. Strategies keep to it: users copy their files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from functools import partial
from inspect import get_annotations
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

USUAL: tuple[dict[str, bool], ...] = ({"slots": True}, {"slots": True, "frozen": True})
"""The options of the classes whose methods are made later."""
UNUSUAL = ("InitVar", "KW_ONLY")
"""Annotations that the standard library handles."""

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 — for whoever checks types it is the same
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """Make a class a dataclass, as a decorator with options or without."""
        return _made(cls, options) if cls is not None else lambda given: _made(given, options)


def _made(cls: type, options: dict[str, bool]) -> Any:
    hints = map(str, get_annotations(cls).values())
    if options not in USUAL or any(word in hint for hint in hints for word in UNUSUAL):
        return dataclasses.dataclass(**options)(cls)
    own, is_frozen = dict(cls.__dict__), bool(options.get("frozen"))
    cls.__doc__ = cls.__doc__ or cls.__name__
    above = (vars(base).get("__dataclass_params__") for base in cls.__mro__)
    is_below_frozen = any(params is not None and params.frozen for params in above)
    made: Any = dataclasses.dataclass(slots=True, init=False, repr=False, eq=False, frozen=is_below_frozen)(cls)
    told = made.__dataclass_params__
    told.init, told.repr, told.eq, told.frozen = True, True, True, is_frozen
    is_set_directly = is_frozen or made.__setattr__ is not object.__setattr__
    init = partial(_init, form="_set(self, '{0}', {1})" if is_set_directly else "self.{0} = {1}")
    methods: dict[str, Any] = {"__repr__": _repr}
    methods |= {name: _later(made, name, way) for name, way in (("__init__", init), ("__eq__", _eq))}
    if is_frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse, "__getstate__": _state, "__setstate__": _restore}
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    if own.get("__hash__") is None:
        made.__hash__ = _later(made, "__hash__", _hash) if is_frozen else None
    return made


def _later(cls: type, name: str, compiled: Callable[[type], Any]) -> Any:
    """Return a method that replaces itself by its compiled form when it is called."""

    def method(self: object, *args: object, **named: object) -> object:
        made = compiled(cls)
        made.__qualname__, made.__module__ = f"{cls.__qualname__}.{name}", cls.__module__
        setattr(cls, name, made)
        return made(self, *args, **named)

    method.__name__ = name
    return method


def _init(cls: type, form: str) -> Any:
    """Compile `__init__`; `form` sets a field to a value."""
    by_place, by_name, lines = ["self"], list[str](), list[str]()
    scope: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    for number, each in enumerate(fields(cls)):
        name, word, given = each.name, each.name, each.name
        scope[f"_default{number}"], scope[f"_new{number}"] = each.default, each.default_factory
        if each.default_factory is not MISSING:
            word = f"{name}=_missing"
            given = f"_new{number}() if {name} is _missing else {name}" if each.init else f"_new{number}()"
        elif each.default is not MISSING:
            word, given = f"{name}=_default{number}", name if each.init else f"_default{number}"
        elif not each.init:
            continue
        if each.init:
            (by_name if each.kw_only else by_place).append(word)
        lines.append(form.format(name, given))
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    return _compiled("__init__", [*by_place, *(["*", *by_name] if by_name else [])], lines or ["pass"], scope)


def _eq(cls: type) -> Any:
    values = (f"({_values(cls, one)})" for one in ("self", "other"))
    same = f"return {' == '.join(values)} if other.__class__ is self.__class__ else NotImplemented"
    return _compiled("__eq__", ["self", "other"], [same], {})


def _hash(cls: type) -> Any:
    return _compiled("__hash__", ["self"], [f"return hash(({_values(cls, 'self', 'hash')}))"], {})


def _values(cls: type, of: str, use: str = "compare") -> str:
    """Return the fields that are compared, or hashed, as the items of a tuple."""
    known = fields(cls)
    counted = (each for each in known if (each.compare if use == "compare" or each.hash is None else each.hash))
    return "".join(f"{of}.{each.name}, " for each in counted)


def _compiled(name: str, words: list[str], lines: list[str], scope: dict[str, Any]) -> Any:
    exec(f"def {name}({', '.join(words)}):\n  " + "\n  ".join(lines), scope)
    return scope[name]


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(self: object, name: str, _value: object = None) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
