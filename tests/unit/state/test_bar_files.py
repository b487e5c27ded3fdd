"""A file of bars over interruptions, later and earlier days, and splits (MD-11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from core.market.bar_folder import BarSet, Period, Prices, require_alike, row_of, set_of
from core.model.bar import ONE_MINUTE, Bar
from core.model.session import XNYS
from core.model.values import Price, Quantity, Symbol
from core.ports import OperatorError
from state import bar_files
from state.bar_files import Fetched, fetch
from state.files import write_all

SPY = Symbol("SPY")
FIRST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
A_DAY = timedelta(days=1)
DAYS = 25


class BrokenOffError(Exception):
    """What an interruption is here."""


class Source:
    """Bars of three minutes or of one a day, which a split rescales, in pages that may break off."""

    def __init__(self, chance: Random, period: Period) -> None:
        self.chance, self.period, self.ratio = chance, period, Decimal(1)
        self.split_at = FIRST
        self.pages_left: int | None = None
        self.page = chance.randint(1, 9)

    def bars(self, start: datetime, end: datetime) -> list[Bar]:
        found = []
        for day in range(DAYS):
            for minute in range(3 if self.period is Period.MINUTE else 1):
                at = FIRST + day * A_DAY + minute * ONE_MINUTE
                at = at if self.period is Period.MINUTE else XNYS.start_of(at.date())
                price = Price(Decimal(100 + day) / (self.ratio if at < self.split_at else 1))
                found.append(Bar(SPY, at, price, price, price, price, Quantity(Decimal(minute))))
        return [bar for bar in found if start <= bar.start < end]

    def ask(self, start: datetime, end: datetime) -> Iterator[list[Bar]]:
        found = self.bars(start, end)
        for first in range(0, max(len(found), 1), self.page):
            if self.pages_left is not None and self.pages_left <= 0:
                raise BrokenOffError
            if self.pages_left is not None:
                self.pages_left -= 1
            yield found[first : first + self.page]


def fetched(folder: Path, source: Source, since: datetime | None, until: datetime) -> Fetched | None:
    wanted = BarSet(SPY, source.period, Prices.ADJUSTED, "iex")
    return fetch(folder, wanted, since, until, source.ask, lambda _at: None, usual=FIRST - A_DAY)


def text_of(source: Source, start: datetime, end: datetime) -> list[str]:
    return [row_of(bar, source.period) for bar in source.bars(start, end)]


@pytest.mark.parametrize("period", Period)
@pytest.mark.parametrize("seed", range(40))
def test_a_file_is_always_whole_and_at_last_the_source(tmp_path: Path, seed: int, period: Period) -> None:
    """MD-11: drawn interruptions, torn writes, ends, beginnings and splits"""
    chance = Random(seed)
    source, whole = Source(chance, period), list[str]()
    path = tmp_path / BarSet(SPY, period, Prices.ADJUSTED, "iex").file_name
    day = chance.randint(3, 8)
    while day < DAYS:
        since = FIRST + chance.randint(0, day - 2) * A_DAY - timedelta(hours=12)
        source.pages_left = chance.choice([None, chance.randint(0, 12)])
        torn = chance.choice([None, chance.randint(1, 6)])
        if chance.random() < 0.2:
            source.ratio *= chance.choice([2, 4, Decimal("0.1"), Decimal("1.05")])
            source.split_at = FIRST + (day - 1) * A_DAY - timedelta(hours=12)
        try:
            with patch.object(bar_files, "write_all", _tearing(torn)):
                fetched(tmp_path, source, since, FIRST + day * A_DAY)
        except (BrokenOffError, OSError):
            assert not path.exists() or path.read_text().splitlines()[1:] == whole
        else:
            before, whole = whole, path.read_text().splitlines()[1:]
            assert whole[0][:10] <= min([*before, whole[0]])[:10]
            every = text_of(source, FIRST - A_DAY, FIRST + day * A_DAY)
            assert whole == every[-len(whole) :]
            assert len(whole) >= len(text_of(source, since, FIRST + day * A_DAY))
            day += chance.randint(1, 4)
    source.pages_left = None
    assert fetched(tmp_path, source, FIRST - A_DAY, FIRST + DAYS * A_DAY) is not None
    assert path.read_text().splitlines()[1:] == text_of(source, FIRST - A_DAY, FIRST + DAYS * A_DAY)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def _tearing(after: int | None) -> object:
    """Write half of the nth piece, and fail."""
    left = after

    def writes(descriptor: int, content: bytes) -> None:
        nonlocal left
        left = None if left is None else left - 1
        write_all(descriptor, content if left != 0 else content[: len(content) // 2])
        if left == 0:
            raise OSError(28, "No space left on device")

    return writes


def test_an_earlier_end_takes_nothing_away(tmp_path: Path) -> None:
    """MD-11: also one within the last day of the file"""
    source = Source(Random(1), Period.MINUTE)
    fetched(tmp_path, source, None, FIRST + 3 * A_DAY)
    path = tmp_path / "SPY_1min_adjusted_iex.csv"
    before = path.read_text()

    for end in (FIRST + 2 * A_DAY + ONE_MINUTE, FIRST + A_DAY):
        assert fetched(tmp_path, source, None, end) is not None
        assert path.read_text() == before


@pytest.mark.parametrize("period", Period)
def test_empty_pages_hide_no_split(tmp_path: Path, period: Period) -> None:
    """MD-11: a source may send some before the first bars, with the token of the next page"""
    source = Source(Random(1), period)
    fetched(tmp_path, source, None, FIRST + 10 * A_DAY)
    source.ratio, source.split_at = Decimal(4), FIRST + 12 * A_DAY
    ask = source.ask

    def after_empty_ones(start: datetime, end: datetime) -> Iterator[list[Bar]]:
        yield from ([], [])
        yield from ask(start, end)

    source.ask = after_empty_ones  # type: ignore[method-assign]
    found = fetched(tmp_path, source, None, FIRST + 20 * A_DAY)

    assert found is not None
    assert "0.25 times" in found.anew
    assert found.path.read_text().splitlines()[1:] == text_of(source, FIRST - A_DAY, FIRST + 20 * A_DAY)


@pytest.mark.parametrize("period", Period)
@pytest.mark.parametrize("ratio", [1, 4])
def test_an_earlier_end_after_a_break_or_split_keeps_the_rest(tmp_path: Path, period: Period, ratio: int) -> None:
    """MD-11: an unfinished part is shorter than the file, and prices of before a split are fetched to its old end"""
    source = Source(Random(1), period)
    source.page = 2
    fetched(tmp_path, source, FIRST + 10 * A_DAY, FIRST + 20 * A_DAY)
    source.pages_left = 6
    with pytest.raises(BrokenOffError):
        fetched(tmp_path, source, FIRST - A_DAY, FIRST + 21 * A_DAY)
    source.pages_left, source.ratio, source.split_at = None, Decimal(ratio), FIRST + 20 * A_DAY

    found = fetched(tmp_path, source, None, FIRST + 5 * A_DAY)

    assert found is not None
    assert found.last == (FIRST + (20 if period is Period.DAY else 19) * A_DAY).date()
    assert found.rows == len(found.path.read_text().splitlines()) - 1


def test_a_time_without_a_zone_is_no_row_of_ours(tmp_path: Path) -> None:
    """MD-11: a file edited by hand"""
    source = Source(Random(1), Period.MINUTE)
    fetched(tmp_path, source, None, FIRST + 3 * A_DAY)
    path = tmp_path / "SPY_1min_adjusted_iex.csv"
    path.write_text(path.read_text().replace("Z,", ","))

    with pytest.raises(OperatorError, match="no zone; move it away"):
        fetched(tmp_path, source, None, FIRST + 4 * A_DAY)


def test_no_link_is_written_through(tmp_path: Path) -> None:
    """MD-11: a link in place of the unfinished part"""
    other = tmp_path / "other"
    other.write_text("words of others")
    (tmp_path / "SPY_daily_adjusted_iex.csv.part").symlink_to(other)

    with pytest.raises(OSError, match="symbolic"):
        fetched(tmp_path, Source(Random(1), Period.DAY), None, FIRST + 3 * A_DAY)

    assert other.read_text() == "words of others"


def test_two_processes_never_write_one_file(tmp_path: Path) -> None:
    """MD-11"""
    source, other = Source(Random(1), Period.DAY), Source(Random(1), Period.DAY)

    def ask(start: datetime, end: datetime) -> Iterator[list[Bar]]:
        with pytest.raises(OperatorError, match="another `keyturn bars`"):
            fetched(tmp_path, other, None, FIRST + 3 * A_DAY)
        yield from Source(Random(1), Period.DAY).ask(start, end)

    source.ask = ask  # type: ignore[method-assign]

    assert fetched(tmp_path, source, None, FIRST + 3 * A_DAY) is not None


def test_a_file_that_is_not_ours_stays(tmp_path: Path) -> None:
    """MD-11"""
    path = tmp_path / "SPY_daily_adjusted_iex.csv"
    for text in ("date,close\n2024-01-02,1\n", "date,open,high,low,close,volume\n2024-01-02,1\n"):
        path.write_text(text)
        with pytest.raises(OperatorError, match="move it away"):
            fetched(tmp_path, Source(Random(1), Period.DAY), None, FIRST + 3 * A_DAY)
        assert path.read_text() == text


def test_different_prices_and_feeds_are_not_mixed() -> None:
    """MD-11: files of the operator's own say neither"""
    names = [BarSet(Symbol(s), Period.DAY, *kind) for s, *kind in (("A", Prices.RAW, "iex"), ("B", Prices.RAW, "sip"))]
    own = Path("C_daily.csv")

    assert [set_of(each.file_name) for each in names] == names
    assert set_of(own.name) is None
    require_alike([Path(names[0].file_name), own])
    with pytest.raises(OperatorError, match="not mixed"):
        require_alike([own, *(Path(each.file_name) for each in names)])
