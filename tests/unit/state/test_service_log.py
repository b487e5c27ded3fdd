"""The log of the engine's service: what reaches the file, what never does, and a disk that takes nothing."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.model.api_contract import HIDDEN
from state.files import AccountFolder
from state.service_log import lines as events
from state.service_log.files import Limits, LogReader, OrderLines, all_files, newest_records, whole_id
from state.service_log.lines import Hiding
from state.service_log.log import WAITING_AT_MOST, ServiceLog
from tests.kit.no_threads import no_thread_starts
from tests.unit.state.disks import a_disk_that_takes

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI7K7MDENGbPxRfiCY"  # pragma: allowlist secret
KEY_ID = "PKTESTKEY1234567890"


@pytest.fixture(autouse=True)
def writes_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, a log that is closed has written all."""
    monkeypatch.setattr("state.service_log.log.LAST_WRITE", None)


@pytest.fixture
def folder(tmp_path: Path) -> AccountFolder:
    return AccountFolder(tmp_path / "paper-1")


def a_log(folder: AccountFolder, limits: Limits = Limits()) -> ServiceLog:  # noqa: B008 - frozen
    hiding = Hiding([SecretStr(SECRET), SecretStr(KEY_ID)], {"MY_SERVICE_TOKEN": "tok-of-the-environment"})
    return ServiceLog(folder, hiding, lambda: NOON, limits)


def an_event(number: int, at: datetime = NOON) -> events.Event:
    return {"at": at, "level": "info", "event": "note", "words": f"line {number} " + "x" * 80}


def lines(folder: AccountFolder) -> list[dict[str, Any]]:
    return list(LogReader(folder.log).lines(follow=False))


def content(folder: AccountFolder) -> bytes:
    return b"".join(file.read_bytes() for file in all_files(folder.log))


def numbers(folder: AccountFolder) -> list[int]:
    return [int(line["words"].split()[1]) for line in lines(folder) if line["words"].startswith("line ")]


# ── what reaches the file ────────────────────────────────────────────────────────────────────────────────────────────


def test_each_event_is_one_private_line_of_json(folder: AccountFolder) -> None:
    """SY-05"""
    with a_log(folder) as log:
        log.put(an_event(1))

    line = lines(folder)[0]

    assert list(line)[:5] == ["at", "level", "event", "words", "account"]
    assert line["at"] == "2026-03-02T12:00:00.000000Z"
    assert line["account"] == "paper-1"
    assert stat.S_IMODE(folder.logs.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.log.stat().st_mode) == 0o600


def test_no_secret_reaches_the_file(folder: AccountFolder) -> None:
    """SY-05, SY-06: by value and by name, nested, in tracebacks and in what libraries say."""

    def raises_with_it() -> None:
        api_key = SECRET
        raise ValueError(f"could not send {api_key}, Authorization: Bearer abc.def.ghi-of-a-token")

    with a_log(folder) as log:
        log.put({**an_event(1), "words": f"the server sent {SECRET} back to {KEY_ID}"})
        hidden = [{"password": "hunter2-planted", "also": f"<{SECRET}>"}]  # pragma: allowlist secret
        log.put({**an_event(2), "told": {"outer": hidden}})
        address = "https://me:pass-in-url@example.com/?token=tok-in-a-query&x=1"  # pragma: allowlist secret
        log.put({**an_event(3), "words": f"GET {address}"})
        as_a_name = {SECRET: "as a name"}  # pragma: allowlist secret
        log.put({**an_event(4), "words": "from the environment: tok-of-the-environment", **as_a_name})
        named = {"api_key": "named-key-value"}  # pragma: allowlist secret
        log.put({**an_event(5), "held": SecretStr("held-by-pydantic"), **named})
        logging.getLogger("urllib3").warning("retrying %s with secret_key='%s'", KEY_ID, "lib-planted-secret")
        try:
            raises_with_it()
        except ValueError:
            logging.getLogger("alpaca").exception("it failed")
        thread = threading.Thread(target=raises_with_it, name="a lane")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(log, "_hooks_before", (lambda _raised: None, log._hooks_before[1]))
            thread.start()
            thread.join()

    written = content(folder)

    planted = (SECRET, KEY_ID, "abc.def.ghi", "hunter2", "pass-in-url", "tok-in-a-query", "tok-of-the-environment")
    for secret in (*planted, "held-by-pydantic", "named-key-value", "lib-planted-secret"):
        assert secret.encode() not in written, secret
    assert written.count(HIDDEN.encode()) >= 10
    told = [line["event"] for line in lines(folder)]
    assert told.count(events.LIBRARY) == 2
    assert told.count(events.EXCEPTION) == 1
    assert "raises_with_it" in next(line for line in lines(folder) if line["event"] == "exception")["traceback"]


SECRET_NAMES = """
apikey,apiKey,api_key,api-key,api key,X-APIKEY,X-API-Key,APCA_API_KEY_ID,key_id,key-id,keyid,privatekey,privateKey,
private_key,private-key,private key,secret,client_secret,token,access_token,Authorization,authorisation,password,passwd,
passphrase,credential,cookie,Set-Cookie,key
"""


def test_values_with_secret_names_are_hidden() -> None:
    """SY-06: in a query, in JSON, in a variable; and in what is nested."""
    hiding = Hiding()
    for name in SECRET_NAMES.strip().replace("\n", "").split(","):
        texts = [f"{name}=VERYSECRET", f"{name} = 'VERYSECRET'", f'{{"{name}"= "VERYSECRET"}}']
        if name != "key":  # `key: value` is said of much that is none
            texts += [f"{name}: VERYSECRET", f'{{"{name}": "VERYSECRET"}}', f"a=1&{name}=VERYSECRET&b=2"]
        assert [text for text in texts if "VERYSECRET" in hiding.text(text)] == []
        assert "VERYSECRET" not in str(hiding({name: "VERYSECRET"})), name


def test_plain_words_about_keys_stay() -> None:
    """SY-05: what an operator must read is not eaten."""
    for words in ("press the key: B buys", "keys.kill = ctrl+k", "no token came", "APPROVED by key B, ticket 12"):
        assert Hiding().text(words) == words


def test_control_characters_are_escaped(folder: AccountFolder) -> None:
    """SY-05, SY-06: neither raw in the file nor as more than one line of it."""
    with a_log(folder) as log:
        log.put({**an_event(1), "words": "a\x1b[2Jb\x07\x9bc\u202ed\x7fe\nf\x00g"})
        log.put({**an_event(2), "words": "half a pair \ud800"})

    written = content(folder)

    assert all(byte >= 0x20 or byte == 0x0A for byte in written)
    assert not {"\x7f", "\x9b", "\u202e"} & set(written.decode())
    assert lines(folder)[0]["words"] == "a\x1b[2Jb\x07\x9bc\u202ed\x7fe\nf\x00g"
    assert "half a pair" in lines(folder)[1]["words"]


def test_an_unwritable_event_is_named(folder: AccountFolder) -> None:
    """SY-05"""

    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    with a_log(folder) as log:
        log.put({**an_event(1), "odd": Odd()})
        log.put(an_event(2))

    assert [line["event"] for line in lines(folder)] == ["unwritable", "note", "log_closed"]


def test_what_a_long_text_says_is_bounded(folder: AccountFolder) -> None:
    """SY-05"""
    with a_log(folder) as log:
        log.put({**an_event(1), "words": "y" * 1_000_000})

    assert folder.log.stat().st_size < 10_000
    assert "characters more" in lines(folder)[0]["words"]


def test_closing_restores_hooks_and_handlers(folder: AccountFolder) -> None:
    """SY-05"""
    before = (threading.excepthook, list(logging.getLogger().handlers))

    with a_log(folder):
        assert threading.excepthook != before[0]

    assert (threading.excepthook, list(logging.getLogger().handlers)) == before


# ── rotation ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_rotate_by_size_within_a_bound(folder: AccountFolder) -> None:
    """SY-05: what is still there is read in order, without a gap."""
    limits = Limits(file=2_000, folder=12_000, files=100)
    for start in range(0, 300, 10):
        with a_log(folder, limits) as log:
            for number in range(start, start + 10):
                log.put(an_event(number))

    files = list(all_files(folder.log))
    kept = numbers(folder)

    assert len(files) > 3
    assert sum(file.stat().st_size for file in files) <= limits.folder
    assert kept == list(range(kept[0], 300))
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


def test_a_new_day_begins_a_new_file(folder: AccountFolder) -> None:
    """SY-05"""
    with a_log(folder) as log:
        for number in range(5):
            log.put(an_event(number, NOON + timedelta(days=number - 5)))

    files = list(all_files(folder.log))
    days = [{json.loads(line)["at"][:10] for line in file.read_text().splitlines()} for file in files]

    assert days == [{f"2026-02-{day}"} for day in (25, 26, 27, 28)] + [{"2026-03-01"}, {"2026-03-02"}]
    assert numbers(folder) == [0, 1, 2, 3, 4]


def test_a_restart_goes_on_in_the_days_file(folder: AccountFolder) -> None:
    """SY-05"""
    for number in range(3):
        with a_log(folder) as log:
            log.put(an_event(number))

    assert list(all_files(folder.log)) == [folder.log]
    assert numbers(folder) == [0, 1, 2]


def test_a_logrotate_in_the_middle_loses_nothing(folder: AccountFolder) -> None:
    """SY-05: the file moved away, cut in place, and gone with its folder."""
    with a_log(folder) as log:
        log.put(an_event(1))
        log.settle()
        assert numbers(folder) == [1]
        folder.log.rename(folder.logs / "engine.jsonl.1")
        log.put(an_event(2))
        log.settle()
        assert numbers(folder) == [1, 2]
        (folder.logs / "engine.jsonl.2").write_bytes(folder.log.read_bytes())
        os.truncate(folder.log, 0)
        log.put(an_event(3))
        log.settle()
        assert numbers(folder) == [1, 2, 3]
        for file in all_files(folder.log):
            file.unlink()
        folder.logs.rmdir()
        log.put(an_event(4))

    assert numbers(folder) == [4]
    assert log.dropped == 0


@pytest.mark.parametrize("content", [b"rubbish\n", b'{"at":"2026-99-99T12:00:00Z"}\n', b"\xff" * 500, b"\n\n"])
def test_foreign_content_is_set_aside(folder: AccountFolder, content: bytes) -> None:
    """SY-05"""
    folder.logs.mkdir(parents=True)
    folder.log.write_bytes(content)

    with a_log(folder) as log:
        log.put(an_event(1))

    assert numbers(folder) == [1]
    assert (folder.logs / "engine.unknown.000001.jsonl").exists()
    assert log.dropped == 0


# ── a disk that takes nothing ────────────────────────────────────────────────────────────────────────────────────────


def test_lines_lost_on_a_full_disk_are_counted(folder: AccountFolder) -> None:
    """SY-05, SP-06: whoever logs waits for nothing and hears of nothing."""
    with a_log(folder) as log:
        log.put(an_event(1))
        log.settle()
        assert numbers(folder) == [1]
        with a_disk_that_takes(folder.log.stat().st_size + 40):
            for number in range(2, 5):
                log.put(an_event(number))
            log.settle()
            assert log.dropped == 3
            assert log.trouble == "File too large"
        log.put(an_event(5))

    told = [line for line in lines(folder) if line["event"] == events.DROPPED]

    assert numbers(folder) == [1, 5]
    assert [line["lines"] for line in told] == [3]
    assert "File too large" in told[0]["words"]
    assert log.trouble is None


def test_an_obstacle_ends_nothing(folder: AccountFolder) -> None:
    """SY-05: a device, a folder, a folder that nobody may write."""
    folder.logs.mkdir(parents=True)
    folder.log.symlink_to("/dev/full")
    with a_log(folder) as log:
        log.put(an_event(1))
        log.settle()
        assert log.dropped == 1
        assert log.trouble is not None
        folder.log.unlink()
        folder.log.mkdir()
        log.put(an_event(2))
        log.settle()
        assert log.dropped == 2
        folder.log.rmdir()
        log.put(an_event(3))

    assert numbers(folder) == [3]


def test_the_queue_is_bounded_and_losses_are_counted(folder: AccountFolder) -> None:
    """SY-05: a machine that starts no thread, a disk that hangs: the queue is bounded."""
    with no_thread_starts(named="log"):
        log = a_log(folder)
        log.open()
    event = an_event(1)
    for _ in range(WAITING_AT_MOST + 50):
        log.put(event)
    log.close()

    assert log.waiting <= WAITING_AT_MOST + 1
    assert log.dropped == 51  # the last line of the log itself too


# ── read ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_damaged_lines_are_counted_and_named(folder: AccountFolder) -> None:
    """SY-05: half a line, rubbish, somebody else's JSON; an empty line is none."""
    with a_log(folder) as log:
        log.put(an_event(1))
    with folder.log.open("ab") as file:
        file.write(b'rubbish\n\n{"a": 1}\n[]\n\xff\xfe\n{"at":"2026-03-02T12:00:0')
    with a_log(folder) as log:
        log.put(an_event(2))
    reader = LogReader(folder.log)

    found = [line["words"].split()[1] for line in reader.lines(follow=False) if line["event"] == "note"]

    assert found == ["1", "2"]
    assert reader.damaged == [f"engine.jsonl, line {number}" for number in (3, 5, 6, 7, 8)]


def test_following_survives_rotation(folder: AccountFolder) -> None:
    """SY-05: each line once, in order."""
    limits = Limits(file=600, folder=100_000, files=100)
    acts = iter(range(1, 30))

    def write() -> None:
        number = next(acts)
        if number == 15:
            folder.log.rename(folder.logs / "engine.jsonl.1")
        if number == 20:
            (folder.logs / "engine.jsonl.2").write_bytes(folder.log.read_bytes())
            os.truncate(folder.log, 0)
        with a_log(folder, limits) as log:
            log.put(an_event(number))

    followed = LogReader(folder.log).lines(follow=True, wait=write)
    found: list[int] = []
    while not found or found[-1] < 29:
        line = next(followed)
        if line["words"].startswith("line "):
            found.append(int(line["words"].split()[1]))

    assert found == list(range(1, 30))


def test_an_orders_lines_include_its_tickets(folder: AccountFolder) -> None:
    """SY-05"""
    with a_log(folder) as log:
        log.put({**an_event(1), "order": "aa11", "ticket": "t1"})
        log.put({**an_event(2), "ticket": "t1"})
        log.put({**an_event(3), "order": "bb22", "ticket": "t2"})
        log.put({**an_event(4), "ticket": "t2"})
        log.put({**an_event(5), "order": "cc33", "parent": "aa11"})
        log.put({**an_event(6), "order": "cc33"})

    def lines_of(order: str) -> list[str]:
        wanted = OrderLines(whole_id(order, folder.log))
        return [line["words"].split()[1] for line in lines(folder) if wanted.has(line)]

    assert lines_of("aa") == ["1", "2", "5"]
    assert lines_of("bb22") == ["3", "4"]
    assert lines_of("c") == ["5", "6"]


def test_the_newest_record_is_found_past_damage(folder: AccountFolder) -> None:
    """SY-05"""
    with a_log(folder) as log:
        log.put({**an_event(1), "record": 41})
        log.put({**an_event(2), "record": 42})
        log.put(an_event(3))
    with folder.log.open("ab") as file:
        file.write(b'{"at":"2026-03-02T12:00:00Z","record":9')

    assert [number for number, _ in newest_records(folder.log, 1)] == [42]
    assert sorted(number for number, _ in newest_records(folder.log, 5)) == [41, 42]
