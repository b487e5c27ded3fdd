"""The stress desk: made of real orders, always the same, and as long as it is looked at nothing of it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import islice, takewhile
from pathlib import Path

import pytest

from console.client.handle import EngineHandle
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, stress_runtime
from core.messages.commands import Kill
from core.messages.inputs import QuoteArrived, Start
from core.model.bar import ONE_MINUTE
from core.model.order import OrderStatus
from core.runtime import stress_market
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from core.views.engine import EngineLoading
from state.folders import JournalFolder
from state.verify import fingerprint

AT_ONCE = DemoOptions()


@contextmanager
def the_stress_desk(home: Path, request: DemoOptions = AT_ONCE) -> Iterator[VirtualRuntime]:
    """Prepared, and not yet watched."""
    with ExitStack() as stack:
        runtime = stress_runtime(Host.of({"KEYTURN_HOME": str(home)}), request, stack)
        runtime.pace.speed = None
        runtime.take(runtime.at, Start())
        while runtime.preparing() is not None:
            assert runtime.step()
        yield runtime


def shape(view: DeskView) -> tuple[object, ...]:
    return (
        len(view.positions),
        Counter((row.status, row.is_protective) for row in view.orders),
        Counter(row.last_answer for row in view.strategies),
        view.proposals,
        view.trades,
    )


def test_it_is_exactly_the_desk_that_it_says(tmp_path: Path) -> None:
    """EX-08: 30 positions of as many symbols, 60 orders, 12 strategies, nothing that waits for a key."""
    with the_stress_desk(tmp_path) as runtime:
        view = runtime.picture()

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


def test_it_watches_as_many_symbols_as_it_is_asked_for(tmp_path: Path) -> None:
    """MD-06: also those of which it holds nothing"""
    with the_stress_desk(tmp_path, DemoOptions(watched=200)) as runtime:
        watch = runtime.picture().watch

    assert watch.lists[0].symbols == stress_market.watchlist(200)
    assert len(watch.rows) == 200


def test_hours_later_it_is_the_same_desk(tmp_path: Path) -> None:
    """MD-05"""
    with the_stress_desk(tmp_path, DemoOptions(speed=600)) as runtime:
        before = shape(runtime.picture())

        runtime.run(until=runtime.at + timedelta(hours=3))

        assert shape(runtime.picture()) == before
        assert runtime.picture().refusals == ()


def test_a_second_opening_begins_anew_and_writes_the_same_journal(tmp_path: Path) -> None:
    """MD-05, SP-01"""
    written = []
    for _ in range(2):
        with the_stress_desk(tmp_path) as runtime:
            runtime.stop("left")
        written.append(fingerprint(JournalFolder(next(tmp_path.rglob("journal")))))
    with the_stress_desk(tmp_path, DemoOptions(seed=2)) as other:
        other.stop("left")

    assert written[0] == written[1] != fingerprint(JournalFolder(next(tmp_path.rglob("journal"))))


def test_an_opening_after_a_kill_is_not_killed(tmp_path: Path) -> None:
    """OP-08: the latch of this account goes with all else of it; the environment's would stay."""
    with the_stress_desk(tmp_path) as runtime:
        runtime.obey(Kill("key"))
        assert runtime.picture().status.killed_by is not None

    with the_stress_desk(tmp_path) as runtime:
        assert len(runtime.picture().positions) == 30


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_two_thousand_quotes_come_in_each_second_of_the_wall(speed: float) -> None:
    """MD-01: at ×60 they lie further apart in the desk's time."""
    begin, end = stress_market.READY_AT, stress_market.READY_AT + timedelta(seconds=10 * speed)

    told = [
        item[2] for item in takewhile(lambda item: item[0] <= end, stress_market.market(1, speed)) if item[0] > begin
    ]

    quotes = [message.quote for message in told if isinstance(message, QuoteArrived)]
    assert len(quotes) == 10 * 2_000
    assert len({quote.symbol for quote in quotes}) == 20
    assert all(quote.at <= end and quote.bid < quote.ask for quote in quotes)


def test_no_price_ever_comes_near_a_stop_an_entry_or_vwap() -> None:
    """MD-05: what keeps it as it is."""
    for symbol in stress_market.SYMBOLS:
        level = stress_market.dollars(stress_market.level_of(1, symbol))
        days = list(islice(stress_market.bars(1, symbol), 2, 5_000))

        assert all(level * 99 < bar.low * 100 and bar.high * 1000 < level * 1004 for bar in days)
        assert days[1].start - days[0].start == ONE_MINUTE


def test_while_it_is_prepared_the_desk_says_how_far_it_is(tmp_path: Path) -> None:
    """OP-01"""
    program = Host.of({"KEYTURN_HOME": str(tmp_path)})
    handle = EngineHandle(lambda stack: stress_runtime(program, AT_ONCE, stack))
    said: set[str] = set()

    handle.start()
    while isinstance(view := handle.view, EngineLoading):
        said.add(view.what)
    handle.close("left", 5)

    assert isinstance(view, DeskView)
    assert len(view.positions) == 30
    assert "reading the journal" in said
    assert any("of 30 positions" in words and "of 60 orders" in words for words in said)
