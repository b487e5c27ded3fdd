"""Every dialog, as it was looked at and found right (OP-03, OP-04, OP-07)."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest

import console.screens
from console.client.access import NoHostFiles
from console.client.ssh_agent import GIVEN_UP, SshAgent
from console.screens.advice import AdviceScreen
from console.screens.basket import BasketScreen
from console.screens.commands import CommandsScreen, KeepLayoutScreen
from console.screens.desk_control import LeaveScreen, TakeByQuestion, TakeByWord
from console.screens.dialog import ArmedQuestion, Dialog, EverybodysQuestion
from console.screens.draft import DraftScreen
from console.screens.edit import DeclineScreen, EditOrderScreen, EditScreen
from console.screens.exit_rules import ExitRulesQuestion
from console.screens.find_symbol import FindSymbolScreen
from console.screens.first_start import ChordScreen, GuideScreen
from console.screens.kill import KillReasonScreen, KillScreen
from console.screens.limits import (
    AcceptBooksScreen,
    ListsScreen,
    LoosenScreen,
    OverrideScreen,
    ReloadedScreen,
    TakeOffScreen,
)
from console.screens.new_order import NewOrderScreen
from console.screens.new_order_keys import KeepPresetScreen
from console.screens.position_exits import CloseScreen, MoveStopScreen, TargetScreen, TrailScreen
from console.screens.reading import DetailScreen, ExplainScreen, HelpScreen, RiskScreen, ShocksScreen, WhyScreen
from console.screens.ticket import TicketScreen
from console.screens.touch import TouchScreen
from console.screens.watchlist import AddSymbolScreen, AlertScreen, WatchlistScreen
from core.event_text.orders import idea_in_words
from core.model.codes import DeskState
from core.model.instrument import ListedSymbol, ListKind
from core.model.recommendation import Recommendation
from core.model.reconciliation import Difference, DifferenceKind
from core.model.touch import PublicKey, TouchSignature
from core.model.values import Symbol
from core.ports import OperatorError
from core.views import AdviceRow, AdviceView, DeskView, KillView, ReloadView, TouchView
from tests.kit.security_key import SecurityKey
from tests.snapshots.day import (
    BARE,
    ENTRY,
    NOW,
    PROTECTIONS,
    SPY,
    STATUS,
    STOP,
    TAKEN_OVER,
    WORKING,
    ago,
    full,
    price,
    shares,
)
from tests.snapshots.drafted import DRAFTS
from tests.snapshots.pictures import Views
from tests.snapshots.planned import (
    JournalOfADay,
    JournalOfOrders,
    RiskOfPositions,
    ScoreOfAnAgent,
    a_day_of_orders,
    orders_of_a_plan,
    plan_that_waits,
)
from tests.snapshots.sizes import SMALL, USUAL, named
from tests.snapshots.still import Steps, Still, presses
from tests.snapshots.test_several_desks import KEYS
from tests.snapshots.tickets import opened, opens_the_first

KILLED = full(
    replace(
        STATUS, word=DeskState.KILLED, killed_by="key", killed_at=ago(60),
        entries_refused="killed by key; type REARM on the kill screen to trade again",
    ),
    kill=KillView((WORKING,), (STOP,), (BARE,)),
)  # fmt: skip
TIGHTER = ReloadView(
    tighter=("risk.daily_loss 0.02 of equity → 0.01 of equity", "risk.max_open_positions 30 → 10"),
    restart=("symbols SPY, IBM → SPY, IBM, AIG",),
    digest="0123456789abcdef",
)
LOOSER = replace(
    TIGHTER,
    looser=("risk.max_notional 0.08 of equity → 0.20 of equity", "risk.protections.cooldown.enabled true → false"),
)
OVERRIDABLE = tuple(
    replace(row, override="entries pass it for 30 minutes, then it stands again") for row in PROTECTIONS
)
TOLD = Recommendation(
    "momentum",
    SPY,
    price("166.76"),
    price("166.26"),
    price("167.29"),
    shares("47"),
    NOW + timedelta(minutes=57),
    "claude",
)
ADVICE = AdviceView(
    (
        AdviceRow("momentum/SPY", "claude", None, idea_in_words(TOLD), TOLD.expires_at, TOLD),
        AdviceRow("1", "watchman", ago(900), "AIG has no stop at the broker", NOW + timedelta(minutes=45)),
    ),
    ("watchman", "claude"),
)


LISTED = (
    ListedSymbol(Symbol("GME"), ListKind.NEVER, "no borrow, and no sleep", NOW.date(), ago(900)),
    ListedSymbol(SPY, ListKind.NEVER, "it owns the other half", NOW.date(), ago(90)),
    ListedSymbol(SPY, ListKind.RESTRICTED, "the report", NOW.date(), ago(60), date(2099, 12, 1)),
)


class FirstStart(NoHostFiles):
    """On a broker's account."""

    def must_try_chord(self) -> bool:
        return True


@dataclass(frozen=True)
class Scene:
    """What is shown, the keys that open the dialog over it, and what else its desk is given."""

    view: DeskView
    steps: Steps
    terms: dict[str, Any] = field(default_factory=dict)
    grows: bool = False
    """Whether it says more, or something else, where a larger terminal has room for it."""


class NobodyTouches(SshAgent):
    """It waits until the desk gives up."""

    def __init__(self) -> None:
        super().__init__("")
        self.is_given_up = threading.Event()

    def sign(self, _keys: Sequence[PublicKey], _message: bytes) -> TouchSignature:
        self.is_given_up.wait()
        raise OperatorError(GIVEN_UP)

    def cancel(self) -> None:
        self.is_given_up.set()


async def loosens_the_touch(still: Still) -> None:
    still.desk.new_agent = NobodyTouches
    await still.press("ctrl+p", *"reload", "enter", *"LOOSEN")
    await still.settle()


async def opens_the_guide(still: Still) -> None:
    still.desk.action_guide()
    await still.settle()


async def edits_the_first(still: Still) -> None:
    await opens_the_first(still)
    await still.press("e")


def with_entries() -> DeskView:
    """What works and opens is known for an entry."""
    view = full()
    return replace(view, orders=tuple(replace(row, is_entry=not row.effect.only_reduces) for row in view.orders))


async def cancels_a_stop(still: Still) -> None:
    await still.press("3", "down", "d")
    await is_armed(still)


async def asks_for_all_entries(still: Still) -> None:
    await still.press("3", "X")
    await is_armed(still)


async def opens_the_plan(still: Still) -> None:
    await still.press("p")
    await is_armed(still)


async def is_armed(still: Still) -> None:
    """Two seconds of silence, then the moment that every key waits for once it is painted."""
    await still.after(2)
    await still.after(0.5)


async def asks_why(still: Still) -> None:
    await still.press("3", "home", "w")
    await reads_the_disk(still)


async def explains_the_day(still: Still) -> None:
    """As `e` in the history asks for it."""
    still.desk.errands.explain_day(a_day_of_orders())
    await reads_the_disk(still)


async def shows_the_risk(still: Still) -> None:
    await still.press("2", "r", *"VIX", "space", *"to", "space", *"40", "enter")
    await reads_the_disk(still)


async def reads_the_disk(still: Still) -> None:
    """What is asked of it stands on the screen."""
    await still.desk.workers.wait_for_complete()
    await still.settle()


APART = (
    Difference(DifferenceKind.MISSING_BROKER, Symbol("SPY"), "10", None),
    Difference(DifferenceKind.QUANTITY_MISMATCH, Symbol("IBM"), "47", "40"),
)
DIALOGS: dict[type[Dialog], Scene] = {
    AddSymbolScreen: Scene(full(), presses("8", "a", *"aig")),
    ListsScreen: Scene(
        full(lists=LISTED), presses("8", "g", *"until", "space", *"2026", "minus", *"12", "minus", *"01")
    ),
    TakeOffScreen: Scene(full(lists=LISTED), presses("8", "g", *"off", "space", *"never", "enter", *"LOO")),
    AlertScreen: Scene(full(), presses("8", "+", *"+2%")),
    FindSymbolScreen: Scene(full(), presses("n", "slash", *"aig"), grows=True),
    AdviceScreen: Scene(full(advice=ADVICE), presses("A"), grows=True),
    ArmedQuestion: Scene(full(), cancels_a_stop, grows=True),
    EverybodysQuestion: Scene(with_entries(), asks_for_all_entries),
    ChordScreen: Scene(full(), reads_the_disk, {"around": FirstStart()}),
    CloseScreen: Scene(full(), presses("2", "c")),
    CommandsScreen: Scene(full(), presses("ctrl+p"), grows=True),
    DeclineScreen: Scene(full(), presses("1", "x", *"spread too wide")),
    DraftScreen: Scene(
        full(drafts=DRAFTS), presses("1", "end", "up", "enter"), {"around": ScoreOfAnAgent()}, grows=True
    ),
    DetailScreen: Scene(full(), presses("2", "end", "enter")),
    ExitRulesQuestion: Scene(full(positions=(TAKEN_OVER,)), presses("2", "w")),
    EditOrderScreen: Scene(full(), presses("3", "e")),
    EditScreen: Scene(full(proposals=(ENTRY,)), edits_the_first, {"answer": opened}),
    ExplainScreen: Scene(orders_of_a_plan(), explains_the_day, {"around": JournalOfADay()}),
    GuideScreen: Scene(full(), opens_the_guide, grows=True),
    HelpScreen: Scene(full(), presses("1", "question_mark"), grows=True),
    KeepLayoutScreen: Scene(full(), presses("ctrl+p", *"keep this", "enter", *"mine")),
    KeepPresetScreen: Scene(full(), presses("n", "ctrl+e", *"wide"), grows=True),
    KillScreen: Scene(KILLED, presses("ctrl+k")),
    KillReasonScreen: Scene(KILLED, presses("ctrl+k", "w", *"fat finger")),
    LeaveScreen: Scene(full(), presses("q")),
    LoosenScreen: Scene(full(reload=LOOSER), presses("ctrl+p", *"reload", "enter", *"LOO")),
    MoveStopScreen: Scene(full(), presses("2", "m")),
    TrailScreen: Scene(full(), presses("2", "t")),
    TargetScreen: Scene(full(), presses("2", "g")),
    NewOrderScreen: Scene(full(), presses("n"), grows=True),
    TakeByWord: Scene(full(status=replace(STATUS, key=KEYS["elsewhere"])), presses("T", "T", "A")),
    TakeByQuestion: Scene(full(status=replace(STATUS, key=KEYS["far"])), presses("T")),
    AcceptBooksScreen: Scene(full(status=replace(STATUS, acceptable=APART)), presses("U", *"BRO")),
    OverrideScreen: Scene(full(protections=OVERRIDABLE), presses("4", "home", "o", *"OVE")),
    BasketScreen: Scene(plan_that_waits(), opens_the_plan, grows=True),
    ReloadedScreen: Scene(full(reload=TIGHTER), presses("ctrl+p", *"reload", "enter")),
    TouchScreen: Scene(
        full(
            reload=ReloadView(looser=("confirm.touch live → never",), digest="0123456789abcdef", needs_touch=True),
            touch=TouchView((SecurityKey().enrolled,)),
        ),
        loosens_the_touch,
    ),
    RiskScreen: Scene(full(), shows_the_risk, {"around": RiskOfPositions()}),
    ShocksScreen: Scene(full(), presses("2", "r", *"VIX", "space", *"to", "space", *"40")),
    TicketScreen: Scene(full(proposals=(ENTRY,)), opens_the_first, {"answer": opened}, grows=True),
    WatchlistScreen: Scene(full(), presses("8", "e")),
    WhyScreen: Scene(orders_of_a_plan(), asks_why, {"around": JournalOfOrders()}),
}


@pytest.mark.parametrize("kind", DIALOGS, ids=lambda kind: kind.__name__)
async def test_a_dialog(kind: type[Dialog], pictures: Views) -> None:
    """OP-05, OP-09, RK-06, RK-13"""
    scene = DIALOGS[kind]
    async with pictures.desk(scene.view, SMALL, **scene.terms) as still:
        await scene.steps(still)
        assert type(still.desk.screen) is kind
        for size in (SMALL, USUAL)[: 1 + scene.grows]:
            await still.resize(size)
            await pictures.take(still, named(size))
    assert not pictures.differ


def test_no_dialog_is_without_its_picture() -> None:
    for module in pkgutil.iter_modules(console.screens.__path__, "console.screens."):
        importlib.import_module(module.name)

    assert {kind for kind in kinds_of(Dialog) if not kind.__subclasses__() or kind in DIALOGS} == set(DIALOGS)


def kinds_of(kind: type[Dialog]) -> Iterator[type[Dialog]]:
    for below in kind.__subclasses__():
        yield below
        yield from kinds_of(below)
