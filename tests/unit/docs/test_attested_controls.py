"""docs/CONTROLS.md has a row for each control that is attested; each is a check with a test that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.risk.checks import standard_gate
from core.risk.controls import CONTROLS, FIA, WORDS, Control, Trial, value_of
from core.runtime.attest.plan import slots_of
from core.runtime.attest.settings import tried_at
from core.settings.settings import PROFILES, Settings
from docs.controls import PAGE, TABLES, page

ROOT = Path(__file__).resolve().parents[3]


def named(control: Control) -> str:
    return control.name


def test_the_committed_page_is_what_a_fresh_generation_would_write() -> None:
    """RK-23: where this fails, run `.venv/bin/python docs/controls.py`."""
    text = PAGE.read_text()

    assert page(text) == text


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_table_makes_the_page_differ(name: str) -> None:
    """RK-23"""
    text = PAGE.read_text()
    tampered = text.replace(TABLES[name](), TABLES[name]().replace("| ", "| never ", 1), 1)

    assert tampered != text
    assert page(tampered) == text


def test_each_check_of_the_gate_has_a_row_in_the_order_of_the_gate() -> None:
    """RK-23: a check that is new needs one row in `core/risk/controls.py`."""
    assert [control.name for control in CONTROLS] == [check.name for check in standard_gate().checks]


@pytest.mark.parametrize("control", CONTROLS, ids=named)
def test_a_control_has_settings_that_there_are_and_rules_that_are_explained(control: Control) -> None:
    """RK-23"""
    for key in control.settings:
        value_of(Settings(), key)
    assert all(rule in WORDS or rule.startswith(FIA) for rule in control.rules)
    if isinstance(control.trial, Trial):
        assert isinstance(tried_at([control.trial], Settings()), Settings)
        assert any(control in slot.controls for slot in slots_of(CONTROLS))
    else:
        assert control.trial


@pytest.mark.parametrize("control", CONTROLS, ids=named)
def test_the_test_of_a_control_is_there_and_its_file_names_the_control(control: Control) -> None:
    """RK-23"""
    path, _, function = control.test.partition("::")
    text = (ROOT / path).read_text()
    (check,) = (each for each in standard_gate().checks if each.name == control.name)

    assert f"def {function}(" in text
    words = {control.name, control.name.replace(" ", "_"), type(check).__name__}
    assert any(re.search(rf"\b{re.escape(word)}\b", text) for word in words)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_profile_turns_off_what_a_rule_asks_for(profile: str) -> None:
    """RK-23"""
    settings = Settings.model_validate({"profile": profile, **PROFILES[profile]})

    assert [control.name for control in CONTROLS if control.rules and control.is_off(settings)] == []


def test_a_table_that_is_written_by_hand_stays_as_it_is() -> None:
    """RK-23"""
    by_hand = "<!-- hand: begin -->\n\n| a |\n\n<!-- hand: end -->\n"

    assert page(PAGE.read_text() + by_hand) == PAGE.read_text() + by_hand
