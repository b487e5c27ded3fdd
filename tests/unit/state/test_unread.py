"""What a release does not read of a journal is named, once for each, and the chain holds all the same (SP-01)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from core.facts import EngineStarted, EngineStopped, SettingsApplied
from core.settings.settings import Settings
from state.codec import GENESIS, encode, sum_of
from state.files import AccountFolder
from state.journal_inspection import Unread, verify

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def a_journal_of(folder: AccountFolder, *records: tuple[object, str, str]) -> None:
    """Each fact with a part of its line written as another release would, and summed anew."""
    folder.prepare()
    total, lines = GENESIS, []
    for number, (fact, ours, theirs) in enumerate(records, 1):
        line, _ = encode(number, NOON + timedelta(minutes=number), fact, total)  # type: ignore[arg-type]
        body = orjson.dumps({key: value for key, value in orjson.loads(line).items() if key != "sum"})
        assert ours.encode() in body
        body = body.replace(ours.encode(), theirs.encode(), 1)
        total = sum_of(body, total)
        lines.append(body[:-1] + b',"sum":"' + total.encode() + b'"}\n')
    (folder.journal / "2026-11-20.jsonl").write_bytes(b"".join(lines))


def test_unknown_records_are_named_and_no_damage(tmp_path: Path, snapshot) -> None:
    """SP-01, SP-07: a fact of a newer release, one with a key more, and a settings key that is gone"""
    folder = AccountFolder(tmp_path / "paper")
    a_journal_of(
        folder,
        (EngineStarted(), "", ""),
        (EngineStopped("left"), '"EngineStopped"', '"EngineSlept"'),
        (EngineStopped("left"), '"EngineStopped"', '"EngineSlept"'),
        (EngineStopped("left"), '"reason"', '"because"'),
        (SettingsApplied(Settings()), '"settings":{', '"settings":{"moon_phase":"full",'),
    )
    unread = Unread()

    report = verify(folder, each=unread.look)

    newer, other, setting = unread.words
    assert (report.is_sound, report.records) == (True, 5)
    assert (newer, other, setting) == snapshot


def test_a_journal_of_this_release_is_read_whole(tmp_path: Path) -> None:
    """SP-01"""
    folder = AccountFolder(tmp_path / "paper")
    a_journal_of(folder, (EngineStarted(), "", ""), (SettingsApplied(Settings()), "", ""))
    unread = Unread()

    assert verify(folder, each=unread.look).is_sound
    assert unread.words == ()
