"""Common parts of subcommands: options, JSON, errors."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import orjson
import typer

from console.commands.assembly.host import Host
from core.model.session import HOME
from core.model.text_sanitizer import harmless, harmless_json
from core.model.values import number_in
from core.ports import OperatorError
from state.accounts import Chosen

Account = Annotated[
    str | None, typer.Option("--account", help="Account folder; default: the running account, or the last one.")
]
JournalDir = Annotated[
    Path | None, typer.Option("--journal-dir", help="A folder of journal segments, as written by a replay.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Override a setting: KEY=VALUE with a TOML value, as strategies.vwap.entry_deviation=0.002"
    ),
]
Zone = Annotated[
    str, typer.Option("--zone", metavar="ZONE", help=f"Time zone of times without one, as {HOME.zone.key}.")
]
VixFile = Annotated[Path | None, typer.Option("--vix", help="CSV of the VIX (date,close) for the daily regime.")]
MarketFile = Annotated[
    Path | None,
    typer.Option("--market", help="CSV of SPY's daily bars (date,high,low,close) for trend and volatility."),
]

FASTEST = 1_000_000
"""The maximum of `--speed`, in virtual seconds per second."""


def host_of(context: typer.Context) -> Host:
    host: Host = context.obj
    return host


def say(text: str, *, err: bool = False) -> None:
    """Print one line, made harmless (SY-06). All output goes through here or `print_json`."""
    _print(harmless(text), err=err)


def print_json(
    value: object, option: int = orjson.OPT_INDENT_2, default: Callable[[object], object] | None = None
) -> None:
    """Print JSON with every control character escaped, which leaves the same JSON (SY-06)."""
    _print(harmless_json(orjson.dumps(value, default=default, option=option).decode()))


def tell(
    is_json: bool,
    value: Callable[[], object],
    lines: Iterable[str],
    *written: Path | None,
    csv: Path | None = None,
    option: int = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z,
) -> None:
    """Print a result as JSON, or as lines and the names of the files that were written.

    Its tables go to the folder `csv` in either case, which `checked_folder` found free before anything was read.
    """
    found = value() if is_json or csv is not None else None
    if csv is not None:
        from console.commands.assembly.tables import write_result

        write_result(csv, found)
    if is_json:
        print_json(found, option)
        return
    for line in lines:
        say(line)
    for path in (*written, csv):
        if path is not None:
            say(f"written: {path}")


def tell_of_bars(files: Iterable[Path], *, are_named: bool = False) -> None:
    """Say which files of bars are read although none was named, and of all which no market had."""
    from core.market.bar_folder import simulated_in

    names = [path.name for path in files]
    if words := simulated_in(names) or ("" if are_named else f"bars: {', '.join(names)}"):
        say(words, err=True)


def _print(text: str, *, err: bool = False) -> None:
    """Print one line at once. A write error is reported as one of the output."""
    try:
        typer.echo(text, err=err)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OperatorError(
            f"the output cannot be written: {error.strerror}; free some room, or print elsewhere"
        ) from None


PAGE = re.compile(rb"<!doctype html>\n<html[^>]*><head><meta[^>]*><title>Keyturn\b")
PICTURE = re.compile(rb"\x89PNG.{0,120}Title\0Keyturn\b", re.DOTALL)
"""The beginning of our pages and pictures: such a file may be overwritten."""


def checked_page(path: Path | None, option: str = "--html", ours: re.Pattern[bytes] = PAGE) -> None:
    """Check that the file of an option can be written, before anything is read. Raises `OperatorError`."""
    if path is None:
        return
    if not path.parent.is_dir():
        raise OperatorError(f"{option} {path}: there is no folder {path.parent}; name one that there is")
    if os.path.lexists(path) and not _begins_as(path, ours):
        raise OperatorError(f"{option} {path} is there already and is not Keyturn's; name a new file")


def _begins_as(path: Path, ours: re.Pattern[bytes]) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return ours.match(file.read(300)) is not None
    except OSError:
        return False


def write_page(path: Path, content: str | bytes, option: str = "--html") -> None:
    """Write the file of an option, replacing an older one atomically. Raises `OperatorError`."""
    from state.files import replace_file

    try:
        replace_file(path, content.encode() if isinstance(content, str) else content, durable=False)
    except OSError as error:
        raise OperatorError(f"{option} {path} cannot be written: {error.strerror}; name another file") from None


PageFile = Annotated[Path | None, typer.Option("--html", help="Write a self-contained HTML page.")]
Profile = Annotated[str | None, typer.Option("--profile", help="Settings profile: micro, swing or freqtrade.")]
OnlyStrategy = Annotated[
    str | None, typer.Option("--strategy", help="Run only this strategy; default: those enabled in the settings.")
]
WithoutFrictions = Annotated[
    bool,
    typer.Option("--without-frictions", help="Simulate no slippage, partial fills, rejections, halts or interest."),
]
TablesFolder = Annotated[
    Path | None, typer.Option("--csv", metavar="FOLDER", help="Write each table as CSV to this new or empty folder.")
]


def chosen(option: str, key: str, value: str | Sequence[str] | None) -> tuple[Chosen, ...]:
    """Return the setting for an option; empty if it was not given."""
    text = json.dumps(value, ensure_ascii=False)
    return () if value is None else (Chosen(f"{key}={text}", option),)


def counted(number: object, what: str) -> str:
    """Format a count: `1 segment`, `2 segments`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def cents(amount: object) -> str:
    """Format an amount of USD: `-0.16`."""
    return f"{Decimal(str(amount)):.2f}"


def speed_of(text: str) -> float | None:
    """Parse a speed: `max` is None, otherwise a number above zero, up to `FASTEST`."""
    if text == "max":
        return None
    speed = float(number_in(text) or 0)
    if not 0 < speed <= FASTEST:
        raise OperatorError(f"--speed {text}: a number above zero, {FASTEST:,} at most, or `max`")
    return speed
