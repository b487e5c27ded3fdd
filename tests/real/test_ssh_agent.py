"""A key of a real SSH agent signs records; a stranger checks them as any other (SP-08)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.ports import OperatorError
from state.proof.export import export
from state.proof.heads import SIGNED_AS, sign_days
from state.proof.signing_key import SshAgent, find_key
from tests.kit.tools import needs
from tests.proof.journals import FIRST, over, verifier, written
from tests.real.ssh_agent import Agent
from tests.real.terminal import ROOT
from tests.scenarios.backtests import Keyturn, bars, keyturn  # noqa: F401

pytestmark = needs("ssh-agent", "ssh-add", "ssh-keygen")

VERIFIER = ROOT / "docs" / "verify_record.py"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """With a key, not handed over yet."""
    with Agent(tmp_path) as agent:
        yield agent


def refusal(environ: dict[str, str], agent_key: str) -> str:
    with pytest.raises(OperatorError) as error:
        find_key(environ, agent_key)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_record_that_the_agent_signed_is_complete(agent: Agent, tmp_path: Path) -> None:
    """SP-08: its salts are the same each time that the key is found; a key of another kind cannot sign a record"""
    other = tmp_path / "id_ecdsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(other)], check=True)
    agent.add(str(other))
    assert SshAgent(agent.environ).keys() == []
    agent.add(str(agent.key))
    (found,) = SshAgent(agent.environ).keys()
    assert (found.fingerprint, found.comment) == (agent.fingerprint, "records of the desk")

    folder = written(tmp_path / "paper", 1, 40)
    key = find_key(agent.environ, agent.fingerprint)
    assert len(sign_days(folder, key, over(1))) == 1
    again = find_key(agent.environ, agent.fingerprint)
    assert (again.secret, again.public) == (key.secret, key.public)
    lines = [line.rstrip(b"\n") for line in export(folder, again, FIRST, FIRST, kept_back=("amounts",))]
    assert verifier().verify([*lines, b""], again.public.hex(), None).startswith("complete")


def test_an_agent_signs_only_as_its_owner_allows(tmp_path: Path) -> None:
    """SP-08: asked each time, declined, bound to hosts, another key, locked"""
    for says in ("yes", "no"):
        place = tmp_path / says
        place.mkdir()
        with Agent(place, says=says) as agent:
            agent.add("-c", str(agent.key))
            if says == "yes":
                assert find_key(agent.environ, agent.fingerprint).sign(SIGNED_AS)
            else:
                assert "did not sign" in refusal(agent.environ, agent.fingerprint)

    with Agent(tmp_path) as agent:
        fingerprint = agent.fingerprint
        assert f"does not hold {fingerprint}" in refusal(agent.environ, fingerprint)
        public = agent.key.with_suffix(".pub").read_text()
        (tmp_path / "known").write_text(f"localhost {public}")
        agent.add("-H", str(tmp_path / "known"), "-h", "localhost", str(agent.key))
        assert "ssh-add -h" in refusal(agent.environ, fingerprint)
        agent.add("-D")
        agent.add(str(agent.key))
        assert refusal(agent.environ, "SHA256:" + "A" * 43).endswith(fingerprint)
        agent.add("-x")
        assert "or it is locked" in refusal(agent.environ, fingerprint)


def test_a_key_of_the_agent_is_chosen_in_the_settings(
    keyturn: Keyturn,  # noqa: F811
    bars: Path,  # noqa: F811
    agent: Agent,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SP-08: what is listed is the line for the settings"""
    journal = tmp_path / "journal"
    replayed = ("replay", bars, "--headless", "--operator", "confirm-all", "--json", "--journal-dir", journal)
    assert keyturn(*replayed).code == 0
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent.socket))
    assert keyturn("journal", "key", "--agent").code == 2
    agent.add(str(agent.key))
    assert agent.fingerprint in keyturn("journal", "key", "--agent").lines[0]
    monkeypatch.setenv("KEYTURN_PROOF__AGENT_KEY", agent.fingerprint)
    public = keyturn("journal", "key").out.strip()
    assert keyturn("journal", "key", "--new").code == 2
    day = json.loads(keyturn("journal", "sign", "--journal-dir", journal, "--json").out)[-1]["day"]
    signed = tmp_path / "day.jsonl"
    assert keyturn("journal", "export", "--day", day, "--journal-dir", journal, "--out", signed).code == 0

    check = [sys.executable, "-I", str(VERIFIER), str(signed), "--key", public]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.startswith("complete")) == (0, True)
