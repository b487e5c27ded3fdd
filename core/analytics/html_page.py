"""Results as a self-contained HTML file: style and plots are inline, and no network is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.analytics.html_text import escaped
from core.analytics.plot import sampled
from core.analytics.tables import COLUMNS, Result
from core.analytics.wording import drawdown_in_words, of_the_bars, of_what_is_modelled, of_what_is_not_measured, told

WIDTH, HEIGHT, LOW = 900, 220, 110
"""Pixels of a plot; the drawdown's is lower."""
POINTS = 900
STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:940px;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;font-size:13px}
td,th{padding:.15rem .7rem .15rem 0;text-align:left;border-bottom:1px solid #e3e6ea}td.n{text-align:right}
svg{width:100%;height:auto;background:#f7f8fa}details{margin-top:1rem}
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#15181c}svg{background:#1d2126}
td,th{border-color:#2c3138}}
"""


def page(results: Sequence[Result]) -> str:
    """Return the complete file."""
    body = "\n".join(part for result in results for part in _result(result))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Keyturn backtest</title>'
        f"<style>{STYLE}</style></head>\n<body>\n<h1>Keyturn backtest</h1>\n{body}\n</body></html>\n"
    )


def _result(result: Result) -> Iterator[str]:
    strategy = result["strategy"] or ", ".join(result["reasons"])
    yield f"<h2>{escaped(str(result['file']))}: {escaped(str(strategy))}, {escaped(str(result['profile']))}</h2>"
    if "interrupted" in result:
        yield "<p><strong>Interrupted: the file was not played to its end.</strong></p>"
    yield from (f"<p><strong>{escaped(line)}</strong></p>" for line in of_the_bars(result))
    rows = "".join(
        f'<tr><td>{escaped(name)}</td><td class="n">{escaped(value)}</td></tr>' for name, value in _all(result)
    )
    yield f"<table>{rows}</table><p>{escaped(of_what_is_not_measured(result))}</p>"
    yield from (f"<p>{escaped(line)}</p>" for line in of_what_is_modelled(result))
    equity = [float(each["equity"]) for each in result["equity"]]
    below = [-float(each["drawdown"]) for each in result["equity"]]
    if len(equity) > 1:
        days = f"{result['equity'][0]['day']} to {result['equity'][-1]['day']}"
        yield f"<h3>Equity, USD: {min(equity):,.2f} to {max(equity):,.2f}, {days}</h3>" + plot(
            equity, HEIGHT, "#1f77b4"
        )
        words = escaped(drawdown_in_words(result["metrics"]))
        yield f"<h3>Drawdown: {words}</h3>" + plot(below, LOW, "#c0392b")
    yield _reasons(result)
    for name in ("trades", "signals", "orders"):
        yield _folded(name, result[name])


def _all(result: Result) -> list[tuple[str, str]]:
    return [
        ("symbol", str(result["symbol"])),
        ("bars", f"{result['bars']:,}"),
        ("timeframe", str(result["timeframe"])),
        *told(result["metrics"]),
    ]


def plot(values: Sequence[float], height: int, colour: str) -> str:
    columns = sampled(values, POINTS)
    low, high = min(columns), max(columns)
    span = (high - low) or 1.0
    points = " ".join(
        f"{number * WIDTH / (len(columns) - 1):.1f},{height - 4 - (value - low) / span * (height - 8):.1f}"
        for number, value in enumerate(columns)
    )
    line = f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>'
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{line}</svg>'


def _reasons(result: Result) -> str:
    rows = [(strategy, reason, n) for strategy, counted in result["reasons"].items() for reason, n in counted.items()]
    rows += [("gate", reason, count) for reason, count in result["skipped"].items()]
    cells = "".join(
        f'<tr><td>{escaped(who)}</td><td>{escaped(reason)}</td><td class="n">{count:,}</td></tr>'
        for who, reason, count in rows
    )
    return f"<h3>Why it did not trade</h3><table>{cells}</table>"


def _folded(name: str, rows: Sequence[Result]) -> str:
    columns = COLUMNS[name]
    head = "".join(f"<th>{escaped(column.replace('_', ' '))}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escaped(str(row[column] or ''))}</td>" for column in columns) + "</tr>" for row in rows
    )
    return f"<details><summary>{len(rows):,} {name}</summary><table><tr>{head}</tr>{body}</table></details>"
