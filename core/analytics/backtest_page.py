"""The HTML page of backtests: charts with axes, dates and a benchmark, measures, and every trade (AN-04).

Each chart states its data, period and costs. The file is self-contained: it holds no script and loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from math import prod

import pandas as pd

from core.analytics import charts
from core.analytics.charts import FIRST, GAIN, LOSS, SECOND, Day, Draw, chart
from core.analytics.metrics import deepest_falls, metrics, returns_of
from core.analytics.presentation import (
    COLUMNS,
    LINES,
    NONE,
    RECENT_TRADES,
    ROLLING,
    Result,
    document,
    drawdown_in_words,
    escaped,
    figures,
    folded,
    of_few_sessions,
    of_the_bars,
    of_what_is_modelled,
    of_what_is_not_measured,
    paragraphs,
    sampled_places,
    table,
    told,
    value_of,
)
from core.analytics.windows import DayOfEquity

STYLE = (
    charts.STYLE
    + """
table.months td,table.months th{text-align:right;padding:.1rem .3rem;font-size:12px;font-variant-numeric:tabular-nums}
.measures{columns:2 20rem;column-gap:2rem}.measures table{width:100%}
"""
)
POINTS = 700
"""The most points of a curve: a wide screen has few more columns."""
HIGH, LOW = 2.6, 1.9
"""Inches."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DARKEST = 0.10
"""The monthly return, up or down, from which a cell is no darker; the largest of the run, if that is less."""
SHOWN_LEVELS = 200
"""The most trades whose stops are drawn; more would cover the prices."""
MORE_COSTS = (0, 1, 2, 5, 10, 20)
"""Basis points of the value of each side, on top of the costs of the run."""
DAYS_A_YEAR = 365.25
SHOWN_FALLS = 5
"""The deepest drawdowns in the table."""
BESIDE = (
    *("total_return", "yearly_return", "sharpe", "sortino", "calmar", "max_drawdown"),
    *("drawdown_sessions", "longest_under_water"),
)
"""The measures that are compared with buy and hold."""
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
    """Return the caption of a chart: its data, period, costs, and trials of the strategy in sweeps."""
    equity, trials = result["equity"], result["trials"]
    first, last = equity[min(1, len(equity) - 1)]["day"], equity[-1]["day"]  # the first point is the day before
    tried = f"{trials:,} {'trial' if trials == 1 else 'trials'} in sweeps" if trials else "no trials in sweeps"
    data = f"{result['file']}, {first} to {last}; {tried}; {costs_in_words(result)}"
    return ". ".join((data, *filter(None, more))) + "."


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
    yield from _falls(result)
    if result["splits"]:
        yield from paragraphs(["No comparison with buy and hold: the prices are not adjusted for splits."])
    elif equity[0] > 0:
        yield from _beside(result)
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
    held = [row["exposure"] / row["equity"] if row["equity"] > 0 else 0.0 for row in rows]
    share, mean = sum(map(bool, held)) / len(held), sum(held) / len(held)
    means = f"{mean * 100:.2f} % in the mean, above 0 at {share * 100:.1f} % of the closes"
    words = f"Value of positions over equity at each close: {means}"
    caption = _stated(result, words, _turnover(result))
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


def _falls(result: Result) -> Iterator[str]:
    """Yield the deepest drawdowns as a table; none if the equity never fell."""
    rows = [
        (fall.peak, fall.trough, fall.recovered or NONE, f"{fall.depth * 100:.2f} %", f"{fall.sessions:,}")
        for fall in deepest_falls(_by_day(result, "equity"), SHOWN_FALLS)
    ]
    if rows:
        yield "<h3>Deepest drawdowns</h3>"
        yield figures(("peak", "deepest", "made good", "depth", "sessions"), rows)
        yield f"<figcaption>{escaped(_stated(result))}</figcaption>"


def _by_day(result: Result, name: str) -> pd.Series:
    """Return a column of the equity table by day."""
    rows = result["equity"]
    return pd.Series([row[name] for row in rows], [date.fromisoformat(row["day"]) for row in rows], dtype=float)


def _beside(result: Result) -> Iterator[str]:
    """Yield the growth beside buy and hold, as it is and at equal volatility, and the measures of both."""
    name, equity, held = _name(result), _by_day(result, "equity"), _by_day(result, "buy_and_hold")
    kept = sampled_places(len(equity), POINTS)
    days: list[Day] = [equity.index[place] for place in kept]

    def drawn(strategy: pd.Series, other: pd.Series) -> Draw:
        both = (("strategy", strategy, FIRST), ("buy and hold", other, SECOND))
        return charts.lines(
            days, [(what, [s.iloc[at] for at in kept], colour) for what, s, colour in both], charts.plain
        )

    growth = equity / equity.iloc[0] * 100
    words = f"Buy and hold buys {result['symbol']} at the first open, without costs and dividends"
    draw = drawn(growth, held / equity.iloc[0] * 100)
    yield chart(f"{name}-beside", "Growth of 100 beside buy and hold", _stated(result, words), draw, HIGH)
    returns, others = returns_of(equity), returns_of(held)
    if returns.std() > 0 and others.std() > 0:
        times = returns.std() / others.std()
        scaled = pd.concat([growth.iloc[:1], (1 + others * times).cumprod() * 100])
        words = f"The daily returns of buy and hold times {times:.3g}: both have the same volatility"
        draw = drawn(growth, scaled.reindex(equity.index).ffill())
        yield chart(f"{name}-volatility", "Growth of 100 at equal volatility", _stated(result, words), draw, HIGH)
    measured = metrics([DayOfEquity(day, value) for day, value in held.items()], [])
    rows = [
        (what, value_of(result["metrics"].get(key), kind), value_of(measured[key], kind))
        for key, what, kind in LINES
        if key in BESIDE
    ]
    yield figures(("", "strategy", "buy and hold"), rows)


def _months(result: Result) -> Iterator[str]:
    """Yield the return of each month, and of each year beside buy and hold; none for less than two months."""
    returns = _monthly(_by_day(result, "equity"))
    if len(returns) < 2:  # noqa: PLR2004
        return
    held = {} if result["splits"] else _monthly(_by_day(result, "buy_and_hold"))
    most = max(map(abs, returns.values()))
    places, darkest = 2 if most < SMALL else 1, min(most, DARKEST) or DARKEST
    rows = []
    for year in sorted({year for year, _ in returns}):
        others = f"<td>{_percent(_of_year(held, year), 1)}</td>" if held else ""
        cells = "".join(_month_cell(returns.get((year, month)), places, darkest) for month in range(1, 13))
        rows.append(
            f"<tr><th>{year}</th><td><b>{_percent(_of_year(returns, year), places)}</b></td>{others}{cells}</tr>"
        )
    head = "".join(f"<th>{name}</th>" for name in ("", "year", *(("buy, hold",) if held else ()), *MONTHS))
    yield "<h3>Monthly returns, %</h3>"
    yield f'<div class="scroll"><table class="months"><tr>{head}</tr>{"".join(rows)}</table></div>'
    yield f"<figcaption>{escaped(_stated(result))}</figcaption>"


def _monthly(values: pd.Series) -> dict[tuple[int, int], float]:
    """Return the return of each month; the first value is that of the opening."""
    closes = {(day.year, day.month): value for day, value in values.iloc[1:].items()}
    before = [values.iloc[0], *closes.values()]
    return {
        month: close / start - 1 if start > 0 else 0.0
        for start, (month, close) in zip(before, closes.items(), strict=False)
    }


def _of_year(returns: Mapping[tuple[int, int], float], year: int) -> float:
    """Return the compounded return of a year's months."""
    return prod(1 + value for (of, _), value in returns.items() if of == year) - 1


def _month_cell(value: float | None, places: int, darkest: float) -> str:
    if value is None:
        return f"<td>{NONE}</td>"
    colour = "var(--gain)" if value > 0 else "var(--loss)"
    share = min(abs(value) / darkest, 1.0) * 60
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
    yield from _on_the_price(result, "prices", f"Trades on the price of {result['symbol']}, USD", trades)
    if len(trades) > RECENT_TRADES:
        newest = trades[-RECENT_TRADES:]
        yield from _on_the_price(result, "recent_prices", f"The last {RECENT_TRADES} of {len(trades):,} trades", newest)
    yield from _cost_table(result)


def _on_the_price(result: Result, series: str, title: str, trades: Sequence[Result]) -> Iterator[str]:
    """Yield a chart of trades on a series of prices of the result; none for less than two prices."""
    if len(result[series]) < 2:  # noqa: PLR2004
        return
    days: list[Day] = [datetime.fromisoformat(row["time"]) for row in result[series]]
    prices, many = [row["close"] for row in result[series]], len(trades)
    stops = "" if many <= SHOWN_LEVELS else f"Stops of the last {SHOWN_LEVELS} of {many:,} trades"
    draw = charts.markers(days, prices, _points(trades), _levels(trades[-SHOWN_LEVELS:]))
    caption = _stated(result, "Prices are raw closes", stops)
    yield chart(f"{_name(result)}-{series.replace('_', '-')}", title, caption, draw, HIGH)


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
    yield "<h3>Profit at higher costs</h3>" + figures(head, rows)
    even = f"Break-even at {net / traded * 1e4:.1f} bp more a side" if net > 0 and traded > 0 else ""
    yield f"<figcaption>{escaped(_stated(result, 'The trades stay the same', even))}</figcaption>"
