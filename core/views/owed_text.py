"""Why shares are owed a stop, in words."""

from __future__ import annotations

from collections.abc import Mapping

from core.model.codes import OwedReason

OWED: Mapping[OwedReason, str] = {
    OwedReason.DUE: "no stop is in force, and none is under way",
    OwedReason.ON_ITS_WAY: "the broker has not answered for it",
    OwedReason.IN_DOUBT: "in doubt at the broker, looked up",
    OwedReason.KEPT: "sent again soon",
    OwedReason.CLOSING: "it made way for an exit",
    OwedReason.WAITS_FOR_KEY: "a new one waits for your key",
    OwedReason.TAKEN_ELSEWHERE: "cancelled at the broker, not by this desk",
    OwedReason.LEGS_WAIT: "in force when its entry is filled whole",
    OwedReason.NOT_TRADING: "the broker has their exit and does not trade it; close them, or ask the broker",
    OwedReason.UNFILLED: "their exit at the market does not fill; cancel it and close at a limit, or at the broker",
    OwedReason.AT_LIMIT: "an exit at a limit holds the shares",
    OwedReason.NAKED: "NAKED was typed",
}
