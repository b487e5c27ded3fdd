"""Every time that the log says is its venue's, and says so: an operator counts in one zone."""

from __future__ import annotations

from datetime import UTC, datetime

from syrupy.assertion import SnapshotAssertion

from core import facts
from core.event_text import in_words
from core.market.alpaca.stream_failover import MinuteSpan
from core.model.values import ClientOrderId
from tests.kit.rows import table

AT = datetime(2026, 1, 6, 15, 24, 1, 728000, UTC)
LATER = datetime(2026, 7, 1, 13, 30, tzinfo=UTC)
ORDER = ClientOrderId("544b9a0b2bc559c8")


@table(
    "fact said",
    (facts.BreakerOpened("five failed", AT), "until 10:24:01 New York"),
    (facts.ProtectionTripped("daily_loss", "global", "12 lost", LATER), "until 07-01 09:30 New York"),
    (
        facts.ProtectionOverridden("daily_loss", "global", AT, LATER),
        "from 01-06 10:24 New York to 07-01 09:30 New York",
    ),
    (facts.OrderSent(ORDER, AT), "was sent at 10:24:01.728 New York"),
    (facts.StateReset(AT, 7, AT, "a.zip"), "reset 2026-01-06 10:24 New York"),
)
def test_what_the_log_says_of_a_time(fact: facts.Fact, said: str) -> None:
    assert said in in_words(fact)


@table(
    "authorization said",
    ("a9e3-close", "the close that ticket a9e3 permits has ended: sold"),
    ("a9e3-restore_stop.2", "the stop put back that ticket a9e3 permits has ended: sold"),
    ("b7-plan.3", "the order that basket b7 permits has ended: sold"),
    ("of another make", "permission of another make has ended: sold"),
)
def test_a_permission_has_words_for_its_reader(authorization: str, said: str) -> None:
    assert in_words(facts.AuthorizationEnded(authorization, "sold")) == said


def test_a_repeated_span_is_told_in_minutes(snapshot: SnapshotAssertion) -> None:
    assert str(MinuteSpan(AT.replace(second=0, microsecond=0), LATER)) == snapshot
