"""The simulated exchange's own memory: every byte of it is proved, and what is wrong is told with its line."""

from __future__ import annotations

import errno
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from state.files import AccountFolder
from state.simulated_logs import ExchangeLogError, ExchangeLogFile, lines_of
from tests.unit.state.disks import a_disk_that_takes

OPENED = {"request": "open", "at": "2026-01-05T14:30:00+00:00", "symbols": "SPY,QQQ", "cash": "200"}
BOUGHT = {
    "request": "submit", "at": "2026-01-05T15:00:00+00:00", "client_order_id": "0123456789abcdef", "symbol": "SPY",
    "side": "buy", "effect": "open", "quantity": "0.300", "type": "limit", "time_in_force": "day",
    "limit_price": "100.50", "stop_price": None,
}  # fmt: skip
CANCELLED = {"request": "cancel", "at": "2026-01-05T15:01:00+00:00", "client_order_id": "0123456789abcdef"}


def written(folder: AccountFolder, *records: dict[str, str | None]) -> bytes:
    log = ExchangeLogFile(folder)
    for record in records:
        log.append(record)
    log.close()
    return folder.exchange.read_bytes()


def old(*records: object) -> bytes:
    """As they were before lines had checksums."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def in_log(folder: AccountFolder) -> list[dict[str, str | None]]:
    return [record for record, _ in lines_of(folder.exchange)]


def refusal(folder: AccountFolder, content: bytes) -> str:
    folder.exchange.write_bytes(content)
    with pytest.raises(ExchangeLogError) as raised:
        ExchangeLogFile(folder)
    assert folder.exchange.read_bytes() == content, "it is as it was"
    return str(raised.value)


@pytest.mark.parametrize("durable", [False, True])
def test_a_line_is_written_at_once(folder, durable):
    """EX-20"""
    log = ExchangeLogFile(folder, durable=durable)
    log.append({**BOUGHT, "limit_price": Decimal("0.300"), "at": datetime(2026, 11, 20, tzinfo=UTC)})
    assert list(log.records()) == [{**BOUGHT, "limit_price": "0.300", "at": "2026-11-20T00:00:00Z"}]
    log.close()
    again = ExchangeLogFile(folder)
    again.append(CANCELLED)
    assert [record["request"] for record in again.records()] == ["submit", "cancel"]
    assert again.repairs == ()
    assert folder.exchange.stat().st_mode & 0o777 == 0o600


def test_a_torn_last_line_is_set_aside(folder):
    """EX-20: wherever it was torn."""
    whole = written(folder, OPENED)
    torn = written(folder, BOUGHT)[len(whole) :]
    for length in range(1, len(torn) - 1):
        folder.exchange.write_bytes(whole + torn[:length])
        (folder.path / "exchange.jsonl.torn").unlink(missing_ok=True)
        log = ExchangeLogFile(folder)
        log.append(CANCELLED)
        assert list(log.records()) == [OPENED, CANCELLED]
        told = f"exchange.jsonl: a torn last line of {length} bytes was cut off; it is kept in exchange.jsonl.torn"
        assert log.repairs == (told,)
        assert (folder.path / "exchange.jsonl.torn").read_bytes() == torn[:length] + b"\n"
        log.close()


def test_a_missing_last_newline_loses_no_order(folder, snapshot):
    """EX-20: the exchange acted on it."""
    content = written(folder, OPENED, BOUGHT)
    folder.exchange.write_bytes(content[:-1])

    log = ExchangeLogFile(folder)

    assert log.repairs == snapshot
    assert list(log.records()) == [OPENED, BOUGHT]
    assert folder.exchange.read_bytes() == content


def test_a_flipped_byte_is_placed(folder):
    """EX-20, SP-01: also one that leaves sound JSON, another number, or a line without a checksum."""
    content = written(folder, OPENED, BOUGHT, CANCELLED)
    for place in range(len(content)):
        harmed = bytearray(content)
        harmed[place] ^= (0x01, 0x20, 0x80)[place % 3]
        line = content[:place].count(b"\n") + 1
        assert f"exchange.jsonl, line {line}: " in refusal(folder, bytes(harmed)), (place, harmed[place])


def test_a_lost_added_or_moved_line_is_placed(folder):
    """EX-20"""
    first, second, third = written(folder, OPENED, BOUGHT, CANCELLED).splitlines(keepends=True)
    for content, line in [
        (first + third, 2),
        (second + third, 1),
        (first + third + second, 2),
        (first + second + second + third, 3),
        (first + old(BOUGHT) + second, 2),
    ]:
        assert f"exchange.jsonl, line {line}: " in refusal(folder, content)


def test_an_older_log_gets_checksums(folder):
    """EX-20, SP-07"""
    folder.exchange.write_bytes(old(OPENED, BOUGHT))

    content = written(folder, CANCELLED)

    assert in_log(folder) == [OPENED, BOUGHT, CANCELLED]
    assert content.startswith(old(OPENED, BOUGHT))
    assert "line 3: " in refusal(folder, content.replace(b"0.300", b"0.900"))


NO_REQUESTS = (
    b"null", b"[1]", b"7", b"noise", b"\xff\x00", b"", b"{}",
    b'{"request":"cancel","at":1e999999,"client_order_id":"a"}',
    b'{"request":"cancel","at":NaN,"client_order_id":"a"}', b'{"request":"cancel","at":7,"client_order_id":"a"}',
    old({**BOUGHT, "quantity": "1e999999"})[:-1], old({**BOUGHT, "quantity": "NaN"})[:-1],
    old({**BOUGHT, "limit_price": "x"})[:-1], old({**BOUGHT, "at": "0001-01-01T00:00:00+00:00"})[:-1],
    old({**BOUGHT, "at": "yesterday"})[:-1], old({**BOUGHT, "side": "up"})[:-1],
    old({**BOUGHT, "quantiti": "1"})[:-1], old({**OPENED, "cash": "Infinity"})[:-1],
    old({**OPENED, "symbols": ""})[:-1], old({**BOUGHT, "request": "stroll"})[:-1],
)  # fmt: skip


def test_a_line_that_is_no_request_is_placed(folder, snapshot):
    """EX-20: of a log without checksums too"""
    told = [refusal(folder, old(OPENED) + line + b"\n" + old(CANCELLED)) for line in NO_REQUESTS]

    assert [text for text in told if "exchange.jsonl, line 2: " not in text or "\n" in text] == []
    assert [text.replace(str(folder.path), "") for text in told] == snapshot


def test_a_byte_order_mark_is_passed_over(folder):
    """EX-20"""
    folder.exchange.write_bytes(b"\xef\xbb\xbf" + written(folder, OPENED, BOUGHT))
    assert in_log(folder) == [OPENED, BOUGHT]


def test_a_full_disk_leaves_nothing_of_a_line(folder):
    """SP-06: the very write fails, after it wrote a part; the log is named"""
    before = written(folder, OPENED, BOUGHT)
    log = ExchangeLogFile(folder)

    with a_disk_that_takes(len(before) + 9), pytest.raises(OSError, match=str(folder.exchange)) as refused:
        log.append(CANCELLED)

    assert refused.value.errno == errno.EFBIG
    assert folder.exchange.read_bytes() == before
