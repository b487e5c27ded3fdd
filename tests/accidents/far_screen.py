"""What stands on the terminal at the far end: the text alone, drawn from the very bytes that arrived there."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

PIECE = re.compile(
    r"\x1b\[(?P<row>\d*);?(?P<column>\d*)H|\x1b\[[0-9;?>=<]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|(?P<text>[^\x1b\r\n\x07]+)|."
    r"|\n"
)
UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?>=<]*[ -/]*|\][^\x07]*)?\Z")


class FarScreen:
    """Draws late: what has arrived is looked at when somebody looks."""

    def __init__(self, width: int, height: int) -> None:
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")
        self._arrived: list[bytes] = []
        self._rest = ""
        self._row = self._column = 0
        self._lines: list[str] = []
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        self._draw()
        self._width = width
        self._lines = [line[:width].ljust(width) for line in [*self._lines, *[""] * height][:height]]

    def arrive(self, data: bytes) -> None:
        self._arrived.append(data)

    def lines(self) -> list[str]:
        self._draw()
        return self._lines

    def text(self) -> str:
        return "\n".join(self.lines())

    def _draw(self) -> None:
        if not self._arrived:
            return
        text = self._rest + self._decoder.decode(b"".join(self._arrived))
        self._arrived.clear()
        cut = UNFINISHED.search(text)
        self._rest = text[cut.start() :] if cut else ""
        for piece in PIECE.finditer(text, 0, cut.start() if cut else len(text)):
            if (written := piece["text"]) is not None:
                self._write(written)
            elif piece["row"] is not None:
                self._row, self._column = int(piece["row"] or 1) - 1, int(piece["column"] or 1) - 1
            elif piece[0] == "\n":
                self._row += 1
            elif piece[0] == "\r":
                self._column = 0

    def _write(self, text: str) -> None:
        if self._row < len(self._lines):
            line = self._lines[self._row]
            self._lines[self._row] = (line[: self._column] + text + line[self._column + len(text) :])[: self._width]
        self._column += len(text)
