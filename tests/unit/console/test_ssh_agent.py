"""The request to ssh-agent, over a real Unix socket."""

from __future__ import annotations

import threading
from itertools import count
from pathlib import Path

import pytest

from console.client.ssh_agent import (
    GIVEN_UP,
    NO_AGENT,
    NO_KEY,
    NO_SENSE,
    NOT_THERE,
    NOT_TOUCHED,
    REFUSED,
    VARIABLE,
    SshAgent,
)
from core.model.touch import ECDSA, ED25519, Touch, verify
from core.ports import OperatorError
from tests.kit.rows import each
from tests.kit.security_key import AgentAtASocket, SecurityKey, an_agent

MESSAGE = b"keyturn ticket"
KEY = SecurityKey()


def refusal(agent: AgentAtASocket) -> str:
    with pytest.raises(OperatorError) as raised:
        SshAgent(agent.path).sign([KEY.public], MESSAGE)
    return str(raised.value)


@pytest.mark.parametrize("kind", [ED25519, ECDSA])
def test_the_agents_key_signs(tmp_path: Path, kind: str) -> None:
    """OP-15: among other keys of the agent"""
    key, other = SecurityKey(2, kind), SecurityKey(3)
    with an_agent(tmp_path, other, key) as agent:
        found = SshAgent(agent.path).sign([key.public], MESSAGE)

    assert found.fingerprint == key.public.fingerprint
    assert isinstance(verify(key.public, MESSAGE, found.content), Touch)


def test_a_key_that_is_not_plugged_in_leaves_it_to_the_other(tmp_path: Path) -> None:
    """OP-15"""
    first, second = SecurityKey(1), SecurityKey(2)
    with an_agent(tmp_path, first, second) as agent:
        agent.answers = lambda request: b"\x05" if request[0] == 13 and first.blob in request else None
        found = SshAgent(agent.path).sign([first.public, second.public], MESSAGE)

    assert found.fingerprint == second.public.fingerprint


def test_the_agent_of_the_environment_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-15: a forwarded one included"""
    key = SecurityKey()
    with an_agent(tmp_path, key) as agent:
        monkeypatch.setenv(VARIABLE, agent.path)
        assert SshAgent().sign([key.public], MESSAGE).fingerprint == key.public.fingerprint
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(OperatorError) as raised:
        SshAgent().sign([key.public], MESSAGE)
    assert str(raised.value) == NO_AGENT


@each(
    "answer words",
    [
        (b"\x05", REFUSED),
        (b"\x0c", NO_SENSE),
        (b"\x0c\xff\xff\xff\xff", NO_SENSE),
        (b"\x0c\0\0\0\1\0\0\0\x09abc", NO_SENSE),
        (b"\x0c\0\0\0\0", NO_KEY),
    ],
)
def test_each_odd_list_of_keys_has_its_line(
    tmp_path_factory: pytest.TempPathFactory, answer: bytes, words: str
) -> None:
    """OP-15"""
    with an_agent(tmp_path_factory.mktemp("a"), KEY) as agent:
        agent.answers = lambda _request: answer
        assert refusal(agent) == words


@each("answer words", [(b"\x05", REFUSED), (b"\x0e", NO_SENSE), (b"\x0e\0\0\0\1ab", NO_SENSE)])
def test_odd_signature_has_its_line(tmp_path_factory: pytest.TempPathFactory, answer: bytes, words: str) -> None:
    """OP-15"""
    with an_agent(tmp_path_factory.mktemp("a"), KEY) as agent:
        agent.answers = lambda request: answer if request[0] == 13 else None
        assert refusal(agent) == words


def test_an_agent_that_is_gone_is_named(tmp_path: Path) -> None:
    """OP-15"""
    with pytest.raises(OperatorError) as raised:
        SshAgent(str(tmp_path / "gone")).sign([SecurityKey().public], MESSAGE)
    assert str(raised.value) == NOT_THERE


def test_a_key_that_nobody_touches_is_given_up_in_time(tmp_path: Path) -> None:
    """OP-15: the clock is this test's"""
    key, seconds = SecurityKey(), count()
    with an_agent(tmp_path, key) as agent, pytest.raises(OperatorError) as raised:
        SshAgent(agent.path, timeout=3, now=lambda: float(next(seconds))).sign([key.public], MESSAGE)

    assert str(raised.value) == NOT_TOUCHED


def test_the_operator_gives_up(tmp_path: Path) -> None:
    """OP-15"""
    key, said = SecurityKey(), list[str]()
    is_asked = threading.Event()
    with an_agent(tmp_path, key, is_touched=False) as agent:
        agent.answers = lambda request: is_asked.set() if request[0] == 13 else None  # type: ignore[func-returns-value]
        request = SshAgent(agent.path)

        def ask() -> None:
            with pytest.raises(OperatorError) as raised:
                request.sign([key.public], MESSAGE)
            said.append(str(raised.value))

        asking = threading.Thread(target=ask)
        asking.start()
        is_asked.wait()
        request.cancel()
        asking.join()

    assert said == [GIVEN_UP]


def test_a_request_given_up_before_it_left_signs_nothing(tmp_path: Path) -> None:
    """OP-15"""
    key = SecurityKey()
    with an_agent(tmp_path, key) as agent:
        request = SshAgent(agent.path)
        request.cancel()
        with pytest.raises(OperatorError):
            request.sign([key.public], MESSAGE)

    assert agent.asked == []
