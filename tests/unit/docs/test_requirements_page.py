"""The page of requirements: open clauses are the requirement's words, and what no test names is open."""

from __future__ import annotations

from pathlib import Path

from docs import requirements as made
from docs.requirements import PAGE, differing, page, requirements, words_of

ROWS = "| id | requirement |\n| --- | --- |\n| OP-01 | No order → none: `a | b`. |\n| ZZ-22 | Two. |\n"


def test_page_is_what_its_script_writes() -> None:
    """SY-07: where this fails, run `make docs`"""
    text = PAGE.read_text()

    assert page(text) == text


def test_open_clauses_quote_their_requirement() -> None:
    """SY-07"""
    for one in requirements():
        assert [clause for clause in one.open_clauses if clause not in one.words] == [], one.id
        assert len(set(one.open_clauses)) == len(one.open_clauses), one.id


def test_requirements_without_a_test_are_open() -> None:
    """SY-07"""
    proved = made.tests_by_identifier()

    assert [one.id for one in requirements() if one.id not in proved and not one.is_open_as_a_whole] == []


def test_tables_of_requirements_are_read_whole() -> None:
    """SY-07: signs and all"""
    assert words_of(ROWS) == {"OP-01": "No order → none: `a | b`.", "ZZ-22": "Two."}


def test_differences_from_a_spec_are_named(tmp_path: Path) -> None:
    """SY-07"""
    spec = tmp_path / "SPEC.md"
    ours = {one.id: one.words for one in requirements()}
    spec.write_text("".join(f"| {each} | {words} |\n" for each, words in ours.items()))
    assert differing(spec) == []

    spec.write_text(spec.read_text().replace(f"| OP-01 | {ours['OP-01']} |\n", "| OP-01 | Else. |\n| ZZ-22 | Two. |\n"))

    assert differing(spec) == ["OP-01", "ZZ-22"]
