"""The one list of facts. The decorator over a fact's class puts it there, with the name and version that journals know.

A class may be called anything, and moved anywhere: a journal knows its name alone. How a fact changes its name or its
shape stands in docs/FORMATS.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Data = dict[str, Any]
"""A fact's fields as JSON has them."""

Upgrade = Callable[[Data], Data]
"""Makes of one version's data the data of the next."""


class Fact:
    """What every fact is."""

    __slots__ = ()


F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class FactKind:
    """How one kind of fact stands in the journal.

    Attributes
    ----------
    name
        What new records call it.
    version
        Of the shape that is written now; the first was 1.
    aliases
        What older records call it.
    upgrades
        By version. One that is missing means that nothing but fields with a default came: each default says what was
        so before the field was there.
    is_heard_again
        It needs no sync of its own: lost in a crash, it is heard again from the source.
    """

    made: type[Fact]
    name: str
    version: int
    aliases: tuple[str, ...]
    upgrades: Mapping[int, Upgrade]
    is_heard_again: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Whatever a record may call it."""
        return (self.name, *self.aliases)

    def upgraded(self, data: Data, version: int) -> Data:
        """The data of a version as the newest has it."""
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
    """Put a class on the list; without a name, by that of the class.

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
    """Of all facts together: it grows with each new fact and each new version, and never shrinks."""
    return sum(kind.version for kind in BY_TYPE.values())


def kind_of(made: type[Fact]) -> FactKind:
    """How facts of this class stand in the journal."""
    return BY_TYPE[made]
