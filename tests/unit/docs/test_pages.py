"""The pages: generated ones are what their scripts write, and every file, test, command and setting named exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from console.commands.assembly.host import Host
from console.commands.program import build
from console.commands.state import every_key
from console.keymap import keys_table
from core.model.signal import NoTradeReason
from core.risk.standard_gate import standard_gate
from core.settings.settings import Settings
from docs import built_in_strategies, controls, execution, keys, man, measures, risk
from docs.pages import BLOCK, filled
from docs.requirements import ROOT
from state.files import toml_of

DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "tests" / "README.md", ROOT / "tests/simulation/README.md"),
    *sorted({*DOCS.glob("*.md")} - {DOCS / "REQUIREMENTS.md"}),
]
FOLDERS = ("console", "core", "docs", "state", "tests", "widgets")
WRITTEN_BY_THE_READER = re.compile(r"^dips\.py$|\bNAME\b")
COMMAND = re.compile(r"(?<!keyring set )keyturn ((?:[\w./:,=\[\]|-]|\\\||…| )+)")
LINK = re.compile(r"\]\((?!http)([^)#]*)(?:#([\w-]+))?\)")


def test_generated_pages_are_current() -> None:
    """EX-19, RK-09, RK-23, AN-01, SY-07: where this fails, run `make docs`."""
    for script in (built_in_strategies, controls, execution, measures, risk):
        text = script.PAGE.read_text()
        assert script.page(text) == text, script.__name__
        if script is not controls:
            assert sorted(block[2] for block in BLOCK.finditer(text)) == sorted(script.TABLES), script.__name__
    assert man.page() == man.PAGE.read_text()
    for page, table in ((DOCS / "USE.md", lambda: f"{keys_table().strip()}\n"), (ROOT / "README.md", keys.short_table)):
        text = page.read_text()
        assert filled(text, {"keys": table}) == text, page.name


def test_each_failure_of_a_strategy_names_what_meets_it() -> None:
    """ST-02, ST-04, ST-05: a check, a reason not to trade, or a setting, that exists"""
    keys_there = {key.name for key in every_key()}
    checks = {check.name for check in standard_gate().checks}
    for strategy in built_in_strategies.STRATEGIES:
        own = {name.removeprefix(f"strategies.{strategy.name}.") for name in keys_there}  # type: ignore[attr-defined]
        named = [re.findall(r"`([^`]+)`", control) for _, control in built_in_strategies.failures(strategy)]

        assert len(named) >= 4
        assert all(named), strategy
        assert {name for each in named for name in each} <= checks | {each.value for each in NoTradeReason} | own


def python_files() -> list[str]:
    found = [path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return [f"/{path.as_posix()}" for path in (*found, Path("app.py"), Path("setup.py"))]


def test_pages_name_files_that_exist() -> None:
    """SY-07: by the whole path or its end; in docstrings too"""
    known = python_files()
    ends = {path[at:] for path in known for at in range(len(path)) if path[at] == "/"}
    readers = [ROOT / path[1:] for path in known if not path.startswith("/tests/")] + PAGES
    named = [(page.name, name) for page in readers for name in re.findall(r"`([\w./-]+\.py)`", page.read_text())]
    lost = [(page, name) for page, name in named if f"/{name}" not in ends]

    assert len(named) > 100
    assert [each for each in lost if not WRITTEN_BY_THE_READER.search(each[1])] == []


def test_pages_name_tests_that_exist() -> None:
    """SY-01, OP-13, RK-23"""
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    known = set(re.findall(r"def (test_\w+)", tests))
    named = {name for page in PAGES[2:] for name in re.findall(r"(?:`|::)(test_\w+)`", page.read_text())}

    assert len(named) > 20
    assert named - known == set()


def headings_of(page: Path) -> set[str]:
    """As links name them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_somewhere() -> None:
    """SY-07"""
    lost = [
        (page.name, target, heading)
        for page in PAGES
        for target, heading in LINK.findall(page.read_text())
        for file in [page.parent / target if target else page]
        if not file.exists() or (heading and heading not in headings_of(file))
    ]

    assert lost == []


def commands_shown() -> Iterator[str]:
    """What the README and docs/USE.md print after `keyturn`."""
    for page in (ROOT / "README.md", DOCS / "USE.md"):
        for code in re.findall(r"`[^`\n]+`|^```.*?^```", page.read_text(), re.MULTILINE | re.DOTALL):
            yield from (match.replace("\\|", "|") for match in COMMAND.findall(code))


@cache
def program() -> TyperCommand | TyperGroup:
    return get_command(build(Host.of({})))  # type: ignore[return-value]


def unknown_in(shown: str) -> Iterator[str]:
    """The commands and options that the program does not have."""
    command = program()
    for word in re.findall(r"[\w|-]+", shown):
        if isinstance(command, TyperGroup) and not word.startswith("-"):
            below = {name: command.commands.get(name) for name in word.split("|")}
            yield from (name for name, found in below.items() if found is None)
            command = next((one for one in below.values() if isinstance(one, TyperGroup | TyperCommand)), command)
        elif word.startswith("--") and word not in {name for option in command.params for name in option.opts}:
            yield word


def test_pages_name_commands_that_exist() -> None:
    """SY-07"""
    shown = sorted(set(commands_shown()))

    assert len(shown) > 40
    assert [(each, word) for each in shown for word in unknown_in(each)] == []


def test_shown_notification_settings_load() -> None:
    """SY-03: all of them together, with the channels that they name"""
    page = (DOCS / "NOTIFICATIONS.md").read_text()
    shown = [text for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "entry-points" not in text]
    lines = [line.removeprefix("   ") for text in shown for line in text.splitlines()]
    command = [line for line in lines if line.startswith("command =")]
    tables = [line for line in lines if line not in (*command, "[notify]")]
    text = "\n".join(["[notify]", *command, *tables, "[notify.channels.partner]", "[notify.channels.mail]"])

    notify = Settings.model_validate(toml_of(text)).notify

    assert set(notify.rules) == {"all", "exits"}
    assert notify.quiet.begins is not None
