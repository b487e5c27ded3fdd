"""An engine killed by the kernel after a message left and before its record: the urgent one comes again, marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.model.notice import REPEAT
from tests.real.account import SETTINGS, Account
from tests.wire.receivers import HANG, a_web_server

NOTIFY = """
[notify]
in_demo = true
seconds = 120
[notify.channels.phone]
[notify.rules.all]
channels = ["phone"]
kinds = ["fill", "kill"]
"""


def messages(heard: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in heard if f"{kind}:" in each["message"]]


def test_a_message_without_a_record_is_sent_again(tmp_path: Path) -> None:
    """SY-03: the receiver has both messages and holds its answers back; the engine is killed; then it starts again."""
    with a_web_server() as web, Account(tmp_path, settings=SETTINGS + NOTIFY) as account:
        account.environ["KEYTURN_CHANNEL_PHONE"] = web.url(HANG)
        engine, desk = account.running(), account.desk()
        desk.until_attached()
        desk.proposes("1", "500", "470")
        desk.until_armed()
        desk.confirms_it()
        account.until(lambda: messages(web.heard, "fill"), "a fill is told")
        assert account.run("kill", "--account", "demo").returncode == 0
        account.until(lambda: messages(web.heard, "kill"), "the kill is told")
        begun = account.records("NotificationBegun")
        engine.killed()
        assert {record["data"]["is_urgent"] for record in begun} == {True, False}
        assert account.count("NotificationSent") == 0
        first = web.heard.copy()

        account.environ["KEYTURN_CHANNEL_PHONE"] = web.url("works")
        account.running()
        account.until(lambda: account.count("NotificationSent") > 0, "a message is delivered")
        account.until(lambda: len(messages(web.heard, "kill")) > 1, "the kill is told again")

        before, again = messages(web.heard, "kill")
        assert not before["title"].startswith(REPEAT)
        assert again["title"].startswith(REPEAT)
        assert before["message"] in again["message"]
        told_before = [line for each in messages(first, "fill") for line in each["message"].splitlines()]
        told_after = [line for each in web.heard[len(first) :] for line in each["message"].splitlines()]
        assert not set(told_before) & {line for line in told_after if " fill: " in line}
        lost = [r["data"] for r in account.records("NotificationFailed") if not r["data"]["is_urgent"]]
        assert ("cut_off", None) in [(data["code"], data["again_at"]) for data in lost]
        assert account.journal_is_whole()
        secret = f"127.0.0.1:{web.port}"
        assert not [path for path in account.folder.path.rglob("*") if path.is_file() and secret in text_of(path)]


def text_of(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
