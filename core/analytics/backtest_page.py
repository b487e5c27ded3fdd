"""The HTML page of backtests: charts with axes, dates and a benchmark, measures, and every trade (AN-04).

Each chart states its data, period and costs. The file is self-contained: it holds no script and loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise

import pandas as pd

from core.analytics import charts
from core.analytics.charts import FIRST, GAIN, LOSS, SECOND, Day, chart
from core.analytics.metrics import drawdowns
from core.analytics.presentation import (
    COLUMNS,
    NONE,
    ROLLING,
    Result,
    document,
    drawdown_in_words,
    escaped,
    folded,
    of_few_sessions,
    of_the_bars,
    of_what_is_modelled,
    of_what_is_not_measured,
    paragraphs,
    sampled_places,
    table,
    told,
)

STYLE = (
    charts.STYLE
    + """
.scroll{overflow-x:auto}
table.months td,table.months th{text-align:right;padding:.1rem .4rem;font-variant-numeric:tabular-nums}
.figures td:not(:first-child),.figures th:not(:first-child){text-align:right}
.measures{columns:2 20rem;column-gap:2rem}.measures table{width:100%}
"""
)
POINTS = 700
"""The most points of a curve: a wide screen has few more columns."""
HIGH, LOW = 2.6, 1.9
"""Inches."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DARKEST = 0.10
"""The monthly return, up or down, from which a cell is no darker."""
SHOWN_LEVELS = 200
"""The most trades whose stops are drawn; more would cover the prices."""
MORE_COSTS = (0, 1, 2, 5, 10, 20)
"""Basis points of the value of each side, on top of the costs of the run."""
DAYS_A_YEAR = 365.25
SMALL = 0.01
"""Returns that are all smaller are shown with a second decimal."""


def page(results: Sequence[Result]) -> str:
    """Return the complete file."""
    return document("Keyturn backtest", (part for result in results for part in _result(result)), STYLE)


def _result(result: Result) -> Iterator[str]:
    strategy = result["strategy"] or ", ".join(result["reasons"])
    yield "<h2>" + escaped(f"{result['file']}: {strategy}, profile {result['profile']}") + "</h2>"
    yield from paragraphs([f"Costs: {costs_in_words(result)}."])
    if "interrupted" in result:
        yield "<p><strong>Interrupted: the file was not played to its end.</strong></p>"
    yield from (f"<p><strong>{escaped(line)}</strong></p>" for line in of_the_bars(result))
    head = [("symbol", str(result["symbol"])), ("bars", f"{result['bars']:,}"), ("timeframe", str(result["timeframe"]))]
    yield f'<div class="measures">{table([*head, *told(result["metrics"])], number=1)}</div>'
    notes = (of_few_sessions(result["metrics"]), of_what_is_not_measured(result), *of_what_is_modelled(result))
    yield from paragraphs(filter(None, notes))
    if len(result["equity"]) > 1:
        yield from _curves(result)
    yield from _of_trades(result)
    counted = [(who, reason, n) for who, reasons in result["reasons"].items() for reason, n in reasons.items()]
    counted += [("gate", reason, n) for reason, n in result["skipped"].items()]
    yield "<h3>Why it did not trade</h3>" + table([(who, reason, f"{n:,}") for who, reason, n in counted], number=2)
    for name in ("trades", "signals", "orders"):
        columns = COLUMNS[name]
        rows = [[row[column] or "" for column in columns] for row in result[name]]
        whole = table(rows, [column.replace("_", " ") for column in columns])
        yield folded(f"{len(rows):,} {name}", f'<div class="scroll">{whole}</div>')


def costs_in_words(result: Result) -> str:
    """Return what trading costs in this run."""
    costs = {name: float(value) for name, value in result["costs"].items()}
    least, most = costs["slippage"] * 1e4, (costs["slippage"] + costs["slippage_by_size"]) * 1e4
    slippage = f"{least:g} bp" if least == most else f"{least:g}–{most:g} bp by size"
    return (
        f"slippage {slippage}, half a spread of {costs['half_spread_ticks']:g} "
        f"{'tick' if costs['half_spread_ticks'] == 1 else 'ticks'}, "
        f"{costs['fee_per_share']:g} USD a share, interest {costs['margin_interest'] * 100:g} % a year"
    )


def _stated(result: Result, *more: str) -> str:
    """Return the caption of a chart: its data, period and costs."""
    first, last = result["equity"][0]["day"], result["equity"][-1]["day"]
    return ". ".join((f"{result['file']}, {first} to {last}", costs_in_words(result), *filter(None, more))) + "."


# ── curves by day ────────────────────────────────────────────────────────────────────────────────────────────────────


def _curves(result: Result) -> Iterator[str]:
    rows, name = result["equity"], _name(result)
    kept = [rows[place] for place in sampled_places(len(rows), POINTS)]
    days: list[Day] = [date.fromisoformat(row["day"]) for row in kept]
    equity = [row["equity"] for row in kept]
    yield chart(
        f"{name}-equity",
        "Equity, USD",
        _stated(result),
        charts.lines(days, [("equity", equity, FIRST)], charts.dollars),
        HIGH,
    )
    words = f"Deepest drawdown {drawdown_in_words(result['metrics'])}"
    falls = [-row["drawdown"] for row in kept]
    draw = charts.areas(days, [("drawdown", falls, LOSS)], charts.percent)
    yield chart(f"{name}-drawdown", "Drawdown", _stated(result, words), draw, LOW)
    if result["splits"]:
        yield from paragraphs(["No comparison with buy and hold: the prices are not adjusted for splits."])
    elif equity[0] > 0:
        held = [row["buy_and_hold"] / equity[0] * 100 for row in kept]
        grown = [("strategy", [value / equity[0] * 100 for value in equity], FIRST), ("buy and hold", held, SECOND)]
        deepest = drawdowns(pd.Series([row["buy_and_hold"] for row in rows], dtype=float)).max()
        words = (
            f"Buy and hold buys {result['symbol']} at the first open, without costs and dividends; "
            f"its deepest drawdown is {deepest * 100:.1f} %"
        )
        draw = charts.lines(days, grown, charts.plain)
        yield chart(f"{name}-beside", "Growth of 100 beside buy and hold", _stated(result, words), draw, HIGH)
    yield from _months(result)
    if result["rolling"]:
        rolling = [result["rolling"][place] for place in sampled_places(len(result["rolling"]), POINTS)]
        at: list[Day] = [date.fromisoformat(row["day"]) for row in rolling]
        sharpes = [float("nan") if row["sharpe"] is None else row["sharpe"] for row in rolling]
        draw = charts.lines(at, [("Sharpe", sharpes, FIRST)], charts.plain)
        yield chart(f"{name}-sharpe", f"Sharpe ratio of {ROLLING} sessions, a year", _stated(result), draw, LOW)
    exposed = [(row["exposure"] / row["equity"]) if row["equity"] > 0 else 0.0 for row in kept]
    if not any(exposed):
        yield from paragraphs(["No position was held at a close."])
        return
    draw = charts.areas(days, [("exposure", exposed, FIRST)], charts.percent)
    caption = _stated(result, f"Value of positions over equity at each close. {_turnover(result)}")
    yield chart(f"{name}-exposure", "Exposure", caption, draw, LOW)


def _name(result: Result) -> str:
    """Return a name for identifiers within the page."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in result["file"])


def _traded(result: Result) -> float:
    """Return the value of all executions, USD: both sides."""
    return sum(float(o["filled_quantity"]) * float(o["average_price"]) for o in result["orders"] if o["average_price"])


def _turnover(result: Result) -> str:
    """Return how often the mean equity was traded in a year."""
    rows, traded = result["equity"], _traded(result)
    mean = sum(row["equity"] for row in rows) / len(rows)
    span = (date.fromisoformat(rows[-1]["day"]) - date.fromisoformat(rows[0]["day"])).days / DAYS_A_YEAR
    if mean <= 0 or span <= 0:
        return ""
    return f"Traded {traded:,.0f} USD, {traded / mean / span:,.1f} times the mean equity a year"


def _months(result: Result) -> Iterator[str]:
    """Yield the return of each month, and of each year, as a table; none for less than two months."""
    closes: dict[tuple[int, int], float] = {}
    for row in result["equity"]:
        day = date.fromisoformat(row["day"])
        closes[day.year, day.month] = row["equity"]
    months = sorted(closes)
    if len(months) <= 2:  # noqa: PLR2004 - the first is that of the opening
        return
    returns = {
        month: closes[month] / closes[before] - 1 if closes[before] > 0 else 0.0 for before, month in pairwise(months)
    }
    places = 2 if max(map(abs, returns.values())) < SMALL else 1
    rows = []
    for year in sorted({year for year, _ in returns}):
        of_year = [returns.get((year, month)) for month in range(1, 13)]
        whole = 1.0
        for each in of_year:
            whole *= 1 + (each or 0.0)
        cells = "".join(_month_cell(each, places) for each in of_year)
        rows.append(f"<tr><th>{year}</th>{cells}<td><b>{_percent(whole - 1, places)}</b></td></tr>")
    head = "".join(f"<th>{name}</th>" for name in ("", *MONTHS, "year"))
    yield "<h3>Monthly returns, %</h3>"
    yield f'<div class="scroll"><table class="months"><tr>{head}</tr>{"".join(rows)}</table></div>'
    yield f"<figcaption>{escaped(_stated(result))}</figcaption>"


def _month_cell(value: float | None, places: int) -> str:
    if value is None:
        return f"<td>{NONE}</td>"
    colour = "var(--gain)" if value > 0 else "var(--loss)"
    share = min(abs(value) / DARKEST, 1.0) * 60
    shade = f' style="background:color-mix(in srgb,{colour} {share:.0f}%,transparent)"' if round(share) else ""
    return f"<td{shade}>{_percent(value, places)}</td>"


def _percent(value: float, places: int) -> str:
    shown = round(value * 100, places)
    return f"{shown:+.{places}f}" if shown else "0"


# ── trades ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_trades(result: Result) -> Iterator[str]:
    trades = result["trades"]
    if not trades or len(result["equity"]) < 2:  # noqa: PLR2004
        return
    name = _name(result)
    profits = [float(trade["profit"]) for trade in trades if trade["profit"] is not None]
    if profits:
        caption = _stated(result, f"{len(profits):,} closed trades, after costs")
        yield chart(f"{name}-profits", "Profit of a trade, USD", caption, charts.distribution(profits), LOW)
    if len(result["prices"]) > 1:
        days: list[Day] = [datetime.fromisoformat(row["time"]) for row in result["prices"]]
        prices = [row["close"] for row in result["prices"]]
        caption = _stated(result, "Prices are raw closes", _shown(len(trades)))
        draw = charts.markers(days, prices, _points(trades), _levels(trades[-SHOWN_LEVELS:]))
        yield chart(f"{name}-price", f"Trades on the price of {result['symbol']}, USD", caption, draw, HIGH)
    yield from _cost_table(result)


def _shown(many: int) -> str:
    return "" if many <= SHOWN_LEVELS else f"Stops of the last {SHOWN_LEVELS} of {many:,} trades"


def _points(trades: Sequence[Result]) -> list[tuple[str, str, str, list[tuple[Day, float]]]]:
    entries = [(datetime.fromisoformat(each["entry_time"]), float(each["entry_price"])) for each in trades]
    exits: dict[bool, list[tuple[Day, float]]] = {True: [], False: []}
    for each in trades:
        exits[float(each["profit"] or 0) >= 0].append(
            (datetime.fromisoformat(each["exit_time"]), float(each["exit_price"]))
        )
    return [("entry", "^", FIRST, list(entries)), ("gain", "o", GAIN, exits[True]), ("loss", "X", LOSS, exits[False])]


def _levels(trades: Sequence[Result]) -> list[tuple[Day, Day, float]]:
    return [
        (
            datetime.fromisoformat(each["entry_time"]),
            datetime.fromisoformat(each["exit_time"]),
            float(each["stop_price"]),
        )
        for each in trades
        if each["stop_price"] is not None
    ]


def _cost_table(result: Result) -> Iterator[str]:
    """Yield the profit if each side of every trade had cost more of its value."""
    measures, traded = result["metrics"], _traded(result)
    net = float(measures["last_equity"]) - float(measures["first_equity"])
    rows = [
        (f"{more:g} bp", f"{traded * more / 1e4:,.2f}", f"{net - traded * more / 1e4:+,.2f}") for more in MORE_COSTS
    ]
    head = ("more a side", "costs more, USD", "profit, USD")
    yield f'<h3>Profit at higher costs</h3><div class="figures">{table(rows, head)}</div>'
    even = f"Break-even at {net / traded * 1e4:.1f} bp more a side" if net > 0 and traded > 0 else ""
    yield f"<figcaption>{escaped(_stated(result, 'The trades stay the same', even))}</figcaption>"
