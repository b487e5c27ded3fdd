"""docs/NOTIFICATIONS.md names every kind, every code and every setting, and its settings can stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.model.notice import USUAL, DeliveryCode, NoticeKind
from core.settings.notify import NotifySettings, QuietSettings, RuleSettings
from core.settings.settings import Settings
from state.toml_text import toml_of

PAGE = (Path(__file__).parents[3] / "docs" / "NOTIFICATIONS.md").read_text()


def test_every_kind_stands_there_with_its_severity():
    """SY-03"""
    rows = dict(re.findall(r"^\| `(\w+)` \| (info|warning|urgent) \|", PAGE, re.MULTILINE)[::-1])
    assert {kind: USUAL[kind] for kind in NoticeKind} == rows


@pytest.mark.parametrize("code", [code for code in DeliveryCode if code is not DeliveryCode.DELIVERED])
def test_every_failure_says_what_to_do(code: DeliveryCode):
    """SY-03"""
    row = next((line for line in PAGE.splitlines() if line.startswith("| `") and f"`{code}`" in line.split("|")[1]), "")
    assert row.count("|") == 3
    assert len(row.split("|")[2]) > 10


def test_every_setting_is_named():
    """SY-03"""
    for table in (NotifySettings, QuietSettings, RuleSettings):
        assert [key for key in table.model_fields if not re.search(rf"\b{key}\b", PAGE)] == []


def test_the_settings_that_it_shows_can_stand():
    """SY-03: all of them together, with the channels that they name."""
    shown = [text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "entry-points" not in text]
    lines = [line.removeprefix("   ") for text in shown for line in text.splitlines()]
    command = [line for line in lines if line.startswith("command =")]
    tables = [line for line in lines if line not in (*command, "[notify]")]
    text = "\n".join(["[notify]", *command, *tables, "[notify.channels.partner]", "[notify.channels.mail]"])

    terms = Settings.model_validate(toml_of(text)).notify

    assert set(terms.rules) == {"all", "exits"}
    assert terms.quiet.begins is not None
