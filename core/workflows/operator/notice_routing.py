"""The subject of a notice, and the channels that it goes to (SY-03, RK-19).

An exit that replaces another, with a different quantity or reason, is the same matter: its escalation does not restart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from core.model.account import Channel
from core.model.alert import QuietHours, next_time
from core.model.notice import Notice, NoticeKind, Severity
from core.model.session import Session, Venue
from core.model.signal import ExitReason
from core.model.sizing import MarketMeasure, Regime, VixLevel, VixReading
from core.model.staging import Proposal
from core.model.values import AccountId, Symbol
from core.settings.service import NotifySettings, QuietSettings, RuleSettings
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


NAMED_ALONE = frozenset({NoticeKind.PROPOSAL})
"""Kinds that a rule takes only where it names them: a strategy may propose every minute."""


def takes(rule: RuleSettings, kind: NoticeKind, severity: Severity, symbol: Symbol | None, account: AccountId) -> bool:
    """Whether the rule matches."""
    return (
        (kind in rule.kinds if rule.kinds else kind not in NAMED_ALONE)
        and severity.rank >= rule.at_least.rank
        and (not rule.symbols or symbol in rule.symbols)
        and (not rule.accounts or account in rule.accounts)
    )


def rules_for(
    terms: NotifySettings, kind: NoticeKind, severity: Severity, symbol: Symbol | None, account: AccountId
) -> Iterator[tuple[str, RuleSettings]]:
    """Yield every rule that matches, with its name."""
    for name, rule in terms.in_force.items():
        if takes(rule, kind, severity, symbol, account):
            yield name, rule


def accounts_not_known(terms: NotifySettings, known: Collection[str]) -> Iterator[str]:
    """Yield a message for each rule that names an unknown account: a slip would notify nobody."""
    for name, rule in terms.rules.items():
        if unknown := [account for account in rule.accounts if account not in known]:
            yield (
                f"notify.rules.{name}.accounts: {', '.join(unknown)}: no account of this home; "
                f"there are: {', '.join(sorted(known))}"
            )


def channels_of(
    rules: Iterable[RuleSettings], notice: Notice, terms: NotifySettings, at: datetime, venue: Venue
) -> dict[datetime | None, tuple[str, ...]]:
    """Group the channels of the rules by release time; None means at once. The earliest time counts."""
    found: dict[str, datetime | None] = {}
    for rule in rules:
        is_for_digest = rule.digest and not notice.is_urgent
        release = released_at(terms, notice.kind, notice.severity, at, venue, is_for_digest=is_for_digest)
        for channel in rule.channels:
            found[channel] = _earlier(found[channel], release) if channel in found else release
    return grouped(found)


def grouped(found: dict[str, datetime | None]) -> dict[datetime | None, tuple[str, ...]]:
    groups: dict[datetime | None, tuple[str, ...]] = {}
    for channel, release in found.items():
        groups[release] = (*groups.get(release, ()), channel)
    return groups


def released_at(
    terms: NotifySettings, kind: NoticeKind, severity: Severity, at: datetime, venue: Venue, *, is_for_digest: bool
) -> datetime | None:
    """Return the release time; None means at once."""
    release = next_time(venue, at, terms.digest_at) if is_for_digest else None
    if breaks(terms.quiet, kind, severity) or (hours := quiet_hours(terms.quiet)) is None:
        return release
    return hours.end_at(release or at, venue) or release


def breaks(quiet: QuietSettings, kind: NoticeKind, severity: Severity) -> bool:
    """Whether it is sent during quiet hours too."""
    return severity.rank >= quiet.broken_from.rank or kind in quiet.broken_by


def quiet_hours(quiet: QuietSettings) -> QuietHours | None:
    return None if quiet.begins is None or quiet.ends is None else QuietHours(quiet.begins, quiet.ends)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else min(one, other)
