"""The page of requirements is true: every identifier in its own words, its open clauses quoted, its proofs listed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import docs.requirements as made
from docs.requirements import PAGE, ROOT, Requirement, requirements, words_of

SPEC = ROOT.parent / "shared" / "SPEC.md"


def test_the_page_is_what_its_script_writes() -> None:
    """SY-07"""
    answer = subprocess.run([sys.executable, str(ROOT / "docs" / "requirements.py"), "--check"], check=False)

    assert answer.returncode == 0, "run .venv/bin/python docs/requirements.py"


def test_every_requirement_stands_there_in_its_own_words() -> None:
    """SY-07: none is left out, and none is paraphrased"""
    if not SPEC.exists():
        pytest.skip(f"{SPEC} is not beside this tree")

    assert {one.id: one.words for one in requirements()} == words_of(SPEC.read_text())


@pytest.mark.parametrize("one", requirements(), ids=lambda one: one.id)
def test_an_open_clause_is_a_piece_of_the_requirement_to_the_letter(one: Requirement) -> None:
    """SY-07"""
    assert [clause for clause in one.open_clauses if clause not in one.words] == []
    assert len(set(one.open_clauses)) == len(one.open_clauses)


def test_what_no_test_proves_is_open_as_a_whole() -> None:
    """SY-07"""
    proved = made.tests_by_identifier()

    assert [one.id for one in requirements() if not proved.get(one.id) and not one.is_open_as_a_whole] == []


def test_the_page_counts_the_open_clauses() -> None:
    """SY-07"""
    every = requirements()
    partly = [one for one in every if one.open_clauses and not one.is_open_as_a_whole]
    whole = [one for one in every if one.is_open_as_a_whole]
    text = PAGE.read_text()

    assert text.count("| **all of it** |") == len(whole)
    assert text.count("“") == sum(len(one.open_clauses) for one in partly) + sum(one.words.count("“") for one in every)
    delivered = len(every) - len(whole) - len(partly)
    counted = re.search(r"Of (\d+) requirements (\d+) are delivered, (\d+) but for (\d+) open clauses", text)
    assert counted is not None
    assert tuple(map(int, counted.groups())) == (
        len(every),
        delivered,
        len(partly),
        sum(len(one.open_clauses) for one in partly),
    )


def test_a_clause_is_told_by_its_words() -> None:
    """SY-07: the rows of a page are read whole, signs and all"""
    rows = "| id | requirement |\n| --- | --- |\n| OP-01 | No order → none: `a | b`. |\n| EX-22 | Two. |\n"

    assert words_of(rows) == {"OP-01": "No order → none: `a | b`.", "EX-22": "Two."}
