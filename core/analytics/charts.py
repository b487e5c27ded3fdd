"""Charts of a page: SVG drawn by Matplotlib, twice each, for a wide and for a narrow screen. Also a chart as a PNG.

The file holds no script and loads nothing. Colours are CSS variables of the page, so one chart fits light, dark and
paper. Text stays text: it is selected, searched and shown in the reader's own font.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from core.analytics.presentation import escaped
from core.model.session import HOME

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIGHT = {
    "ink": "#1b1f24",
    "faint": "#57606a",
    "grid": "#d8dee4",
    "first": "#0969da",
    "second": "#8250df",
    "gain": "#1a7f37",
    "loss": "#cf222e",
}
DARK = {
    "ink": "#e6e8eb",
    "faint": "#9aa4af",
    "grid": "#343b44",
    "first": "#58a6ff",
    "second": "#bc8cff",
    "gain": "#3fb950",
    "loss": "#ff7b72",
}
"""The colours of a chart by name, on a light and on a dark page. They are CSS variables, too: `--ink`."""
INK, FAINT, GRID, FIRST, SECOND, GAIN, LOSS = (f"keyturn:{name}" for name in LIGHT)
"""The colours under the names by which Matplotlib knows them within `_drawn`."""
MARKS = {f"#{number:06x}": name for number, name in enumerate(LIGHT, 1)}
"""The colour that stands in an SVG for each variable."""


def _variables(colours: Mapping[str, str]) -> str:
    return ":root{" + ";".join(f"--{name}:{colour}" for name, colour in colours.items()) + "}"


STYLE = (
    f"{_variables(LIGHT)}\n@media(prefers-color-scheme:dark){{{_variables(DARK)}}}"
    + """
figure{margin:1.2rem 0;break-inside:avoid}figure svg{display:block;width:100%;height:auto;background:none}
figure svg text{font-family:system-ui,sans-serif!important}
figcaption{font-size:12px;color:var(--faint)}.narrow{display:none}
@media(max-width:620px){.narrow{display:block}.wide{display:none}}
@media print{.narrow{display:none}.wide{display:block}}
"""
)
SIZES = {"wide": 9.4, "narrow": 4.2}
"""The width of each drawing, in inches of 72 points; its text is 10 points high."""
HEIGHT = 2.6
"""Inches."""
MARGINS = (0.8, 0.15, 0.42, 0.1)
"""Inches left, right, below and above the axes: room for labels as long as `1,000,000`."""
TITLE_HEIGHT, CAPTION_HEIGHT = 0.32, 0.16
"""Inches of a picture's title, and of a line of its caption."""
CAPTION_WIDTH = 130
"""Characters of a line of a picture's caption."""
PICTURE_DPI = 144
"""Pixels an inch: a picture is 1,353 pixels wide."""
SETTINGS: Any = {  # its type lists every key of the library
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": FAINT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.4,
    "path.simplify": True,
}
MOST_DECIMALS = 6
"""Of a label on the vertical axis."""
NAME_WIDTH, LINE_HEIGHT = 1.25, 0.22
"""Inches of a legend's entry."""

Day = date | datetime
Draw = Callable[["Axes", float], None]
"""Draws on empty axes of a drawing this many inches wide."""
Label = Callable[["Axes"], None]
"""Labels the vertical axis."""


def chart(name: str, title: str, caption: str, draw: Draw, height: float = HEIGHT) -> str:
    """Return a chart with its title and caption, as HTML.

    Parameters
    ----------
    name
        Of the chart within its page: letters, digits and hyphens. It keeps the identifiers of two charts apart.
    title
        Read aloud in place of the drawing, too.
    height
        Inches.
    """
    drawings = []
    for size, width in SIZES.items():
        file = io.StringIO()
        with _drawn(
            draw, width, height, {variable: mark for mark, variable in MARKS.items()}, f"{name}-{size}"
        ) as figure:
            figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        drawings.append(_embedded(file.getvalue(), f"{name}-{size}", size, title))
    return f"<figure><h3>{escaped(title)}</h3>{''.join(drawings)}<figcaption>{escaped(caption)}</figcaption></figure>"


def picture(title: str, caption: str, draw: Draw, height: float = HEIGHT) -> bytes:
    """Return a chart as a PNG in the colours of a light page, its title above and its caption below.

    The first text of the file is its title.
    """
    lines = wrap(caption, CAPTION_WIDTH)
    edges = (TITLE_HEIGHT, CAPTION_HEIGHT * len(lines))
    file, whole = io.BytesIO(), height + sum(edges)
    with _drawn(draw, SIZES["wide"], whole, LIGHT, "", edges) as figure:
        left = MARGINS[0] / SIZES["wide"]
        figure.text(left, 1 - 0.08 / whole, title, fontsize=12, weight="bold", va="top", parse_math=False)
        figure.text(left, 0.08 / whole, "\n".join(lines), fontsize=8, color=FAINT, va="bottom", parse_math=False)
        figure.savefig(
            file, format="png", dpi=PICTURE_DPI, facecolor="white", metadata={"Title": title, "Software": None}
        )
    return file.getvalue()


@contextmanager
def _drawn(
    draw: Draw, width: float, height: float, colours: Mapping[str, str], salt: str, edges: tuple[float, float] = (0, 0)
) -> Iterator[Figure]:
    """Draw on a new figure, inches, with room of `edges` above and below; settings hold within the block."""
    import matplotlib as mpl
    from matplotlib.colors import get_named_colors_mapping
    from matplotlib.figure import Figure

    known = get_named_colors_mapping()
    for name, colour in colours.items():
        known[f"keyturn:{name}"] = colour  # each of its own: `update` would leave the library's cache as it is
    with mpl.rc_context({**SETTINGS, "svg.hashsalt": salt}):
        figure = Figure((width, height), dpi=72)
        axes = figure.subplots()
        draw(axes, width)
        left, right, bottom, top = MARGINS
        top += _legend(axes, width) + edges[0]
        figure.subplots_adjust(left / width, (bottom + edges[1]) / height, 1 - right / width, 1 - top / height)
        yield figure


def _legend(axes: Axes, width: float) -> float:
    """Name the curves above the axes, if there are several. Return the height, inches."""
    handles, names = axes.get_legend_handles_labels()
    if len(names) < 2:  # noqa: PLR2004
        return 0.0
    columns = max(int(width / NAME_WIDTH), 1)
    axes.legend(handles, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
    return LINE_HEIGHT * -(-len(names) // columns)


def _embedded(file: str, name: str, size: str, title: str) -> str:
    """Return the drawing without the head of a file, in the page's colours, with identifiers of its own."""
    drawing = file[file.index("<svg") :]
    drawing = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', _opening(size, title), drawing, count=1)
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", drawing).replace("xlink:href", "href")
    drawing = re.sub(r"<[^>]+>", lambda tag: re.sub(r"([0-9]+\.[0-9])[0-9]+", r"\1", tag[0]), drawing)  # no text
    for mark, variable in MARKS.items():
        drawing = drawing.replace(mark, f"var(--{variable})")
    return drawing.strip()


def _opening(size: str, title: str) -> Callable[[re.Match[str]], str]:
    return lambda found: f'<svg class="{size}" viewBox="{found[1]}" role="img" aria-label="{escaped(title)}">'


# ── axes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def dated(axes: Axes, width: float) -> None:
    """Label the horizontal axis with as many dates, or times of the venue, as have room in `width` inches."""
    from matplotlib.dates import MINUTELY, AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=HOME.zone, minticks=2, maxticks=max(int(width), 4))  # type: ignore[no-untyped-call]
    locator.intervald[MINUTELY].append(60)  # two hours by half hours are five ticks, and by hours they are three
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=HOME.zone))  # type: ignore[no-untyped-call]


def percent(axes: Axes) -> None:
    """Label the vertical axis in percent; the values are fractions."""
    _labelled(axes, 100.0, " %")


def dollars(axes: Axes) -> None:
    """Label the vertical axis in USD, with a separator of thousands."""
    _labelled(axes, 1.0, "")


def _labelled(axes: Axes, times: float, unit: str) -> None:
    """Label the vertical axis with as many decimals as its steps need."""
    from matplotlib.ticker import FuncFormatter

    def told(value: float, _place: int | None) -> str:
        marks = [place * times for place in axes.yaxis.get_ticklocs()]
        step = abs(marks[1] - marks[0]) if len(marks) > 1 else 1.0
        enough = (n for n in range(MOST_DECIMALS) if all(abs(round(mark, n) - mark) <= step / 1000 for mark in marks))
        decimals = next(enough, MOST_DECIMALS)
        shown = round(value * times, decimals) or 0.0  # no minus before zero
        return f"{shown:,.{decimals}f}{unit}"

    axes.yaxis.set_major_formatter(FuncFormatter(told))


def numbers(days: Sequence[Day]) -> Sequence[float]:
    """Return days and instants as Matplotlib's numbers of days; a date is its midnight at the venue."""
    from matplotlib.dates import date2num

    at_the_venue = [d if isinstance(d, datetime) else datetime.combine(d, time(), HOME.zone) for d in days]
    return list(date2num(at_the_venue))  # type: ignore[no-untyped-call]


def plain(_axes: Axes) -> None:
    """Label the vertical axis with plain numbers."""


# ── kinds of chart ───────────────────────────────────────────────────────────────────────────────────────────────────


def lines(days: Sequence[Day], series: Sequence[tuple[str, Sequence[float], str]], unit: Label) -> Draw:
    """Draw curves over days.

    Parameters
    ----------
    series
        Name, values (one per day; NaN leaves a gap) and colour of each curve.
    unit
        Labels the vertical axis.
    """

    def draw(axes: Axes, width: float) -> None:
        for name, values, colour in series:
            axes.plot(numbers(days), values, color=colour, label=name)
        dated(axes, width)
        unit(axes)

    return draw


def areas(days: Sequence[Day], series: Sequence[tuple[str, Sequence[float], str]], unit: Label) -> Draw:
    """Draw curves filled to zero; parameters as those of `lines`."""

    def draw(axes: Axes, width: float) -> None:
        for name, values, colour in series:
            axes.fill_between(numbers(days), values, 0.0, color=colour, alpha=0.25, linewidth=0)
            axes.plot(numbers(days), values, color=colour, linewidth=1.0, label=name)
        dated(axes, width)
        unit(axes)

    return draw


BINS = 40
"""The most bins of a distribution."""


def distribution(values: Sequence[float], what: str = "trades", levels: Sequence[tuple[str, float, str]] = ()) -> Draw:
    """Draw how many of the values lie where, gains and losses apart; zero is the edge of a bin.

    Parameters
    ----------
    what
        Names the counted things.
    levels
        Name, value and colour of lines across the axes.
    """

    from matplotlib.ticker import MaxNLocator

    def draw(axes: Axes, width: float) -> None:
        low, high = min([*values, 0.0]), max([*values, 0.0])
        step = (high - low) / min(BINS, max(len(values), 4)) or 1.0
        first, last = int(low // step), -int(-high // step)
        edges = [number * step for number in range(first, max(last, first + 1) + 1)]
        for colour, part in ((LOSS, [v for v in values if v < 0]), (GAIN, [v for v in values if v >= 0])):
            axes.hist(part, bins=edges, color=colour, alpha=0.8)
        for name, value, colour in levels:
            axes.axvline(value, color=colour, linewidth=1.4, label=name)
        axes.set_ylabel(what)
        axes.yaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True))
        axes.locator_params(axis="x", nbins=max(int(width), 3))

    return draw


def bars(names: Sequence[str], values: Sequence[float]) -> Draw:
    """Draw horizontal bars from zero, the first above; gains and losses in their colours, USD."""

    def draw(axes: Axes, width: float) -> None:
        from matplotlib.ticker import StrMethodFormatter

        places = range(len(names))
        axes.barh(places, values, color=[LOSS if value < 0 else GAIN for value in values], height=0.6)
        axes.set_yticks(places, [])
        for place, name in zip(places, names, strict=True):
            axes.annotate(name, (0, place - 0.32), xycoords=("axes fraction", "data"), va="bottom", fontsize=9)
        axes.set_ylim(len(names) - 0.5, -0.8)
        axes.locator_params(axis="x", nbins=max(int(width), 3))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))

    return draw


MOST_FIGURES = 9
"""The most columns of a map whose cells hold their figures on a wide screen; a narrow one has room for half as many."""
DARKEST = 0.7
"""The opacity of the cell furthest from zero."""


def heat_map(
    cells: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    best: tuple[int, int] | None,
    told: Callable[[float], str],
) -> Draw:
    """Draw a table of values, gains and losses in their colours and darker away from zero; None is an empty cell.

    Parameters
    ----------
    cells
        A row for each of `rows`, from above, and a value for each of `columns`.
    best
        Row and column of the cell with a frame.
    told
        Writes a value into its cell, where there is room.
    """
    from matplotlib.patches import Rectangle

    def draw(axes: Axes, width: float) -> None:
        furthest = max((abs(cell) for row in cells for cell in row if cell is not None), default=0.0) or 1.0
        has_room = len(columns) <= MOST_FIGURES * (1 if width > SIZES["narrow"] else 0.5)
        for row, line in enumerate(cells):
            for column, cell in enumerate(line):
                if cell is None:
                    continue
                place, colour = (column - 0.5, row - 0.5), LOSS if cell < 0 else GAIN
                axes.add_patch(Rectangle(place, 1, 1, color=colour, alpha=DARKEST * abs(cell) / furthest, linewidth=0))
                if has_room:
                    axes.text(column, row, told(cell), ha="center", va="center", fontsize=9)
        if best is not None:
            axes.add_patch(Rectangle((best[1] - 0.5, best[0] - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=2))
        axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
        axes.grid(visible=False)
        every = -(-len(columns) // max(int(width), 1))
        axes.set_xticks(range(0, len(columns), every), columns[::every])
        axes.set_yticks(range(len(rows)), rows)

    return draw


def markers(
    days: Sequence[Day],
    prices: Sequence[float],
    points: Sequence[tuple[str, str, str, Sequence[tuple[Day, float]]]],
    levels: Sequence[tuple[Day, Day, float]],
) -> Draw:
    """Draw prices, with points on them and levels over a time.

    Parameters
    ----------
    points
        Name, marker, colour and places of each kind of point.
    levels
        From, to, and at which price a level held.
    """

    def draw(axes: Axes, width: float) -> None:
        axes.plot(numbers(days), prices, color=FAINT, linewidth=0.9, label="price")
        for number, (start, end, price) in enumerate(levels):
            label = "stop" if number == 0 else None
            axes.plot(numbers([start, end]), [price, price], color=LOSS, linewidth=1.0, label=label)
        for name, marker, colour, places in points:
            if places:
                at, of = zip(*places, strict=True)
                axes.scatter(numbers(at), of, marker=marker, color=colour, s=26, label=name, zorder=3, linewidths=0)
        dated(axes, width)
        dollars(axes)

    return draw
