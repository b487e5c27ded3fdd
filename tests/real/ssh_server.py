"""A server on this machine: a real `sshd` on loopback with keys of its own, an engine in a home of its own."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from state.engine_socket import connected
from tests.kit.tools import path_of
from tests.real.demo import CONFIRMED, PATIENT, PROGRAM, journal_records
from tests.real.waiting import LIMIT, until

ROOT = Path(__file__).resolve().parents[2]
SSHD = Path(path_of("sshd") or "/usr/sbin/sshd")
SEPARATION = Path("/run/sshd")
"""An empty folder that sshd asks for where root starts it; a boot makes it, and where none did we do."""
SETTINGS = 'profile = "micro"\n[account]\nbroker = "simulated"\n' + PATIENT


def user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


class Server:
    """`folder` is all that it writes to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.speed = folder / "speed"
        self.sets_speed(1)
        self.home.mkdir(parents=True, mode=0o700)
        (self.home / "settings.toml").write_text(SETTINGS)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        self._write_configurations()
        if os.getuid() == 0:
            SEPARATION.mkdir(mode=0o755, exist_ok=True)
        self._sshd: subprocess.Popen[bytes] | None = None
        self._engine: subprocess.Popen[bytes] | None = None

    def _write_configurations(self) -> None:
        lines = (
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.folder / 'host_key'}",
            f"AuthorizedKeysFile {self.folder / 'user_key.pub'}",
            "PidFile none",
            "UsePAM no",
            "StrictModes no",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            f"SetEnv KEYTURN_HOME={self.home} PATH={Path(PROGRAM).parent}:/usr/bin:/bin",
        )
        (self.folder / "sshd_config").write_text("\n".join(lines) + "\n")
        client = (
            "Host keyturn-server",
            "  HostName 127.0.0.1",
            f"  Port {self.port}",
            f"  User {user()}",
            f"  IdentityFile {self.folder / 'user_key'}",
            "  IdentitiesOnly yes",
            "  StrictHostKeyChecking ask",
            f"  UserKnownHostsFile {self.folder / 'known_hosts'}",
        )
        (self.folder / "ssh_config").write_text("\n".join(client) + "\n")
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {self.folder}/ssh_config "$@"\n')
        (programs / "ssh").chmod(0o700)

    def variables(self) -> dict[str, str]:
        """What a terminal needs to reach this server with plain `ssh`."""
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    # ── sshd ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def opens(self) -> None:
        command = [str(SSHD), "-D", "-f", str(self.folder / "sshd_config"), "-E", str(self.folder / "sshd.log")]
        self._sshd = subprocess.Popen(command, start_new_session=True)
        until(self._is_open, f"sshd listens; see {self.folder / 'sshd.log'}")

    def _is_open(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def shuts(self) -> None:
        """Nobody new comes in; who is in stays."""
        if self._sshd is not None:
            self._sshd.terminate()
            self._sshd.wait(LIMIT)

    # ── the engine ───────────────────────────────────────────────────────────────────────────────────────────────

    def starts_engine(self) -> None:
        program = [sys.executable, "-m", "tests.real.paced_engine", str(self.speed)]
        environment = {**os.environ, "KEYTURN_HOME": str(self.home)}
        with (self.folder / "engine.log").open("ab") as log:
            self._engine = subprocess.Popen(program, cwd=ROOT, env=environment, stdout=log, stderr=log)
        until(self.listens, f"the engine listens; see {self.folder / 'engine.log'}")

    def listens(self) -> bool:
        with suppress(Exception):
            connected(next(self.home.glob("state/*/engine.sock")), 1.0).close()
            return True
        return False

    def kills_engine(self) -> None:
        assert self._engine is not None
        self._engine.send_signal(signal.SIGKILL)
        self._engine.wait(LIMIT)

    def sets_speed(self, speed: float) -> None:
        new = self.speed.with_suffix(".new")
        new.write_text(str(speed))
        new.rename(self.speed)

    def records(self, *facts: str) -> list[dict[str, Any]]:
        return [record for record in journal_records(self.home) if not facts or record["fact"] in facts]

    def confirmed(self) -> list[dict[str, Any]]:
        return self.records(CONFIRMED)

    def facts(self) -> list[str]:
        return [str(record["fact"]) for record in self.records()]

    def ends(self) -> None:
        self.shuts()
        if self._engine is not None and self._engine.poll() is None:
            self._engine.terminate()
            self._engine.wait(LIMIT)
