"""Changes between two settings files: tighter limits, looser limits, and those that need a restart (RK-13).

Only limits are taken over while an engine runs, and only they keep their value if a restart would loosen them: those
under `risk`, and those with a direction. A change of a setting under `risk` without one, or of one that cannot be
compared, counts as looser: it needs the typed word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from datetime import time
from decimal import Decimal
from enum import Enum
from functools import reduce
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ValidationError

from core.model.lazy_dataclass import dataclass
from core.settings.directions import BESIDE_RISK, LIMITS, OWN, is_of_own, looser_of
from core.settings.entry_windows import is_no_wider
from core.settings.history import VERSION, read, restated
from core.settings.protections import ProtectionSettings, ProtectionsSettings
from core.settings.risk import DAILY, WEEKLY
from core.settings.service import AgentSettings
from core.settings.settings import Settings
from core.settings.strategies import UserStrategySettings
from core.settings.types import WHOLE, AmountSettings, Direction, KeyPath

AGENTS = "agents"
"""The one table that a running engine takes over without a command: an agent can send nothing."""
OF_THE_ACCOUNT = (DAILY, WEEKLY)
WITH_A_LOCK = tuple(
    name
    for name, setting in ProtectionsSettings.model_fields.items()
    if isinstance(setting.default, ProtectionSettings)
)
"""The names of the protections, which an override passes."""
OF_THE_SCREEN = ("display", "health", "keys", "notify", "proof", "report", "watchdog")
"""Tables that no order depends on."""
SECTORS: KeyPath = (LIMITS, "sectors")
"""The sector of each symbol in the settings."""
NO_OWN = UserStrategySettings()
"""The table of a user's strategy that nobody wrote; its limits are compared with these."""
NOT_SET = "not set"
"""The text for a setting that one of two files does not have."""
FOR_EVER = Decimal("Infinity")


class ChangeKind(Enum):
    """How a difference is taken over."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    RESTART = "needs a restart"


@dataclass(frozen=True, slots=True)
class LimitChange:
    """One setting with another value in the file; `before` and `after` are text."""

    path: KeyPath
    before: str
    after: str
    kind: ChangeKind

    @property
    def key(self) -> str:
        return ".".join(self.path)

    @property
    def words(self) -> str:
        """As in `risk.daily_loss 10 USD → 5 USD`."""
        return f"{self.key} {self.before} → {self.after}"


def changes_between(old: Settings, new: Settings, equity: Decimal | None = None) -> tuple[LimitChange, ...]:
    """Return every setting that differs, without those of the screen.

    An amount in USD and one as a share of equity are compared at `equity`, the day's opening; if that is unknown, the
    change counts as looser.
    """
    before, after = dict(leaves(old)), dict(leaves(new))
    found = []
    for path in {**before, **after}:
        was, is_now = before.get(path, NOT_SET), after.get(path, NOT_SET)
        if path[0] not in OF_THE_SCREEN and was != is_now:
            is_new_in_a_sector = (
                is_within(path, SECTORS) and path not in before
            )  # its limit then counts one more symbol
            kind = ChangeKind.TIGHTER if is_new_in_a_sector else _kind(path, was, is_now, equity)
            found.append(LimitChange(path, in_words(was), in_words(is_now), kind))
    return tuple(found)


def agent_changes(old: Settings, new: Settings) -> tuple[str, ...]:
    """Return what differs in the tables of agents, one text for each agent; empty if nothing does (OP-09)."""
    return tuple(
        f"{name} {_agent_change(old.agents.get(name), new.agents.get(name))}"
        for name in dict.fromkeys((*old.agents, *new.agents))
        if old.agents.get(name) != new.agents.get(name)
    )


def _agent_change(old: AgentSettings | None, new: AgentSettings | None) -> str:
    if new is None:
        return "removed"
    if old is None:
        return f"added ({in_words(new)})"
    pairs = zip(leaves(old), leaves(new), strict=True)
    return ", ".join(f"{key[-1]} {in_words(was)} → {in_words(now)}" for (key, was), (_, now) in pairs if was != now)


def with_agents(old: Settings, new: Settings) -> Settings:
    """Return `old` with the tables of agents of `new`."""
    settings = old.model_copy(update={AGENTS: new.agents})
    return restated(settings) if old.odd.words else settings


def is_within(path: KeyPath, other: KeyPath) -> bool:
    """Return whether one of the two keys is the other, or a part of it."""
    both = min(len(path), len(other))
    return path[:both] == other[:both]


def with_changes(old: Settings, new: Settings, changes: Collection[LimitChange]) -> Settings:
    """Return `old` with only these changes from `new`. Raises ValueError if they are invalid without the others.

    Values of `old` that today's rules would refuse stay valid.
    """
    values, others = _whole(old), _whole(new)
    for change in changes:
        _take(values, others, change.path)
    judged = deepcopy(values)
    for place in old.odd.places:
        judged = _take(judged, others, place)
    try:
        Settings.model_validate(judged)
    except ValidationError as error:
        raise ValueError(error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")) from None
    return read(values, VERSION)


def _whole(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(context=WHOLE, warnings=False)


def _take(values: dict[str, Any], others: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    """Return the values with the others' value at a path; the others if the path is empty."""
    if not path:
        return others
    path = (*OWN, *path[1:]) if is_of_own(path) else path
    here, there = values, others
    for key in path[:-1]:
        here, there = here.setdefault(key, {}), there.get(key, {})
    if path[-1] in there:
        here[path[-1]] = there[path[-1]]
    else:
        here.pop(path[-1], None)
    return values


def without_looser(held: Settings, new: Settings, equity: Decimal | None = None) -> Settings:
    """Return the new settings, but with the held value of each looser limit.

    A tighter limit that is invalid without a looser one keeps its held value too.
    """
    if held == new and not held.odd.words:
        return new
    tighter = [change for change in changes_between(held, new, equity) if change.kind is ChangeKind.TIGHTER]
    limits = held
    for table in (LIMITS, *BESIDE_RISK):
        if changes := [change for change in tighter if change.path[0] == table]:
            limits, _ = with_what_fits(limits, new, changes)
    kept: dict[str, BaseModel] = {LIMITS: limits.risk}
    for table, paths in BESIDE_RISK.items():
        kept[table] = _as_held(getattr(new, table), getattr(limits, table), paths)
    settings = new.model_copy(update=kept)
    return restated(settings) if held.odd.words else settings


def with_what_fits(
    held: Settings, new: Settings, changes: Sequence[LimitChange]
) -> tuple[Settings, Sequence[LimitChange]]:
    """Take the changes together, or each that is valid by itself or after others; also return those left."""
    with suppress(ValueError):
        return with_changes(held, new, changes), ()
    left, tried = list(changes), len(changes) + 1
    while len(left) < tried:
        tried, waiting, left = len(left), left, []
        for change in waiting:
            try:
                held = with_changes(held, new, [change])
            except ValueError:
                left.append(change)
    return held, left


def _as_held(new: BaseModel, held: BaseModel, paths: Iterable[KeyPath]) -> BaseModel:
    """Return the new table with the held values at these paths."""
    inner: dict[str, list[KeyPath]] = {}
    for key, *rest in paths:
        inner.setdefault(key, []).append(tuple(rest))
    update = {
        key: getattr(held, key) if () in rests else _of_both(getattr(new, key), getattr(held, key), rests)
        for key, rests in inner.items()
    }
    return new.model_copy(update=update)


def _of_both(new: Any, held: Any, paths: Iterable[KeyPath]) -> Any:
    """Return the new table with the held values, or each table of the user's current strategies."""
    if isinstance(new, BaseModel):
        return _as_held(new, held, paths)
    return {name: _as_held(table, held.get(name, NO_OWN), paths) for name, table in new.items()}


def tightened(changes: Collection[LimitChange]) -> dict[str, str]:
    """Return the tightened limits as text, by the name of the protection whose limit, or whose override,
    it is (RK-06).
    """
    found: dict[str, str] = {}
    for change in changes:
        if change.kind is not ChangeKind.TIGHTER or change.path[0] != LIMITS:
            continue
        for name in _protections_of(change.path[1:]):
            found[name] = f"{found[name]}, {change.words}" if name in found else change.words
    return found


def _protections_of(path: KeyPath) -> tuple[str, ...]:
    """Return the protections affected by a setting under `risk`."""
    match path:
        case (name,) if name in OF_THE_ACCOUNT:
            return (name,)
        case ("protections", "loss_override_minutes"):
            return OF_THE_ACCOUNT
        case ("protections", "override_minutes"):
            return WITH_A_LOCK
        case ("protections", name, *_):
            return (name,)
    return ()


def digest_of(settings: Settings) -> str:
    """Return sixteen characters that identify the settings."""
    return sha256(settings.model_dump_json().encode()).hexdigest()[:16]


def digest_of_agents(settings: Settings) -> str:
    """Return sixteen characters that identify the tables of agents, in any order."""
    texts = sorted(f"{name}:{terms.model_dump_json()}" for name, terms in settings.agents.items())
    return sha256("\n".join(texts).encode()).hexdigest()[:16]


def in_words(value: object) -> str:
    """Format a value as in a settings file, with its unit."""
    if isinstance(value, AmountSettings):
        return f"{value.usd:f} USD" if value.usd is not None else f"{value.of_equity:f} of equity"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if value is None:
        return NOT_SET
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        values = {key: getattr(value, key) for key in fields}
        return _table_in_words({key: each for key, each in values.items() if each != fields[key].default}) or "as usual"
    if isinstance(value, Mapping):
        return _table_in_words(value) or "none"
    if isinstance(value, tuple | list | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        each = ("/".join(map(in_words, item)) if isinstance(item, tuple) else in_words(item) for item in items)
        return ", ".join(each) or "none"
    return str(value.value if isinstance(value, Enum) else value) or "empty"


def _table_in_words(values: Mapping[str, object]) -> str:
    """As in `claude (symbols SPY/QQQ, most_value 1000), other (as usual)`."""
    return ", ".join(f"{key} {_within_a_table(value)}" for key, value in values.items())


def _within_a_table(value: object) -> str:
    is_table = isinstance(value, Mapping | BaseModel) and not isinstance(value, AmountSettings)
    return f"({in_words(value)})" if is_table else in_words(value).replace(", ", "/")


def leaves(table: BaseModel, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Yield every setting with its whole key."""
    for key in type(table).model_fields:
        value = getattr(table, key)
        if isinstance(value, BaseModel) and not isinstance(value, AmountSettings):
            yield from leaves(value, (*path, key))
        elif (*path, key) == OWN:
            yield from _of_own(value)
        elif (*path, key) == SECTORS:
            yield from (((*path, key, symbol), sector) for symbol, sector in value.items())
        else:
            yield (*path, key), value


def _of_own(tables: Mapping[str, UserStrategySettings]) -> Iterator[tuple[KeyPath, object]]:
    """Yield the tables of the user's strategies, as in the file."""
    for name, table in tables.items():
        for key, value in leaves(table, (OWN[0], name)):
            is_limit_not_set = key[2] == "limits" and value == _usual(key)
            if key[-1] != "terms" and not is_limit_not_set:
                yield key, value
        yield from (((OWN[0], name, key), value) for key, value in table.terms.items())


def _kind(path: KeyPath, before: object, after: object, equity: Decimal | None) -> ChangeKind:
    looser = looser_of(path)
    if looser.direction is Direction.NONE:
        return ChangeKind.RESTART
    if is_of_own(path):
        before, after = (_usual(path) if each is NOT_SET else each for each in (before, after))
        if before == after:
            return ChangeKind.RESTART
    if looser.direction is Direction.CHOICE:
        return ChangeKind.TIGHTER if after == looser.strictest else ChangeKind.LOOSER
    if looser.direction is Direction.RANKED:
        return ChangeKind.LOOSER if looser.ranks.index(after) < looser.ranks.index(before) else ChangeKind.TIGHTER
    if looser.direction is Direction.WIDER:
        assert isinstance(before, tuple)
        assert isinstance(after, tuple)
        return ChangeKind.TIGHTER if is_no_wider(after, than=before) else ChangeKind.LOOSER
    if looser.zero_is_never:
        before, after = _or_never(before), _or_never(after)
    grows = _grows(before, after, equity)
    if grows is None or looser.direction is Direction.EITHER:
        return ChangeKind.LOOSER
    return ChangeKind.LOOSER if grows is (looser.direction is Direction.MORE) else ChangeKind.TIGHTER


def _usual(path: KeyPath) -> object:
    """Return what a key of the table of a user's strategy has where nobody wrote it."""
    return reduce(getattr, path[2:], NO_OWN)


def _or_never(value: object) -> object:
    return (Decimal(value) or FOR_EVER) if isinstance(value, Decimal | int) else value


def _grows(before: object, after: object, equity: Decimal | None) -> bool | None:
    """Return whether the second is more; None without a common unit."""
    if isinstance(before, AmountSettings) and isinstance(after, AmountSettings):
        if before.limits_nothing is not after.limits_nothing:
            return after.limits_nothing
        for first, second in ((before.usd, after.usd), (before.of_equity, after.of_equity)):
            if first is not None and second is not None:
                return second > first
        here, there = before.of(equity), after.of(equity)
        return there > here if here is not None and there is not None and here != there else None
    if isinstance(before, Decimal | int | time) and type(before) is type(after):
        return bool(after > before)  # type: ignore[operator]
    return None
