"""The options of an account's last start, where their absence explains a problem of this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from core.ports import OperatorError
from state.accounts import Chosen, LastStart, last_started_with, remember
from state.files import AccountFolder

if TYPE_CHECKING:
    from core.messages.commands import SettingsSource
    from core.settings.settings import Settings
    from core.trading_state.state import TradingState


class LastTime:
    """The `--set` options and variables of the last start that this one lacks.

    Parameters
    ----------
    given
        The `--set` options of this start.
    environ
        Its environment.
    settings_with
        Returns the settings of this start with additional options. Raises OperatorError.
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
        """Check the settings with `sound`.

        Raises `OperatorError`, naming the missing options if they are the only cause.
        """
        try:
            sound(settings)
        except OperatorError as error:
            if self._as_before is None:
                raise
            sound(self._as_before)
            said = f"last time's --set {', '.join(self._left)} is not given now: start with it"
            raise OperatorError(f"{said} ({error})") from None

    def settled(self, desk: TradingState, settings: Settings) -> tuple[str, ...]:
        """Return the missing options if they alone make the limits differ from those in force.

        They are stored with the others, as are removed variables that matter to these settings.
        """
        from core.settings.changes import changes_between, is_within
        from state.settings_file import path_of_variable

        before, held = self._as_before, desk.control.settings
        if before is None or changes_between(held, before, desk.equity_of_today):
            self._left = ()
        paths = [change.path for change in changes_between(held, settings, desk.equity_of_today)]
        self._gone = [name for name in self._gone if any(is_within(path, path_of_variable(name)) for path in paths)]
        started = LastStart((*self._left, *self._given), tuple(sorted({*self._variables, *self._gone})))
        with suppress(OSError):  # nothing depends on it
            remember(self._folder, started)
        return self._left

    def sources(self) -> tuple[SettingsSource, ...]:
        """Return the sources above the settings file, now or at the last start; the highest first."""
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
