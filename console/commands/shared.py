"""What several subcommands say in the same way: options, JSON, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from core.ports import Composition, OperatorError

Account = Annotated[
    str | None, typer.Option("--account", help="Account folder; without it the one that runs, or ran last.")
]
JournalDir = Annotated[
    Path | None, typer.Option("--journal-dir", help="A folder of journal segments, as a replay leaves it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting, KEY=VALUE, the value in TOML: strategies.vwap.entry_deviation=0.002"),
]


def composition_of(context: typer.Context) -> Composition:
    composition: Composition = context.obj
    return composition


def print_json(value: object) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def speed_of(text: str) -> float | None:
    """`max` is None; else a number above zero."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise OperatorError(f"--speed {text}: a number above zero, or `max`")
    return speed
