"""An example of the settings file, generated from the code: every key with its meaning and its default.

A test loads it for every profile and compares the result with the profile, so that it stays current.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from enum import Enum

from pydantic import BaseModel

from core.model.session import HOME
from core.settings.settings import PROFILES, Settings
from core.settings.types import AmountSettings

LEFT_OUT = ("own", "sectors")
"""Tables of user strategies, whose names only the user knows, and tables with a separate file."""


def example_settings(profile: str) -> str:
    """Return a settings.toml that lists all values of a profile. Raises KeyError for an unknown profile."""
    settings = Settings.model_validate({**PROFILES[profile], "profile": profile})
    head = (
        f"# Keyturn's settings, profile {profile}. Every key may be left out: the profile then gives its value.\n"
        f"# Ratios are fractions (0.003 is 0.3 %), money is USD, times of day are {HOME.name}'s.\n"
        "# A variable KEYTURN_RISK__DAILY_LOSS__USD or --set risk.daily_loss.usd=5 goes over what stands here.\n"
    )
    return head + "\n" + "\n".join(_lines(settings, ())) + "\n"


def _lines(table: BaseModel, path: tuple[str, ...]) -> Iterator[str]:
    inner: list[tuple[str, BaseModel]] = []
    for key, field in type(table).model_fields.items():
        value = getattr(table, key)
        if isinstance(value, BaseModel) and not isinstance(value, AmountSettings):
            inner.append((key, value))
            continue
        if key in LEFT_OUT:
            continue
        if field.description:
            yield f"# {field.description}"
        yield f"# {key} is not set" if value is None else f"{key} = {written(value)}"
    for key, value in inner:
        yield ""
        summary = (type(value).__doc__ or "").partition("\n")[0]
        yield f"# {summary}"
        yield f"[{'.'.join((*path, key))}]"
        yield from _lines(value, (*path, key))


def written(value: object) -> str:
    """A value as a settings file has it; None is `not set`."""
    match value:
        case AmountSettings(usd=Decimal() as usd):
            return f"{{ usd = {usd:f} }}"
        case AmountSettings(of_equity=share):
            return f"{{ of_equity = {share:f} }}"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case time():
            return f'"{value.isoformat("seconds" if value.second else "minutes")}"'
        case Enum():
            return f'"{value.value}"'
        case tuple():
            return "[" + ", ".join(map(written, value)) + "]"
        case None:
            return "not set"
        case str():
            return f'"{value}"'
        case _:
            return str(value)
