"""Every command that reports figures prints JSON and writes CSV (SY-08)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from console.commands.assembly.host import Host
from console.commands.program import build
from console.commands.shared import tell
from core.views.export import tables_of

OF_THE_PROGRAM = frozenset(
    {
        *("agents list", "basket", "doctor", "engine status", "journal compress", "journal explain", "plan"),
        *("journal sign", "journal stamp", "journal tail", "journal verify", "journal why", "notify list"),
        *("notify test", "reconcile", "service status", "settings keys", "state reset", "state restore", "status"),
        *("strategies check", "strategies list", "touch list", "bars"),
    }
)
"""Commands about the program, its files and its journal's lines; the figures of `status` are in `export account`, and
`bars` writes CSV files anyway.
"""


def commands(of: object, name: str = "") -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(of, TyperGroup):
        for word, each in of.commands.items():
            yield from commands(each, f"{name} {word}".strip())
    elif isinstance(of, TyperCommand):
        yield name, of


def options(command: TyperCommand) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_every_report_is_json_and_csv() -> None:
    """SY-08"""
    every = dict(commands(get_command(build(Host.of({})))))
    as_json = {name for name, command in every.items() if "--json" in options(command)}
    as_csv = {name for name, command in every.items() if "--csv" in options(command)}

    assert as_json - as_csv == OF_THE_PROGRAM
    assert as_csv <= as_json


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines()))


@pytest.mark.parametrize("value", [-3.2e-05, 3.2e-05, -1e22, -0.5, "-3.2e-05", "+1E+2", "-12", "-.5"])
def test_a_small_figure_stays_a_number_in_csv(value: float | str) -> None:
    """SY-08: a float below 0.0001 is written with an exponent"""
    (text,) = dict(tables_of({"rows": [{"rate": value}]})).values()

    assert rows(text) == [["rate"], [str(value)]]
    assert float(rows(text)[1][0]) == float(value)


@pytest.mark.parametrize("text", ["-1+1", "=1", "+cmd|x", "-e5", "@A1", "-1e5+A1", "--1"])
def test_what_a_spreadsheet_would_reckon_with_is_text(text: str) -> None:
    """SY-08"""
    (table,) = dict(tables_of({"rows": [{"words": text}]})).values()

    assert rows(table)[1] == [f"'{text}"]


def test_no_part_of_a_result_is_left_out_of_its_tables() -> None:
    """SY-08: a plain list is a column, and a table within a table has its place in the name"""
    told = {"day": "2026-01-05", "notes": ["one", "two"], "trades": [{"symbol": "SPY", "profit": "1.5"}], "none": []}

    found = {name: rows(text) for name, text in tables_of({**told, "inner": {"legs": [{"id": 1}]}})}

    assert found == {
        "notes.csv": [["value"], ["one"], ["two"]],
        "trades.csv": [["symbol", "profit"], ["SPY", "1.5"]],
        "inner-legs.csv": [["id"], ["1"]],
        "values.csv": [["name", "value"], ["day", "2026-01-05"]],
    }


def test_a_result_that_is_a_list_is_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SY-08: its lines are printed too"""
    tell(False, lambda: [{"symbol": "SPY", "profit": 1}], ["SPY 1"], csv=tmp_path / "tables")

    assert capsys.readouterr().out.splitlines() == ["SPY 1", f"written: {tmp_path / 'tables'}"]
    assert rows((tmp_path / "tables" / "rows.csv").read_text()) == [["symbol", "profit"], ["SPY", "1"]]
