"""docs/GLOSSARY.md says each identifier and each word of Keyturn in one sentence."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from docs.requirements import ROOT, WORDS, requirements

PAGE = ROOT / "docs" / "GLOSSARY.md"
IDENTIFIER = re.compile(r"^\| ([A-Z]{2}-\d\d) \| (.*) \|$", re.MULTILINE)
TERM = re.compile(r"^\| ([a-z][\w -]*) \| (.*) \| (.*) \|$", re.MULTILINE)
CHAPTER = re.compile(r"^## ([A-Z]{2})\. (.*)$", re.MULTILINE)
CODE = ("console", "core", "state")
LONGEST = 160
"""Characters of a sentence that says an identifier."""


def text_of(block: str) -> str:
    return PAGE.read_text().split(f"<!-- {block}: begin -->")[1].split(f"<!-- {block}: end -->")[0]


def terms() -> list[tuple[str, str, str]]:
    return [row for row in TERM.findall(text_of("terms")) if row[0] != "word"]


def files() -> list[Path]:
    return [file for top in CODE for file in (ROOT / top).rglob("*.py")]


def test_every_identifier_has_one_sentence_in_the_order_of_the_requirements() -> None:
    """SY-07"""
    said = [identifier for identifier, _ in IDENTIFIER.findall(text_of("identifiers"))]

    assert said == [one.id for one in requirements()]


def test_each_identifier_is_said_in_one_short_sentence() -> None:
    """SY-07"""
    rows = IDENTIFIER.findall(text_of("identifiers"))

    assert [row for row in rows if len(row[1]) > LONGEST or not row[1].endswith(".") or ". " in row[1]] == []


def test_the_chapters_are_those_of_the_requirements() -> None:
    """SY-07"""
    assert dict(CHAPTER.findall(PAGE.read_text())) == tomllib.loads(WORDS.read_text())["chapters"]


def test_every_word_stands_once_and_has_its_sentence() -> None:
    """SY-07"""
    words = [word for word, _, _ in terms()]

    assert len(words) == len(set(words)) > 0
    assert [word for word, sentence, _ in terms() if not sentence.endswith(".")] == []


def test_the_names_in_the_code_are_there() -> None:
    """SY-07"""
    classes = {name for file in files() for name in re.findall(r"^class (\w+)", file.read_text(), re.MULTILINE)}

    assert [name for _, _, name in terms() if name != "–" and name.strip("`") not in classes] == []
