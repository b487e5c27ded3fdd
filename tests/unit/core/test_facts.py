"""The one list of facts: what is on it, under which names, and what is refused there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from core.facts import EngineStopped
from core.facts.registry import BY_NAME, BY_TYPE, Fact, fact, kind_of


@pytest.fixture(autouse=True)
def the_list_as_it_is() -> Iterator[None]:
    """What a test puts on the list is off it again."""
    kinds, names = dict(BY_TYPE), dict(BY_NAME)
    yield
    for table, before in ((BY_TYPE, kinds), (BY_NAME, names)):
        table.clear()
        table.update(before)  # type: ignore[arg-type]


def test_a_renamed_fact_keeps_its_journal_name() -> None:
    """SP-07: so a class may be renamed, and no journal is touched"""

    @fact()
    @dataclass(frozen=True, slots=True)
    class MoonRose(Fact):
        at_sea: bool

    @fact("MoonSet", version=3, aliases=("MoonGone", "MoonLost"))
    @dataclass(frozen=True, slots=True)
    class MoonWentDown(Fact):
        at_sea: bool

    assert (kind_of(MoonRose).name, kind_of(MoonRose).version) == ("MoonRose", 1)
    assert kind_of(MoonWentDown).names == ("MoonSet", "MoonGone", "MoonLost")
    assert {BY_NAME[name].made for name in ("MoonSet", "MoonGone", "MoonLost")} == {MoonWentDown}


@pytest.mark.parametrize("terms", [{"name": "EngineStopped"}, {"aliases": ("EngineStopped",)}])
def test_two_facts_never_have_one_name(terms: dict[str, object]) -> None:
    """SP-07, SP-01"""
    with pytest.raises(ValueError, match="another fact is called EngineStopped in journals"):
        fact(**terms)(type("MoonRose", (Fact,), {}))  # type: ignore[arg-type]
    assert BY_NAME["EngineStopped"].made is EngineStopped


def test_an_upgrade_is_of_an_older_version() -> None:
    """SP-07: one that would never run is a slip"""
    with pytest.raises(ValueError, match="no version 2 comes before version 2"):
        fact(version=2, upgrades={2: dict})(type("MoonRose", (Fact,), {}))
