"""docs/EXECUTION.md says what the program does: its tables are those of the registries."""

from __future__ import annotations

import pytest

from core.execution.order_states import BROKER_STATUSES
from core.model.order import OrderStatus
from core.risk.checks import standard_gate
from docs.execution import PAGE, TABLES, page, transitions
from docs.pages import BLOCK


def test_the_committed_page_is_what_a_fresh_generation_would_write() -> None:
    """EX-19: where this fails, run `.venv/bin/python docs/execution.py`."""
    text = PAGE.read_text()

    assert page(text) == text


def test_every_table_stands_on_the_page_exactly_once() -> None:
    """EX-19"""
    assert sorted(block[2] for block in BLOCK.finditer(PAGE.read_text())) == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_table_makes_the_page_differ(name: str) -> None:
    """EX-19"""
    text = PAGE.read_text()
    tampered = text.replace(TABLES[name](), TABLES[name]().replace("| ", "| never ", 1), 1)

    assert tampered != text
    assert page(tampered) == text


def test_an_unknown_marker_is_an_error() -> None:
    """EX-19"""
    with pytest.raises(KeyError, match="weather"):
        page("<!-- weather: begin -->\n<!-- weather: end -->")


def test_the_tables_leave_nothing_out() -> None:
    """EX-19, EX-01"""
    assert all(f"| {status.value} |" in transitions() for status in OrderStatus)
    assert all(f"`{word}`" in TABLES["broker_statuses"]() for word in BROKER_STATUSES)
    assert all(f"| {check.name} |" in TABLES["checks"]() for check in standard_gate().checks)
    assert "| PARTIALLY_FILLED | PARTIALLY_FILLED, FILLED, EXPIRED | CANCELLED |" in transitions()
