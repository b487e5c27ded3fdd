"""Rows that are built again only when a value of theirs changed."""

from __future__ import annotations

from core.model.kept_rows import KeptRows


class Counting:
    def __init__(self) -> None:
        self.built: list[tuple[str, int]] = []
        self.kept = KeptRows[str]()

    def _row(self, key: str, value: int) -> str:
        self.built.append((key, value))
        return f"{key} {value}"

    def built_for(self, *values: tuple[str, int]) -> list[tuple[str, int]]:
        self.built = []
        row = self.kept.begin(self._row)
        assert [row(key, value) for key, value in values] == [f"{key} {value}" for key, value in values]
        return self.built


def test_only_a_row_with_a_changed_value_is_built() -> None:
    rows = Counting()

    assert rows.built_for(("SPY", 1), ("IBM", 1)) == [("SPY", 1), ("IBM", 1)]
    assert rows.built_for(("IBM", 1), ("SPY", 2)) == [("SPY", 2)]
    assert rows.built_for(("IBM", 1), ("SPY", 2)) == []


def test_a_row_that_left_is_built_again() -> None:
    rows = Counting()
    rows.built_for(("SPY", 1), ("IBM", 1))
    rows.built_for(("SPY", 1))

    assert rows.built_for(("SPY", 1), ("IBM", 1)) == [("IBM", 1)]


def test_rows_with_one_key_are_all_there() -> None:
    rows = Counting()
    rows.built_for(("SPY", 1), ("SPY", 2))

    assert rows.built_for(("SPY", 1), ("SPY", 2)) == [("SPY", 1)]


def test_a_value_given_by_its_name_counts_too() -> None:
    kept = KeptRows[str]()

    assert [kept.begin(Counting()._row)("SPY", value=value) for value in (1, 2)] == ["SPY 1", "SPY 2"]
