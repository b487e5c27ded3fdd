"""A head is stamped by a service of time stamps, and openssl says so to a stranger (SP-08)."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.ports import OperatorError
from state.files import AccountFolder
from state.folder_swap import backup, look
from state.proof.heads import read_heads, sign_days
from state.proof.time_stamp import Stamp, StampRequest, TimeStampError, service_at, stamp_last, stamped_at
from state.restoring import begin_anew, reset, restore
from tests.kit.rows import cases
from tests.kit.tools import needs
from tests.proof.journals import KEY, over, written
from tests.proof.time_stamps import NEW_KEY, Authority, Responder, openssl

pytestmark = needs("openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "here")


@pytest.fixture
def responder(authority: Authority) -> Iterator[Responder]:
    with Responder(authority) as responder:
        yield responder


@pytest.fixture
def folder(tmp_path: Path) -> AccountFolder:
    """Two days, the first of them signed."""
    folder = written(tmp_path / "paper", 2, 5)
    sign_days(folder, KEY, over(1))
    return folder


def stamped(folder: AccountFolder, responder: Responder, seconds: float = 10) -> Stamp:
    return stamp_last(folder, responder.url, service_at(responder.url, seconds))


def refusal(folder: AccountFolder, responder: Responder, seconds: float = 10) -> str:
    """One line, and nothing is kept."""
    with pytest.raises(OperatorError) as error:
        stamped(folder, responder, seconds)
    assert list(folder.stamps.iterdir()) == []
    assert "\n" not in str(error.value)
    return str(error.value)


def test_openssl_verifies_the_stamp_of_a_head(
    folder: AccountFolder, responder: Responder, authority: Authority, tmp_path: Path
) -> None:
    """SP-08: what is stamped is the file that `journal head` prints; of another one openssl says no"""
    kept = stamped(folder, responder)
    head, other = tmp_path / "day.head", tmp_path / "other.head"
    head.write_bytes(read_heads(folder.heads)[-1].line)
    other.write_bytes(head.read_bytes().replace(b'"number":1', b'"number":2'))

    assert kept.is_new
    assert kept.path == folder.stamps / "2025-11-18.tsr"
    assert kept.at == authority.time_of(kept.path)
    assert authority.accepts(kept.path, head)
    assert not authority.accepts(kept.path, other)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stamps.stat().st_mode) == 0o700
    assert responder.asked == [("/tsr", "application/timestamp-query")]


def test_each_head_is_stamped_once(folder: AccountFolder, responder: Responder) -> None:
    """SP-08"""
    first = stamped(folder, responder)
    again = stamped(folder, responder)
    assert (again.is_new, again.at, again.path) == (False, first.at, first.path)
    assert len(responder.asked) == 1
    sign_days(folder, KEY, over(2))
    assert stamped(folder, responder).day == "2025-11-19"
    assert sorted(path.name for path in folder.stamps.iterdir()) == ["2025-11-18.tsr", "2025-11-19.tsr"]


def says(**values: object) -> Callable[[Responder], None]:
    def change(responder: Responder) -> None:
        for name, value in values.items():
            setattr(responder, name, value)

    return change


@cases(
    "change told",
    (says(body=b"<html>Please log in</html>"), "127.0.0.1 sent no time stamp"),
    (says(body=b"\x30\x80\x00\x00"), "127.0.0.1 sent no time stamp"),
    (says(body=b"0" * 300_000), "127.0.0.1 sent more than 262,144 bytes"),
    (says(status=503, body=b"busy"), "127.0.0.1 answered 503"),
    (says(status=302, body=b"-", headers={"Location": "https://elsewhere.example/tsr"}), "127.0.0.1 answered 302"),
)
def test_what_is_no_time_stamp_is_not_kept(
    folder: AccountFolder, responder: Responder, change: Callable[[Responder], None], told: str
) -> None:
    """SP-08: nobody is followed elsewhere"""
    change(responder)
    assert refusal(folder, responder).startswith(told)
    assert len(responder.asked) == 1


def test_a_stamp_of_something_else_is_not_kept(
    folder: AccountFolder, responder: Responder, authority: Authority
) -> None:
    """SP-08"""
    responder.asks_instead = authority.question_about(b"something else")
    assert "stamped something else" in refusal(folder, responder)


def test_an_old_answer_is_not_kept(folder: AccountFolder, responder: Responder, authority: Authority, snapshot) -> None:
    """SP-08: a nonce tells"""
    responder.asks_instead = authority.question_about(read_heads(folder.heads)[-1].line)
    assert refusal(folder, responder) == snapshot


def test_a_refusal_of_the_service_is_reported(
    folder: AccountFolder, authority: Authority, tmp_path: Path, snapshot
) -> None:
    """SP-08"""
    with Responder(authority.which_takes("sha512", tmp_path / "strict")) as responder:
        assert refusal(folder, responder) == snapshot


def test_a_silent_or_absent_service_is_reported(folder: AccountFolder, responder: Responder) -> None:
    """SP-08"""
    responder.hangs = True
    assert refusal(folder, responder, seconds=0.3).startswith("127.0.0.1 did not")
    with Responder(responder.authority) as gone:
        pass
    assert "cannot be reached" in refusal(folder, gone)


def test_an_untrusted_certificate_is_refused(folder: AccountFolder, authority: Authority, tmp_path: Path) -> None:
    """SY-06: and nothing is asked"""
    files = tmp_path / "tls.pem", tmp_path / "tls.key"
    own = (*NEW_KEY, "-keyout", files[1], "-out", files[0], "-subj", "/CN=127.0.0.1")
    openssl("req", "-x509", *own, "-addext", "subjectAltName=IP:127.0.0.1", "-days", 2)
    with Responder(authority, files) as responder:
        assert "cannot be reached" in refusal(folder, responder)
        assert responder.asked == []


def test_a_damaged_answer_is_refused(authority: Authority) -> None:
    request = StampRequest.of(b"a head")
    sound = authority.reply(request.written)
    assert stamped_at(sound, request)
    refused = []
    for at in range(0, 200, 7):
        damaged = sound[:at] + bytes([sound[at] ^ 0x55]) + sound[at + 1 :]
        try:
            stamped_at(damaged, request)
        except TimeStampError:
            refused.append(at)
    assert refused[0] == 0
    with pytest.raises(TimeStampError):
        stamped_at(sound + b"\0", request)


def test_without_a_signed_day_nothing_is_stamped(tmp_path: Path, responder: Responder, snapshot) -> None:
    folder = written(tmp_path / "new", 1, 3)
    assert refusal(folder, responder) == snapshot
    assert responder.asked == []


def test_a_stamp_of_another_record_is_reported(folder: AccountFolder, responder: Responder) -> None:
    kept = stamped(folder, responder)
    folder.heads.unlink()
    kept.path.rename(folder.stamps / "2025-11-19.tsr")
    sign_days(folder, KEY, over(2))
    with pytest.raises(OperatorError, match=r"2025-11-19.tsr is no stamp of the head of 2025-11-19: .* move it away"):
        stamped(folder, responder)


def test_backup_and_restore_include_stamps(folder: AccountFolder, responder: Responder, tmp_path: Path) -> None:
    """SP-04"""
    kept = stamped(folder, responder).path
    before = kept.read_bytes()
    archive = backup(folder, tmp_path)
    sign_days(folder, KEY, over(2))
    stamped(folder, responder)
    restore(folder, archive, look(archive), over(9), lambda _plan: True)
    assert [path.name for path in folder.stamps.iterdir()] == ["2025-11-18.tsr"]
    assert kept.read_bytes() == before


def test_a_reset_archives_the_stamps(folder: AccountFolder, responder: Responder) -> None:
    """SP-04"""
    stamped(folder, responder)
    done = reset(folder, over(9), lambda _plan: True)
    assert done is not None
    assert "stamps/2025-11-18.tsr" in look(done.backup).files
    assert list(folder.stamps.iterdir()) == []


def test_an_emptied_account_keeps_no_stamp(folder: AccountFolder, responder: Responder) -> None:
    stamped(folder, responder)
    begin_anew(folder)
    assert list(folder.stamps.iterdir()) == []
