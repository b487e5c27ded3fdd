"""The watchdog's notification settings: the current ones, or if those are invalid the last valid ones (SY-02).

An engine is down for longest when its settings are invalid, and then a person must be notified. So the last valid
settings are kept, also across a restart of the watchdog: in one private file of the home.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import ValidationError

from core.files.regular_file import bytes_of
from core.ports import OperatorError
from core.runtime.notifier.process import Find
from core.settings.notify import NotifySettings
from state.files import FOLDER_MODE, replace_file

LARGEST = 1_000_000
"""The maximum size of the file in bytes."""


@dataclass(frozen=True, slots=True)
class PushTerms:
    """The channels, the lookup of their addresses, and the environment that they get a part of.

    `note` gives the reason if these are not the current settings; otherwise empty.
    """

    settings: NotifySettings
    find: Find
    environ: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """Valid settings and their origin; `settings` is None if no one is to be notified."""

    settings: NotifySettings | None
    origin: str


class HeldTerms:
    """The current terms, or the last valid ones. Any thread.

    Parameters
    ----------
    read
        Returns the current settings; None if no one is to be notified. It may raise anything.
    path
        The file of the last valid ones.
    """

    def __init__(
        self, read: Callable[[], NotifySettings | None], path: Path, find: Find, environ: Mapping[str, str]
    ) -> None:
        self._read, self._path, self._find, self._environ = read, path, find, environ
        self._last: Sound | None = None
        self._lock = threading.Lock()

    def __call__(self) -> PushTerms | None:
        """Return the terms. Raises `OperatorError` if the settings are invalid and never were valid."""
        with self._lock:
            try:
                settings = self._read()
            except Exception as error:  # a person must be notified whatever the fault
                return self._held(error)
            self._hold(settings)
            return None if settings is None else PushTerms(settings, self._find, self._environ)

    def _held(self, error: Exception) -> PushTerms | None:
        self._last = self._last or self._kept()
        why = f"the settings cannot be read ({error if isinstance(error, OperatorError) else type(error).__name__})"
        if self._last is None:
            raise OperatorError(f"{why}, and none were read soundly before")
        if self._last.settings is None:
            return None
        note = f"{why}: alerts go by the [notify] {self._last.origin}"
        return PushTerms(self._last.settings, self._find, self._environ, note)

    def _hold(self, settings: NotifySettings | None) -> None:
        is_news = self._last is None or self._last.settings != settings
        self._last = Sound(settings, "that this watchdog read soundly last")
        if is_news:
            kept = None if settings is None else settings.model_dump(mode="json")
            with suppress(OSError):
                self._path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                replace_file(self._path, orjson.dumps({"notify": kept}) + b"\n", durable=False)

    def _kept(self) -> Sound | None:
        """Return the terms of the previous watchdog, with which it started its engine, or None."""
        try:
            kept = orjson.loads(bytes_of(self._path, LARGEST))["notify"]
            settings = None if kept is None else NotifySettings.model_validate(kept)
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValidationError):
            return None
        return Sound(settings, "of the last start with sound settings")
