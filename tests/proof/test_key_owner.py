"""Whoever holds the key signs what they like: the form and the order of each field tell, and nothing is printed raw."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import product
from pathlib import Path
from random import Random

import orjson
import pytest

from core.facts import CashMoved
from core.model.reconciliation import ActivityId, ActivityKind
from core.model.values import Money, Symbol
from core.ports import JournalDamagedError
from state.files import AccountFolder
from state.journal import FileJournal
from state.proof.heads import read_heads, sign_days
from tests.proof.journals import FIRST, KEY, NOON, exported, is_plain, over, said, verdict, written
from tests.proof.mutations import Lines
from tests.proof.owner import DAYS, EACH_FIELD, HEAD, Export, forged

FOUND = {"cut", "edited", "reordered", "rewritten"}
A_DAY = 12
ONLY_THE_JOURNAL_TELLS = {"head.last", "days.without_end", "days.a_moved_border"}
ODD = "\x1b[2J\rcomplete: 100 records\u202e\u200b\x7f\x9b é \U0001f4c8"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days with one of every fact, signed."""
    folder = written(tmp_path_factory.mktemp("original") / "paper", 3, A_DAY)
    sign_days(folder, KEY, over(3))
    return folder.path


@pytest.fixture(scope="module")
def exports(original: Path) -> list[Lines]:
    """Whole, with amounts or symbols kept back, and of five records."""
    folder = AccountFolder(original)
    whole, amounts, symbols = (exported(folder, 3, kept_back=what) for what in ((), ("amounts",), ("symbols",)))
    return [whole, amounts, symbols, exported(folder, 3, only=(1, 7, 12, 13, 30))]


def test_a_replaced_day_is_refused(exports: list[Lines]) -> None:
    """SP-08: an empty day that runs backwards, then one that begins at record 1 again; the published head is in it"""
    export = Export(exports[0], KEY)
    published = sha256(orjson.dumps(export.heads[0])).hexdigest()
    first = export.heads[0]
    empty = {**first, "number": 2, "day": first["day"] + "\u200b", "first": A_DAY + 1, "last": 0}
    again = {**first, "number": 3, "day": first["day"] + "\u200b\u200b"}
    export.heads = [first, empty, again]
    export.records = export.records[:A_DAY]
    export.contents |= {"heads": 3, "records": A_DAY, "first_day": again["day"], "last_day": again["day"]}

    assert verdict(export.lines(), published).split(":")[0] in FOUND


def test_the_name_of_a_day_paints_nothing(exports: list[Lines]) -> None:
    """SP-08"""
    export = Export(exports[0], KEY)
    export.heads[-1]["day"] += "\x1b[2K\rcomplete: 180 records of 3 days\x1b[8m"
    export.contents["last_day"] = export.heads[-1]["day"]
    export.heads[-1]["root"] = "00" * 32

    refusal = verdict(export.lines())
    assert refusal.split(":")[0] in FOUND
    assert is_plain(refusal)


@pytest.mark.parametrize("by", [-1, 1, 2, 9, -9])
def test_the_last_day_of_an_excerpt_has_its_number(original: Path, by: int) -> None:
    """SP-08: also where the last day shows no record, and where the tree of another number has the same ways"""
    folder = AccountFolder(original)
    for only in ((1, 7), (1, 30), (1, 2 * A_DAY + 1, 3 * A_DAY)):
        export = Export(exported(folder, 3, only=only), KEY)
        assert verdict(export.lines()).startswith("excerpt")
        export.heads[-1]["last"] += by

        assert verdict(export.lines()).split(":")[0] in FOUND


def test_no_border_between_days_moves(original: Path) -> None:
    """SP-08: one day ends earlier or later, and the next begins there; also before the first day shown"""
    folder = AccountFolder(original)
    for first, only in ((1, (1,)), (1, (3 * A_DAY,)), (2, (A_DAY + 1,)), (2, (3 * A_DAY,))):
        lines = exported(folder, 3, only=only, first=first)
        assert verdict(lines).startswith("excerpt")
        for border, by in product((1, 2), (-9, -8, -4, -3, -2, -1, 1, 2, 3, 4, 9)):
            export = Export(lines, KEY)
            export.heads[border - 1]["last"] += by
            export.heads[border]["first"] += by

            assert verdict(export.lines()).split(":")[0] in FOUND


def test_an_excerpt_without_its_ends_is_refused(exports: list[Lines]) -> None:
    """SP-08: as an older release made it, or as one who hides a number would"""
    export = Export(exports[3], KEY)
    del export.contents["ends"]

    for version in (1, 2):
        export.contents["v"] = version
        assert verdict(export.lines()).split(":")[0] in FOUND


@pytest.mark.parametrize("field", EACH_FIELD)
def test_a_field_of_another_form_is_refused(exports: list[Lines], field: str) -> None:
    """SP-08: two draws of each; `make forgeries` tries thousands"""
    chance, tried = Random(f"7:{field}"), 0
    for lines, _ in product(exports, range(2)):
        made = forged(lines, KEY, field, chance)
        if made is not None:
            refusal, tried = verdict(made.lines), tried + 1
            assert refusal.split(":")[0] in FOUND, made.change
            assert is_plain(refusal), made.change
    assert tried


def test_odd_words_are_accepted_and_printed_plain(tmp_path: Path) -> None:
    """SP-08: what a broker or an adviser says spoils no record, and does nothing in a terminal"""
    folder = AccountFolder(tmp_path / "paper")
    folder.prepare()
    journal = FileJournal(folder)
    words = (ODD, "#a0", "\u0661\u0662:\u0663\u0660", '"', "\ud7ff", "1e-7", "")
    for second, text in enumerate(words):
        moved = CashMoved(ActivityId("a"), FIRST, ActivityKind.FEE, Money(Decimal("-1E+2")), Symbol(text), text)
        journal.append(NOON + timedelta(seconds=second), moved)
    journal.close()
    sign_days(folder, KEY, over(1))

    for kept_back in ((), ("amounts",), ("symbols",)):
        verdict_and_records = said(exported(folder, 1, kept_back=kept_back))
        assert verdict_and_records[-1].startswith("complete: 7 records")
        assert len(verdict_and_records) == 8
        assert all(map(is_plain, verdict_and_records))


def test_signed_heads_are_read_strictly(original: Path, exports: list[Lines], tmp_path: Path) -> None:
    """SP-08: the desk reads its own chain as the verifier does"""
    folder = AccountFolder(Path(shutil.copytree(original, tmp_path / "paper")))
    sound = folder.heads.read_bytes()
    fields = [f"head.{name}" for name in HEAD] + ["signed.what", "signed.signature"] + [f"days.{name}" for name in DAYS]
    for field, number in product(sorted({*fields} - ONLY_THE_JOURNAL_TELLS), range(2)):
        made = forged(exports[0], KEY, field, Random(f"{field}:{number}"))
        assert made is not None
        heads = [line for line in made.lines[1:] if b'"parts"' not in line]
        if heads != exports[0][1:4]:
            folder.heads.write_bytes(b"".join(line + b"\n" for line in heads))
            with pytest.raises(JournalDamagedError, match=r"heads\.jsonl, line \d"):
                read_heads(folder.heads)
    folder.heads.write_bytes(sound)
    assert len(read_heads(folder.heads)) == 3


def test_an_empty_day_is_not_signed(original: Path, tmp_path: Path) -> None:
    """SP-08: a segment of which nothing reached the disk is removed by the next start"""
    folder = AccountFolder(Path(shutil.copytree(original, tmp_path / "paper")))
    (folder.journal / f"{date(2025, 11, 21)}.jsonl").touch()
    assert sign_days(folder, KEY, over(9)) == []
