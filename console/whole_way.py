"""The health of both links, terminal and engine; a stall of either counts (OP-04)."""

from __future__ import annotations

from console.client.access import LinkToEngine
from console.terminal.driver import TerminalLink


class WholeWay:
    """The combined state of the terminal's link and the engine's (OP-04)."""

    def __init__(self, terminal: TerminalLink, engine: LinkToEngine) -> None:
        self._terminal = terminal
        self._engine = engine

    @property
    def frames_skipped(self) -> int:
        return self._terminal.frames_skipped

    @property
    def last_drained_at(self) -> float:
        return self._terminal.last_drained_at

    @property
    def paint_is_proved(self) -> bool | None:
        return self._terminal.paint_is_proved

    @property
    def doubt(self) -> str | None:
        return self._engine.doubt or self._terminal.doubt

    def had_gap(self, since: float, until: float) -> bool:
        return self._engine.had_gap(since, until) or self._terminal.had_gap(since, until)

    def ask_for_proof(self) -> int:
        return self._terminal.ask_for_proof()

    def painted_at(self, question: int) -> float | None:
        return self._terminal.painted_at(question)

    def keep_watch(self) -> None:
        self._terminal.keep_watch()
