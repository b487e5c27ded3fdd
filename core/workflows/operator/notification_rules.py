"""Which channels a notice goes to, by the rules, and when: quiet hours, grouping, repeats (SY-03)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from core.model.notice import (
    Notice,
    NoticeKind,
    QuietHours,
    Severity,
    next_time,
)
from core.model.session import Venue
from core.model.values import AccountId, Symbol
from core.settings.service import NotifySettings, QuietSettings, RuleSettings

NAMED_ALONE = frozenset({NoticeKind.PROPOSAL})
"""Kinds that a rule takes only where it names them: a strategy may propose every minute."""


def takes(rule: RuleSettings, kind: NoticeKind, severity: Severity, symbol: Symbol | None, account: AccountId) -> bool:
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
