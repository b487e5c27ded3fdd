"""Name the subject of a notice while it lasts: an exit is named by its position, the market regime once (SY-03, RK-19).

An exit that replaces another, with a different quantity or reason, is the same matter: its escalation does not restart.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.model.connection import Channel
from core.model.regime import MarketMeasure, Regime, VixLevel, VixReading
from core.model.session import Session
from core.model.signal import ExitReason
from core.model.staging import Proposal
from core.model.values import Symbol
from core.trading_state.state import TradingState
from core.workflows.orders.request_room import held_exits

EXIT, STOP, LINE, POSITION, HELD = "exit", "stop", "line", "position", "held"
CLOCK = "clock"
REGIME, CRISIS = "regime", "crisis"
"""Another label of the market regime, and a high VIX while nobody acts."""
WITHOUT_ACTION = timedelta(minutes=30)
"""A high VIX for so long, with shares held and no key pressed, is urgent."""
BY_HAND = frozenset({ExitReason.MANUAL, ExitReason.KILL})
"""Exits that the operator requested: nobody needs to be called for them."""


def of_line(line: Channel) -> str:
    return f"{LINE} {line.value}"


def of_exit(proposal: Proposal) -> str | None:
    """Return the matter of an exit that waits for a key; else None. A waiting stop is reported as an owed one."""
    is_by_hand = proposal.exit_reason in BY_HAND and proposal.guard is None
    if not proposal.only_reduces or is_by_hand or proposal.is_guard:
        return None
    return f"{EXIT} {proposal.strategy} {proposal.symbol}"


def of_owed(symbol: Symbol, strategy: str) -> str:
    """Return the matter of shares that are owed a stop."""
    return f"{STOP} {strategy} {symbol}"


def of_unread(symbol: Symbol) -> str:
    """Return the matter of an unreadable position in the broker's books."""
    return f"{POSITION} {symbol}"


def of_held(symbol: Symbol, strategy: str) -> str:
    """Return the matter of a confirmed exit that waits for the broker's request limit."""
    return f"{HELD} {strategy} {symbol}"


def exits_that_ended(state: TradingState) -> list[str]:
    """Return the known matters of exits and stops that no longer wait for a key or room and are not owed."""
    known = [key for key in state.notifications.state.matters if key.partition(" ")[0] in (EXIT, STOP, HELD)]
    if not known:
        return known
    waiting = {of_exit(proposal) for proposal in state.stage.state.proposals.values()}
    waiting |= {of_held(held.proposal.symbol, held.proposal.strategy) for held in held_exits(state)}
    waiting |= {of_owed(owing.symbol, owing.strategy) for owing in state.owed_stops.all() if owing.needs_a_person}
    return [key for key in known if key not in waiting]


def is_high(regime: Regime) -> bool:
    return isinstance(regime.vix, VixReading) and regime.vix.level is VixLevel.HIGH


def labels_in_words(regime: Regime) -> str:
    """`market regime: VIX high, SPY trend down, volatility wild`. No figures: only another label is news."""
    vix = regime.vix.level.value if isinstance(regime.vix, VixReading) else "unknown"
    market = regime.market
    if not isinstance(market, MarketMeasure) or market.trend is None or market.volatility is None:
        return f"market regime: VIX {vix}"
    return f"market regime: VIX {vix}, {market.symbol} trend {market.trend.value}, volatility {market.volatility.value}"


def unattended_since(state: TradingState) -> datetime | None:
    """When the time without an action began, in a session with a high VIX and shares held; None in any other."""
    if not is_high(state.regime.regime) or not any(position.quantity for position in state.ledger.positions()):
        return None
    session = state.calendar.session_at(state.at)
    if not isinstance(session, Session):
        return None
    told = state.notifications.state.matters.get(REGIME)
    times = (told.notice.at if told else None, state.attendance.state.key_at, state.sightings.key_at)
    return max((session.open, *(at for at in times if at is not None)))
