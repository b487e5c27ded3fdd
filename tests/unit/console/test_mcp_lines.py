"""The lines that reach the server on standard input: what clients write beside plain JSON."""

from __future__ import annotations

import json
import os
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from mcp_types import jsonrpc_message_adapter

from console.commands.assembly import mcp_lines
from console.commands.assembly.mcp_lines import Lines, mended

CALL = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"say","arguments":{"text":"%s"}}}\n'
CUT = {
    r"a cut \ud83d": "a cut \ufffd",
    r"\uDE00 begins": "\ufffd begins",
    r"\ud83d\ud83d\ude00": "\ufffd\U0001f600",
    r"whole \ud83d\ude00": "whole \U0001f600",
    r"a path \\ud83d": r"a path \ud83d",
}


@pytest.mark.parametrize(("written", "text"), CUT.items(), ids=str)
def test_half_of_a_character_leaves_its_call(written: str, text: str) -> None:
    """SY-11: a client that cuts a text within an emoji gets an answer"""
    line = mended(CALL % written)

    assert jsonrpc_message_adapter.validate_json(line, by_name=False)
    assert json.loads(line)["params"]["arguments"]["text"] == text


def test_a_byte_order_mark_is_no_part_of_a_line() -> None:
    """SY-11: programs of Windows begin with one"""
    assert mended("\ufeff" + CALL % "a") == CALL % "a"


@pytest.mark.parametrize("line", ["", "\n", "{not json\n", "[]\n", '{"a": "\\u00e9"}', CALL % "plain"], ids=repr)
def test_any_other_line_stays(line: str) -> None:
    """SY-11"""
    assert mended(line) == line


def test_a_number_stays_as_it_was_written() -> None:
    """SY-11: also beside a text that was mended"""
    assert mended('{"a":1e5,"b":"\\ud83d","c":0.10}\n') == '{"a":1e5,"b":"\\ufffd","c":0.10}\n'


async def test_the_lines_of_a_stream_are_mended() -> None:
    """SY-11"""
    written = "\ufeff" + CALL % r"a cut \ud83d" + CALL % "a"
    lines = [line async for line in Lines(TextIOWrapper(BytesIO(written.encode()), encoding="utf-8"))]

    assert lines == [CALL % r"a cut \ufffd", CALL % "a"]


def test_what_the_server_starts_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-11: no call of a client goes to another program"""
    (tmp_path / "calls").write_text("a call\n")
    with (tmp_path / "calls").open() as given:
        monkeypatch.setattr(mcp_lines.sys, "stdin", given)
        lines = mcp_lines.standard_input()

        assert os.read(given.fileno(), 10) == b""
        assert list(lines) == ["a call\n"]
        os.close(lines.fileno())
