"""The health endpoint of a running engine: on this machine alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import Field, field_validator

from core.settings.types import SettingsTable

LOOPBACK = re.compile(r"(127(?:\.[0-9]{1,3}){3}|localhost|\[::1\]):([0-9]{1,5})")
LAST_PORT = 65_535
PLACES = "127.0.0.1:9464, [::1]:9464, or unix: and a name in the account's folder or a whole path"


class HealthSettings(SettingsTable):
    """Health and figures of a running engine, over HTTP; a change needs a restart."""

    listen: str = Field("", description="127.0.0.1:9464, or unix:health.sock in the account's folder; empty: nowhere")
    symbols: bool = Field(False, description="true: fills are counted by symbol too")

    @field_validator("listen")
    @classmethod
    def on_this_machine_alone(cls, listen: str) -> str:
        place_of(listen)
        return listen


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
