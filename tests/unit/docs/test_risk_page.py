"""docs/RISK.md says what guards an account: its tables are those of the checks, the protections and the settings."""

from __future__ import annotations

import pytest

from core.risk.checks import standard_gate
from core.risk.protections.book import NAMES
from core.risk.size_factors import ALL
from core.settings.settings import PROFILES
from docs.pages import BLOCK
from docs.risk import PAGE, SIZES, TABLES, deeds_of, owner_of, page


def test_the_committed_page_is_what_a_fresh_generation_would_write() -> None:
    """RK-09: where this fails, run `.venv/bin/python docs/risk.py`."""
    text = PAGE.read_text()

    assert page(text) == text


def test_every_table_stands_on_the_page_exactly_once() -> None:
    """RK-09"""
    assert sorted(block[2] for block in BLOCK.finditer(PAGE.read_text())) == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_table_makes_the_page_differ(name: str) -> None:
    """RK-09"""
    text = PAGE.read_text()
    tampered = text.replace(TABLES[name](), TABLES[name]().replace("| ", "| never ", 1), 1)

    assert tampered != text
    assert page(tampered) == text


def test_the_tables_leave_no_check_no_protection_and_no_term_out() -> None:
    """RK-01, RK-09, RK-10"""
    assert all(f"| {check.name} |" in TABLES["checks"]() for check in standard_gate().checks)
    assert all(f"`risk.protections.{name}.enabled`" in TABLES["protections"]() for name in NAMES)
    assert all(f"| {scale.name} |" in TABLES["terms"]() for scale in ALL)
    assert len(SIZES) == len(ALL)
    assert f"| setting | {' | '.join(PROFILES)} | what it is |" in TABLES["limits"]()


def test_every_check_says_what_it_shuts_and_how_that_ends() -> None:
    """RK-06"""
    for check in standard_gate().checks:
        shuts, ends = deeds_of(owner_of(check))
        assert shuts, check.name
        assert ends, check.name


def test_a_check_that_does_not_say_how_it_ends_is_an_error() -> None:
    """RK-06"""

    class Silent:
        """Shuts every entry."""

    with pytest.raises(ValueError, match="Silent"):
        deeds_of(Silent)
