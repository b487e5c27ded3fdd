"""The operator's own files: what is read, what is set aside, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.files.csv_files import FileFault, FileRows, TableError
from core.market.csv_source import place_of, read_bars, read_quotes, symbol_of
from core.market.file_shape import zone_named
from core.market.packed_rows import BrokenRow
from core.model.bar import Bar, Feed, Quote
from core.model.values import Price, Quantity, Symbol
from core.ports import OperatorError
from tests.kit.rows import cases, table

SPY = Symbol("SPY")
NEW_YORK = zone_named("America/New_York")
HEADER = "timestamp,open,high,low,close,volume"
FIRST = "2013-10-08T14:50:00Z,166.80,166.90,166.70,166.76,120000"
SECOND = "2013-10-08T14:51:00Z,166.76,166.80,166.60,166.70,90000"
QUOTE_HEADER = "timestamp,bid_close,bid_size,ask_close,ask_size"


def a_file(folder: Path, *lines: str, end: str = "\n") -> Path:
    path = folder / "SPY_1min.csv"
    path.write_bytes(("\n".join(lines) + end).encode())
    return path


def a_bar(minute: int, *prices: str, volume: str) -> Bar:
    start = datetime(2013, 10, 8, 14, minute, tzinfo=UTC)
    opened, high, low, close = (Price(Decimal(price)) for price in prices)
    return Bar(SPY, start, opened, high, low, close, Quantity(Decimal(volume)))


FIRST_BAR = a_bar(50, "166.80", "166.90", "166.70", "166.76", volume="120000")
SECOND_BAR = a_bar(51, "166.76", "166.80", "166.60", "166.70", volume="90000")


def test_times_without_a_zone_are_read_in_the_named_one(tmp_path: Path) -> None:
    """MD-08: as one column and as two, in summer and in winter; the file without the option is refused"""
    figures = (FIRST.partition(",")[2], SECOND.partition(",")[2])
    one = a_file(tmp_path, HEADER, *(f"2013-10-08 10:{50 + n}:00,{each}" for n, each in enumerate(figures)))
    assert list(read_bars(one, SPY, NEW_YORK)) == [FIRST_BAR, SECOND_BAR]
    with pytest.raises(TableError) as error:
        read_bars(one, SPY)
    assert error.value.fault is FileFault.ZONE

    two = a_file(tmp_path, f"date,time{HEADER[9:]}", *(f"2013-10-08,10:{50 + n},{e}" for n, e in enumerate(figures)))
    assert list(read_bars(two, SPY, NEW_YORK)) == [FIRST_BAR, SECOND_BAR]
    winter = a_file(tmp_path, HEADER, f"2013-12-09 10:50:00,{figures[0]}")
    assert [bar.start.hour for bar in read_bars(winter, SPY, NEW_YORK) if isinstance(bar, Bar)] == [15]


@table(
    ("text", "place"), ("2024-03-10 02:30:00", ":3"), ("2024-11-03 01:30:00", ":3"), ("2024-11-04T09:30:00-05:00", ":3")
)
def test_an_hour_that_the_clocks_skip_or_repeat_is_refused(text: str, place: str, tmp_path: Path) -> None:
    """MD-08: with its line, and so is a zone beside one that the file has"""
    rows = [f"{each},1,1,1,1,5" for each in ("2024-03-08 09:30:00", text)]
    with pytest.raises(TableError) as error:
        read_bars(a_file(tmp_path, HEADER, *rows), SPY, NEW_YORK)
    assert error.value.fault is FileFault.ZONE
    assert place in str(error.value)


def test_no_other_word_is_a_zone() -> None:
    """MD-08"""
    for name in ("New York", "EDST", "../etc/passwd", ""):
        with pytest.raises(OperatorError):
            zone_named(name)


def test_a_valid_file_becomes_exact_bars(tmp_path: Path) -> None:
    """MD-05"""
    assert list(read_bars(a_file(tmp_path, HEADER, FIRST, SECOND), SPY)) == [FIRST_BAR, SECOND_BAR]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + "\n".join((HEADER, FIRST, SECOND, "")),
        "\r\n".join((HEADER, FIRST, SECOND, "")),
        "\n".join((HEADER, FIRST, SECOND)),
        "\n".join((HEADER, FIRST, SECOND, "", "", "")),
        "\n".join((HEADER.upper(), FIRST, SECOND, "")),
        "\n".join((HEADER, FIRST.replace("Z", "+00:00"), SECOND.replace("14:51:00Z", "10:51:00-04:00"), "")),
        "\n".join((HEADER + ",vwap", FIRST + ",1", SECOND + ",2", "")),
        "\n".join((HEADER.replace(",", ", "), FIRST.replace(",", ", "), SECOND, "")),
    ],
    ids=["a BOM", "CRLF", "no last line break", "empty lines at the end", "capitals", "offsets", "extra", "spaces"],
)
def test_common_csv_dialects_are_read(tmp_path: Path, content: str) -> None:
    """MD-05"""
    path = tmp_path / "SPY_1min.csv"
    path.write_bytes(content.encode())

    assert list(read_bars(path, SPY)) == [FIRST_BAR, SECOND_BAR]


@cases(
    "row reason",
    ("2013-10-08T14:50:30Z,1,x,1,1,5", "high 'x' is not a number"),
    ("2013-10-08T14:50:30Z,1,1,1,NaN,5", "close 'NaN' is not a number"),
    ("2013-10-08T14:50:30Z,1,Infinity,1,1,5", "high 'Infinity' is not a number"),
    ("2013-10-08T14:50:30Z,1,1,0,1,5", "low 0 is not a price above zero"),
    ("2013-10-08T14:50:30Z,-1,1,1,1,5", "open -1 is not a price above zero"),
    ("2013-10-08T14:50:30Z,1,1,2,1,5", "high 1 is under low 2"),
    ("2013-10-08T14:50:30Z,3,2,1,1,5", "open 3 is not within 1 to 2"),
    ("2013-10-08T14:50:30Z,1,2,1,3,5", "close 3 is not within 1 to 2"),
    ("2013-10-08T14:50:30Z,1,1,1,1,-5", "volume -5 is no number of shares"),
    ("2013-10-08T14:50:30Z,1,1,1,1", "volume is missing: the line has 5 fields"),
    ("2013-10-08T14:50:30Z,1,1,1,1,5,000", "the line has 7 fields, the header 6"),
    ("2013-10-08T14:50:30Z,1,1,1,1,", "volume '' is not a number"),
    ("2013-10-08T14:50:30,1,1,1,1,5", "has no zone"),
    ("yesterday,1,1,1,1,5", "timestamp 'yesterday' is no time"),
    ("0001-01-01T00:00:00+14:00,1,1,1,1,5", "is outside the years 1990 to 2100"),
    ("1989-12-31T23:59:00Z,1,1,1,1,5", "is outside the years 1990 to 2100"),
    ("9999-12-31T23:59:00Z,1,1,1,1,5", "is outside the years 1990 to 2100"),
    ("", "the line is empty"),
)
def test_a_bad_row_is_reported_in_its_place(tmp_path: Path, row: str, reason: str) -> None:
    """MD-03"""
    first, broken, second = read_bars(a_file(tmp_path, HEADER, FIRST, row, SECOND), SPY)

    assert (first, second) == (FIRST_BAR, SECOND_BAR)
    assert isinstance(broken, BrokenRow)
    assert broken.place == "SPY_1min.csv:3"
    assert reason in broken.reason


@cases(
    "lines message",
    ((), "is empty"),
    (("", HEADER, FIRST), ":1: is blank"),
    (("", "", ""), "is empty"),
    ((HEADER,), ":1: there is a header and no row"),
    ((HEADER.replace(",volume", ""), FIRST), ":1: no column volume"),
    (("date,open,high,low,close,volume", "2013-10-08,1,1,1,1,5"), ":2: date '2013-10-08' has no zone"),
    ((HEADER.replace(",", ";"), FIRST.replace(",", ";")), "separated by commas"),
    ((HEADER + ",open", FIRST), ":1: the column open is there twice"),
    ((HEADER, SECOND, FIRST), ":3: '2013-10-08T14:50:00Z' is earlier than the row before it; sort the file"),
    ((HEADER, FIRST, FIRST), ":3: '2013-10-08T14:50:00Z' repeats the row before it"),
    ((HEADER, FIRST, "bad,row", FIRST), ":4: '2013-10-08T14:50:00Z' repeats the row before it"),
    ((HEADER, "x,1,1,1,1,1", "y,1,1,1,1,1"), "no row can be read; the first is on line 2: timestamp 'x'"),
    ((HEADER, FIRST.replace("166.80", '"166.80'), SECOND), ":2: a quotation mark is not closed"),
)
def test_a_broken_structure_is_refused_first(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    """MD-05"""
    path = a_file(tmp_path, *lines)

    with pytest.raises(TableError) as refusal:
        read_bars(path, SPY)

    assert str(refusal.value).startswith(str(path))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kept", [len("2013-10-08T14:"), len("2013-10-08T14:51:00Z,166.7"), len(SECOND) - 5])
def test_a_last_line_that_was_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    """MD-05"""
    path = a_file(tmp_path, HEADER, FIRST, SECOND[:kept], end="")

    with pytest.raises(TableError, match=r":3: the last line was cut off"):
        read_bars(path, SPY)


def test_an_unreadable_path_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-05"""
    with pytest.raises(TableError, match=r"gone\.csv: no such file; check the path$"):
        read_bars(tmp_path / "gone.csv", SPY)
    with pytest.raises(TableError, match=r"is a folder; name one CSV file in it$"):
        read_bars(tmp_path, SPY)

    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "closed.csv").touch()
    monkeypatch.setattr("os.open", closed)
    with pytest.raises(TableError, match=r"may not be read; check its permissions$"):
        read_bars(tmp_path / "closed.csv", SPY)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """MD-05"""
    path = tmp_path / "SPY_1min.csv"
    path.write_bytes(HEADER.encode("utf-16"))

    with pytest.raises(TableError, match="is not UTF-8 text"):
        read_bars(path, SPY)


def test_messages_have_no_control_characters(tmp_path: Path) -> None:
    """SY-06"""
    _, broken = read_bars(a_file(tmp_path, HEADER, FIRST, "\x1b[2J[bold]" + "x" * 500 + ",1,1,1,1,1"), SPY)

    assert isinstance(broken, BrokenRow)
    assert "\x1b" not in broken.reason
    assert len(broken.reason) < 150


def test_an_items_place_is_its_line(tmp_path: Path) -> None:
    """MD-03"""
    path = a_file(tmp_path, HEADER, FIRST, "bad", SECOND)

    places = [
        item.place if isinstance(item, BrokenRow) else place_of(path, n) for n, item in enumerate(read_bars(path, SPY))
    ]

    assert places == ["SPY_1min.csv:2", "SPY_1min.csv:3", "SPY_1min.csv:4"]


def test_a_minutes_last_quote_counts_at_its_end(tmp_path: Path) -> None:
    """MD-05"""
    path = a_file(tmp_path, QUOTE_HEADER, "2013-10-08T14:50:00Z,166.75,300,166.77,500")

    (quote,) = read_quotes(path, SPY)

    assert quote == Quote(
        symbol=SPY,
        at=datetime(2013, 10, 8, 14, 51, tzinfo=UTC),
        bid=Price(Decimal("166.75")),
        bid_size=Quantity(Decimal(300)),
        ask=Price(Decimal("166.77")),
        ask_size=Quantity(Decimal(500)),
        feed=Feed.RECORDED,
    )


@cases(
    "row reason",
    ("2013-10-08T14:51:00Z,166.80,1,166.70,1", "crossed: bid 166.80 over ask 166.70"),
    ("2013-10-08T14:51:00Z,0,1,166.70,1", "bid 0 is not a price above zero"),
    ("2013-10-08T14:51:00Z,166.70,1,0,1", "ask 0 is not a price above zero"),
    ("2013-10-08T14:51:00Z,166.70,-1,166.80,1", "one is negative"),
    ("2013-10-08T14:51:00Z,nan,1,166.80,1", "bid_close 'nan' is not a number"),
    ("2101-01-01T00:00:00Z,1,1,1,1", "is outside the years 1990 to 2100"),
)
def test_a_bad_quote_is_set_aside(tmp_path: Path, row: str, reason: str) -> None:
    """MD-03"""
    sound, broken = read_quotes(a_file(tmp_path, QUOTE_HEADER, "2013-10-08T14:50:00Z,1,1,2,1", row), SPY)

    assert isinstance(sound, Quote)
    assert isinstance(broken, BrokenRow)
    assert reason in broken.reason


@table(
    "name symbol",
    ("SPY_1min_2013-10-07_to_2013-10-10.csv", SPY),
    ("folder_X/BAC_1min.csv", Symbol("BAC")),
    ("BRK.B_daily.csv", Symbol("BRK.B")),
    ("BRK._daily.csv", None),
    ("spy_1min.csv", None),
    ("SPY.csv", None),
    ("2013_SPY.csv", None),
    ("_SPY.csv", None),
)
def test_a_files_name_may_say_its_symbol(name: str, symbol: Symbol | None) -> None:
    """MD-05"""
    assert symbol_of(Path(name)) == symbol


def test_a_file_that_is_replaced_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """MD-08: the columns are those of the first look"""
    rows = FileRows(a_file(tmp_path, HEADER, FIRST), HEADER.split(","))
    a_file(tmp_path, "timestamp,close,high,low,open,volume", FIRST)

    with pytest.raises(TableError) as refused:
        list(rows)

    assert refused.value.fault is FileFault.FILE


def test_a_local_time_at_the_end_of_the_calendar_is_broken(tmp_path: Path) -> None:
    """MD-08"""
    far = FIRST.replace("2013-10-08T14:50:00Z", "9999-12-31T23:59:00")
    path = a_file(tmp_path, HEADER, FIRST.replace("Z", ""), SECOND.replace("Z", ""), far)

    assert [isinstance(row, BrokenRow) for row in read_bars(path, SPY, NEW_YORK)] == [False, False, True]
