"""Lifetimes of proposals, tickets, baskets and approvals, and conditions of a confirmation (OP-02 to OP-05)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field

from core.settings.types import GrowingSettingsTable, Ratio, Seconds, SettingsTable


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
