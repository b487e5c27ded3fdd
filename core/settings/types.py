"""Types of settings: a frozen table that refuses unknown keys, ranges of figures, and the looser direction of a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from core.model.instrument import SYMBOL, symbol_in
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.values import number_in

LARGEST_AMOUNT = 1_000_000_000
"""Upper bound of any amount, USD: more is a typing error, and means no limit."""

MOST_ENTRIES = 10_000
"""Upper bound of entries a day."""

Ratio = Annotated[Decimal, Field(ge=0, le=1)]
Positive = Annotated[Decimal, Field(gt=0, le=LARGEST_AMOUNT)]
NotNegative = Annotated[Decimal, Field(ge=0, le=LARGEST_AMOUNT)]
Seconds = Annotated[Decimal, Field(gt=0, le=86_400)]
Delay = Annotated[Decimal, Field(ge=0, le=3600)]
"""Seconds; zero is allowed."""
Minutes = Annotated[int, Field(ge=1, le=366 * 1440)]
Trades = Annotated[int, Field(ge=1, le=10_000)]
"""A number of closed trades."""


def _in_capitals(written: object) -> object:
    """Refuse a symbol in small letters, which would never match (SY-03)."""
    if isinstance(written, str) and not SYMBOL.fullmatch(written) and (symbol := symbol_in(written)):
        raise ValueError(f'must be in capitals: "{symbol}"')
    return written


SymbolName = Annotated[str, BeforeValidator(_in_capitals), Field(pattern=rf"^{SYMBOL.pattern}$")]

EXAMPLE = 'as in "10:00"'
_CLOCK = re.compile(
    r"\d\d:\d\d(?::\d\d)?(?P<fraction>[.,]\d+)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?", re.IGNORECASE | re.ASCII
)


def _on_the_clock(written: object) -> object:
    """Accept only a plain time of day, so that comparisons never meet a time zone (SY-03)."""
    found = _CLOCK.fullmatch(str(written)) if isinstance(written, (str, time)) else None
    if found is None:
        raise ValueError(f"must be a time of day, {EXAMPLE}")
    if found["zone"]:
        raise ValueError(f"must have no zone: times of day are {HOME.name}'s, {EXAMPLE}")
    if found["fraction"]:
        raise ValueError(f"must have no fraction of a second, {EXAMPLE}")
    return written


TimeOfDay = Annotated[time, BeforeValidator(_on_the_clock)]
"""To the second, by the exchange's clock."""


class Direction(Enum):
    """The looser direction of a setting; the value is its text."""

    MORE = "more is looser"
    LESS = "less is looser"
    CHOICE = "all but one are looser"
    RANKED = "an earlier one is looser"
    WIDER = "a window more is looser, and none at all"
    EITHER = "each change counts as looser"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Looser:
    """Which values of a setting allow more (RK-13), in the type of its field: `LessIsLooser[Minutes]`.

    That of a table holds for its keys that have none of their own.

    Attributes
    ----------
    zero_is_never
        It is off at zero, which allows most.
    strictest
        Of a choice: the value that is tighter than any other.
    ranks
        Of ranked values: all of them, the loosest first.
    why_none
        Without a direction: why no value is looser than another.
    """

    direction: Direction
    zero_is_never: bool = False
    strictest: object = None
    ranks: tuple[object, ...] = ()
    why_none: str = ""


T = TypeVar("T")
MoreIsLooser = Annotated[T, Looser(Direction.MORE)]
"""Of true and false, true is more."""
MoreOrZeroIsLooser = Annotated[T, Looser(Direction.MORE, zero_is_never=True)]
LessIsLooser = Annotated[T, Looser(Direction.LESS)]
AnyChangeIsLooser = Annotated[T, Looser(Direction.EITHER)]
"""Its values have no order."""


def strictest(value: object) -> Looser:
    """Return the direction of a choice: every value but this one is looser."""
    return Looser(Direction.CHOICE, strictest=value)


def ranked(*values: object) -> Looser:
    """Return the direction of values that are tighter one after the other."""
    return Looser(Direction.RANKED, ranks=values)


def no_direction(why: str) -> Looser:
    """Return that no value is looser than another, and why."""
    return Looser(Direction.NONE, why_none=why)


WHOLE = "whole"
"""Asks for every key of a table that grew."""


KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoricalValue:
    """Recorded settings that today's rules would refuse (SP-07).

    Attributes
    ----------
    words
        One for each, with its key.
    places
        The keys, or the tables whose keys do not fit each other.
    unread
        Values that no current setting can hold, by key: kept as written.
    """

    words: tuple[str, ...] = ()
    places: tuple[KeyPath, ...] = ()
    unread: tuple[tuple[KeyPath, JsonValue], ...] = ()


NOTHING_ODD = HistoricalValue()


class SettingsTable(BaseModel):
    """One table of the settings file: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __deepcopy__(self, _memo: dict[int, Any] | None = None) -> Self:
        """Return the object itself: it is frozen, and pydantic would copy each default of every `Settings`."""
        return self

    @model_validator(mode="before")
    @classmethod
    def _with_its_fields(cls, values: object) -> object:
        return cls.as_fields(values) if isinstance(values, Mapping) else values

    @field_validator("*", mode="before")
    @classmethod
    def _in_plain_digits(cls, written: object, info: ValidationInfo) -> object:
        """Refuse a number in text that is not in plain digits, such as `1_000` (MD-08)."""
        if isinstance(written, str) and info.field_name is not None:
            kinds = (kind := cls.model_fields[info.field_name].annotation, *get_args(kind))
            is_python = not written.isascii() or "_" in written
            if is_python and (Decimal in kinds or int in kinds) and str not in kinds and number_in(written) is None:
                raise ValueError("must be a number in plain digits, such as 1000 or 0.3")
        return written

    @classmethod
    def as_fields(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Map the table's keys to its fields, without validation."""
        return values


class GrowingSettingsTable(SettingsTable):
    """A table that grew: a key of `LATER` is written only if it differs from its default.

    So the record of untouched settings stays the same, byte for byte. Dumped with the context `WHOLE`, it has every
    key.
    """

    LATER: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _sparse(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, object]:
        written: dict[str, object] = handler(self)
        if info.context == WHOLE:
            return written
        fields = type(self).model_fields
        for name in self.LATER - self.always_written():
            if getattr(self, name) == fields[name].default:
                written.pop(name, None)
        return written

    def always_written(self) -> frozenset[str]:
        """Return the keys to write also with their default, because they would be read as another value."""
        return frozenset()


class AmountSettings(SettingsTable):
    """An amount in USD, or as a fraction of equity: exactly one of the two."""

    usd: Positive | None = Field(None, description="USD")
    of_equity: Annotated[Decimal, Field(gt=0, le=1)] | None = Field(None, description="fraction of equity")

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        if (self.usd is None) == (self.of_equity is None):
            raise ValueError("give exactly one of usd and of_equity")
        return self

    @property
    def limits_nothing(self) -> bool:
        return self.usd == LARGEST_AMOUNT

    def of(self, equity: Decimal | None) -> Decimal | None:
        """Return the amount in USD; None if it needs an unknown equity."""
        if self.usd is not None:
            return self.usd
        return None if equity is None or self.of_equity is None else self.of_equity * equity


LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ADDRESS = re.compile(r"[a-z]+://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?][!-\[\]-~]*)?")
"""A host that every library reads alike: no name before an @, no backslash, no letter that is made into another."""


def checked_url(url: str, *schemes: str) -> str:
    """Accept a TLS address of these schemes, a plain one on this machine, or none. Raises ValueError (SY-06)."""
    if not url:
        return url
    secure, plain = (tuple(f"{scheme}{s}" for scheme in schemes) for s in ("s", ""))
    scheme = url.partition("://")[0]
    if scheme not in secure and not (scheme in plain and urlsplit(url).hostname in LOOPBACK):
        names = f"{' or '.join(secure)}; plain {' and '.join(plain)}"
        raise ValueError(f"{names} only on this machine (127.0.0.1, localhost, [::1])")
    if not _ADDRESS.fullmatch(url):
        raise ValueError("a plain address: no name or password before the host, no backslash, ASCII alone")
    return url


def plain_only_on_loopback(url: str) -> str:
    """Accept an HTTP address, as `checked_url` does. Raises ValueError."""
    return checked_url(url, "http")


Url = Annotated[str, AfterValidator(plain_only_on_loopback)]
