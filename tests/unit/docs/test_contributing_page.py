"""The pages for whoever changes the code are true: what they name is there, and a change of CHANGELOG.md has a kind."""

from __future__ import annotations

import re

import pytest

from docs.requirements import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
HOUSE = (ROOT / "docs" / "ARCHITECTURE.md").read_text().partition("<!-- house: begin -->")[0]
CHANGES = (ROOT / "CHANGELOG.md").read_text()
TOPS = ("app.py", "console/", "core/", "docs/", "pyproject.toml", "state/", "tests/", "widgets/")
TO_BE_MADE = re.compile(r"\bNAME\b")
KINDS = {"Added", "Changed", "Deprecated", "Fixed", "Not changed", "Removed", "Security"}
RECIPES = (
    "protection",
    "broker",
    "order type",
    "pane",
    "notification channel",
    "what a ticket shows",
    "settings key",
    "exit rule",
    "field to a fact",
    "command",
)


def paths() -> list[str]:
    """Files and folders that the page names, in code or as a link; those that a recipe makes are not there yet."""
    code = [word for span in re.findall(r"`([^`\n]+)`", PAGE) for word in span.split()]
    links = [target.partition("#")[0] for target in re.findall(r"\]\((?!http)([^)]+)\)", PAGE)]
    return sorted({word for word in code if word.startswith(TOPS) and not TO_BE_MADE.search(word)} | set(links))


def absent(names: list[str]) -> list[str]:
    return [name for name in names if not (ROOT / name).exists()]


def test_every_path_that_a_recipe_names_is_there() -> None:
    """SY-07"""
    assert len(paths()) > 60
    assert absent(paths()) == []


def test_a_path_that_is_gone_would_be_found() -> None:
    """SY-07"""
    assert absent(["core/engine.py", "core/gone.py"]) == ["core/gone.py"]


def unknown_files(page: str) -> list[str]:
    """Python files that a page names, whole or by the end of their path, and that no folder of the code has."""
    tops = ("console", "core", "docs", "state", "tests", "widgets")
    known = [f"/{path.relative_to(ROOT)}" for top in tops for path in (ROOT / top).rglob("*.py")] + ["/app.py"]
    named = set(re.findall(r"`([\w./]+\.py)`", page))
    return sorted(name for name in named if not any(path.endswith(f"/{name}") for path in known))


def test_every_file_that_the_page_of_the_house_names_is_there() -> None:
    """SY-07"""
    assert unknown_files(HOUSE) == []
    assert unknown_files("`core/engine.py`, `baskets/baskets.py`, `workflows/gone.py`") == ["workflows/gone.py"]


@pytest.mark.parametrize("subject", RECIPES)
def test_each_change_has_its_recipe_and_a_test_to_copy(subject: str) -> None:
    """SY-07"""
    (recipe,) = re.findall(rf"^### \w+ (?:a |an )?{subject}\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)

    assert re.search(r"Test:[^.]*`tests/\w+", recipe) or "Test: a plain rescan" in recipe


def test_every_make_target_is_there() -> None:
    """SY-07"""
    targets = set(re.findall(r"^([\w-]+)(?: [\w-]+)*:", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"`make ([\w-]+)", PAGE)) - targets == set()


def test_the_classes_and_names_in_the_recipes_are_in_the_code() -> None:
    """SY-07"""
    code = "\n".join(path.read_text() for top in ("console", "core", "state") for path in (ROOT / top).rglob("*.py"))
    named = set(re.findall(r"`([A-Z][A-Za-z_]{3,})`", PAGE)) - {"Example"}

    assert [name for name in sorted(named) if not re.search(rf"\b{name}\b", code)] == []


def test_what_changed_stands_under_a_kind_of_change() -> None:
    """SY-07"""
    first = re.search(r"^## (.*)$", CHANGES, re.MULTILINE)

    assert first is not None
    assert first[1] == "[Unreleased]"
    assert set(re.findall(r"^### (.*)$", CHANGES, re.MULTILINE)) <= KINDS
