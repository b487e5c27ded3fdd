"""A security key in software behind a real ssh-agent: its signature counts only with the flag of a touch (OP-15)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.client.ssh_agent import SshAgent
from core.model.touch import PublicKey, Touch, TouchCode, nonce_of, read_key, ticket_message, verify
from core.model.values import AccountId, Digest, TicketId
from tests.kit.tools import needs
from tests.real.ssh_agent import Agent

pytestmark = needs("cc", "ssh-agent", "ssh-add", "ssh-keygen")

SOURCE = Path(__file__).with_name("security_key.c")
MESSAGE = ticket_message(AccountId("SIM"), nonce_of("a", 0), TicketId("7b0172e19d696495"), Digest("ab" * 32))
Makes = Callable[..., PublicKey]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """It loads the key from this folder alone."""
    with Agent(tmp_path, providers=f"{tmp_path}/*", KEYTURN_TEST_COUNTER=str(tmp_path / "counter")) as agent:
        yield agent


@pytest.fixture
def makes(agent: Agent) -> Makes:
    """Makes a key of the software's and hands it over; skips where libcrypto or another OpenSSH cannot."""
    provider = agent.place / "security_key.so"
    built = ["cc", "-shared", "-fPIC", "-o", str(provider), str(SOURCE), "-lcrypto"]
    if subprocess.run(built, capture_output=True, check=False).returncode:
        pytest.skip("needs libcrypto's headers")

    def make(name: str, *options: str) -> PublicKey:
        path = agent.place / name
        words = ["ssh-keygen", "-q", "-t", "ed25519-sk", "-w", str(provider), "-N", "", "-f", str(path)]
        made = subprocess.run([*words, *options], env=agent.environ, capture_output=True, check=False, text=True)
        if made.returncode:
            pytest.skip(f"needs an OpenSSH with this interface of keys: {made.stderr.strip()}")
        agent.add("-S", str(provider), str(path))
        return read_key(path.with_suffix(".pub").read_text())

    return make


def test_a_touch_counts_and_its_counter_rises(agent: Agent, makes: Makes) -> None:
    """OP-15: over this message alone"""
    key = makes("touched")
    signed = [SshAgent(str(agent.socket)).sign([key], MESSAGE).content for _ in range(2)]
    first, second = (verify(key, MESSAGE, each) for each in signed)

    assert isinstance(first, Touch)
    assert isinstance(second, Touch)
    assert second.counter > first.counter
    assert verify(key, MESSAGE + b"!", signed[0]) is TouchCode.WRONG


def test_a_signature_without_a_touch_does_not_count(agent: Agent, makes: Makes) -> None:
    """OP-15: a key that was made to sign by itself"""
    key = makes("by_itself", "-O", "no-touch-required")

    assert verify(key, MESSAGE, SshAgent(str(agent.socket)).sign([key], MESSAGE).content) is TouchCode.NOT_TOUCHED
