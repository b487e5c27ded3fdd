"""This machine's clock. Adapters and the live runtime alone read it, and each takes another in its place in a test."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
