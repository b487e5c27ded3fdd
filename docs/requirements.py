"""Makes docs/REQUIREMENTS.md: each requirement in its own words, which clauses are open, and the tests that name it.

.venv/bin/python docs/requirements.py               writes the page
.venv/bin/python docs/requirements.py --check       exits 1 where the page is not what it would write
.venv/bin/python docs/requirements.py --words FILE  takes the requirements' words anew from FILE into requirements.toml
.venv/bin/python docs/requirements.py --spec FILE   names the identifiers whose words differ from FILE's; 1 for any

`docs/requirements.toml` holds the words and, for each identifier, its open clauses, each a piece of the words to the
letter: a clause that is open cannot be paraphrased away.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docs.pages import table, written

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "REQUIREMENTS.md"
WORDS = ROOT / "docs" / "requirements.toml"
ROW = re.compile(r"^\| ([A-Z]{2}-\d\d) \| (.*) \|$", re.M)
CHAPTER = re.compile(r"^## ([A-Z]{2})\. (.*)$", re.M)
NAMED = re.compile(r"[A-Z]{2}-\d\d")
END = r" *(?:#[^\n]*)?\n"
TEST = re.compile(rf'^ *(?:async )?def (test_\w+)\((?:[^:]|:(?!{END}))*:{END}\s+"""(.*?)"""', re.M | re.S)
"""A test and its docstring; the signature ends with the first colon at the end of a line."""
SHOWN = 4

HEAD = """# What Keyturn must do, what of it is open, and the tests that prove the rest

Each requirement stands here in its own words, to the letter. The third column quotes the clauses that are not
delivered; what is not quoted there is. The last one lists the test files whose docstrings name the identifier, with
how many of their tests do: `grep -rn EX-05 tests/` finds every proof. Made by `.venv/bin/python docs/requirements.py`
from `docs/requirements.toml`; a test fails when they differ, when an open clause is not the requirement's own words, or
when an identifier without a test is not open as a whole.

"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """`open_clauses` are pieces of `words`; one that is all of the words says that nothing is delivered."""

    id: str
    words: str
    open_clauses: tuple[str, ...]

    @property
    def is_open_as_a_whole(self) -> bool:
        return self.open_clauses == (self.words,)


def requirements() -> list[Requirement]:
    """In the order of the file. Raises KeyError where an entry has no words."""
    held = tomllib.loads(WORDS.read_text())
    return [Requirement(i, row["words"], _open_clauses(row)) for i, row in held.items() if i != "chapters"]


def _open_clauses(row: Mapping[str, object]) -> tuple[str, ...]:
    clauses = row.get("open", [])
    return (str(row["words"]),) if clauses == "all" else tuple(clauses)  # type: ignore[arg-type]


def words_of(page: str) -> dict[str, str]:
    """The requirements of a page that has them in tables of two columns, by identifier."""
    return {match[1]: match[2].strip() for match in ROW.finditer(page)}


@cache
def tests_by_identifier() -> dict[str, list[str]]:
    """`folder/file::test`, for every identifier that a test's own docstring names."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, docstring in TEST.findall(path.read_text()):
            for identifier in sorted(set(NAMED.findall(docstring))):
                found[identifier].append(f"{path.relative_to(ROOT / 'tests')}::{name}")
    return found


def page(_before: str) -> str:
    """The whole page."""
    chapters = tomllib.loads(WORDS.read_text())["chapters"]
    tests, every = tests_by_identifier(), requirements()
    parts = [HEAD, _count(every)]
    for letters, title in chapters.items():
        rows = [
            (one.id, one.words, _open(one), _listed(tests.get(one.id, [])))
            for one in every
            if one.id.startswith(letters)
        ]
        parts.append(f"\n## {letters}. {title}\n\n" + table(("id", "requirement", "open", "proved by"), rows))
    return "".join(parts)


def _count(every: list[Requirement]) -> str:
    whole = sum(one.is_open_as_a_whole for one in every)
    partly = [one for one in every if one.open_clauses and not one.is_open_as_a_whole]
    clauses = sum(len(one.open_clauses) for one in partly)
    delivered = len(every) - whole - len(partly)
    return (
        f"Of {len(every)} requirements {delivered} are delivered, {len(partly)} but for {clauses} open clauses, "
        f"and {whole} are open as a whole.\n"
    )


def _open(one: Requirement) -> str:
    if one.is_open_as_a_whole:
        return "**all of it**"
    return " · ".join(f"“{clause}”" for clause in one.open_clauses) or "–"


def _listed(names: list[str]) -> str:
    if not names:
        return "**none**"
    files: dict[str, list[str]] = defaultdict(list)
    for name in names:
        file, _, test = name.partition("::")
        files[file].append(test)
    first = [f"`{file}` ({len(tests)})" for file, tests in sorted(files.items(), key=lambda item: -len(item[1]))]
    return ", ".join(first[:SHOWN]) + (f" and {len(first) - SHOWN} files more" if len(first) > SHOWN else "")


def take_words(source: Path) -> None:
    """Words anew; an open clause stays where it still stands in them, and is named where it does not."""
    text = source.read_text()
    before = {one.id: one for one in requirements()} if WORDS.exists() else {}
    lines = ["[chapters]", *(f'{match[1]} = "{match[2]}"' for match in CHAPTER.finditer(text))]
    for identifier, words in words_of(text).items():
        old = before.get(identifier)
        lines += ["", f"[{identifier}]", f"words = '''{words}'''"]
        if old is None or old.is_open_as_a_whole:
            lines.append('open = "all"')
            continue
        kept = [clause for clause in old.open_clauses if clause in words]
        for gone in set(old.open_clauses) - set(kept):
            print(f"{identifier}: no longer in its words: {gone}")
        lines += ["open = [", *(f"  '''{clause}'''," for clause in kept), "]"] if kept else ["open = []"]
    WORDS.write_text("\n".join(lines) + "\n")


def differing(spec: Path) -> list[str]:
    """The identifiers whose words here are not those of a specification, or that only one of the two has."""
    ours, theirs = {one.id: one.words for one in requirements()}, words_of(spec.read_text())
    return sorted(each for each in ours.keys() | theirs.keys() if ours.get(each) != theirs.get(each))


if __name__ == "__main__":
    if "--spec" in sys.argv:
        differences = differing(Path(sys.argv[sys.argv.index("--spec") + 1]))
        print("\n".join(differences), end="\n" if differences else "")
        sys.exit(bool(differences))
    if "--words" in sys.argv:
        take_words(Path(sys.argv[sys.argv.index("--words") + 1]))
    sys.exit(written(PAGE, page))
