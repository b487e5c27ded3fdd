"""What an SSH agent may answer, and what that means for the key that signs (SP-08).

`tests/real/test_ssh_agent.py` has a real one.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from syrupy.assertion import SnapshotAssertion

from core.ports import OperatorError
from state.proof import signing_key
from state.proof.heads import SIGNED_AS
from state.proof.signing_key import AgentKey, SigningKey, SshAgent, find_key
from tests.proof.odd_agent import OddAgent

OTHER = "SHA256:" + "A" * 43


def refusal(environ: dict[str, str], agent_key: str) -> str:
    with pytest.raises(OperatorError) as error:
        find_key(environ, agent_key)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_an_agent_it_says_what_starts_one(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SP-08"""
    said = [
        refusal(environ, "SHA256:")
        for environ in ({}, {"SSH_AUTH_SOCK": str(tmp_path / "gone")}, {"SSH_AUTH_SOCK": "/" + "a" * 200})
    ]
    assert said == snapshot


def test_two_keys_at_once_are_none(snapshot: SnapshotAssertion) -> None:
    """SP-08"""
    assert refusal({"KEYTURN_RECORD_KEY": "01" * 32}, "SHA256:") == snapshot


def test_what_no_agent_says_is_one_line(snapshot: SnapshotAssertion) -> None:
    """SP-08"""
    said = {}
    for answer in (
        b"",
        b"\0\0",
        b"\0\0\0\1\5",
        b"\0\0\0\1\x0c",
        b"\0\0\0\5\x0c\xff\xff\xff\xff",
        b"\0\0\0\x0d\x0c\0\0\0\1\xff\xff\xff\xff\0\0\0\0",
        b"\xff\xff\xff\xff\x0c",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ):
        with OddAgent(answer) as odd:
            said[answer] = refusal(odd.environ, OTHER)
    assert said == snapshot


def test_an_agent_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """SP-08"""
    monkeypatch.setattr(signing_key, "TIMEOUT", 0.01)
    with OddAgent(None) as odd:
        assert refusal(odd.environ, "SHA256:") == snapshot


def test_a_signature_that_is_none_of_the_key_is_refused() -> None:
    """SP-08"""
    key = AgentKey(Ed25519PrivateKey.generate().public_key().public_bytes_raw(), "records of the desk")
    signed = signing_key._string(signing_key._string(signing_key.KIND) + signing_key._string(bytes(64)))
    with (
        OddAgent(signing_key._string(bytes([signing_key.SIGNED]) + signed)) as odd,
        pytest.raises(OperatorError, match=key.fingerprint.replace("+", "[+]")),
    ):
        SshAgent(odd.environ).sign(key, b"words")


def test_a_key_with_two_signatures_signs_no_record() -> None:
    """SP-08: its salts would be others at each export"""
    ways = iter([b"one", b"another"])
    with pytest.raises(OperatorError):
        SigningKey(bytes(32), lambda _words: next(ways))


def test_what_is_signed_is_none_of_what_ssh_signs() -> None:
    """SP-08: a session's begins with the length of its identifier, 64 bytes at most; a file's with SSHSIG"""
    assert int.from_bytes(SIGNED_AS[:4]) > 64
    assert not SIGNED_AS.startswith(b"SSHSIG")
