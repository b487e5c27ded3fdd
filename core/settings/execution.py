"""Orders on their way: look-ups, time to live, the circuit breaker (EX-06, EX-07, EX-15)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.settings.types import Delay, Seconds, SettingsTable


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
    breaker_failures: Annotated[int, Field(ge=1)] = Field(5, description="in a row that open the breaker (EX-15)")
    breaker_slow_seconds: Seconds = Field(Decimal(5), description="an answer to an order after more than this is slow")
    breaker_slow_times: Annotated[int, Field(ge=1)] = Field(3, description="in a row that open the breaker")
    breaker_seconds: Seconds = Field(Decimal(60), description="until an open breaker lets one entry through")
    breaker_openings: Annotated[int, Field(ge=1)] = Field(3, description="in an hour that latch it")
    max_queued: Annotated[int, Field(ge=1)] = Field(
        10, description="orders without an answer; over it strategies propose no entry, and none is staged"
    )


class OrdersSettings(SettingsTable):
    """What holds for every order that this desk sends."""

    ttl_seconds: Delay = Field(
        Decimal(0), description="a limit entry without a time of its own is cancelled after so long; 0 is never (EX-07)"
    )
