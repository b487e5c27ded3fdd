"""A halt that is left for the next start."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from state.files import AccountFolder
from state.kill_switch import LONGEST, UNREADABLE, HaltRequest
from tests.kit.rows import cases


@pytest.fixture
def request_(tmp_path: Path) -> HaltRequest:
    account = AccountFolder(tmp_path / "paper")
    account.prepare()
    return HaltRequest(account)


def test_it_says_who_asks_until_it_is_taken(request_: HaltRequest) -> None:
    """SY-02"""
    assert request_.asked_by() is None

    request_.leave("the watchdog:\nfour ends in ten minutes")

    assert request_.asked_by() == "the watchdog: four ends in ten minutes"
    request_.take()
    assert request_.asked_by() is None


@cases(
    "make", os.mkfifo, os.mkdir, lambda p: p.symlink_to(p), lambda p: p.write_bytes(b""),
    lambda p: p.write_bytes(b"x" * 9999),
)  # fmt: skip
def test_whatever_stands_there_halts(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """SY-02: in doubt a start is halted; and what was odd is out of the way then."""
    account = AccountFolder(tmp_path / "paper")
    account.prepare()
    make(account.halt_request)

    assert HaltRequest(account).asked_by() == UNREADABLE
    HaltRequest(account).take()
    assert HaltRequest(account).asked_by() is None


def test_a_long_reason_is_cut(request_: HaltRequest) -> None:
    """SY-02"""
    request_.leave("x" * 3_000)

    assert request_.asked_by() == "x" * LONGEST
