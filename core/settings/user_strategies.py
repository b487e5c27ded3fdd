"""The table of a strategy that the user wrote: what the desk reads of it, and what only the strategy itself reads.

Its own settings stand in the journal as plain values, so that they decode when the strategy's file is gone (SP-03).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import Field, JsonValue

from core.model.venues import HOME
from core.settings.house_strategies import CapitalSettings

OWN_NAME = re.compile(r"[a-z][a-z0-9_]{0,23}")
"""What a strategy of the user's may be called; its file has the same name."""


ALIKE = 0.7
"""How alike two names are that are taken for one and a slip of it, 0 to 1."""


class UserStrategySettings(CapitalSettings):
    """A strategy of your own: what the desk reads, the rest is the strategy's."""

    enabled: bool = False
    symbols: tuple[str, ...] = Field((), description="of the desk's symbols, those it looks at; none named: all")
    flat_minutes: Annotated[int, Field(ge=0, le=HOME.session_minutes)] = Field(
        5, description="minutes before the close; the bar that starts then is the last"
    )
    holds_overnight: bool = Field(False, description="it need not be flat by the close")
    terms: dict[str, JsonValue] = Field({}, description="what the strategy itself reads")

    @classmethod
    def as_fields(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the desk does not know is the strategy's."""
        known = {key: value for key, value in values.items() if key in cls.model_fields}
        given = {key: as_plain(value) for key, value in values.items() if key not in cls.model_fields}
        return {**known, "terms": {**known.get("terms", {}), **given}} if given else known


def is_of_the_user(name: str, files: Collection[str], house: Collection[str]) -> bool:
    """Whether a table under `strategies` can be of one of the user's: its file is there, or nothing is called alike.

    A file that is gone keeps no desk from opening, and a slip in a name of the house is told.
    """
    return bool(OWN_NAME.fullmatch(name)) and (name in files or not get_close_matches(name, house, 1, ALIKE))


def sorted_out(values: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    """The tables of `strategies`, those that nobody knows among the own ones; what is no table stays, to be refused."""
    own = {key: value for key, value in values.items() if key not in known and isinstance(value, Mapping)}
    named = values.get("own", {})
    if not own or not isinstance(named, Mapping):
        return values
    return {**{key: v for key, v in values.items() if key not in own}, "own": {**named, **own}}


def as_plain(value: object) -> Any:
    """A value of a settings file as JSON has it; numbers with a point and times as their text, which is exact."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): as_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(inner) for inner in value]
    return value
