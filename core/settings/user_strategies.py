"""The settings table of a user strategy: the desk's keys, and those of the strategy itself.

Its own settings are in the journal as plain values, so that they decode when the strategy's file is gone (SP-03).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import Field, JsonValue

from core.model.session import HOME
from core.settings.house_strategies import CapitalSettings

OWN_NAME = re.compile(r"[a-z][a-z0-9_]{0,23}")
"""The name of a user strategy; its file has the same name."""


ALIKE = 0.7
"""Similarity of two names, 0 to 1, from which one counts as a misspelling of the other."""


class UserStrategySettings(CapitalSettings):
    """A user strategy: the desk's keys; the rest are the strategy's own."""

    enabled: bool = False
    symbols: tuple[str, ...] = Field((), description="of the desk's symbols, those it looks at; none named: all")
    flat_minutes: Annotated[int, Field(ge=0, le=HOME.session_minutes)] = Field(
        5, description="minutes before the close; the bar that starts then is the last"
    )
    holds_overnight: bool = Field(False, description="it need not be flat by the close")
    terms: dict[str, JsonValue] = Field({}, description="what the strategy itself reads")

    @classmethod
    def as_fields(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep unknown keys as the strategy's own."""
        known = {key: value for key, value in values.items() if key in cls.model_fields}
        given = {key: as_plain(value) for key, value in values.items() if key not in cls.model_fields}
        return {**known, "terms": {**known.get("terms", {}), **given}} if given else known


def is_of_the_user(name: str, files: Collection[str], house: Collection[str]) -> bool:
    """Return whether a table under `strategies` can be a user strategy's: its file exists, or no built-in name is
    similar.

    A missing file does not keep the desk from starting, and a misspelled built-in name is reported.
    """
    return bool(OWN_NAME.fullmatch(name)) and (name in files or not get_close_matches(name, house, 1, ALIKE))


def sorted_out(values: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    """Move unknown tables of `strategies` to the user's own; a value that is no table stays, to be refused."""
    own = {key: value for key, value in values.items() if key not in known and isinstance(value, Mapping)}
    named = values.get("own", {})
    if not own or not isinstance(named, Mapping):
        return values
    return {**{key: v for key, v in values.items() if key not in own}, "own": {**named, **own}}


def as_plain(value: object) -> Any:
    """Convert a value of a settings file to JSON; decimals and times become their exact text."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): as_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(inner) for inner in value]
    return value
