"""Whose key it is, on the status lines and in the question of who takes it (OP-13); what happened meanwhile (RK-27)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.model.desk import DeskNumber, Seat
from core.views import AwayRow, AwayView, DeskRow, KeyView
from tests.snapshots.day import NOW, STATUS, ago, full
from tests.snapshots.pictures import Views
from tests.snapshots.sizes import SMALL, USUAL, named
from tests.snapshots.still import Still

HERE = DeskRow(DeskNumber(1), Seat("/dev/pts/3", "adam"), ago(90), ago(70))
EVE = DeskRow(DeskNumber(2), Seat("/dev/pts/4", "eve", "10.0.0.7"), ago(40), ago(8))
FAR = DeskRow(DeskNumber(3), Seat("/dev/pts/12", "maximiliana", "fd12:3456:789a:1::1f"), ago(40), ago(300))
BOTH = (HERE, EVE)

KEYS = {
    "alone": KeyView(1, HERE, ago(90), desks=(HERE,)),
    "watched": KeyView(1, HERE, ago(90), desks=BOTH),
    "elsewhere": KeyView(2, EVE, ago(39), takes_word=True, desks=BOTH),
    "far": KeyView(2, FAR, ago(39), desks=(HERE, FAR)),
    "lost": KeyView(2, EVE, ago(39), away_until=NOW + timedelta(seconds=42), desks=(HERE,)),
    "nobody": KeyView(2, desks=BOTH),
}
SIZES = (SMALL, USUAL)


async def shows(still: Still, key: KeyView) -> None:
    """And is there long enough that the last line tells of no change."""
    await still.shows_next(full(status=replace(STATUS, key=key)))
    await still.after(60)


async def test_the_status_line_says_whose_key_it_is(pictures: Views) -> None:
    async with pictures.desk(full(), SMALL) as still:
        for size in SIZES:
            await still.resize(size)
            for whose in ("alone", "watched", "elsewhere", "nobody"):
                await shows(still, KEYS[whose])
                await pictures.take(still, named(whose, size))
    assert not pictures.differ


async def test_the_question_says_whose_key_is_taken(pictures: Views) -> None:
    async with pictures.desk(full(), SMALL) as still:
        for whose in ("elsewhere", "lost"):
            await shows(still, KEYS[whose])
            await still.press("T")
            for size in SIZES:
                await still.resize(size)
                await pictures.take(still, named(whose, size))
            await still.resize(SMALL)
            await still.press("escape")
    assert not pictures.differ


async def test_who_comes_back_reads_what_happened_meanwhile(pictures: Views) -> None:
    rows = (
        AwayRow(ago(60), "only followed", "vwap SPY"),
        AwayRow(ago(50), "exit sent", "sell 0.1 SPY"),
        AwayRow(ago(49), "fill", "sell 0.1 SPY at 167.31"),
        AwayRow(ago(20), "halt", "attendance: no key was pressed for 4 hours"),
    )
    counts = (("fill", 1), ("exit sent", 1), ("only followed", 130), ("halt", 1))
    back = replace(HERE, since=ago(1))
    key = KeyView(1, back, ago(1), desks=(back,))

    away = AwayView(ago(90), ago(1), rows, counts)
    async with pictures.desk(full(status=replace(STATUS, key=key), away=away), SMALL) as still:
        for size in SIZES:
            await still.resize(size)
            await pictures.take(still, named(size))
    assert not pictures.differ
