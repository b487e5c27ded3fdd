"""Recorded trips of protections, their ends, and the operator's overrides (RK-06)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.facts import OverrideEnded, ProtectionExpired, ProtectionOverridden, ProtectionTripped
from core.model.values import Money


@dataclass(frozen=True, slots=True)
class ToldOverride:
    """A recorded trip. `until` is None if it ends with its reason; `limit` is the loss limit that was reached, USD."""

    name: str
    scope: str
    reason: str
    since: datetime
    until: datetime | None
    limit: Money | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A typed override: trips up to `at` pass from `begins` to `until`, or until `again_at` USD are lost."""

    at: datetime
    begins: datetime
    until: datetime
    again_at: Money | None = None

    def ends_at(self, lost: Decimal) -> bool:
        """Return whether the account's loss has reached the amount that ends the override."""
        return self.again_at is not None and lost >= self.again_at


@dataclass(slots=True)
class OverridesState:
    """Both are keyed `name/scope`."""

    told: dict[str, ToldOverride] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)


class Overrides:
    def __init__(self) -> None:
        self.state = OverridesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            ProtectionTripped: self._tripped,
            ProtectionExpired: self._expired,
            ProtectionOverridden: self._overridden,
            OverrideEnded: self._override_ended,
        }

    def told(self, name: str, scope: str) -> ToldOverride | None:
        return self.state.told.get(key_of(name, scope))

    def all_told(self) -> Iterator[ToldOverride]:
        return iter(self.state.told.values())

    def typed(self, name: str, scope: str) -> Override | None:
        """Return the override typed for this scope that has not ended, even before it begins."""
        return self.state.overrides.get(key_of(name, scope))

    def all_overrides(self) -> Iterator[tuple[str, str, Override]]:
        """Yield each override with its protection's name and scope."""
        for key, override in self.state.overrides.items():
            name, _, scope = key.partition("/")
            yield name, scope, override

    def override(self, name: str, scope: str, tripped_at: datetime, at: datetime) -> Override | None:
        """Return the unexpired override typed for this trip; it may begin later."""
        found = self.state.overrides.get(key_of(name, scope))
        return found if found is not None and tripped_at <= found.at and at < found.until else None

    def passing(self, name: str, scope: str, tripped_at: datetime, at: datetime) -> Override | None:
        """Return the override that lets entries pass this trip now."""
        found = self.override(name, scope, tripped_at, at)
        return found if found is not None and found.begins <= at else None

    def passes(self, name: str, scope: str, tripped_at: datetime, at: datetime) -> bool:
        """Return whether entries pass this trip now."""
        return self.passing(name, scope, tripped_at, at) is not None

    def _tripped(self, at: datetime, fact: ProtectionTripped) -> None:
        before = self.told(fact.name, fact.scope)
        since = before.since if before is not None else at
        told = ToldOverride(fact.name, fact.scope, fact.reason, since, fact.until, fact.limit)
        self.state.told[key_of(fact.name, fact.scope)] = told

    def _expired(self, _at: datetime, fact: ProtectionExpired) -> None:
        self.state.told.pop(key_of(fact.name, fact.scope), None)
        self.state.overrides.pop(key_of(fact.name, fact.scope), None)

    def _overridden(self, at: datetime, fact: ProtectionOverridden) -> None:
        self.state.overrides[key_of(fact.name, fact.scope)] = Override(at, fact.begins, fact.until, fact.again_at)

    def _override_ended(self, _at: datetime, fact: OverrideEnded) -> None:
        self.state.overrides.pop(key_of(fact.name, fact.scope), None)


def key_of(name: str, scope: str) -> str:
    return f"{name}/{scope}"
