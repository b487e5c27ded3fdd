"""The registry of facts. The class decorator registers a fact with its name and version in journals.

A class may have any name and be moved anywhere: a journal knows only the registered name. docs/FORMATS.md describes how
a fact changes its name or its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Data = dict[str, Any]
"""A fact's fields as JSON has them."""

Upgrade = Callable[[Data], Data]
"""Converts one version's data to the next version."""


class Fact:
    """Base class of all facts."""

    __slots__ = ()


F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class FactKind:
    """The journal format of one kind of fact.

    Attributes
    ----------
    name
        Its name in new records.
    version
        Of the current shape; the first was 1.
    aliases
        Its names in older records.
    upgrades
        By version. A missing one means that only fields with a default were added: each default is the value of records
        from before.
    is_heard_again
        It needs no separate sync: if lost in a crash, the source sends it again.
    """

    made: type[Fact]
    name: str
    version: int
    aliases: tuple[str, ...]
    upgrades: Mapping[int, Upgrade]
    is_heard_again: bool

    @property
    def names(self) -> tuple[str, ...]:
        """All names in records."""
        return (self.name, *self.aliases)

    def upgraded(self, data: Data, version: int) -> Data:
        """Convert the data of a version to the newest version."""
        for step in range(version, self.version):
            if upgrade := self.upgrades.get(step):
                data = upgrade(data)
        return data


BY_TYPE: dict[type[Fact], FactKind] = {}
"""Every kind, in the order in which the classes were made."""
BY_NAME: dict[str, FactKind] = {}
"""The same by each name, aliases included."""


def fact(
    name: str = "",
    *,
    version: int = 1,
    aliases: tuple[str, ...] = (),
    upgrades: Mapping[int, Upgrade] | None = None,
    is_heard_again: bool = False,
) -> Callable[[type[F]], type[F]]:
    """Register a class, by its own name unless `name` is given.

    Raises ValueError for a name that another fact has, and for an upgrade of no older version.
    """

    def registered(made: type[F]) -> type[F]:
        kind = FactKind(made, name or made.__name__, version, aliases, upgrades or {}, is_heard_again)
        if taken := sorted(set(kind.names) & BY_NAME.keys()):
            raise ValueError(f"{made.__name__}: another fact is called {', '.join(taken)} in journals")
        if wrong := sorted(set(kind.upgrades) - set(range(1, version))):
            raise ValueError(f"{made.__name__}: no version {wrong[0]} comes before version {version}")
        BY_TYPE[made] = kind
        BY_NAME.update(dict.fromkeys(kind.names, kind))
        return made

    return registered


def edition() -> int:
    """Return the edition of all facts together: it grows with each new fact and version, and never shrinks."""
    return sum(kind.version for kind in BY_TYPE.values())


def kind_of(made: type[Fact]) -> FactKind:
    """Return the journal format of a fact's class."""
    return BY_TYPE[made]
