"""docs/CONTROLS.md names checks, settings and tests that there are (RK-23)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.risk.checks import standard_gate
from core.settings.settings import PROFILES, Settings

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "CONTROLS.md").read_text()
TABLE = PAGE.partition("<!-- controls: begin -->")[2].partition("<!-- controls: end -->")[0]
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TABLE.splitlines() if line.startswith("| ")][2:]
CODE = re.compile(r"`([^`]+)`")


def rows() -> list[list[str]]:
    assert len(ROWS) >= 13
    return ROWS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_control_is_a_check_with_settings_that_there_are_and_a_test_that_runs(row: list[str]) -> None:
    """RK-23"""
    _, check, asked_by, settings, shown, test = row

    assert CODE.findall(check)[0] in {each.name for each in standard_gate().checks}
    assert asked_by
    assert shown
    for key in [name for name in CODE.findall(settings) if name.startswith("risk.")]:
        part: object = Settings()
        for name in key.split("."):
            part = getattr(part, name)
    path, _, function = CODE.findall(test)[0].partition("::")
    assert f"def {function}(" in (ROOT / path).read_text() if function else (ROOT / path).is_file()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_sets_what_the_page_says_it_turns_on(profile: str) -> None:
    """RK-23"""
    bare, own = Settings(), Settings.model_validate({"profile": profile, **PROFILES[profile]})
    keys = [key for row in rows() for key in CODE.findall(row[3]) if key.startswith("risk.")]
    same = [key for key in keys if _of(bare, key) == _of(own, key)]

    assert set(same) <= {
        "risk.max_notional",  # of before, and the default is micro's
        "risk.collar.period_minutes",
        "risk.collar.passive_band",
        "risk.margin.deficit_days",
    }


def _of(settings: object, key: str) -> object:
    for name in key.split("."):
        settings = getattr(settings, name)
    return settings
