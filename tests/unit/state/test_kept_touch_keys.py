"""A reset and a restore keep the security keys of what they replace, and loosen no touch (OP-15, SP-04)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import Fact, SettingsApplied, TouchKeyEnrolled, TouchKeyRemoved, TouchKeysKept, TouchVerified
from core.model.touch import TouchPurpose, TouchTerms
from core.model.values import Digest
from core.settings.settings import Settings
from state.files import AccountFolder
from state.folder_swap import backup, look
from state.restoring import reset, restore
from tests.kit.security_key import SecurityKey
from tests.unit.state.accounts import NOW, add, an_account, facts_of, is_sound

OWN, OTHER = SecurityKey(1, label="desk"), SecurityKey(2, label="other")
ALWAYS = TouchTerms("always", Decimal(0))


def applied(touch: str) -> SettingsApplied:
    return SettingsApplied(Settings.model_validate({"confirm": {"touch": touch}}))


def used(key: SecurityKey, counter: int) -> TouchVerified:
    return TouchVerified(TouchPurpose.TICKET, "t", key.public.fingerprint, counter, Digest("d" * 64))


def kept(folder: AccountFolder) -> list[Fact]:
    return [fact for fact in facts_of(folder) if isinstance(fact, TouchKeysKept)]


@pytest.fixture
def folder(tmp_path: Path) -> AccountFolder:
    account = an_account(tmp_path / "paper")
    add(account, [applied("always"), TouchKeyEnrolled(OWN.enrolled), used(OWN, 7)])
    return account


def is_reset(folder: AccountFolder, hours: int = 0) -> None:
    assert reset(folder, NOW + timedelta(hours=hours), lambda _plan: True) is not None


def is_restored(folder: AccountFolder, archive: Path) -> None:
    assert restore(folder, archive, look(archive), NOW, lambda _plan: True) is not None


def test_a_reset_keeps_keys_counters_and_terms(folder: AccountFolder) -> None:
    """OP-15, SP-04: also a reset of what no engine has opened since the one before"""
    wanted = TouchKeysKept((OWN.enrolled,), {OWN.public.fingerprint: 7}, ALWAYS)
    is_reset(folder)
    assert kept(folder) == [wanted]
    is_reset(folder, 1)
    assert kept(folder) == [wanted]
    assert is_sound(folder)


def test_an_older_folder_brings_back_no_key_and_no_looser_touch(folder: AccountFolder, tmp_path: Path) -> None:
    """OP-15, SP-04: a key that was removed since stays removed"""
    add(folder, [TouchKeyEnrolled(OTHER.enrolled), applied("never")])
    archive = backup(folder, tmp_path)
    add(folder, [TouchKeyRemoved(OTHER.enrolled), applied("always")])
    is_restored(folder, archive)

    assert kept(folder) == [TouchKeysKept((OWN.enrolled,), {OWN.public.fingerprint: 7}, ALWAYS)]


def test_an_archive_of_another_life_enrolls_nothing(folder: AccountFolder, tmp_path: Path) -> None:
    """OP-15, SP-04"""
    made = an_account(tmp_path / "elsewhere" / "paper")
    add(made, [applied("never"), TouchKeyEnrolled(OTHER.enrolled), used(OTHER, 1)])
    is_restored(folder, backup(made, tmp_path))

    (found,) = kept(folder)
    assert isinstance(found, TouchKeysKept)
    assert [key.label for key in found.keys] == ["desk"]


def test_an_account_without_keys_records_none(tmp_path: Path) -> None:
    """OP-15: on a new machine the archive's keys count"""
    folder = an_account(tmp_path / "paper")
    is_reset(folder)

    assert kept(folder) == []
