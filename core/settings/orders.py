"""Orders: in flight, in the books, and waiting for a person (EX-06, EX-07, EX-15, EX-09, OP-02, OP-05)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field

from core.settings.types import Delay, GrowingSettingsTable, Ratio, Seconds, SettingsTable

MOST_IN_A_ROW = 100
"""Largest number of consecutive missing or late answers: it takes 15 minutes of time-outs, which counts as off."""
MOST_QUEUED = 1000
"""Largest number of orders without an answer: more than Alpaca accepts in five minutes, which counts as off."""
InARow = Annotated[int, Field(ge=1, le=MOST_IN_A_ROW)]


class ExecutionSettings(SettingsTable):
    """Look-ups and time to live (EX-06, EX-07)."""

    answer_seconds: Seconds = Field(Decimal(8), description="no answer to a request in this time: in doubt")
    look_up_first_seconds: Seconds = Field(Decimal(2), description="doubles at each look-up, up to the longest")
    look_up_longest_seconds: Seconds = Field(Decimal(32), description="longest wait between look-ups")
    not_found_times: Annotated[int, Field(ge=1)] = Field(5, description="stated before it is believed")
    not_found_seconds: Seconds = Field(Decimal(60), description="least time over which they were stated")
    cancel_retry_seconds: Seconds = Field(
        Decimal(2), description="until a cancel that failed is tried again; doubles at each failure, up to the longest"
    )
    cancel_longest_seconds: Seconds = Field(Decimal(16), description="longest wait between tries of a cancel (EX-15)")
    warning_seconds: Seconds = Field(
        Decimal(30), description="an entry that the broker warns of is taken back, unless confirmed (OP-11)"
    )
    breaker_failures: InARow = Field(5, description="in a row that open the breaker (EX-15); 100 counts as off")
    breaker_slow_seconds: Seconds = Field(Decimal(5), description="an answer to an order after more than this is slow")
    breaker_slow_times: InARow = Field(3, description="in a row that open the breaker; 100 counts as off")
    breaker_seconds: Seconds = Field(Decimal(60), description="until an open breaker lets one entry through")
    breaker_openings: InARow = Field(3, description="in an hour that latch it")
    max_queued: Annotated[int, Field(ge=1, le=MOST_QUEUED)] = Field(
        10,
        description="orders without an answer; over it strategies propose no entry, and none is staged; "
        "1000 counts as off",
    )


class OrdersSettings(SettingsTable):
    """Settings of every order that this desk sends."""

    ttl_seconds: Delay = Field(
        Decimal(0), description="a limit entry without its own time is cancelled after so long; 0 is never (EX-07)"
    )


class ReconciliationSettings(SettingsTable):
    """How far the broker's books may differ from ours before the operator must decide (EX-09)."""

    max_missing: Annotated[int, Field(ge=0)] = Field(3, description="positions that one side alone may have")
    max_drift: Ratio = Field(Decimal("0.05"), description="of a quantity")
    split_tolerance: Ratio = Field(Decimal("0.01"), description="of quantity and price, for a split to be named")
    every_seconds: Delay = Field(Decimal(60), description="between comparisons while the market trades; 0 is never")
    poll_seconds: Seconds = Field(Decimal(5), description="between them while orders work and their stream is silent")
    again_seconds: Seconds = Field(
        Decimal(10), description="until the broker is asked again after no or no clear answer"
    )
    apart_seconds: Seconds = Field(Decimal(2), description="least time between two questions")
    max_unanswered: Annotated[int, Field(ge=1)] = Field(3, description="in a row that make a reconciled desk read-only")


class BasketSettings(GrowingSettingsTable):
    """Lifetimes and waiting times of a basket (OP-05, EX-10)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"entries_seconds"})

    life_seconds: Seconds = Field(Decimal(180), description="an unsigned basket's life (OP-05)")
    run_seconds: Seconds = Field(Decimal(900), description="from the signing, after which nothing of a basket goes out")
    entries_seconds: Seconds = Field(
        Decimal(5), description="for entries taken back to be gone; after it a flattening sells all the same (OP-07)"
    )
    sells_seconds: Seconds = Field(Decimal(60), description="for the sells to fill; then the basket asks (EX-10)")
    poll_seconds: Seconds = Field(Decimal(2), description="between questions for sells that are not filled (EX-10)")
    buys_seconds: Seconds = Field(Decimal(5), description="for the buys to fill before the report is asked for")
    report_seconds: Seconds = Field(Decimal(10), description="for the broker to answer for the report")


class StagingSettings(GrowingSettingsTable):
    """Lifetimes, and how far a price may move under a ticket (OP-02 to OP-04)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"basket"})

    ticket_seconds: Seconds = Field(Decimal(60), description="a ticket's life")
    signal_seconds: Seconds = Field(Decimal(90), description="an entry's life from its bar's end (ST-03)")
    manual_seconds: Seconds = Field(Decimal(300), description="a typed order's life as a proposal")
    approval_seconds: Seconds = Field(Decimal(5), description="an approval's life (OP-02)")
    review_seconds: Seconds = Field(Decimal(3), description="no fresh figures in this time refuse an entry (OP-03)")
    close_seconds: Seconds = Field(
        Decimal(60), description="from a confirmed close to its sale, its stop being cancelled"
    )
    move_of_stop: Ratio = Field(Decimal("0.25"), description="adverse move, of the way to the stop (OP-04)")
    move: Ratio = Field(Decimal("0.002"), description="adverse move where there is no stop (OP-04)")
    basket: BasketSettings = BasketSettings()


class ConfirmSettings(SettingsTable):
    """Conditions of a confirmation beside its ticket (OP-04)."""

    silent_seconds: Annotated[Decimal, Field(ge=4, le=60)] = Field(
        Decimal(5), description="nothing over the data or trade link, a pong included, and an entry is reviewed again"
    )
