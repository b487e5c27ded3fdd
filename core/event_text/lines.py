"""Helpers for event lines, and the level and source of each fact."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import UnionType
from typing import Any, get_args

from core import facts
from core.model.order import OrderStatus
from core.model.text_sanitizer import INFO, WARN

CAPITAL = re.compile("(?<!^)([A-Z])")
EventTexts = dict[type, tuple[str, Callable[[Any], str]]]
"""By fact: the word of the log's first column, and the function that renders it."""


def told(kind: str, in_words: Callable[[Any], str], subject: UnionType | type) -> EventTexts:
    """Return one row for each fact of a subject, which is a fact or a union of them."""
    return dict.fromkeys(get_args(subject) or (subject,), (kind, in_words))


def listed(items: tuple[str, ...], lead: str) -> str:
    return lead + "; ".join(items) if items else ""


def command_in_words(command: str) -> str:
    """Return a command's name as text: `RequestCancel` becomes `request cancel`."""
    return CAPITAL.sub(r" \1", command).lower()


WARNINGS = (
    facts.CommandRefused,
    facts.ConfirmationRefused,
    facts.TouchRefused,
    facts.TouchKeyEnrolled,
    facts.TouchKeyRemoved,
    facts.TouchKeysKept,
    facts.EditRefused,
    facts.ProposalSkipped,
    facts.SubmissionBlocked,
    facts.BasketRefused,
    facts.PromotionRefused,
    facts.AlertRefused,
    facts.WatchlistRefused,
    facts.OrderStateUnknown,
    facts.OrderNotFound,
    facts.BrokerWarned,
    facts.ContingentOrdersMissing,
    facts.FillNotBelieved,
    facts.FillReversed,
    facts.CallFailed,
    facts.MarketDataQuarantined,
    facts.BrokerMessagesQuarantined,
    facts.TradingHalted,
    facts.StrategyFailed,
    facts.StrategyMissing,
    facts.AdviserFailed,
    facts.ProtectionTripped,
    facts.Halted,
    facts.Killed,
)
"""Facts that may need a person's action."""
ENGINE = "engine"
SOURCES = {
    "bar": "market",
    "data": "market",
    "market": "market",
    "broker": "broker",
    "margin": "broker",
    "clock": "broker",
    "order": "broker",
    "fill": "broker",
    "position": "broker",
    "guard": "risk",
    "regime": "risk",
    "key": "desk",
    "watch": "desk",
    "alert": "desk",
    "basket": "desk",
    "advice": "agent",
    "adviser": "agent",
}
"""Sources by the kind of a fact that names no strategy; all others are the engine's own."""


def level_of(fact: facts.Fact, severity: str) -> str:
    """Return `severity` if there is one, else `WARN` or `INFO`."""
    if severity:
        return severity
    is_rejected = isinstance(fact, facts.OrderStateChanged) and fact.after is OrderStatus.REJECTED
    lacks_a_part = isinstance(fact, facts.ReportMade) and fact.lacks_a_part
    return WARN if is_rejected or lacks_a_part or isinstance(fact, WARNINGS) else INFO


def strategy_of(fact: facts.Fact) -> str:
    """Return `vwap`, `manual`; empty if the fact names no strategy."""
    for named in (fact, *(getattr(fact, part, None) for part in ("proposal", "trade", "signal"))):
        strategy = getattr(named, "strategy", "")
        if isinstance(strategy, str) and strategy:
            return strategy
    return ""
