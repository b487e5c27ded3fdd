"""A real ssh-agent with a socket of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.real.waiting import LIMIT, until


class Agent:
    """`ssh-agent`, and the key that `ssh-add` gave it.

    Parameters
    ----------
    says
        What a person answers when it asks, yes or no.
    providers
        The pattern of the libraries of security keys that it loads; none else.
    environ
        More variables of the agent.
    """

    def __init__(self, place: Path, *, says: str = "yes", providers: str = "", **environ: str) -> None:
        self._providers = ["-P", providers] if providers else []
        self._short = Path(tempfile.mkdtemp(prefix="agent-"))  # a socket's path has 107 bytes at most
        self.socket = self._short / "agent.sock"
        self.place, self.key = place, place / "id_ed25519"
        person = place / "person"
        person.write_text("#!/bin/sh\n" + ("echo yes\n" if says == "yes" else "exit 1\n"))
        person.chmod(0o700)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "SSH_AUTH_SOCK": str(self.socket),
            "SSH_ASKPASS": str(person),
            "SSH_ASKPASS_REQUIRE": "force",
            "DISPLAY": ":0",
            **environ,
        }
        make = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "records of the desk", "-f", str(self.key))
        subprocess.run(make, check=True)

    @property
    def fingerprint(self) -> str:
        """As OpenSSH says it."""
        said = subprocess.run(["ssh-keygen", "-lf", str(self.key)], check=True, capture_output=True, text=True).stdout
        return said.split()[1]

    def add(self, *words: str) -> None:
        subprocess.run(["ssh-add", "-q", *words], check=True, env=self.environ, stdin=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        words = ["ssh-agent", "-D", *self._providers, "-a", str(self.socket)]
        self._process = subprocess.Popen(words, env=self.environ, stdout=subprocess.DEVNULL)
        until(self.socket.exists, "the agent listens")
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(LIMIT)
        shutil.rmtree(self._short)
