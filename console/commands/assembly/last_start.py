"""What an account was started with last time, where that explains what a start without it meets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from core.ports import OperatorError
from state.folders import AccountFolder
from state.last_start import Chosen, LastStart, last_started_with, remember

if TYPE_CHECKING:
    from core.messages.commands import SettingsSource
    from core.settings.settings import Settings
    from core.trading_state.state import TradingState


class LastTime:
    """The `--set` and the variables of last time that this start was not given.

    Parameters
    ----------
    given
        The `--set` of this start.
    environ
        Its environment.
    settings_with
        The settings of this start with these besides. Raises OperatorError.
    """

    def __init__(
        self,
        folder: AccountFolder,
        given: tuple[str, ...],
        environ: Mapping[str, str],
        settings_with: Callable[[tuple[str, ...]], Settings],
    ) -> None:
        from state.settings_file import variables_in

        self._folder = folder
        self._given = given
        self._variables = variables_in(environ)
        last = last_started_with(folder)
        self._gone = [name for name in last.variables if name not in self._variables]
        self._left = last.left_out(given)
        self._as_before: Settings | None = None
        if self._left:
            try:
                self._as_before = settings_with(self._left)
            except OperatorError:
                self._left = ()

    def require(self, sound: Callable[[Settings], None], settings: Settings) -> None:
        """Ask for what a start needs. Raises `OperatorError`, naming what was left out where that alone is missing."""
        try:
            sound(settings)
        except OperatorError as error:
            if self._as_before is None:
                raise
            sound(self._as_before)
            said = f"last time's --set {', '.join(self._left)} is not given now: start with it"
            raise OperatorError(f"{said} ({error})") from None

    def settled(self, desk: TradingState, settings: Settings) -> tuple[str, ...]:
        """What was left out and makes the only difference to the limits that held.

        It is remembered with the rest, as are the variables that went and make a difference to these settings.
        """
        from core.settings.changes import changes_between, is_within
        from state.settings_file import path_of_variable

        before, held = self._as_before, desk.control.settings
        if before is None or changes_between(held, before, desk.equity_of_today):
            self._left = ()
        paths = [change.path for change in changes_between(held, settings, desk.equity_of_today)]
        self._gone = [name for name in self._gone if any(is_within(path, path_of_variable(name)) for path in paths)]
        started = LastStart((*self._left, *self._given), tuple(sorted({*self._variables, *self._gone})))
        with suppress(OSError):  # nothing rests on it
            remember(self._folder, started)
        return self._left

    def sources(self) -> tuple[SettingsSource, ...]:
        """What goes over the settings file now, or did last time; the highest first."""
        return tuple(self._sources())

    def _sources(self) -> Iterator[SettingsSource]:
        from core.messages.commands import SettingsSource
        from state.settings_file import path_of_override, path_of_variable

        for override in self._given:
            path = path_of_override(override)
            option = override.option if isinstance(override, Chosen) else f"--set {'.'.join(path)}"
            yield SettingsSource(path, f"{option} is given")
        for name in self._variables:
            yield SettingsSource(path_of_variable(name), f"{name} is set")
        for name in self._gone:
            yield SettingsSource(path_of_variable(name), f"{name} is no longer set")
