"""A signal ends a simulated engine wherever it interrupts the engine's thread."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator

import pytest

from console.commands.assembly.desks import run_headless
from tests.kit.simulated_runtime import runtime

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Interrupted(threading.Event):
    """A signal comes while its lock is held."""

    def wait(self, timeout: float | None = None) -> bool:
        with self._cond:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGTERM)
        return False

    def set(self) -> None:
        assert self._cond.acquire(blocking=False), "a thread waits for itself"  # type: ignore[attr-defined]
        self._cond.release()  # type: ignore[attr-defined]
        super().set()


@pytest.fixture
def _own_handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gc, "freeze", lambda: None)
    before = [signal.getsignal(name) for name in SIGNALS]
    yield
    for name, handler in zip(SIGNALS, before, strict=True):
        signal.signal(name, handler)


@pytest.mark.usefixtures("_own_handlers")
def test_a_signal_within_the_lock_of_the_wake_ends_the_engine() -> None:
    """SY-01"""
    engine = runtime()
    engine.pace.wake = Interrupted()

    assert not run_headless(engine, "left")
    assert engine.engine.disk_trouble is None
