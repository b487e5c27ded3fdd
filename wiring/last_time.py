"""What an account was started with last time, where that explains what a start without it meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.ports import OperatorError
from state.folders import AccountFolder
from state.started_with import left_out, remember

if TYPE_CHECKING:
    from core.desk import Desk
    from core.settings import Settings


class LastTime:
    """The `--set` of last time that this start was not given.

    Parameters
    ----------
    settings_with
        The settings of this start with these besides. Raises OperatorError.
    """

    def __init__(
        self,
        folder: AccountFolder,
        given: tuple[str, ...],
        settings_with: Callable[[tuple[str, ...]], Settings],
    ) -> None:
        self._folder = folder
        self._given = given
        self._left = left_out(folder, given)
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

    def settled(self, desk: Desk) -> tuple[str, ...]:
        """What was left out and makes the only difference to the limits that held; it is remembered with the rest.

        Raises OSError.
        """
        from core.risk.reloading import changes_between

        before, held = self._as_before, desk.control.settings
        if before is None or changes_between(held, before, desk.equity_of_today):
            self._left = ()
        remember(self._folder, (*self._left, *self._given))
        return self._left
