"""The queue of one channel and urgency: waiting, in delivery, and to retry (SY-03)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.model.notice import Notice

ONE_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Held:
    """A notice that waits for the end of quiet hours, or for a digest."""

    until: datetime
    notice: Notice


@dataclass(slots=True)
class Aside:
    """An urgent batch that failed and is retried at `again_at`, while others are sent."""

    batch: list[Notice]
    tries: int
    first_at: datetime | None
    again_at: datetime
    may_have_arrived: bool


@dataclass(slots=True)
class ChannelLine:
    """The queue of one channel and urgency.

    Attributes
    ----------
    batch
        Notices in delivery, or to retry at `again_at`; otherwise empty.
    begun_at
        When the message without a result was sent; None if there is none.
    first_at
        The time of the batch's first attempt.
    may_have_arrived
        Whether any attempt of the batch may have arrived.
    left
        The times of the messages of the last minute.
    untold
        The number of notices suppressed since the last message; `told_untold` is the number that the batch reports.
    aside
        Urgent batches that failed earlier and wait for their next attempt.
    """

    waiting: list[Notice] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    batch: list[Notice] = field(default_factory=list)
    tries: int = 0
    begun_at: datetime | None = None
    first_at: datetime | None = None
    again_at: datetime | None = None
    may_have_arrived: bool = False
    left: list[datetime] = field(default_factory=list)
    untold: int = 0
    told_untold: int = 0
    aside: list[Aside] = field(default_factory=list)

    def waits(self) -> Iterator[Notice]:
        """Yield all notices to send or to retry, without those in delivery."""
        yield from self.waiting
        yield from (each.notice for each in self.held)
        for each in self.aside:
            yield from each.batch
        if self.begun_at is None:
            yield from self.batch

    def owes(self, number: int) -> bool:
        """Whether it has the notice, in delivery or not."""
        return number in self.numbers or any(notice.number == number for notice in self.waits())

    def withdraw(self, numbers: Collection[int]) -> None:
        """Remove these notices from those of `waits`."""
        self.waiting = without(self.waiting, numbers)
        self.held = [each for each in self.held if each.notice.number not in numbers]
        for each in self.aside:
            each.batch = without(each.batch, numbers)
        self.aside = [each for each in self.aside if each.batch]
        if self.begun_at is None and self.batch:
            self.batch = without(self.batch, numbers)
            if not self.batch:
                self.untold += self.told_untold
                self.empty()

    def empty(self) -> None:
        """Clear the batch: it was sent, or is abandoned."""
        self.batch, self.tries = [], 0
        self.begun_at = self.first_at = self.again_at = None
        self.may_have_arrived, self.told_untold = False, 0

    @property
    def size(self) -> int:
        return len(self.waiting) + len(self.held)

    def ready(self, at: datetime) -> list[Notice]:
        """Return the notices that may be sent now, the oldest first."""
        if not self.held:
            return self.waiting
        return [*(each.notice for each in self.held if each.until <= at), *self.waiting]

    @property
    def numbers(self) -> tuple[int, ...]:
        return numbers_of(self.batch)

    def tried(self, numbers: tuple[int, ...]) -> tuple[int, bool]:
        """Return the number of attempts of these, and whether any may have arrived."""
        if numbers == self.numbers:
            return self.tries, self.may_have_arrived
        known = next((each for each in self.aside if numbers_of(each.batch) == numbers), None)
        return (0, False) if known is None else (known.tries, known.may_have_arrived)


def numbers_of(notices: list[Notice]) -> tuple[int, ...]:
    return tuple(notice.number for notice in notices)


def without(notices: list[Notice], numbers: Collection[int]) -> list[Notice]:
    return [notice for notice in notices if notice.number not in numbers]
