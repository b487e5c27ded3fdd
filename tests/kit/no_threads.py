"""A machine that starts no thread for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_thread_starts(named: str = "", times: int = -1) -> Iterator[list[str]]:
    """Of those whose name begins so, the next `times`, or all; what was to start."""
    begin = threading.Thread.start
    failed: list[str] = []

    def start(self: threading.Thread) -> None:
        if not self.name.startswith(named) or len(failed) == times:
            begin(self)
            return
        failed.append(self.name)
        raise RuntimeError("can't start new thread")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        yield failed
