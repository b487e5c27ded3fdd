"""This machine's clock. Only adapters and the live runtime read it, and tests replace it in each."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
