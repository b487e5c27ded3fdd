"""A desk in a tmux server of its own, whose keys are sent by `tmux send-keys`."""

from __future__ import annotations

import subprocess
import time

from tests.real.account import Account, Desk
from tests.real.terminal import Pty


class SentKeys(Desk):
    """A desk in a tmux server of its own, whose keys are sent by `tmux send-keys`."""

    def __init__(self, account: Account) -> None:
        self.account, self._socket = account, str(account.path / "s")
        conf = account.path / "conf"
        conf.write_text("set -g escape-time 20\n")
        command = ["/usr/bin/env", "tmux", "-u", "-S", self._socket, "-f", str(conf), "new", *account.program]
        Pty.__init__(self, command, dict(account.environ))
        account.desks.append(self)

    def type(self, *writes: bytes) -> float:
        for part in writes:
            self._tmux("send-keys", "-H", *(f"{byte:02x}" for byte in part))
        return time.monotonic()

    def __exit__(self, *error: object) -> None:
        self._tmux("kill-server")
        super().__exit__(*error)

    def _tmux(self, *words: str) -> None:
        subprocess.run(["tmux", "-S", self._socket, *words], capture_output=True, check=False, timeout=60)
