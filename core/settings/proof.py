"""Proof of a record to others: the signing key, its time, and the time-stamp service (SP-08)."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from core.settings.types import Seconds, SettingsTable, Url


class ProofSettings(SettingsTable):
    """The proof of each day's record. No order depends on it; a command reads it each time, an engine at its start."""

    agent_key: str = Field(
        "",
        pattern=r"^(SHA256:[A-Za-z0-9+/]{43})?$",
        description="the fingerprint of an Ed25519 key of the SSH agent that signs; empty: the keyring's",
    )
    sign_daily: bool = Field(False, description="true: an engine at a broker has every past day signed")
    stamp_url: Url = Field("", description="a service of time stamps, RFC 3161; empty: none is asked")
    stamp_seconds: Seconds = Field(Decimal(30), description="until its whole answer has come")
