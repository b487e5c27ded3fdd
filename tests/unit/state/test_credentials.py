"""Where the keys come from, and what is said where they will not do (OP-10, SY-06)."""

from __future__ import annotations

from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked
from pydantic import SecretStr

from core.brokers.alpaca.connection import ALPACA
from core.model.account import Mode
from core.model.api_contract import Keys
from core.ports import OperatorError
from state.credentials import KnownAccounts, find_keys, fingerprint
from state.files import Home

PAPER = {"APCA_API_KEY_ID": "PKTEST0000000000", "APCA_API_SECRET_KEY": "s3cret-of-the-test"}


class Safe(KeyringBackend):
    """A keyring in memory; a locked one opens for nobody."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, held: dict[tuple[str, str], str], is_locked: bool = False) -> None:
        super().__init__()
        self.held = held
        self.is_locked = is_locked

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password


@pytest.fixture(autouse=True)
def _as_before():
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    yield
    keyring.set_keyring(before)


def refusal(environ: dict[str, str], mode: Mode = Mode.PAPER) -> str:
    with pytest.raises(OperatorError) as refused:
        find_keys(environ, mode, ALPACA.keys)
    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_alpacas_own_variables_are_enough():
    """OP-10"""
    keys = find_keys(PAPER, Mode.PAPER, ALPACA.keys)
    assert keys.key_id.get_secret_value() == "PKTEST0000000000"
    assert "s3cret" not in repr(keys)


def test_missing_keys_are_named():
    """OP-10"""
    told = refusal({})
    assert "APCA_API_KEY_ID and APCA_API_SECRET_KEY" in told
    assert "keyturn demo" in told


@pytest.mark.parametrize("name", PAPER)
def test_one_key_of_the_two_is_named(name):
    """OP-10"""
    (missing,) = PAPER.keys() - {name}
    assert f"set {missing} too" in refusal({name: PAPER[name]})


def test_keys_of_the_other_mode_are_refused():
    """OP-10"""
    assert "live key" in refusal({**PAPER, "APCA_API_KEY_ID": "AKTEST0000000000"})
    assert "paper key" in refusal(PAPER, Mode.LIVE)


def test_the_keyring_holds_a_pair_for_each_mode(snapshot):
    """OP-10"""
    held = {("keyturn", "live-key-id"): "AKTEST", ("keyturn", "live-secret-key"): "s3cret"}
    keyring.set_keyring(Safe(held))
    assert find_keys({}, Mode.LIVE, ALPACA.keys).key_id.get_secret_value() == "AKTEST"
    assert refusal({}) == snapshot


def test_a_keyring_that_does_not_open_says_so(snapshot):
    """OP-10"""
    keyring.set_keyring(Safe({}, is_locked=True))
    assert refusal({}) == snapshot


def test_an_account_is_known_offline(tmp_path: Path):
    """EX-20: the same folder with renewed keys, once the broker has named it; no key is written."""
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})
    old, new = (Keys(SecretStr(key), SecretStr("s3cret")) for key in ("PKOLD", "PKNEW"))
    assert KnownAccounts(home).name_of(old) is None
    KnownAccounts(home).remember(old, "PA3X")
    KnownAccounts(home).remember(new, "PA3X")
    assert {KnownAccounts(home).name_of(keys) for keys in (old, new)} == {"PA3X"}
    written = (home.state / "accounts.json").read_text()
    assert "PKOLD" not in written
    assert fingerprint(old) in written


@pytest.mark.parametrize("damaged", ["", "{", "[1]", '{"a": 1}'])
def test_a_damaged_list_of_accounts_is_empty(tmp_path: Path, damaged: str):
    """EX-20"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})
    home.state.mkdir(parents=True)
    (home.state / "accounts.json").write_text(damaged)
    assert KnownAccounts(home).name_of(Keys(SecretStr("PK"), SecretStr("x"))) is None
