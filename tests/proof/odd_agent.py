"""An SSH agent that answers what a test wants."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


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
