"""A head is stamped by the service that the operator names, and openssl agrees (SP-08)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.kit.tools import needs
from tests.proof.journals import written
from tests.proof.time_stamps import Authority, Responder
from tests.scenarios.backtests import Keyturn

pytestmark = needs("openssl")


@pytest.fixture
def journal(tmp_path: Path, keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A day of last year, signed."""
    monkeypatch.setenv("KEYTURN_RECORD_KEY", "01" * 32)
    folder = written(tmp_path / "account", 1, 5).journal
    assert keyturn("journal", "sign", "--journal-dir", folder).code == 0
    return folder


@pytest.fixture
def responder(tmp_path: Path) -> Iterator[Responder]:
    with Responder(Authority(tmp_path / "authority")) as responder:
        yield responder


def test_the_configured_service_stamps_the_head(
    keyturn: Keyturn, journal: Path, responder: Responder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SP-08"""
    monkeypatch.setenv("KEYTURN_PROOF__STAMP_URL", responder.url)
    said = keyturn("journal", "stamp", "--journal-dir", journal)
    assert said.code == 0, said.err
    assert "2025-11-18" in said.out
    head = tmp_path / "day.head"
    head.write_text(keyturn("journal", "head", "--journal-dir", journal).out)
    again = json.loads(keyturn("journal", "stamp", "--journal-dir", journal, "--json").out)
    assert (again["day"], again["is_new"]) == ("2025-11-18", False)
    assert responder.authority.accepts(Path(again["file"]), head)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), 'no service is named: proof.stamp_url = "https://…"'),
        (("--url", "http://tsa.example/tsr"), "--url http://tsa.example/tsr: https; plain http only on this machine"),
        (("--url", "ftp://127.0.0.1/"), "https; plain http only"),
        (("--url", "https://[::1"), "--url https://[::1: "),
    ],
)
def test_a_refused_service_is_one_line(keyturn: Keyturn, journal: Path, words: tuple[str, ...], told: str) -> None:
    """SY-06"""
    done = keyturn("journal", "stamp", *words, "--journal-dir", journal)
    assert done.code != 0
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (journal / "stamps").exists()


def test_an_invalid_stamp_is_not_kept(
    keyturn: Keyturn, journal: Path, responder: Responder, snapshot: SnapshotAssertion
) -> None:
    """SP-08"""
    responder.body = b"<html>Please log in</html>"
    done = keyturn("journal", "stamp", "--url", responder.url, "--journal-dir", journal)
    assert done.code != 0
    assert done.err == snapshot
    assert not (journal / "stamps").exists()
