"""Presentation of results: names and formats of the measures, CSV texts, and self-contained HTML files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from itertools import chain, repeat
from typing import Any

from core.model.signal import FAILED_WORDS
from core.model.text_sanitizer import harmless

# ── names and formats ────────────────────────────────────────────────────────────────────────────────────────────────

NONE = "–"
ROLLING = 63
"""Sessions of a quarter: the window of rolling figures, and the least for annualized measures (AN-01)."""
FEWEST_TRADES = 30
"""Under so many trades a figure carries a warning: too few to tell it from chance."""
RECENT_TRADES = 10
"""The newest trades with a chart of their own."""
SHOWN_SPLITS = 5
"""The maximum of splits named on a page; a file with more has no market prices."""

LINES: tuple[tuple[str, str, str], ...] = (
    ("total_return", "total return", "percent"),
    ("yearly_return", "return a year", "percent"),
    ("sharpe", "Sharpe", "ratio"),
    ("sortino", "Sortino", "ratio"),
    ("calmar", "Calmar", "ratio"),
    ("omega", "Omega", "ratio"),
    ("max_drawdown", "deepest drawdown", "percent"),
    ("drawdown_sessions", "drawdown length", "count"),
    ("longest_under_water", "longest under water", "count"),
    ("trades", "trades", "count"),
    ("win_rate", "win rate", "percent"),
    ("profit_factor", "profit factor", "ratio"),
    ("expectancy", "expectancy, USD", "money"),
    ("mean_gain", "mean gain, USD", "money"),
    ("mean_loss", "mean loss, USD", "money"),
    ("profit", "profit, USD", "money"),
    ("best_trade", "best trade, USD", "money"),
    ("worst_trade", "worst trade, USD", "money"),
    ("slippage", "slippage (+ lost), USD", "money"),
    ("fees", "fees, in the profit, USD", "money"),
    ("margin_interest", "margin interest, USD", "money"),
    ("first_equity", "first equity, USD", "money"),
    ("last_equity", "last equity, USD", "money"),
    ("orders", "orders", "count"),
    ("orders_rejected", "of them rejected", "count"),
    ("sessions", "sessions", "count"),
)
"""For each measure: its key, name and format."""


def told(metrics: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return name and value of every measure, as text, and trades that failed in execution, which are in none."""
    lines = [_told(key, name, kind, metrics.get(key)) for key, name, kind in LINES]
    if metrics.get("failed"):
        failed = value_of(metrics["failed"], "count"), value_of(metrics["failed_profit"], "money")
        lines.append((FAILED_WORDS, "{}, {} USD".format(*failed)))
    return lines


def _told(key: str, name: str, kind: str, value: object) -> tuple[str, str]:
    """Return one measure; negative slippage is called price improvement."""
    if key == "slippage" and isinstance(value, int | float) and value < 0:
        return "price improvement, USD", value_of(-value, kind)
    return name, value_of(value, kind)


def value_of(value: object, kind: str) -> str:
    """Format a number, a rounded zero without a sign; a dash if undefined."""
    if not isinstance(value, int | float):
        return NONE
    match kind:
        case "percent":
            return f"{value * 100:z.2f} %"
        case "ratio":
            return f"{value:z.2f}"
        case "money":
            return f"{value:z,.2f}"
        case _:
            return f"{value:,.0f}"


def of_few_sessions(metrics: Mapping[str, Any]) -> str:
    """Return why annualized measures are missing; empty if they are not."""
    sessions = metrics["sessions"]
    return f"{sessions} sessions: annualized measures need {ROLLING}" if sessions < ROLLING else ""


def drawdown_in_words(metrics: Mapping[str, object]) -> str:
    """Describe the time of the deepest drawdown."""
    if not metrics.get("drawdown_from"):
        return "never below an earlier close"
    end = metrics.get("drawdown_recovered")
    over = f"made good on {end}" if end else "not made good by the end"
    return f"from {metrics['drawdown_from']}, deepest on {metrics['drawdown_deepest']}, {over}"


def of_the_bars(result: Mapping[str, Any]) -> list[str]:
    """Return the notes on the bars that precede any figure: quarantined and missing ones."""
    lines = []
    if result["timeframe"] == "1day" and "vwap" in result["reasons"]:
        lines.append("vwap measures the minutes of a session, and bars of days have none: play a file of minutes")
    if many := result["quarantined"]:
        rows = "1 row was" if many == 1 else f"{many:,} rows were"
        lines.append(f"{rows} set aside, the first {result['first_quarantined']}")
    if many := result["outside_session"]:
        lines.append("1 bar is outside market hours" if many == 1 else f"{many:,} bars are outside market hours")
    missing = result["missing"]
    if missing["missing"]:
        cut = len("2016-01-04") if missing["unit"] == "sessions" else None
        first, since = missing["first"][:cut], missing["since"][:cut]
        many, most = missing["missing"], missing["in_a_row"]
        where = f"from {first} on" if most == many else f"the first {first}; most in a row: {most:,}, from {since} on"
        lines.append(f"{many:,} of {missing['of']:,} {missing['unit']} are missing, {where}")
    return [*lines, *_of_splits(result["splits"], is_daily=result["timeframe"] == "1day")]


def _of_splits(splits: Sequence[Mapping[str, Any]], *, is_daily: bool) -> Iterator[str]:
    for split in splits[:SHOWN_SPLITS]:
        when = split["time"][:10] if is_daily else split["time"]
        yield (
            f"{when}: opens at {split['open']} after a close of {split['close_before']}, as a split {split['split']}; "
            "prices are not adjusted: what is held over it is wrong"
        )
        for held in split["held_over"]:
            entered = f"held over it: what was bought {held['entry_time']}"
            yield (
                f"{entered}, and is still open"
                if held["exit_time"] is None
                else f"{entered}, profit {Decimal(held['profit']):.2f}"
            )
    if len(splits) > SHOWN_SPLITS:
        yield f"{len(splits) - SHOWN_SPLITS:,} more bars open as after a split; --json names all"


def of_what_is_modelled(result: Mapping[str, Any]) -> list[str]:
    """Return the notes on modelled values, and on positions left open."""
    modelled, left = result["modelled"], result["open"]
    lines = []
    if derived := modelled["at_derived_quotes"]:
        many = "every execution" if derived == modelled["executions"] else f"{derived:,} of {modelled['executions']:,}"
        lines.append(f"{many} met a quote that was worked out from its bar: none was recorded just then")
    if decided := modelled["decided_by_the_path"]:
        trades = "1 trade" if decided == 1 else f"{decided:,} trades"
        lines.append(f"the order of high and low inside a bar decided {trades}: the worse end was taken")
    if left:
        what = "1 position is" if len(left) == 1 else f"{len(left):,} positions are"
        lines.append(f"{what} open at the end, and counted as a trade that is closed at the last quote")
    lines += (
        f"{each['symbol']} has no price after {each['stale_since']}: {each['quantity']} shares are counted at "
        f"{each['price']} of then, and no gain on them"
        for each in left
        if each["stale_since"]
    )
    return lines


def of_what_is_not_measured(result: Mapping[str, Any]) -> str:
    """Return one line on the unmeasured inputs, by which a desk may trade otherwise; empty if there are none."""
    if not result["not_measured"]:
        return ""
    return f"not measured here: {' and '.join(result['not_measured'])}; a desk may trade otherwise"


Result = Mapping[str, Any]
"""The result of a backtest from `core.runtime.backtest`: plain JSON."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "trades": (
        "symbol",
        "entry_time",
        "entry_price",
        "quantity",
        "exit_time",
        "exit_price",
        "exit_reason",
        "profit",
        "slippage",
        "fees",
        "stop_price",
    ),
    "equity": ("day", "equity", "drawdown", "exposure", "buy_and_hold"),
    "orders": (
        "client_order_id",
        "symbol",
        "side",
        "type",
        "quantity",
        "status",
        "submitted_at",
        "filled_quantity",
        "average_price",
    ),
    "signals": ("time", "strategy", "symbol", "side", "confidence"),
}
"""Tables that are lists in the result, and their columns."""


def tables(result: Result) -> dict[str, str]:
    """Return each table's file name and text."""
    texts = {f"{name}.csv": _table(columns, result[name]) for name, columns in COLUMNS.items()}
    reasons = [
        {"strategy": strategy, "reason": reason, "bars": bars}
        for strategy, counted in result["reasons"].items()
        for reason, bars in counted.items()
    ]
    skipped = [{"strategy": "", "reason": reason, "bars": count} for reason, count in result["skipped"].items()]
    measures = [{"measure": name, "value": value} for name, value in result["metrics"].items()]
    return {
        **texts,
        "reasons.csv": _table(("strategy", "reason", "bars"), [*reasons, *skipped]),
        "metrics.csv": _table(("measure", "value"), measures),
    }


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """Write values unchanged: integers stay integers in a column with missing values."""
    import pandas as pd

    return str(pd.DataFrame(rows, columns=list(columns), dtype=object).to_csv(index=False, lineterminator="\n"))


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Results as self-contained HTML files: escaped text, plots, the page of a run and of an attestation.


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
    return [values[place] for place in sampled_places(len(values), many)]


def sampled_places(length: int, many: int) -> Sequence[int]:
    """Return the places of at most this many values of a series: the last of each part, including the very last."""
    if length <= many:
        return range(length)
    return [(number + 1) * length // many - 1 for number in range(many)]


NUMBER = ' class="n"'
STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:940px;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;font-size:13px}
td,th{padding:.15rem .7rem .15rem 0;text-align:left;border-bottom:1px solid #e3e6ea}td.n{text-align:right}
svg{width:100%;height:auto;background:#f7f8fa}details{margin-top:1rem}.scroll{overflow-x:auto}
.figures td:not(:first-child),.figures th:not(:first-child){text-align:right}.figures td{white-space:nowrap}
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#15181c}svg{background:#1d2126}
td,th{border-color:#2c3138}}
"""


def document(title: str, body: Iterable[str], style: str = "") -> str:
    """Return a complete file; `style` is added to that of every page."""
    words, parts = escaped(title), "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{words}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}{style}</style></head>\n<body>\n<h1>{words}</h1>\n{parts}\n</body></html>\n"
    )


def table(
    rows: Iterable[Sequence[object]],
    head: Sequence[str] = (),
    *,
    number: int | None = None,
    fails: Sequence[bool] = (),
) -> str:
    """Return a table, scrolled on a narrow screen; the column `number` is right-aligned, failing rows are marked."""
    over = "<tr>" + "".join(f"<th>{escaped(name)}</th>" for name in head) + "</tr>" if head else ""
    marks = chain((' class="fails"' if failed else "" for failed in fails), repeat(""))
    body = "".join(
        f"<tr{mark}>"
        + "".join(f"<td{NUMBER if at == number else ''}>{escaped(str(cell))}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row, mark in zip(rows, marks, strict=False)
    )
    return f'<div class="scroll"><table>{over}{body}</table></div>'


def figures(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of right-aligned figures beside a first column of names."""
    return f'<div class="figures">{table(rows, head)}</div>'


def folded(summary: str, content: str) -> str:
    return f"<details><summary>{escaped(summary)}</summary>{content}</details>"


def paragraphs(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"<p>{escaped(line)}</p>" for line in lines)


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
