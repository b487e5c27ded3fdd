"""The settings of a command, checked against the registered names, and the options of the last start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from console.commands.assembly.host import Host
from core.ports import OperatorError
from state.accounts import Chosen, LastStart, last_started_with, remember
from state.files import AccountFolder

if TYPE_CHECKING:
    from pathlib import Path

    from console.display import DisplayTerms
    from core.messages.desk_commands import SettingsSource
    from core.model.account import Mode
    from core.settings.settings import Settings
    from core.trading_state.state import TradingState


def settings_of(host: Host, overrides: tuple[str, ...] = ()) -> Settings:
    """Return the settings of a desk. Raises `OperatorError`."""
    settings = backtest_settings(host, overrides)
    if settings.strategies.vwap.adaptive.enabled:
        raise OperatorError(
            "strategies.vwap.adaptive.enabled = true: only `keyturn backtest` may use it; set it to false"
        )
    return settings


def backtest_settings(host: Host, overrides: tuple[str, ...]) -> Settings:
    """Return the settings, including options that only a backtest may use. Raises `OperatorError`."""
    from console.key_remapping import fault_in
    from core.brokers.registry import BROKERS
    from core.market.registry import SOURCES
    from state.settings_file import load_settings

    known: dict[tuple[str, ...], tuple[str, ...]] = {
        ("account", "broker"): tuple(BROKERS),
        ("account", "data"): ("", *SOURCES),
    }
    return load_settings(host.home, host.environ, overrides, fault_in, known, host.stage)


def display_of(host: Host, overrides: tuple[str, ...] = ()) -> DisplayTerms | None:
    """Return how the screen is drawn, before the first paint; None, without delay, if nobody set anything.

    A theme that was chosen at a desk comes before the settings file's, and after an option's and the environment's.
    """
    from console.display import THEME_FILE, THEME_FOLDER, Display
    from console.themes import theme_in

    written = _text_of(host.home.settings)
    variables = {name.upper() for name in host.environ if name.upper().startswith("KEYTURN_DISPLAY")}
    is_named = variables or any("display" in text for text in (written, *overrides))
    display: Display | None = None
    if is_named:
        terms = settings_of(host, overrides).display
        display = Display(terms.theme, terms.frames, terms.bell_seconds)
    options = {text.partition("=")[0].strip() for text in overrides}
    if variables & {"KEYTURN_DISPLAY", "KEYTURN_DISPLAY__THEME"} or options & {"display", "display.theme"}:
        return display
    theme = theme_in(_text_of(host.home.of_the_operator(THEME_FOLDER) / THEME_FILE))
    if theme is None:
        return display
    return (display or Display())._replace(theme=theme)


def _text_of(path: Path) -> str:
    """Return a file's text; an unreadable one has none."""
    from core.files.regular_file import bytes_of
    from state.files import LARGEST

    try:
        return bytes_of(path, LARGEST).decode(errors="replace")
    except OSError:
        return ""


def is_simulated(settings: Settings) -> bool:
    """Whether orders go to the simulated exchange, which alone accepts scripted keys."""
    from core.brokers.port import SimulatedKind
    from core.brokers.registry import BROKERS

    return isinstance(BROKERS[settings.account.broker], SimulatedKind)


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
        from core.messages.desk_commands import SettingsSource
        from state.settings_file import path_of_override, path_of_variable

        for override in self._given:
            path = path_of_override(override)
            option = override.option if isinstance(override, Chosen) else f"--set {'.'.join(path)}"
            yield SettingsSource(path, f"{option} is given")
        for name in self._variables:
            yield SettingsSource(path_of_variable(name), f"{name} is set")
        for name in self._gone:
            yield SettingsSource(path_of_variable(name), f"{name} is no longer set")


def mode_of(host: Host, settings: Settings) -> Mode:
    """Return live mode only if both gates are open (OP-10)."""
    from core.model.account import Mode

    is_open = settings.account.mode is Mode.LIVE and host.environ.get("KEYTURN_ALLOW_LIVE") == "1"
    return Mode.LIVE if is_open else Mode.PAPER
