"""Readings of agents are encoded once for each view (OP-09)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from core.model.draft import Draft, DraftOutcome, DraftTerms
from core.model.order import Effect, OrderType
from core.model.values import Price, Quantity, Symbol
from core.protocol.agent_frames import MOST_BARS, Part, Read
from core.runtime.service import agent_reading
from core.runtime.service.agent_reading import AgentView, NotToldError, Reader, ReadingCache
from core.settings.settings import Settings
from tests.desk.still_house import a_position, a_view, an_order

CLAUDE, SHY = "claude", "shy"
SPY = Symbol("SPY")
EACH = tuple(Part)


class CountedCache(ReadingCache):
    def __init__(self) -> None:
        super().__init__(self._counted)
        self.encoded = 0

    def _counted(self, value: Any) -> bytes:
        self.encoded += 1
        return orjson.dumps(value)

    def parts(self, name: str, drawn: AgentView, *parts: str, symbol: str = SPY, count: int = 5) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.told(Reader(name, drawn), Read(1, parts, symbol, count)))
        return found


def a_drawn_view(orders: int = 3, drafts: int = 2) -> AgentView:
    view = a_view(orders=tuple(map(an_order, range(1, orders + 1))), positions=(a_position(),))
    at = view.status.at
    terms = DraftTerms(SPY, Effect.OPEN, Quantity(Decimal(3)), OrderType.LIMIT, Price(Decimal(510)))
    waiting = tuple(
        DraftOutcome(Draft(n, CLAUDE, f"a{n}", terms, Quantity(Decimal(3)), False, "it is low", (), None, at, at))
        for n in range(1, drafts + 1)
    )
    closes = tuple((at - timedelta(minutes=n), Price(Decimal(500 + n))) for n in range(MOST_BARS, 0, -1))
    settings = Settings.model_validate({"agents": {CLAUDE: {}, SHY: {"hides_amounts": True}}})
    return AgentView(view, "", 0.0, settings, waiting, {}, {SPY: closes}, at)


def test_a_part_is_encoded_once_for_a_view() -> None:
    """OP-09: whatever many calls ask for it, alone or with others"""
    cache, drawn = CountedCache(), a_drawn_view()
    first = cache.parts(CLAUDE, drawn, *EACH)
    for part in EACH:
        assert cache.parts(CLAUDE, drawn, part)[part] == first[part]
    for _ in range(50):
        assert cache.parts(CLAUDE, drawn, *EACH) == first

    assert list(first) == [*EACH]
    assert (len(first["orders"]), len(first["drafts"]), len(first["bars"])) == (3, 2, 5)
    assert cache.encoded == len(EACH)


def test_a_new_view_is_encoded_anew() -> None:
    """OP-09: nothing of the view before is kept"""
    cache, drawn = CountedCache(), a_drawn_view()
    cache.parts(CLAUDE, drawn, *EACH)
    later = cache.parts(CLAUDE, a_drawn_view(orders=7), Part.ORDERS)

    assert len(later["orders"]) == 7
    assert cache.encoded == len(EACH) + 1
    assert len(cache) == 1


def test_agents_share_no_text() -> None:
    """OP-09: one that hides amounts is told none that another was told"""
    cache, drawn = CountedCache(), a_drawn_view()
    told = cache.parts(CLAUDE, drawn, *EACH)
    hidden = cache.parts(SHY, drawn, *EACH)

    assert cache.encoded == 2 * len(EACH)
    assert "equity" in told["desk"]
    assert "equity" not in hidden["desk"]
    assert "quantity" not in hidden["positions"][0]
    assert hidden["drafts"] == []


def test_a_symbol_and_a_count_belong_to_quotes_and_bars() -> None:
    """OP-09: another symbol or count does not encode the other parts again"""
    cache, drawn = CountedCache(), a_drawn_view()
    for count in (1, 2):
        assert len(cache.parts(CLAUDE, drawn, Part.BARS, Part.QUOTE, Part.ORDERS, count=count)["bars"]) == count
    cache.parts(CLAUDE, drawn, Part.ORDERS, symbol="TSLA")

    assert cache.encoded == 4


def test_a_question_without_an_answer_keeps_nothing() -> None:
    """OP-09"""
    cache, drawn = CountedCache(), a_drawn_view()
    for symbol in ("TSLA", "X" * 1000):
        with pytest.raises(NotToldError):
            cache.parts(CLAUDE, drawn, Part.QUOTE, symbol=symbol)
    with pytest.raises(NotToldError):
        cache.parts(CLAUDE, replace(drawn, view=None), Part.DESK)

    assert (cache.encoded, len(cache)) == (0, 0)


def test_a_full_cache_answers_and_keeps_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-09"""
    monkeypatch.setattr(agent_reading, "MOST_KEPT", 3)
    cache, drawn = CountedCache(), a_drawn_view()
    for count in range(1, 11):
        assert len(cache.parts(CLAUDE, drawn, Part.BARS, count=count)["bars"]) == count

    assert len(cache) == 3
