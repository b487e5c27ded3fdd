"""A plot in plain text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.analytics.presentation import plotted, sampled


def whole(value: float) -> str:
    return f"{value:,.0f}"


def test_a_plot_has_its_scale_beside_it() -> None:
    """AN-04"""
    assert plotted([1, 2, 3, 4], 20, 2, whole) == ["4 ┤  ▃█", "1 ┤▁▅██"]


def test_what_hangs_is_drawn_from_the_top() -> None:
    """AN-04"""
    assert plotted([0.0, 2.0, 4.0], 20, 2, whole, hangs=True) == ["0 ┤ ██", "4 ┤  █"]


@given(st.lists(st.floats(-1e6, 1e6), max_size=300), st.integers(20, 120), st.integers(1, 10), st.booleans())
def test_no_line_is_wider_than_it_may_be(values: list[float], width: int, height: int, hangs: bool) -> None:
    """SY-07"""
    figures = [abs(value) for value in values] if hangs else values

    lines = plotted(figures, width, height, whole, hangs=hangs)

    assert len(lines) == (height if values else 0)
    assert all(len(line) <= width for line in lines)


def test_of_many_values_the_last_is_always_shown() -> None:
    """AN-04"""
    assert sampled(list(range(1000)), 7)[-1] == 999
    assert len(sampled(list(range(1000)), 7)) == 7
