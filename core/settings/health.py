"""The health endpoint of a running engine: on this machine alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, field_validator

from core.settings.types import GrowingSettingsTable, SettingsTable

LOOPBACK = re.compile(r"(127(?:\.[0-9]{1,3}){3}|localhost|\[::1\]):([0-9]{1,5})")
LAST_PORT = 65_535
PLACES = "127.0.0.1:9464, [::1]:9464, or unix: and a name in the account's folder or a whole path"


class HealthSettings(GrowingSettingsTable):
    """Health and figures of a running engine, over HTTP; a change needs a restart."""

    LATER: ClassVar[frozenset[str]] = frozenset({"slow_sync_milliseconds"})

    listen: str = Field("", description="127.0.0.1:9464, or unix:health.sock in the account's folder; empty: nowhere")
    symbols: bool = Field(False, description="true: fills are counted by symbol too")
    slow_sync_milliseconds: int = Field(
        250, ge=1, le=60_000, description="a write of the journal over it shows the disk as slow (SP-06)"
    )

    @field_validator("listen")
    @classmethod
    def on_this_machine_alone(cls, listen: str) -> str:
        place_of(listen)
        return listen


class WatchdogSettings(SettingsTable):
    """When the watchdog restarts the engine, and when it gives up (SY-02); a change needs a restart of the service."""

    silent_seconds: int = Field(60, ge=10, le=3600, description="without a heartbeat: it hangs")
    memory_mb: int = Field(512, ge=64, le=65_536, description="MB that the engine's own process may take")
    growth_mb_a_day: int = Field(10, ge=1, le=10_000, description="MB that it may grow by in a day")
    data_silent_seconds: int = Field(300, ge=30, le=86_400, description="of an open session without a bar or a quote")
    restarts: int = Field(3, ge=0, le=100, description="in within_seconds; after them the engine stays down")
    within_seconds: int = Field(600, ge=1, le=86_400, description="in which restarts are counted")


@dataclass(frozen=True, slots=True)
class TcpPlace:
    """A port of this machine's own address."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SocketPlace:
    """A socket in the file system; one without a slash is in the account's folder."""

    path: str


def place_of(listen: str) -> TcpPlace | SocketPlace | None:
    """Parse the place to listen at; None if empty. Raises ValueError."""
    if not listen:
        return None
    if listen.startswith("unix:"):
        path = listen.removeprefix("unix:")
        if path in ("", ".", "..") or "\0" in path or ("/" in path and not path.startswith("/")):
            raise ValueError(f"must be {PLACES}")
        return SocketPlace(path)
    found = LOOPBACK.fullmatch(listen)
    if found is None:
        raise ValueError(f"must be {PLACES}: any other address would be read by other machines")
    host, port = found[1].strip("[]"), int(found[2])
    if not 0 < port <= LAST_PORT or any(int(part) > 255 for part in host.split(".") if part.isdigit()):  # noqa: PLR2004
        raise ValueError(f"must be {PLACES}; a port is a number up to {LAST_PORT}")
    return TcpPlace("127.0.0.1" if host == "localhost" else host, port)
