"""A real ssh-agent with a socket of its own, and one that says what a test wants."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Agent:
    """`ssh-agent`, and the key that `ssh-add` gave it. `says` is what a person answers when it asks, yes or no."""

    def __init__(self, place: Path, *, says: str = "yes") -> None:
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
        words = ["ssh-agent", "-D", "-a", str(self.socket)]
        self._process = subprocess.Popen(words, env=self.environ, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not self.socket.exists() and time.monotonic() < until:
            time.sleep(0.01)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._short)


class OddAgent:
    """Answers each question with `answer`; with none it hangs."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._short = Path(tempfile.mkdtemp(prefix="agent-"))
        self.environ = {"SSH_AUTH_SOCK": str(self._short / "agent.sock")}
        self._server = socket.socket(socket.AF_UNIX)
        self._held: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._server.bind(self.environ["SSH_AUTH_SOCK"])
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            client.recv(4096)
            if self._answer is None:
                self._held.append(client)
                continue
            client.sendall(self._answer)
            client.close()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for client in self._held:
            client.close()
        shutil.rmtree(self._short)
