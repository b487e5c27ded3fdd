"""The stress desk: made of real orders, always the same, and as long as it is looked at nothing of it ends."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice, takewhile
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.client.handle import EngineHandle
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, stress_folder, stress_runtime
from core.messages.inputs import QuoteArrived, Start
from core.model.bar import ONE_MINUTE
from core.model.order import OrderStatus
from core.runtime import stress_market
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from core.views.desk import EngineLoading
from state.files import JournalFolder
from state.journal_inspection import fingerprint
from state.kill_switch import FileKillSwitch

WATCHED = DemoOptions(speed=600, watched=200)


@contextmanager
def the_stress_desk(home: Path, request: DemoOptions, words: list[str] | None = None) -> Iterator[VirtualRuntime]:
    """Prepared, and not yet watched; `words` takes what it says meanwhile."""
    with ExitStack() as stack:
        runtime = stress_runtime(Host.of({"KEYTURN_HOME": str(home)}), request, stack)
        runtime.pace.speed = None
        runtime.take(runtime.at, Start())
        while (told := runtime.preparing()) is not None:
            if words is not None and told not in words:
                words.append(told)
            assert runtime.step()
        yield runtime


@dataclass
class Prepared:
    home: Path
    runtime: VirtualRuntime
    words: list[str]
    view: DeskView
    written: str


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """One desk with a watchlist; `view` is how it was when it was prepared."""
    home, words = tmp_path_factory.mktemp("stress"), list[str]()
    with the_stress_desk(home, WATCHED, words) as runtime:
        yield Prepared(home, runtime, words, runtime.view(), fingerprint(journal_of(home)))


def journal_of(home: Path) -> JournalFolder:
    return JournalFolder(next(home.rglob("journal")))


def shape(view: DeskView) -> tuple[object, ...]:
    return (
        len(view.positions),
        Counter((row.status, row.is_protective) for row in view.orders),
        Counter(row.last_answer for row in view.strategies),
        view.proposals,
        view.trades,
    )


def test_it_is_exactly_the_desk_that_it_says(prepared: Prepared) -> None:
    """EX-08: 30 positions of as many symbols, 60 orders, 12 strategies, nothing that waits for a key."""
    view = prepared.view

    assert len({row.symbol for row in view.positions}) == len(view.positions) == 30
    assert Counter((row.status, row.is_protective) for row in view.orders) == {
        (OrderStatus.FILLED, False): 30,
        (OrderStatus.SUBMITTED, True): 18,
        (OrderStatus.SUBMITTED, False): 8,
        (OrderStatus.CANCELLED, False): 4,
    }
    assert [row.last_answer for row in view.strategies] == ["IN_POSITION"] * 12
    assert view.proposals == ()
    assert view.status.entries_refused is None


def test_it_watches_as_many_symbols_as_it_is_asked_for(prepared: Prepared) -> None:
    """MD-06: also those of which it holds nothing"""
    watch = prepared.view.watch

    assert watch.lists[0].symbols == stress_market.watchlist(200)
    assert len(watch.rows) == 200


def test_while_it_is_prepared_the_desk_says_how_far_it_is(prepared: Prepared, snapshot: SnapshotAssertion) -> None:
    """OP-01: every step of the preparation once; the engine's thread begins with its journal"""
    handle = EngineHandle(lambda _stack: prepared.runtime)

    assert isinstance(handle.view, EngineLoading)
    assert (handle.view.what, prepared.words[0], prepared.words[-1]) == snapshot


def test_ten_minutes_later_it_is_the_same_desk(prepared: Prepared) -> None:
    """MD-05"""
    prepared.runtime.run(until=prepared.runtime.at + timedelta(minutes=10))

    assert shape(prepared.runtime.view()) == shape(prepared.view)
    assert prepared.runtime.view().refusals == ()


def test_each_opening_begins_anew_and_is_not_killed(prepared: Prepared, tmp_path: Path) -> None:
    """MD-05, SP-01, OP-08: the same journal each time; the latch of this account goes with all else of it"""
    shutil.copytree(prepared.home, tmp_path / "again")
    environ = {"KEYTURN_HOME": str(tmp_path / "again")}
    switch = FileKillSwitch(stress_folder(Host.of(environ)), environ)
    switch.latch("key")
    assert switch.is_on()

    with the_stress_desk(tmp_path / "again", WATCHED) as runtime:
        assert runtime.view().status.killed_by is None
        assert fingerprint(journal_of(tmp_path / "again")) == prepared.written


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_two_thousand_quotes_come_in_each_second(speed: float) -> None:
    """MD-01: at ×60 they lie further apart in the desk's time."""
    begin, end = stress_market.READY_AT, stress_market.READY_AT + timedelta(seconds=2 * speed)

    told = [
        item[2] for item in takewhile(lambda item: item[0] <= end, stress_market.market(1, speed)) if item[0] > begin
    ]

    quotes = [message.quote for message in told if isinstance(message, QuoteArrived)]
    assert len(quotes) == 2 * 2_000
    assert len({quote.symbol for quote in quotes}) == 20
    assert all(quote.at <= end and quote.bid < quote.ask for quote in quotes)


def test_no_price_ever_comes_near_a_stop_an_entry_or_vwap() -> None:
    """MD-05: what keeps it as it is."""
    for symbol in stress_market.SYMBOLS:
        level = stress_market.dollars(stress_market.level_of(1, symbol))
        days = list(islice(stress_market.bars(1, symbol), 2, 1_000))

        assert all(level * 99 < bar.low * 100 and bar.high * 1000 < level * 1004 for bar in days), symbol
        assert days[1].start - days[0].start == ONE_MINUTE
