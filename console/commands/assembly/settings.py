"""The settings of a command from file, environment and options, checked against the registered names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.commands.assembly.host import Host
from core.ports import OperatorError

if TYPE_CHECKING:
    from pathlib import Path

    from console.display import DisplayTerms
    from core.settings.settings import Settings


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
    from console.display import FILE, FOLDER, Display, theme_in

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
    theme = theme_in(_text_of(host.home.of_the_operator(FOLDER) / FILE))
    if theme is None:
        return display
    return (display or Display())._replace(theme=theme)


def _text_of(path: Path) -> str:
    """Return a file's text; an unreadable one has none."""
    from core.files.regular_file import bytes_of
    from state.toml_files import LARGEST

    try:
        return bytes_of(path, LARGEST).decode(errors="replace")
    except OSError:
        return ""


def is_simulated(settings: Settings) -> bool:
    """Whether orders go to the simulated exchange, which alone accepts scripted keys."""
    from core.brokers.port import SimulatedKind
    from core.brokers.registry import BROKERS

    return isinstance(BROKERS[settings.account.broker], SimulatedKind)
