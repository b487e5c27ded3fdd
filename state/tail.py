"""The newest records of a journal, and new ones (`keyturn journal tail`). Reads only, also while an engine runs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from core.ports import JournalDamagedError, Recorded
from state.codec import RecordError, decode
from state.folders import AccountFolder
from state.journal_segments import opened, segments

POLL_SECONDS = 0.2


def tail(
    folder: AccountFolder,
    count: int,
    follow: bool,
    wait: Callable[[], None] = lambda: time.sleep(POLL_SECONDS),
) -> Iterator[Recorded]:
    """Yield the last `count` records, oldest first; with `follow` then every new one, without end.

    The chain is not checked here. Raises `JournalDamagedError` for an invalid line.
    """
    paths = segments(folder.journal) if folder.journal.is_dir() else []
    last: deque[Recorded] = deque()
    reader = _Reader(paths[-1]) if paths else None
    newest = list(reader.new_records()) if reader else []
    last.extend(newest[-count:] if count else ())
    for path in reversed(paths[:-1]):
        if len(last) >= count:
            break
        missing = count - len(last)
        last.extendleft(reversed(list(_Reader(path).new_records())[-missing:]))
    yield from last
    while follow:
        wait()
        for path in segments(folder.journal) if folder.journal.is_dir() else ():
            if reader is None or path > reader.path:
                if reader is not None:
                    yield from reader.new_records()
                reader = _Reader(path)
        if reader is not None:
            yield from reader.new_records()


class _Reader:
    """One segment, read up to its last complete line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._line = 0

    def new_records(self) -> Iterator[Recorded]:
        with opened(self.path) as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                self._line += 1
                try:
                    recorded = decode(line)
                except RecordError as error:
                    raise JournalDamagedError(
                        f"{self.path.name}, line {self._line}: {error}; `keyturn journal verify` says what is sound"
                    ) from error
                yield recorded
