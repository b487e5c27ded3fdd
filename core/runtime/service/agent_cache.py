"""Readings of agents as JSON, encoded once for each view (OP-09).

Agents poll: many calls ask for the same part of the same view. Each part is kept as text for its agent until the next
view. An agent's own settings belong to the view, so that no part that shows amounts is given to one that hides them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from core.protocol.agent_frames import Part, Read
from core.runtime.service.agent_reading import AgentView, Reader

MOST_KEPT = 512
"""Parts that are kept; more are encoded for each call."""


class PartKey(NamedTuple):
    """What a part's text depends on, beside the view. `symbol` and `bars` are empty where the part has none."""

    agent: str
    part: str
    symbol: str
    bars: int
    hides_amounts: bool


class ReadingCache:
    """The encoded parts of the newest view.

    Parameters
    ----------
    encode
        Returns a part as JSON.
    """

    def __init__(self, encode: Callable[[Any], bytes] = orjson.dumps) -> None:
        self._encode = encode
        self._view: AgentView | None = None
        self._parts: dict[PartKey, str] = {}

    def __len__(self) -> int:
        return len(self._parts)

    def told(self, reader: Reader, asked: Read) -> str:
        """Return the parts by name, as one JSON object. Raises `NotToldError`."""
        if reader.drawn is not self._view:
            self._view, self._parts = reader.drawn, {}
        parts = (f'"{part}":{self._part(reader, Part(part), asked)}' for part in dict.fromkeys(asked.parts))
        return f"{{{','.join(parts)}}}"

    def _part(self, reader: Reader, part: Part, asked: Read) -> str:
        symbol = asked.symbol if part in (Part.QUOTE, Part.BARS) else ""
        bars = asked.count if part is Part.BARS else 0
        key = PartKey(reader.name, part, symbol, bars, reader.terms.hides_amounts)
        known = self._parts.get(key)
        if known is None:
            known = self._encode(reader.part(part, asked)).decode()
            if len(self._parts) < MOST_KEPT:
                self._parts[key] = known
        return known
