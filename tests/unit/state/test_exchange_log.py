"""The simulated exchange's own memory."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from state.exchange_log import ExchangeLog, ExchangeLogError
from state.folders import AccountFolder


@pytest.fixture
def folder(tmp_path) -> AccountFolder:
    account = AccountFolder(tmp_path / "demo")
    account.prepare()
    return account


@pytest.mark.parametrize("durable", [False, True])
def test_a_line_is_there_at_once_and_after_a_restart(folder, durable):
    """EX-20"""
    log = ExchangeLog(folder, durable=durable)
    log.append({"request": "submit", "price": Decimal("0.300"), "at": datetime(2026, 11, 20, tzinfo=UTC)})
    assert list(log.records()) == [{"request": "submit", "price": "0.300", "at": "2026-11-20T00:00:00Z"}]
    log.close()
    again = ExchangeLog(folder)
    again.append({"request": "cancel"})
    assert [record["request"] for record in again.records()] == ["submit", "cancel"]
    assert again.repairs == ()
    assert folder.exchange.stat().st_mode & 0o777 == 0o600


def test_a_torn_last_line_is_cut_off_and_told(folder):
    """EX-20"""
    folder.exchange.write_bytes(b'{"n":1}\n{"n":')
    log = ExchangeLog(folder)
    log.append({"n": 2})
    assert [record["n"] for record in log.records()] == [1, 2]
    assert log.repairs == ("exchange.jsonl: a torn last line of 5 bytes was cut off",)


def test_a_garbled_line_is_placed(folder):
    """EX-20"""
    folder.exchange.write_bytes(b'{"n":1}\nnoise\n')
    with pytest.raises(ExchangeLogError, match="line 2"):
        list(ExchangeLog(folder).records())
