"""Orders in flight: look-ups, time to live, the circuit breaker (EX-06, EX-07, EX-15)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.settings.types import Delay, Seconds, SettingsTable

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
