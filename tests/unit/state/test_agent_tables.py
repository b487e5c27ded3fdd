"""The tables of agents in the settings file: one changes, and every other byte stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.ports import OperatorError
from state.agent_tables import AgentTableError, add_agent, remove_agent, switch_agent
from state.files import Home
from state.settings_file import load_settings

BEFORE = """\
# my settings
profile = "micro"  # small

[agents.claude]  # the first
symbols = ["SPY"]  # only this
enabled = true  # for now

# about the risk
[risk]
entries_a_day = 3
"""


@pytest.fixture
def home(tmp_path) -> Home:
    return Home.of({"KEYTURN_HOME": str(tmp_path)})


def loads(home: Home) -> object:
    return load_settings(home, {})


def test_an_agent_is_added_behind_everything_else(home: Home) -> None:
    """OP-09"""
    home.settings.write_text(BEFORE)
    add_agent(home, "gpt-5", {"symbols": '["SPY", "QQQ"]', "most_value": "1000.50"}, loads)

    assert home.settings.read_text() == BEFORE + '\n[agents.gpt-5]\nsymbols = ["SPY", "QQQ"]\nmost_value = 1000.50\n'
    assert set(load_settings(home, {}).agents) == {"claude", "gpt-5"}
    assert home.settings.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.settings.parent.iterdir()] == ["settings.toml"]


def test_a_file_is_made_where_there_is_none(home: Home) -> None:
    """OP-09"""
    add_agent(home, "claude", {}, loads)
    assert home.settings.read_text() == "[agents.claude]\n"
    remove_agent(home, "claude", loads)
    assert home.settings.read_text() == ""


def test_an_agent_is_removed_with_its_table_alone(home: Home) -> None:
    """OP-09: comments above the next table stay"""
    home.settings.write_text(BEFORE)
    remove_agent(home, "claude", loads)

    assert home.settings.read_text() == (
        '# my settings\nprofile = "micro"  # small\n\n# about the risk\n[risk]\nentries_a_day = 3\n'
    )


def test_what_was_added_last_goes_without_a_trace(home: Home) -> None:
    """OP-09"""
    home.settings.write_text(BEFORE)
    add_agent(home, "second", {"per_hour": "3"}, loads)
    remove_agent(home, "second", loads)

    assert home.settings.read_text().rstrip("\n") == BEFORE.rstrip("\n")


def test_an_agent_is_paused_and_resumed(home: Home) -> None:
    """OP-09"""
    home.settings.write_text(BEFORE)
    assert switch_agent(home, "claude", loads, enabled=False)
    assert home.settings.read_text() == BEFORE.replace("enabled = true ", "enabled = false ")
    assert not load_settings(home, {}).agents["claude"].enabled
    assert not switch_agent(home, "claude", loads, enabled=False)
    assert switch_agent(home, "claude", loads, enabled=True)
    assert home.settings.read_text() == BEFORE

    home.settings.write_text("[agents.x]\nper_hour = 3")
    assert switch_agent(home, "x", loads, enabled=False)
    assert home.settings.read_text() == "[agents.x]\nenabled = false\nper_hour = 3"


Change = Callable[[Home], object]
LEFT_ALONE: dict[str, tuple[str, Change]] = {
    "it is there already": (BEFORE, lambda home: add_agent(home, "claude", {}, loads)),
    "a limit that is none": ("", lambda home: add_agent(home, "x", {"per_hour": "0"}, loads)),
    "a key that there is not": ("", lambda home: add_agent(home, "x", {"most_valeu": "1"}, loads)),
    "not set up": (BEFORE, lambda home: remove_agent(home, "x", loads)),
    "no TOML": ("[risk\n", lambda home: add_agent(home, "x", {}, loads)),
    "does not load": ("[risk]\nnothing = 1\n", lambda home: add_agent(home, "x", {}, loads)),
    "written inline": ("agents = { claude = {} }\n", lambda home: remove_agent(home, "claude", loads)),
    "inline, and one more": ("agents = { claude = {} }\n", lambda home: add_agent(home, "x", {}, loads)),
    "dotted keys": ("agents.claude.enabled = true\n", lambda home: switch_agent(home, "claude", loads, enabled=False)),
    "a header within a text": (
        "notes = '''\n[agents.claude]\n'''\n[agents.claude]\n", lambda home: remove_agent(home, "claude", loads),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_a_file_that_cannot_be_changed_stays(home: Home, name: str) -> None:
    """OP-09: with the reason in one line"""
    text, change = LEFT_ALONE[name]
    home.settings.write_text(text)
    with pytest.raises(AgentTableError) as raised:
        change(home)

    assert home.settings.read_text() == text
    assert "\n" not in str(raised.value)
    assert [path.name for path in home.settings.parent.iterdir()] == ["settings.toml"]


def test_a_link_stays_one(home: Home, tmp_path) -> None:
    """SY-06"""
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text("")
    home.settings.symlink_to(elsewhere)
    with pytest.raises(AgentTableError):
        add_agent(home, "claude", {}, loads)

    assert home.settings.is_symlink()
    assert elsewhere.read_text() == ""


def test_a_file_with_a_name_of_the_desk_says_what_to_do(home: Home) -> None:
    """OP-09: its table can be removed, and no other change is written"""
    before = "[agents.manual]\nper_hour = 3\n"
    home.settings.write_text(before)
    with pytest.raises(OperatorError, match="keyturn agents remove manual"):
        loads(home)
    with pytest.raises(OperatorError, match="'manual'"):
        add_agent(home, "claude", {}, loads)

    assert home.settings.read_text() == before
    remove_agent(home, "manual", loads)
    assert load_settings(home, {}).agents == {}
