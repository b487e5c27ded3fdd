"""What a demo begins with: positions, a market that is never still, proposals without end; and the small one."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import Fact, HistoryLoaded, ProposalStaged
from core.messages.inputs import QuoteArrived, Start
from core.model.bar import Quote
from core.model.values import Symbol
from core.ports import OperatorError
from core.runtime.demo import BOUGHT, TRADED
from core.runtime.virtual import VirtualRuntime
from core.views.builders.desk import ViewBuilder
from core.views.builders.symbols import watch_view
from state.housekeeping import status_of

PLAIN, SMALL = DemoOptions(), DemoOptions(profile="micro")


@contextmanager
def demo(home: Path, options: DemoOptions = PLAIN) -> Iterator[VirtualRuntime]:
    with ExitStack() as stack:
        runtime = demo_runtime(Host.of({"KEYTURN_HOME": str(home)}), options, stack)
        runtime.pace.speed = None
        yield runtime


def opened(runtime: VirtualRuntime) -> VirtualRuntime:
    """As far as the desk is first looked at."""
    runtime.take(runtime.at, Start())
    assert runtime.pace.free_until is not None
    runtime.play(runtime.pace.free_until)
    return runtime


def held(runtime: VirtualRuntime) -> dict[Symbol, Decimal]:
    return {position.symbol: position.quantity for position in runtime.engine.state.ledger.positions()}


def test_demo_opens_with_protected_positions(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """OP-06, EX-09: by real tickets and fills; the books agree with the exchange's."""
    with demo(tmp_path) as runtime:
        assert runtime.preparing() == snapshot
        opened(runtime)

        assert held(runtime) == {symbol: Decimal(shares) for symbol, shares in BOUGHT.items()}
        theirs = {p.symbol: p.quantity for p in runtime.exchange.books(runtime.at).positions}
        assert held(runtime) == theirs
        state = runtime.engine.state
        stops = Counter(o.request.symbol for o in state.ledger.working() if o.request.stop_price is not None)
        assert stops == Counter([*BOUGHT])
        assert runtime.preparing() is None
        assert runtime.operator is not None
        assert runtime.operator.next_at() is None


def test_proposals_come_at_the_quotes_that_are_shown(tmp_path: Path) -> None:
    """MD-06: the first within seconds, of several strategies; each change of a quote is told."""
    with demo(tmp_path) as runtime:
        came: list[ProposalStaged] = []
        times = []
        opened(runtime)

        def hear(_sequence: int, at: object, fact: Fact) -> None:
            if isinstance(fact, ProposalStaged):
                came.append(fact)
                times.append(runtime.at)

        runtime.engine.state.add_listener(hear)
        began = runtime.at
        shows_what_it_fills_at(runtime)
        runtime.play(began + timedelta(minutes=15))

        assert times[0] - began < timedelta(seconds=20)
        assert len(came) >= 15
        assert len({fact.proposal.strategy for fact in came}) >= 4
        assert {fact.proposal.symbol for fact in came} == set(TRADED)
        longest = max(after - before for before, after in itertools.pairwise(times))
        assert longest <= timedelta(minutes=6)


def shows_what_it_fills_at(runtime: VirtualRuntime) -> None:
    """For a minute; between two changes a quote stays as it was told."""
    told: dict[Symbol, Quote] = {}
    take = runtime.take

    def listening(at: object, message: object) -> None:
        if isinstance(message, QuoteArrived):
            told[message.quote.symbol] = message.quote
        take(at, message)  # type: ignore[arg-type]

    runtime.take = listening  # type: ignore[method-assign]
    began, seen = runtime.at, 0
    for second in range(1, 61):
        runtime.play(began + timedelta(seconds=second))
        for symbol, quote in told.items():
            now = runtime.exchange.quote(runtime.at, symbol)
            assert isinstance(now, Quote)
            if runtime.at - quote.at < timedelta(seconds=1):
                seen += 1
                assert (now.bid, now.ask) == (quote.bid, quote.ask)
    runtime.take = take  # type: ignore[method-assign]
    assert set(told) == {*map(Symbol, TRADED), *BOUGHT}
    assert seen > 50


def test_restart_keeps_the_market_and_the_exchange(tmp_path: Path) -> None:
    """SP-05, EX-20: slice for slice, order for order; and nobody is at the keys."""
    with demo(tmp_path) as runtime:
        opened(runtime)
        runtime.play(runtime.at + timedelta(minutes=3, seconds=17))
        at, books, before = runtime.at, runtime.exchange.books(runtime.at), held(runtime)
        prices = {symbol: runtime.exchange.quote(at, Symbol(symbol)) for symbol in TRADED}
        runtime.stop("left")

    with demo(tmp_path) as again:
        assert again.operator is None
        assert again.engine.state.control.settings.strategies.vwap.symbols == TRADED
        assert {symbol: again.exchange.quote(at, Symbol(symbol)) for symbol in TRADED} == prices
        assert again.exchange.books(at) == books
        again.run(until=again.at + timedelta(seconds=2))
        assert held(again) == before
        assert again.engine.state.control.refusal() is None


def test_restart_keeps_the_day_of_each_symbol(tmp_path: Path) -> None:
    """MD-06, EX-20: its volume, its course and its change count from the open; nothing of it is recorded."""

    def the_day(runtime: VirtualRuntime) -> dict[Symbol, tuple[object, ...]]:
        rows = watch_view(runtime.engine.state, runtime.at).rows
        return {row.symbol: (row.volume, row.course, row.before, row.last_at is None) for row in rows}

    with demo(tmp_path, SMALL) as runtime:
        opened(runtime)
        runtime.play(runtime.at + timedelta(minutes=12, seconds=17))
        before = the_day(runtime)
        runtime.stop("left")

    with demo(tmp_path, SMALL) as again:
        again.run(until=again.at + timedelta(seconds=2))
        assert the_day(again) == before
        assert min(len(course) for _, course, *_ in before.values()) > 5  # type: ignore[arg-type]
        assert not [each for each in again.engine.state.journal.records() if isinstance(each.fact, HistoryLoaded)]


def test_small_demo_is_micro(tmp_path: Path) -> None:
    with demo(tmp_path, SMALL) as runtime:
        runtime.take(runtime.at, Start())
        assert runtime.pace.free_until is not None
        runtime.play(runtime.pace.free_until)

        settings = runtime.engine.state.control.settings
        assert settings.profile == "micro"
        assert settings.symbols == ("SPY",)
        assert settings.exchange.cash == Decimal(200)
        assert held(runtime) == {}


@pytest.mark.parametrize(
    ("profile", "operator"), [("micro", "none"), ("micro", "confirm-all"), ("swing", "confirm-all")]
)
def test_a_named_profile_keeps_its_own_terms(tmp_path: Path, profile: str, operator: str) -> None:
    """SY-09: a scripted operator changes how soon the exchange answers, and nothing that the profile says"""
    with demo(tmp_path, DemoOptions(profile=profile, operator=operator)) as runtime:
        found = runtime.engine.state.control.settings

    own = settings_of(Host.of({"KEYTURN_HOME": str(tmp_path)}), (f"profile='{profile}'",))
    assert (found.risk, found.staging, found.strategies, found.symbols) == (
        own.risk, own.staging, own.strategies, own.symbols,
    )  # fmt: skip
    assert found.exchange.cash == own.exchange.cash


@pytest.mark.parametrize(("first", "then", "named"), [("micro", "swing", "micro"), (None, "micro", "swing")])
def test_account_keeps_its_profile(tmp_path: Path, first: str | None, then: str, named: str) -> None:
    """EX-09"""
    with demo(tmp_path, DemoOptions(profile=first)) as runtime:
        cash = runtime.engine.state.control.settings.exchange.cash
        runtime.stop("left")

    with pytest.raises(OperatorError, match=named), demo(tmp_path, DemoOptions(profile=then)):
        pass
    with demo(tmp_path) as runtime:
        assert runtime.engine.state.control.settings.exchange.cash == cash


def test_operator_settings_override_the_demo(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[risk]\nentries_a_day = 7\n")
    with demo(tmp_path, DemoOptions(overrides=("strategies.vwap.enabled=false",))) as runtime:
        settings = runtime.engine.state.control.settings
        assert (settings.profile, settings.risk.entries_a_day) == ("swing", 7)
        assert settings.strategies.momentum.enabled
        assert not settings.strategies.vwap.enabled
        runtime.stop("left")

    with demo(tmp_path, DemoOptions(seed=3, overrides=("symbols=['QQQ', 'KO']",))) as runtime:
        assert runtime.engine.state.control.settings.strategies.momentum.symbols == ()
        runtime.stop("left")

    (tmp_path / "settings.toml").write_text('profile = "freqtrade"\n')
    with demo(tmp_path, DemoOptions(seed=2)) as runtime:
        settings = runtime.engine.state.control.settings
        assert settings.profile == "freqtrade"
        assert not settings.strategies.momentum.enabled
        assert runtime.operator is None
        opened(runtime)
        assert held(runtime) == {}


def test_a_demo_with_frictions_says_so_and_goes_on_with_them(tmp_path: Path) -> None:
    """SY-09, SP-03: also without the option, and after the exchange was rebuilt from its log"""
    rough = DemoOptions(overrides=("exchange.frictions='realistic'",))
    with demo(tmp_path, rough) as runtime:
        opened(runtime)
        before = runtime.exchange.books(runtime.at)
        told = status_of(runtime.engine, "demo-1", "on")
        runtime.stop("left")

    with demo(tmp_path) as again:
        after = again.exchange.books(again.at)
        view = ViewBuilder(again.engine).draw(again.at).status

    assert (told.has_frictions, view.has_frictions) == (True, True)
    assert (after.positions, after.orders) == (before.positions, before.orders)
    with demo(tmp_path, DemoOptions(seed=2)) as plain:
        assert not ViewBuilder(plain.engine).draw(plain.at).status.has_frictions
