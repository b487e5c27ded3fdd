"""By which terms the watchdog tells a person: the settings of now; where those are wrong, the last sound ones (SY-02).

An engine is down for longest where its settings are wrong, and then somebody has to be told. So what was read soundly
is held, also over the watchdog's own end: in one file of the home, for the owner alone.
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
"""Bytes of the file."""


@dataclass(frozen=True, slots=True)
class PushTerms:
    """Which channels there are, where their addresses are, and of which environment they get a part.

    `note` says why these are not what the settings say now; empty where they are.
    """

    settings: NotifySettings
    find: Find
    environ: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """What was read soundly, and where from; `settings` is None where nobody is to be told."""

    settings: NotifySettings | None
    origin: str


class HeldTerms:
    """The terms of now, or the last that were sound. Any thread.

    Parameters
    ----------
    read
        The settings of now; None where nobody is to be told. It may raise anything.
    path
        Where the last sound ones are kept.
    """

    def __init__(
        self, read: Callable[[], NotifySettings | None], path: Path, find: Find, environ: Mapping[str, str]
    ) -> None:
        self._read, self._path, self._find, self._environ = read, path, find, environ
        self._last: Sound | None = None
        self._lock = threading.Lock()

    def __call__(self) -> PushTerms | None:
        """Raises `OperatorError` where the settings are wrong and none were ever read soundly."""
        with self._lock:
            try:
                settings = self._read()
            except Exception as error:  # whatever is wrong with them, somebody has to be told
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
        """Those of the watchdog before, by which it started its engine; None where there are none."""
        try:
            kept = orjson.loads(bytes_of(self._path, LARGEST))["notify"]
            settings = None if kept is None else NotifySettings.model_validate(kept)
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValidationError):
            return None
        return Sound(settings, "of the last start with sound settings")
