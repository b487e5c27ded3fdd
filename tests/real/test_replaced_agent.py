"""An ssh-agent whose connection ended, in a real tmux that knows the newer one (SY-10)."""

from __future__ import annotations

import socket
import subprocess
from itertools import count
from pathlib import Path

import pytest

from console.client.ssh_agent import GONE, LISTS_IN, NO_AGENT, SILENT, VARIABLE, SshAgent
from core.ports import OperatorError
from tests.kit.security_key import SecurityKey, an_agent
from tests.kit.tools import needs


@needs("tmux")
@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("had", ["gone", "mute", None])
def test_an_agent_that_tmux_knows_takes_the_place_of_one_that_is_gone(
    had: str | None, knows: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-10: ssh connected anew, and the window keeps the path of before, whose connection may not have ended yet"""
    key, server, seconds = SecurityKey(), tmp_path / "s", count(0.0, 2 * LISTS_IN)
    tmux = ["tmux", "-S", str(server), "-f", "/dev/null"]
    monkeypatch.setenv(VARIABLE, str(tmp_path / had) if had else "")
    monkeypatch.delenv("TMUX", raising=False)
    with an_agent(tmp_path, key) as agent, socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute"))
        mute.listen()
        asked = SshAgent(timeout=100 if knows else 1, now=lambda: next(seconds))
        subprocess.run([*tmux, "new-session", "-d", "sleep 100"], check=True)
        try:
            wanted = ["set-environment", VARIABLE, agent.path] if knows else ["set-environment", "-r", VARIABLE]
            subprocess.run([*tmux, *wanted], check=True)
            monkeypatch.setenv("TMUX", f"{server},1,0")
            if knows:
                assert asked.sign([key.public], b"keyturn ticket").fingerprint == key.public.fingerprint
            else:
                with pytest.raises(OperatorError) as raised:
                    asked.sign([key.public], b"keyturn ticket")
                assert str(raised.value) == {"gone": GONE, "mute": SILENT, None: NO_AGENT}[had]
        finally:
            subprocess.run([*tmux, "kill-server"], check=True)
