"""An ssh-agent whose connection ended, in a real tmux that knows the newer one (SY-10)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from console.client.ssh_agent import GONE, NO_AGENT, VARIABLE, SshAgent
from core.ports import OperatorError
from tests.kit.security_key import SecurityKey, an_agent
from tests.kit.tools import needs


@needs("tmux")
@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("had", ["gone", None])
def test_an_agent_that_tmux_knows_takes_the_place_of_one_that_is_gone(
    had: str | None, knows: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-10: ssh connected anew, and the window keeps the path of before, or was opened without one"""
    key, server = SecurityKey(), tmp_path / "s"
    tmux = ["tmux", "-S", str(server), "-f", "/dev/null"]
    monkeypatch.setenv(VARIABLE, str(tmp_path / had) if had else "")
    monkeypatch.delenv("TMUX", raising=False)
    with an_agent(tmp_path, key) as agent:
        subprocess.run([*tmux, "new-session", "-d", "sleep 100"], check=True)
        try:
            wanted = ["set-environment", VARIABLE, agent.path] if knows else ["set-environment", "-r", VARIABLE]
            subprocess.run([*tmux, *wanted], check=True)
            monkeypatch.setenv("TMUX", f"{server},1,0")
            if knows:
                assert SshAgent().sign([key.public], b"keyturn ticket").fingerprint == key.public.fingerprint
            else:
                with pytest.raises(OperatorError) as raised:
                    SshAgent().sign([key.public], b"keyturn ticket")
                assert str(raised.value) == (GONE if had else NO_AGENT)
        finally:
            subprocess.run([*tmux, "kill-server"], check=True)
