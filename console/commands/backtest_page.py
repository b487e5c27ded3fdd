"""What a backtest came to, for a person: one page a file, or several files beside each other. 80 columns are enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.analytics.plot import plotted
from core.analytics.tables import Result
from core.analytics.wording import drawdown_in_words, told, value_of
from core.model.signal import NoTradeReason
from widgets.grid_text import harmless

EQUITY_LINES, DRAWDOWN_LINES = 8, 4
PAUSED_FOR_GOOD = (
    "PAUSED: its equity curve shut it until somebody looks, and nobody did;\n"
    "--set risk.protections.equity_curve.enabled=false plays on."
)
SHOWN_TRADES = 10
"""The newest of them; --csv and --html have all."""


def page(result: Result, width: int) -> RenderableType:
    """Everything about one file."""
    return Group(*_parts(result, width))


def beside_each_other(results: Sequence[Result]) -> RenderableType:
    """One line a file."""
    table = Table(box=None, pad_edge=False)
    for name in ("file", "bars", "trades", "return", "Sharpe", "drawdown", "factor", "wins"):
        table.add_column(name, justify="left" if name == "file" else "right", overflow="fold")
    for result in results:
        measures = result["metrics"]
        figures = [
            value_of(measures[key], kind)
            for key, kind in (
                ("trades", "count"),
                ("total_return", "percent"),
                ("sharpe", "ratio"),
                ("max_drawdown", "percent"),
                ("profit_factor", "ratio"),
                ("win_rate", "percent"),
            )
        ]
        table.add_row(Text(harmless(str(result["file"]))), f"{result['bars']:,}", *figures)
    return table


def _parts(result: Result, width: int) -> Iterator[RenderableType]:
    equity = result["equity"]
    strategies = result["strategy"] or ", ".join(result["reasons"])
    unit = "daily" if result["timeframe"] == "1day" else "one-minute"
    yield Text(harmless(f"{result['file']}: {strategies}, profile {result['profile']}"), style="bold")
    days = f", {equity[1]['day']} to {equity[-1]['day']}" if len(equity) > 1 else ""
    yield Text(f"{result['bars']:,} {unit} bars{days}")
    if "interrupted" in result:
        yield Text("INTERRUPTED: the file was not played to its end; run it again", style="bold red")
    yield Text()
    yield _measures(result)
    yield Text()
    yield from _plots(result, width)
    yield _reasons(result)
    if any(NoTradeReason.PAUSED in counted for counted in result["reasons"].values()):
        yield Text(PAUSED_FOR_GOOD, style="yellow")
    if result["trades"]:
        yield Text()
        yield _trades(result)


def _measures(result: Result) -> Table:
    """Two measures a line."""
    lines = told(result["metrics"])
    half = (len(lines) + 1) // 2
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify)
    for left, right in zip(lines[:half], [*lines[half:], ("", "")], strict=False):
        table.add_row(*left, *right)
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
    """Bars on which it did nothing, by reason, and proposals that the gate refused."""
    table = Table(box=None, pad_edge=False)
    table.add_column("why it did not trade")
    table.add_column("reason")
    table.add_column("times", justify="right")
    for strategy, counted in result["reasons"].items():
        for reason, count in counted.items():
            table.add_row(strategy, reason, f"{count:,}")
    for reason, count in result["skipped"].items():
        table.add_row("the gate", Text(harmless(reason)), f"{count:,}")
    return table


def _trades(result: Result) -> Table:
    trades = result["trades"]
    newest = trades[-SHOWN_TRADES:]
    title = "trades" if len(newest) == len(trades) else f"trades, the last {len(newest)} of {len(trades):,}"
    table = Table(box=None, pad_edge=False)
    for name in (title, "in", "out", "why", "profit"):
        table.add_column(name, justify="right" if name in ("in", "out", "profit") else "left")
    for trade in newest:
        when = f"{str(trade['entry_time'])[:10]} {trade['symbol']} {trade['quantity']}"
        prices = str(trade["entry_price"]), str(trade["exit_price"])
        table.add_row(Text(harmless(when)), *prices, str(trade["exit_reason"]), str(trade["profit"]))
    return table
