"""Each day is signed, and whoever has the public key finds what was changed in what they are handed (SP-08)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random

import orjson
import pytest

from core.ports import JournalDamagedError, OperatorError
from docs.record_forms import BEGINS
from state.files import AccountFolder
from state.folder_swap import backup, look
from state.journal_files import segments
from state.proof.heads import read_heads, sign_days
from state.proof.parts import KINDS, joined, path, root, split
from state.restoring import reset, restore
from tests.proof.journals import KEY, VERIFIER, every_fact, over, verdict, verifier, written
from tests.proof.journals import exported as exported_days
from tests.proof.mutations import MUTATIONS, OTHER, Lines, written_anew

DAYS, A_DAY = 3, 150
LATER = over(DAYS)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days with one of every fact, not signed yet."""
    return written(tmp_path_factory.mktemp("original") / "paper", DAYS, A_DAY).path


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> AccountFolder:
    return AccountFolder(Path(shutil.copytree(original, tmp_path / "paper")))


@pytest.fixture(scope="module")
def signed_days(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = shutil.copytree(original, tmp_path_factory.mktemp("signed") / "paper")
    sign_days(AccountFolder(place), KEY, LATER)
    return place


@pytest.fixture
def signed(signed_days: Path, tmp_path: Path) -> AccountFolder:
    """The same days, each of them signed."""
    return AccountFolder(Path(shutil.copytree(signed_days, tmp_path / "paper")))


def exported(folder: AccountFolder, **options: object) -> Lines:
    return exported_days(folder, DAYS, **options)


def test_facts_are_joined_from_their_four_parts() -> None:
    """SP-08"""
    for version in KINDS:
        assert all(joined(split(line, version)) == line for line in every_fact())


def test_finished_days_are_signed_once(folder: AccountFolder) -> None:
    """SP-08"""
    assert [signed.head.day for signed in sign_days(folder, KEY, over(1))] == ["2025-11-18"]
    assert [signed.head.day for signed in sign_days(folder, KEY, LATER)] == ["2025-11-19", "2025-11-20"]
    assert sign_days(folder, KEY, LATER) == []
    heads = [signed.head for signed in read_heads(folder.heads)]
    assert [(head.number, head.first) for head in heads] == [(n + 1, h.first) for n, h in enumerate(heads)]
    assert [head.before for head in heads[1:]] == [head.hash for head in heads[:-1]]


def test_a_demos_last_day_is_not_signed(folder: AccountFolder) -> None:
    """SP-08: a demo's clock is its own; half a day that is signed would keep every later one from it."""
    folder.exchange.touch()

    assert [signed.head.day for signed in sign_days(folder, KEY, LATER)] == ["2025-11-18", "2025-11-19"]


def test_a_head_cut_short_is_signed_again(signed: AccountFolder) -> None:
    whole = signed.heads.read_bytes()
    signed.heads.write_bytes(whole[:-20])
    sign_days(signed, KEY, LATER)
    assert signed.heads.read_bytes() == whole


def test_another_key_cannot_extend_the_chain(folder: AccountFolder) -> None:
    sign_days(folder, KEY, over(1))
    with pytest.raises(OperatorError, match="sign with that one"):
        sign_days(folder, OTHER, LATER)


def test_an_edited_journal_is_not_exported(signed: AccountFolder) -> None:
    segment = segments(signed.journal)[1]
    segment.write_bytes(segment.read_bytes().replace(b'"seq":', b'"SEQ":', 1))
    with pytest.raises(JournalDamagedError, match=segment.name):
        exported(signed)


def test_a_true_export_is_complete(signed: AccountFolder) -> None:
    """SP-08: whatever is kept back; and the earlier head is in it"""
    first = read_heads(signed.heads)[0]
    for kept_back in ((), ("amounts",), ("symbols",), ("amounts", "symbols")):
        said = verdict(exported(signed, kept_back=kept_back), first.head.hash)
        assert said.startswith("complete: "), kept_back
        assert "number 1" in said, kept_back


def test_what_is_kept_back_is_nowhere_in_it(signed: AccountFolder) -> None:
    whole, shown = (b"".join(exported(signed, kept_back=what)) for what in ((), ("amounts", "symbols")))
    for secret in (b"SPY", b'\\"0.02\\"', b'\\"0.08\\"'):
        assert secret in whole
        assert secret not in shown


def test_an_excerpt_proves_its_records_alone(signed: AccountFolder) -> None:
    """SP-08"""
    lines = exported(signed, only=(3, 30, 31), kept_back=("symbols",))
    assert verdict(lines).startswith("excerpt: 3 records")
    assert verdict(lines[:-1]).startswith("cut")
    edited = [*lines[:-1], lines[-1].replace(b'"seq":31', b'"seq":32')]
    assert verdict(edited).startswith("edited")


def test_an_excerpt_has_only_the_requested_days(signed: AccountFolder) -> None:
    """SP-08"""
    of_the_first = exported_days(signed, 1, only=(3, A_DAY + 1, 2 * A_DAY + 1))
    assert verdict(of_the_first).startswith("excerpt: 1 records")
    with pytest.raises(OperatorError, match="name other days"):
        exported_days(signed, 1, only=(A_DAY + 1,))


@pytest.mark.parametrize("kept_back", [(), ("amounts",)], ids=["whole", "redacted"])
def test_every_forgery_is_found(signed: AccountFolder, kept_back: tuple[str, ...]) -> None:
    """SP-08: two of each kind; `make forgeries` tries thousands"""
    lines = exported(signed, kept_back=kept_back)
    for mutation in MUTATIONS:
        chance = Random(7)
        made = [mutated for _ in range(2) if (mutated := mutation(lines, chance)) not in (None, lines)]
        found = {verdict(mutated).split(":")[0] for mutated in made if mutated is not None}
        assert found <= {"cut", "edited", "reordered", "rewritten"}, mutation.__name__
        assert made or mutation.__name__ in NOT_OF_EACH[bool(kept_back)], mutation.__name__


NOT_OF_EACH = {False: {"a_swapped_redaction"}, True: {"a_forged_record", "a_forged_day", "more_kept_back"}}


def test_an_earlier_head_reveals_the_owners_rewrite(signed: AccountFolder) -> None:
    """SP-08: the page says so; without that head nothing tells"""
    lines = exported(signed)
    anew = written_anew(lines, KEY, Random(3))
    assert anew != lines
    assert verdict(anew).startswith("complete")
    last = sha256(verifier().written(orjson.loads(lines[DAYS])["head"])).hexdigest()
    assert verdict(anew, last).startswith("rewritten")


def test_the_verifier_runs_without_keyturn(signed: AccountFolder, tmp_path: Path) -> None:
    """It imports nothing of Keyturn, and runs where Keyturn is not"""
    true, false = tmp_path / "true.jsonl", tmp_path / "false.jsonl"
    lines = exported(signed)
    true.write_bytes(b"".join(line + b"\n" for line in lines))
    false.write_bytes(b"".join(line + b"\n" for line in lines[:-1]))
    head = tmp_path / "head.jsonl"
    head.write_bytes(lines[1])

    def run(export: Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-I", str(VERIFIER), str(export), "--key", KEY.public.hex(), "--head", str(head)]
        return subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)

    good, bad = run(true), run(false)
    assert (good.returncode, bad.returncode) == (0, 1), good.stderr + bad.stderr
    assert good.stdout.startswith("complete")
    assert bad.stdout.startswith("cut")
    text = VERIFIER.read_text()
    assert len(text.partition(BEGINS)[0].splitlines()) < 720
    assert not any(f"import {room}" in text or f"from {room}" in text for room in ("core", "state", "console"))


def test_backup_and_restore_include_signed_heads(folder: AccountFolder, tmp_path: Path) -> None:
    """SP-04"""
    sign_days(folder, KEY, over(2))
    before = folder.heads.read_bytes()
    archive = backup(folder, tmp_path)
    sign_days(folder, KEY, LATER)
    restore(folder, archive, look(archive), over(9), lambda _plan: True)
    assert folder.heads.read_bytes() == before
    assert sign_days(folder, KEY, over(20))[0].head.number == 3


def test_a_reset_starts_a_new_chain(signed: AccountFolder) -> None:
    """SP-04"""
    done = reset(signed, over(9), lambda _plan: True)
    assert done is not None
    assert "heads.jsonl" in look(done.backup).files
    assert read_heads(signed.heads) == []
    assert [each.head.number for each in sign_days(signed, KEY, over(20))] == [1]


def test_each_leaf_leads_to_the_root() -> None:
    """SP-08"""
    for many in (1, 2, 3, 5, 8, 13):
        leaves = [bytes([number]) * 32 for number in range(many)]
        for index, leaf in enumerate(leaves):
            way = [["left" if is_left else "right", beside.hex()] for is_left, beside in path(leaves, index)]
            assert verifier().climbed(leaf, way) == root(leaves) == verifier().root_of(leaves)
