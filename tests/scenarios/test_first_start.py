"""The first day: the built-in exchange as a service, and the question of the profile at a broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.commands.assembly.attach import PROFILES as ASKED
from console.commands.assembly.attach import choose_profile, is_first_start
from console.commands.assembly.engine_process import known_account
from console.commands.assembly.host import Host
from console.commands.assembly.settings import is_simulated, settings_of
from core.ports import OperatorError
from core.settings.settings import PROFILES
from tests.scenarios.backtests import Keyturn

KEYS = {"APCA_API_KEY_ID": "PKTEST", "APCA_API_SECRET_KEY": "secret"}


def a_host(tmp_path: Path, **environ: str) -> Host:
    return Host.of({"KEYTURN_HOME": str(tmp_path), **environ})


def test_simulated_overrides_the_broker_of_the_settings(tmp_path: Path) -> None:
    """SY-09: in the environment, so that the engine that is started has it too."""
    host = a_host(tmp_path, KEYTURN_ACCOUNT__BROKER="alpaca").simulated()
    folder = known_account(host)

    assert is_simulated(settings_of(host))
    assert folder is not None
    assert folder.name == "demo"


def test_simulated_applies_to_a_command_too(keyturn: Keyturn) -> None:
    """SY-09: the command goes to the exchange's engine; it is refused for another machine."""
    answer, elsewhere = keyturn("--simulated", "engine", "status"), keyturn("--simulated", "--host", "me@there")

    assert "simulated" not in answer.err
    assert answer.code == 3
    assert elsewhere.code == 2


@pytest.mark.parametrize(
    ("environ", "text", "is_first"),
    [
        (KEYS, None, True),
        (KEYS, 'symbols = ["SPY"]\n', True),
        (KEYS, 'profile = "swing"\n', False),
        (KEYS, '\ufeffprofile = "swing"\n', False),
        (KEYS | {"KEYTURN_PROFILE": "swing"}, None, False),
        (KEYS | {"KEYTURN_ACCOUNT__BROKER": "simulated"}, None, False),
        ({}, None, False),
    ],
)
def test_the_profile_is_asked_for_once(
    tmp_path: Path, environ: dict[str, str], text: str | None, is_first: bool
) -> None:
    """SY-09: at a broker, where nobody has said it; without keys nothing starts, and nothing is asked."""
    host = a_host(tmp_path, **environ)
    if text is not None:
        host.home.settings.write_text(text, encoding="utf-8")

    assert is_first_start(host, settings_of(host)) is is_first


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_answer_is_the_files_first_line(tmp_path: Path, mark: str) -> None:
    """SY-09: what stands in it stays, after an editor's byte order mark too; another word is asked for again."""
    host, words = a_host(tmp_path, **KEYS), iter(["large", "swing"])
    host.home.settings.write_text(f'{mark}symbols = ["QQQ"]\n', encoding="utf-8")

    chosen = choose_profile(host, lambda _question: next(words), lambda _line: None)

    assert set(ASKED) == set(PROFILES)
    assert (chosen, settings_of(host).profile, settings_of(host).symbols) == ("swing", "swing", ("QQQ",))
    assert not is_first_start(host, settings_of(host))


def test_no_answer_starts_nothing(tmp_path: Path) -> None:
    """SY-09"""

    def hangs_up(_question: str) -> str:
        raise EOFError

    host = a_host(tmp_path, **KEYS)

    with pytest.raises(OperatorError):
        choose_profile(host, hangs_up, lambda _line: None)
    assert not host.home.settings.exists()
