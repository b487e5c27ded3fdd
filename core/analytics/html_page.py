"""Results as self-contained HTML files: escaped text, plots, the page of a run and of an attestation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import chain, repeat

from core.analytics.wording import (
    COLUMNS,
    Result,
    drawdown_in_words,
    of_the_bars,
    of_what_is_modelled,
    of_what_is_not_measured,
    told,
)
from core.model.harmless_text import harmless


def escaped(text: str) -> str:
    """Escape for the terminal, then for HTML (SY-06)."""
    return escape(harmless(text))


BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = len(BLOCKS) - 1
"""Steps of one character."""


def plotted(
    values: Sequence[float], width: int, height: int, label: Callable[[float], str], *, hangs: bool = False
) -> list[str]:
    """Return the lines of a plot, its scale at the left; no line is wider than `width`. Empty without values.

    A column shows the last value of its part of the series. `hangs` draws from the top down, for drawdowns: 0 is then
    the top.
    """
    if not values or height < 1:
        return []
    low, high = (0.0, max(values)) if hangs else (min(values), max(values))
    marks = [label(high), *[""] * (height - 2), label(low)] if height > 1 else [label(high)]
    if hangs:
        marks.reverse()
    margin = max(map(len, marks)) + 2
    columns = sampled(values, max(width - margin, 1))
    span = (high - low) or 1.0
    fills = [round((value - low) / span * height * EIGHTHS) for value in columns]
    if not hangs:
        fills = [max(fill, 1) for fill in fills]
    rows = [[_block(fill - row * EIGHTHS, hangs=hangs) for fill in fills] for row in range(height)]
    if not hangs:
        rows.reverse()
    return [f"{mark:>{margin - 2}} ┤{''.join(row)}" for mark, row in zip(marks, rows, strict=True)]


def _block(fill: int, *, hangs: bool) -> str:
    """Return the character of a column filled by this many eighths; from the top only whole and half blocks exist."""
    eighths = min(max(fill, 0), EIGHTHS)
    if not hangs:
        return BLOCKS[eighths]
    return " ▔▀█"[0 if eighths == 0 else 1 if eighths < EIGHTHS // 2 else 2 if eighths < EIGHTHS else 3]


def sampled(values: Sequence[float], many: int) -> list[float]:
    """Return at most this many values: the last of each part, including the very last."""
    if len(values) <= many:
        return list(values)
    return [values[(number + 1) * len(values) // many - 1] for number in range(many)]


WIDTH, HEIGHT, LOW = 900, 220, 110
"""Pixels of a plot; the drawdown's is lower."""
POINTS = 900
NUMBER = ' class="n"'
STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:940px;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;font-size:13px}
td,th{padding:.15rem .7rem .15rem 0;text-align:left;border-bottom:1px solid #e3e6ea}td.n{text-align:right}
svg{width:100%;height:auto;background:#f7f8fa}details{margin-top:1rem}
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#15181c}svg{background:#1d2126}
td,th{border-color:#2c3138}}
"""


def document(title: str, body: Iterable[str], style: str = "") -> str:
    """Return a complete file; `style` is added to that of every page."""
    words, parts = escaped(title), "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{words}</title>'
        f"<style>{STYLE}{style}</style></head>\n<body>\n<h1>{words}</h1>\n{parts}\n</body></html>\n"
    )


def table(
    rows: Iterable[Sequence[object]],
    head: Sequence[str] = (),
    *,
    number: int | None = None,
    fails: Sequence[bool] = (),
) -> str:
    """Return a table; the column `number` is right-aligned, and rows that fail are marked."""
    over = "<tr>" + "".join(f"<th>{escaped(name)}</th>" for name in head) + "</tr>" if head else ""
    marks = chain((' class="fails"' if failed else "" for failed in fails), repeat(""))
    body = "".join(
        f"<tr{mark}>"
        + "".join(f"<td{NUMBER if at == number else ''}>{escaped(str(cell))}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row, mark in zip(rows, marks, strict=False)
    )
    return f"<table>{over}{body}</table>"


def folded(summary: str, content: str) -> str:
    return f"<details><summary>{escaped(summary)}</summary>{content}</details>"


def paragraphs(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"<p>{escaped(line)}</p>" for line in lines)


def page(results: Sequence[Result]) -> str:
    return document("Keyturn backtest", (part for result in results for part in _result(result)))


def _result(result: Result) -> Iterator[str]:
    strategy = result["strategy"] or ", ".join(result["reasons"])
    yield "<h2>" + escaped(f"{result['file']}: {strategy}, {result['profile']}") + "</h2>"
    if "interrupted" in result:
        yield "<p><strong>Interrupted: the file was not played to its end.</strong></p>"
    yield from (f"<p><strong>{escaped(line)}</strong></p>" for line in of_the_bars(result))
    yield table(_all(result), number=1)
    yield from paragraphs((of_what_is_not_measured(result), *of_what_is_modelled(result)))
    equity = [float(each["equity"]) for each in result["equity"]]
    below = [-float(each["drawdown"]) for each in result["equity"]]
    if len(equity) > 1:
        days = f"{result['equity'][0]['day']} to {result['equity'][-1]['day']}"
        yield f"<h3>Equity, USD: {min(equity):,.2f} to {max(equity):,.2f}, {days}</h3>" + plot(
            equity, HEIGHT, "#1f77b4"
        )
        words = escaped(drawdown_in_words(result["metrics"]))
        yield f"<h3>Drawdown: {words}</h3>" + plot(below, LOW, "#c0392b")
    counted = [(who, reason, n) for who, reasons in result["reasons"].items() for reason, n in reasons.items()]
    counted += [("gate", reason, n) for reason, n in result["skipped"].items()]
    yield "<h3>Why it did not trade</h3>" + table([(who, reason, f"{n:,}") for who, reason, n in counted], number=2)
    for name in ("trades", "signals", "orders"):
        columns = COLUMNS[name]
        rows = [[row[column] or "" for column in columns] for row in result[name]]
        yield folded(f"{len(rows):,} {name}", table(rows, [column.replace("_", " ") for column in columns]))


def _all(result: Result) -> list[tuple[str, str]]:
    return [
        ("symbol", str(result["symbol"])),
        ("bars", f"{result['bars']:,}"),
        ("timeframe", str(result["timeframe"])),
        *told(result["metrics"]),
    ]


def plot(values: Sequence[float], height: int, colour: str, under: str = "") -> str:
    """Return a curve as wide as `WIDTH`; `under` is drawn beneath it."""
    columns = sampled(values, POINTS)
    low, high = min(columns), max(columns)
    span = (high - low) or 1.0
    points = " ".join(
        f"{number * WIDTH / (len(columns) - 1):.1f},{height - 4 - (value - low) / span * (height - 8):.1f}"
        for number, value in enumerate(columns)
    )
    line = f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>'
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{under}{line}</svg>'


MORE = (
    "table{width:100%}td{vertical-align:top}tr.fails td:first-child{border-left:4px solid #c0392b;padding-left:.4rem}"
)
HEAD = ("control", "rule", "setting", "on", "last trip", "run", "test")


def attestation_page(rows: Sequence[Mapping[str, str]], fails: Sequence[bool], words: Sequence[str]) -> str:
    """Return the complete file.

    Parameters
    ----------
    rows
        The cells of each control by the names of `HEAD`.
    fails
        Whether each row is marked as failed.
    words
        The lines above the table: account, settings, load.
    """
    cells = [[row[name] for name in HEAD] for row in rows]
    return document("Keyturn attest", (*paragraphs(words), table(cells, HEAD, fails=fails)), MORE)
