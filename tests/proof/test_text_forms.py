"""Each field of a record has one text for one value, and the verifier refuses every other (SP-08)."""

from __future__ import annotations

import json
import tarfile
from random import Random

import orjson
import pytest

from docs import record_forms
from state.proof.heads import lines_of, read_heads, sign_days
from tests.journals.homes import KEPT
from tests.kit.rows import each
from tests.proof.journals import KEY, VERIFIER, every_fact, exported, is_plain, over, said, verdict, verifier, written
from tests.proof.mutations import Lines
from tests.proof.owner import Export
from tests.proof.text_forms import KINDS, forged_text

DAYS, A_DAY = 4, 40
FOUND = ("cut", "edited", "reordered", "rewritten")
DRAWS, AT_LEAST = 60, 5
REDACTIONS = ((), ("amounts",), ("symbols",), ("amounts", "symbols"))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Lines], dict[int, bytes]]:
    """Exports of some days, each with another redaction, and the journal's lines."""
    folder = written(tmp_path_factory.mktemp("record") / "paper", DAYS, A_DAY)
    sign_days(folder, KEY, over(DAYS))
    heads = [signed.head for signed in read_heads(folder.heads)]
    texts = {number: line for head in heads for number, line in lines_of(folder, head)}
    return [exported(folder, DAYS, kept_back=what) for what in REDACTIONS], texts


def test_the_verifiers_table_is_that_of_the_facts() -> None:
    """SP-08: `docs/record_forms.py` writes it"""
    text = VERIFIER.read_text()
    assert record_forms.page(text) == text


def test_kept_records_of_every_version_have_their_forms() -> None:
    """SP-07, SP-08"""
    program, lines = verifier(), list(every_fact())
    with tarfile.open(KEPT / "first.tar.xz") as kept:
        for member in kept:
            if "/journal/" in member.name and (file := kept.extractfile(member)) is not None:
                lines += file.read().splitlines()

    assert len(lines) > 5000
    for line in lines:
        program.check_fact(orjson.loads(line), "a record")


@each("kind", KINDS)
def test_another_text_of_a_value_is_found(kind: str, record: tuple[list[Lines], dict[int, bytes]]) -> None:
    """SP-08: signs, exponents, digits of other scripts, look-alikes, escapes, names twice, fields that nobody knows"""
    exports, texts = record
    made = 0
    for number in range(DRAWS):
        chance = Random(f"{kind}:{number}")
        forgery = forged_text(chance.choice(exports), KEY, texts, kind, chance)
        if forgery is not None:
            made += 1
            told = verdict(forgery.lines)
            assert told.split(":")[0] in FOUND, number
            assert is_plain(told)
    assert made >= AT_LEAST


@each(
    "text",
    [
        "٥",
        "५",
        "５",
        "+5",
        "05",
        "5.",
        ".5",
        "5e0",
        "1E+9999",
        "1E+" + "9" * 30,
        "1E3",
        "1_0",
        " 5",
        "5\u200b",
        "NaN",
        "",
        "9" * 61,
    ],
)
def test_amount_has_one_text(text: str) -> None:
    """SP-08"""
    assert not verifier().is_amount(text)


@each("text", ["5", "0", "0.300", "-1.50", "1E+3", "1E-7", "-0.00", "99999999.999999"])
def test_amount_as_the_desk_writes_it_is_accepted(text: str) -> None:
    """SP-08: places are kept, and so is the sign of a zero that a broker told"""
    assert verifier().is_amount(text)


# ── what the draws never make ────────────────────────────────────────────────────────────────────────────────────────


def test_amount_that_is_moved_into_another_part_is_found(record: tuple[list[Lines], dict[int, bytes]]) -> None:
    """SP-08: it would be shown where amounts are kept back, or be kept back where they are shown"""
    exports, _ = record
    export = Export(exports[0], KEY)
    at, parts = next((at, each["parts"]) for at, each in enumerate(export.records) if each["parts"][1].count('"') == 2)
    (amount,) = orjson.loads(parts[1])
    symbols = orjson.loads(parts[2])

    for skeleton, others in (
        (parts[0].replace("#a0", amount), symbols),
        (parts[0].replace("#a0", f"#s{len(symbols)}"), [*symbols, amount]),
    ):
        export.records[at]["parts"] = [skeleton, "[]", json.dumps(others, separators=(",", ":")), parts[3]]
        export.grow_trees()
        assert verdict(export.lines()).startswith("edited")


@each("place", [1, 2, 3])
def test_null_is_no_list_of_values(place: int, record: tuple[list[Lines], dict[int, bytes]]) -> None:
    """SP-08: a part that is shown as `null` is not one that is kept back"""
    export = Export(record[0][0], KEY)
    parts = next(each["parts"] for each in export.records if each["parts"][place] != "[]")
    parts[place] = "null"
    export.grow_trees()

    assert verdict(export.lines()).startswith("edited")


def test_lower_version_may_not_lack_a_field_that_it_had() -> None:
    """SP-08"""
    program = verifier()
    line = next(line for line in map(orjson.loads, every_fact()) if line["fact"] == "OrderFilled")
    program.check_fact({**line, "v": 1}, "a record")
    del line["data"]["fill"]
    with pytest.raises(program.RecordError):
        program.check_fact({**line, "v": 1}, "a record")


def test_true_record_is_shown_whole(record: tuple[list[Lines], dict[int, bytes]]) -> None:
    """SP-08"""
    for export in record[0]:
        assert said(export)[-1].startswith(f"complete: {DAYS * A_DAY} records")
