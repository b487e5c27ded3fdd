"""`keyturn strategies`: which there are, whether one would load, and a first one to begin with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from console.commands.assembly.common import Wiring
from core.ports import OperatorError, StrategyListing

if TYPE_CHECKING:
    from core.settings.settings import Settings
    from state.user_strategies import Found


class StrategyCatalogue(Wiring):
    """Nothing here runs an engine."""

    def strategies(self, overrides: tuple[str, ...]) -> tuple[StrategyListing, ...]:
        """The house's in their order, then the user's by name: those with a file, and those with a table alone."""
        from core.settings.strategies import HOUSE_NAMES
        from state.user_strategies import found_in

        settings = self._settings(overrides)
        of = settings.strategies.of
        listed = [StrategyListing(name, of(name).enabled, "the house", ()) for name in HOUSE_NAMES]
        files = found_in(self._folder_of(settings))
        for found in files:
            faults = (*found.faults, *self._faults_in_table(found, settings))
            is_on = found.name in settings.strategies.own and of(found.name).enabled
            listed.append(StrategyListing(found.name, is_on, str(found.path), faults))
        for name in sorted(set(settings.strategies.own) - {found.name for found in files}):
            path = self._folder_of(settings) / f"{name}.py"
            fault = f"{path.name} is not there; put it back, or take [strategies.{name}] out of the settings"
            listed.append(StrategyListing(name, of(name).enabled, str(path), (fault,)))
        return tuple(listed)

    def check_strategy(self, what: str, overrides: tuple[str, ...]) -> StrategyListing:
        """A file, or a name in the folder, with every reason why it would be refused."""
        from core.runtime.strategy_host.process import left_open
        from core.settings.strategies import HOUSE_NAMES
        from state.user_strategies import look_at

        settings = self._settings(overrides)
        if what in HOUSE_NAMES:
            return StrategyListing(what, settings.strategies.of(what).enabled, "the house", ())
        is_path = what.endswith(".py") or "/" in what
        path = Path(what).expanduser().absolute() if is_path else self._folder_of(settings) / f"{what}.py"
        if not os.path.lexists(path):
            if is_path:
                raise OperatorError(f"{path}: no such file; check the path")
            raise OperatorError(f"there is no strategy {path}; `keyturn strategies list` shows those that there are")
        found = look_at(path)
        faults = (*found.faults, *self._faults_in_table(found, settings))
        return StrategyListing(
            found.name, settings.strategies.of(found.name).enabled, str(path), faults, left_open(found.layers)
        )

    def new_strategy(self, name: str) -> Path:
        """Write the example of a page as a strategy of that name."""
        from state.user_strategies import write_new

        return write_new(self._folder_of(self._settings(())), name)

    def _faults_in_table(self, found: Found, settings: Settings) -> tuple[str, ...]:
        """What keeps it from being made with its table in the settings."""
        from core.strategies.builtin import StrategyKinds
        from core.strategies.user_strategies import MissingStrategy, started

        if found.kind is None or found.name not in settings.strategies.own:
            return ()
        made = started(
            StrategyKinds({found.name: found.kind}, {}), found.name, settings.strategies.of(found.name), None
        )
        return (made.reason,) if isinstance(made, MissingStrategy) else ()
