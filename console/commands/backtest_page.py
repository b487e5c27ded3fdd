"""The result of a backtest for people: one page per file, or several files side by side. 80 columns are enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from console.commands.shared import cents
from core.analytics.presentation import (
    Result,
    drawdown_in_words,
    of_few_sessions,
    of_the_bars,
    of_what_is_modelled,
    of_what_is_not_measured,
    plotted,
    told,
    value_of,
)
from core.model.signal import NoTradeReason
from core.model.text_sanitizer import harmless
from core.strategies.questions import RAISED

EQUITY_LINES, DRAWDOWN_LINES = 8, 4
PAUSED_FOR_GOOD = (
    "PAUSED: its equity curve shut it until somebody looks, and nobody did;\n"
    "--set risk.protections.equity_curve.enabled=false plays on."
)
PAUSED_AS_IT_FAILED = "PAUSED: it failed on several bars in a row; fix it and play again."
NARROW = 72
"""With fewer columns the measures are listed one per line."""
GAP = 2
"""Columns between two table columns."""
LEAST_OF_A_NAME = 12
"""The minimum width of a file's name, folded before a column is dropped."""
SHOWN_TRADES = 10
"""The newest trades shown; --csv and --html have all."""


BESIDE = (
    ("trades", "trades", "count"),
    ("return", "total_return", "percent"),
    ("Sharpe", "sharpe", "ratio"),
    ("drawdown", "max_drawdown", "percent"),
    ("factor", "profit_factor", "ratio"),
    ("wins", "win_rate", "percent"),
)
"""For each figure of a file: its column heading, key and format."""


def page(result: Result, width: int) -> RenderableType:
    """Return the page of one file."""
    return Group(*_parts(result, width))


def beside_each_other(results: Sequence[Result], width: int) -> RenderableType:
    """Return one line per file, and below them the notes on their bars."""
    columns = {
        "file": [harmless(str(result["file"])) for result in results],
        "bars": [f"{result['bars']:,}" for result in results],
        **{name: [value_of(result["metrics"][key], kind) for result in results] for name, key, kind in BESIDE},
    }
    told_of = (f"{result['file']}: {line}" for result in results for line in of_the_bars(result))
    below = (Text(harmless(line), style="yellow") for line in told_of)
    table = fitting(columns, width, ("wins", "factor", "drawdown", "bars", "Sharpe", "trades"), LEAST_OF_A_NAME)
    return Group(table, *below, Text(of_what_is_not_measured(results[0]), style="dim"))


def _parts(result: Result, width: int) -> Iterator[RenderableType]:
    equity = result["equity"]
    strategies = result["strategy"] or ", ".join(result["reasons"])
    unit = "daily" if result["timeframe"] == "1day" else "one-minute"
    yield Text(harmless(f"{result['file']}: {strategies}, profile {result['profile']}"), style="bold")
    days = f", {equity[1]['day']} to {equity[-1]['day']}" if len(equity) > 1 else ""
    yield Text(harmless(f"{result['bars']:,} {unit} bars of {result['symbol']}{days}"))
    yield from (Text(harmless(line), style="yellow") for line in of_the_bars(result))
    if "interrupted" in result:
        yield Text("INTERRUPTED: the file was not played to its end; run it again", style="bold red")
    yield Text()
    yield _measures(result, width)
    if few := of_few_sessions(result["metrics"]):
        yield Text(few, style="dim")
    yield Text(of_what_is_not_measured(result), style="dim")
    yield from (Text(line, style="dim") for line in of_what_is_modelled(result))
    yield Text()
    yield from _plots(result, width)
    yield _reasons(result)
    paused = [counted for counted in result["reasons"].values() if NoTradeReason.PAUSED in counted]
    if any(RAISED in counted for counted in paused):
        yield Text(PAUSED_AS_IT_FAILED, style="yellow")
    if any(RAISED not in counted for counted in paused):
        yield Text(PAUSED_FOR_GOOD, style="yellow")
    if result["trades"]:
        yield Text()
        yield from _trades(result, width)


def _measures(result: Result, width: int) -> Table:
    """Return the measures, two per line if there is room."""
    lines = told(result["metrics"])
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3 if width >= NARROW else 1, 0, 0))
    half = (len(lines) + 1) // 2 if width >= NARROW else len(lines)
    for _ in range(2 if width >= NARROW else 1):
        table.add_column(overflow="fold")
        table.add_column(justify="right", no_wrap=True)
    for number, left in enumerate(lines[:half]):
        table.add_row(*left, *(lines[half + number] if half + number < len(lines) else ()))
    return table


def fitting(columns: dict[str, list[str]], width: int, expendable: Sequence[str], least: int = 0) -> Table:
    """Return the columns that fit: a column is dropped as a whole, and no figure is ever cut.

    The first column is a name, left-aligned, folded to `least` columns if needed.
    """
    kept, (first, *_) = dict(columns), columns
    room = {name: max(map(len, (name, *cells))) + GAP for name, cells in columns.items()}
    room[first] = min(room[first], least + GAP) if least else room[first]
    for name in expendable:
        if sum(room[each] for each in kept) - GAP > width:
            del kept[name]
    table = Table(box=None, pad_edge=False)
    for name in kept:
        is_folded = name == first and bool(least)
        justify: Literal["left", "right"] = "left" if name == first else "right"
        table.add_column(name, justify=justify, overflow="fold", min_width=0 if is_folded else room[name] - GAP)
    for row in zip(*kept.values(), strict=True):
        table.add_row(*map(Text, row))
    return table


def _plots(result: Result, width: int) -> Iterator[RenderableType]:
    equity = [float(each["equity"]) for each in result["equity"]]
    below = [float(each["drawdown"]) for each in result["equity"]]
    if len(equity) < 2:  # noqa: PLR2004
        return
    yield Text("equity, USD", style="bold")
    yield Text("\n".join(plotted(equity, width, EQUITY_LINES, lambda value: f"{value:,.2f}")), style="cyan")
    yield Text(f"drawdown: {drawdown_in_words(result['metrics'])}", style="bold")
    if any(below):
        lines = plotted(below, width, DRAWDOWN_LINES, lambda value: f"{value * 100:.1f} %", hangs=True)
        yield Text("\n".join(lines), style="red")
    yield Text()


def _reasons(result: Result) -> Table:
    """Return the bars without an action, by reason, and the refused proposals."""
    table = Table(box=None, pad_edge=False)
    table.add_column("why it did not trade")
    table.add_column("reason")
    table.add_column("times", justify="right", no_wrap=True)
    for strategy, counted in result["reasons"].items():
        for reason, count in counted.items():
            table.add_row(strategy, reason, f"{count:,}")
    for reason, count in result["skipped"].items():
        table.add_row("the gate", Text(harmless(reason)), f"{count:,}")
    return table


def _trades(result: Result, width: int) -> Iterator[RenderableType]:
    trades = result["trades"]
    newest = trades[-SHOWN_TRADES:]
    many = "" if len(newest) == len(trades) else f", the last {len(newest)} of {len(trades):,}"
    yield Text(f"trades{many}", style="bold")
    columns = {
        "entry": [harmless(f"{str(each['entry_time'])[:10]} {each['symbol']} {each['quantity']}") for each in newest],
        "in": [str(each["entry_price"]) for each in newest],
        "out": [str(each["exit_price"]) for each in newest],
        "why": [str(each["exit_reason"]) for each in newest],
        "profit": [cents(each["profit"]) for each in newest],
    }
    yield fitting(columns, width, ("why", "in", "out"))
