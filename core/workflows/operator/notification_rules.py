"""Which channels a notice goes to, by the rules, and when: quiet hours, grouping, repeats (SY-03)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from core.model.lazy_dataclass import dataclass
from core.model.notice import (
    Notice,
    NoticeKind,
    Severity,
)
from core.model.session import ONE_DAY, Venue
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


SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` to before `ends`, over midnight if that is earlier.

    A time skipped when the clock goes forward is the first instant after the gap; one that occurs twice when it goes
    back is the first of the two. So a night has one beginning and one end, an hour shorter or longer.
    """

    begins: time
    ends: time

    def end_at(self, at: datetime, venue: Venue) -> datetime | None:
        """Return when the quiet hours at an instant end, UTC; None if there are none."""
        return next((end for begin, end in self._around(at, venue) if begin <= at < end), None)

    def _around(self, at: datetime, venue: Venue) -> Iterator[tuple[datetime, datetime]]:
        today = venue.day_of(at)
        for day in (today - ONE_DAY, today):
            last = day if self.begins < self.ends else day + ONE_DAY
            yield instant(venue, day, self.begins), instant(venue, last, self.ends)


def instant(venue: Venue, day: date, clock: time) -> datetime:
    """Return the first instant at which a venue's clock shows a time of a day, or is past it; UTC."""
    wanted = datetime.combine(day, clock)
    late = wanted.replace(tzinfo=venue.zone, fold=0).astimezone(UTC)
    if venue.local(late).replace(tzinfo=None) == wanted:
        return late
    early = wanted.replace(tzinfo=venue.zone, fold=1).astimezone(UTC)  # of a skipped time: before the gap
    seconds = range(int((late - early) / SECOND))
    found = bisect_left(seconds, wanted, key=lambda n: venue.local(early + n * SECOND).replace(tzinfo=None))
    return early + found * SECOND


def next_time(venue: Venue, at: datetime, clocks: tuple[time, ...]) -> datetime:
    """Return the first instant after `at` at which its clock shows one of these times, UTC; `clocks` is not empty."""
    today = venue.day_of(at)
    found = (instant(venue, day, clock) for day in (today, today + ONE_DAY, today + 2 * ONE_DAY) for clock in clocks)
    return min(each for each in found if each > at)
