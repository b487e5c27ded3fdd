"""The key that signs may be one of an SSH agent; a stranger checks it as any other (SP-08)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.ports import OperatorError
from state.folders import AccountFolder
from state.proof import ssh_agent
from state.proof.export import export
from state.proof.heads import SIGNED_AS, sign_days
from state.proof.signing_key import SigningKey, find_key
from state.proof.ssh_agent import SshAgent
from tests.proof.agents import Agent, OddAgent
from tests.proof.journals import FIRST, over, verifier, written


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


def exported(folder: AccountFolder, key: SigningKey) -> list[bytes]:
    return [line.rstrip(b"\n") for line in export(folder, key, FIRST, FIRST, kept_back=("amounts",))]


def test_a_record_that_the_agent_signed_is_complete_to_a_stranger(agent: Agent, tmp_path: Path) -> None:
    """SP-08: its salts are the same each time that the key is found"""
    agent.add(str(agent.key))
    folder = written(tmp_path / "paper", 1, 40)
    key = find_key(agent.environ, agent.fingerprint)
    assert len(sign_days(folder, key, over(1))) == 1
    again = find_key(agent.environ, agent.fingerprint)
    assert (again.secret, again.public) == (key.secret, key.public)
    lines = exported(folder, again)
    assert verifier().verify([*lines, b""], again.public.hex(), None).startswith("complete")


def test_its_keys_are_told_by_the_names_that_openssh_gives_them(agent: Agent, tmp_path: Path) -> None:
    """SP-08: a key of another kind cannot sign a record"""
    other = tmp_path / "id_ecdsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(other)], check=True)
    agent.add(str(other))
    assert SshAgent(agent.environ).keys() == []
    agent.add(str(agent.key))
    (key,) = SshAgent(agent.environ).keys()
    assert (key.fingerprint, key.comment) == (agent.fingerprint, "records of the desk")


def test_a_key_that_asks_each_time_signs_when_somebody_says_yes(agent: Agent) -> None:
    agent.add("-c", str(agent.key))
    assert find_key(agent.environ, agent.fingerprint).sign(SIGNED_AS)


def test_a_signature_that_somebody_declines_is_one_line(tmp_path: Path) -> None:
    with Agent(tmp_path, says="no") as agent:
        agent.add("-c", str(agent.key))
        assert "did not sign" in refusal(agent.environ, agent.fingerprint)


def test_a_key_that_is_bound_to_hosts_signs_no_record(agent: Agent, tmp_path: Path) -> None:
    public = agent.key.with_suffix(".pub").read_text()
    (tmp_path / "known").write_text(f"localhost {public}")
    agent.add("-H", str(tmp_path / "known"), "-h", "localhost", str(agent.key))
    assert "bound to hosts (ssh-add -h)" in refusal(agent.environ, agent.fingerprint)


def test_an_agent_that_is_locked_or_has_another_key_is_one_line(agent: Agent) -> None:
    fingerprint = agent.fingerprint
    assert f"does not hold {fingerprint} (proof.agent_key): ssh-add it" in refusal(agent.environ, fingerprint)
    agent.add(str(agent.key))
    other = "SHA256:" + "A" * 43
    assert refusal(agent.environ, other).endswith(f"It holds {fingerprint}")
    agent.add("-x")
    assert "It holds none, or it is locked" in refusal(agent.environ, fingerprint)


def test_without_an_agent_it_says_what_starts_one(tmp_path: Path) -> None:
    assert "SSH_AUTH_SOCK is not set: ssh-agent starts" in refusal({}, "SHA256:")
    assert "does not answer (SSH_AUTH_SOCK)" in refusal({"SSH_AUTH_SOCK": str(tmp_path / "gone")}, "SHA256:")
    assert "does not answer (SSH_AUTH_SOCK)" in refusal({"SSH_AUTH_SOCK": "/" + "a" * 200}, "SHA256:")


def test_two_keys_at_once_are_none() -> None:
    assert "take one of the two away" in refusal({"KEYTURN_RECORD_KEY": "01" * 32}, "SHA256:")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\0",
        b"\0\0\0\1\5",
        b"\0\0\0\1\x0c",
        b"\0\0\0\5\x0c\xff\xff\xff\xff",
        b"\0\0\0\x0d\x0c\0\0\0\1\xff\xff\xff\xff\0\0\0\0",
        b"\xff\xff\xff\xff\x0c",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
def test_what_no_agent_says_is_one_line(answer: bytes) -> None:
    with OddAgent(answer) as odd:
        assert "SSH agent" in refusal(odd.environ, "SHA256:" + "A" * 43)


def test_one_that_hangs_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_agent, "PATIENCE", 0.2)
    with OddAgent(None) as odd:
        assert refusal(odd.environ, "SHA256:") == "the SSH agent did not answer in 0.2 s"


def test_a_signature_that_is_none_of_the_key_is_not_taken(agent: Agent) -> None:
    agent.add(str(agent.key))
    (key,) = SshAgent(agent.environ).keys()
    signed = ssh_agent._string(ssh_agent._string(ssh_agent.KIND) + ssh_agent._string(bytes(64)))
    with (
        OddAgent(ssh_agent._string(bytes([ssh_agent.SIGNED]) + signed)) as odd,
        pytest.raises(OperatorError, match="is not signed with SHA256:"),
    ):
        SshAgent(odd.environ).sign(key, b"words")


def test_a_key_that_signs_the_same_words_in_two_ways_signs_no_record() -> None:
    """SP-08: its salts would be others at each export"""
    ways = iter([b"one", b"another"])
    with pytest.raises(OperatorError, match="use another key"):
        SigningKey(bytes(32), lambda _words: next(ways))


def test_what_is_signed_is_none_of_what_ssh_signs() -> None:
    """SP-08: a session's begins with the length of its identifier, 64 bytes at most; a file's with SSHSIG"""
    assert int.from_bytes(SIGNED_AS[:4]) > 64
    assert not SIGNED_AS.startswith(b"SSHSIG")
