"""Four sessions at a desk, played by the real engine on the real home of a demo: what a kept home is made of.

    .venv/bin/python -m tests.journals.story first

writes `kept/first.tar.xz` and `kept/first.json`: the home, and what its journal folds to. It is run once for each
released format and never again for an old one: the point of a kept home is that today's program did not write it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import (
    BasketRow,
    Command,
    Decline,
    EditOrder,
    EditProposal,
    Halt,
    Kill,
    MarkInBasket,
    MoveStop,
    OpenBasket,
    OpenTicket,
    OverrideProtection,
    PauseStrategy,
    ProposeClose,
    ProposeOrder,
    Rearm,
    RefuseSymbol,
    RequestCancel,
    Resume,
    ResumeStrategy,
    SignBasket,
)
from core.messages.desk_commands import ReloadLimits, SettingsFileSeen
from core.model.basket import BasketSource
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.staging import MANUAL
from core.model.values import Price, Quantity, Symbol
from core.runtime.demo import demo_account
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.virtual import VirtualRuntime
from core.settings.changes import digest_of
from core.workflows.baskets import BasketDrafts, digest_now, rehearsed
from state.files import AccountFolder, Home
from state.user_strategies import example_strategy
from tests.journals.homes import ACCOUNT, keep
from tests.unit.core.brokers.trading_floor import at

SPY, IBM = Symbol("SPY"), Symbol("IBM")
DAYS = (date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7), date(2026, 1, 8))
SEED = int(ACCOUNT.removeprefix("demo-"))

SETTINGS = """
symbols = ["SPY", "IBM"]

[risk]
per_trade = { usd = 300 }
max_notional = { usd = 20000 }
max_open_positions = 6
several_strategies_a_symbol = true
daily_loss = { usd = 900 }
weekly_loss = { usd = 5000 }
entries_a_day = 12
window_start = "09:35"
window_end = "15:45"
price_band = 0.06
on_missing_equity = "refuse"

[risk.frequency]
enabled = false

[risk.protections.stop_loss_guard]
trade_limit = 3
stop_minutes = 60

[risk.protections.cooldown]
loss = 0.004
stop_minutes = 30

[risk.protections.loss_streak]
enabled = true
trade_limit = 2
stop_minutes = 300

[strategies.vwap]
entry_deviation = 0.002
stop_fraction = 0.002
minimum_bars = 5
allocation = 0.4

[strategies.dips]
enabled = true
falls = 5
stop = 0.002
gain = 0.001

[exchange]
cash = 100000
multiplier = 2
"""


class Desk:
    """The program on the home; keys come by script, and each ticket is confirmed a second after its proposal."""

    def __init__(self, environ: dict[str, str], stack: ExitStack) -> None:
        request = DemoOptions(seed=SEED)
        self.program = Host.of(environ)
        self.runtime: VirtualRuntime = demo_runtime(self.program, request, stack)
        self.port = CommandPort(PortKind.SCRIPT)
        self.runtime.admit(self.port.known)
        self.runtime.pace.speed = None
        self.runtime.operator = ConfirmAll(self.desk)
        self.runtime._by_script = self.port.through  # its keys come through the same door

    @property
    def desk(self):  # type: ignore[no-untyped-def]
        return self.runtime.engine.state

    def starts(self) -> None:
        self.runtime.run(until=self.runtime.at + timedelta(seconds=5))

    def until(self, clock: str, day: date) -> None:
        moment = at(clock, day)
        self.runtime.play(moment)
        self.runtime.at = max(self.runtime.at, moment)

    def passes(self, seconds: float) -> None:
        moment = self.runtime.at + timedelta(seconds=seconds)
        self.runtime.play(moment)
        self.runtime.at = max(self.runtime.at, moment)

    def presses(self, command: Command) -> None:
        self.runtime.obey(self.port.through(command, self.runtime.engine.state.account_name))

    def price(self, symbol: Symbol, part: str) -> Price:
        """The last price, times a factor."""
        found = self.desk.last_price(symbol)
        assert found is not None
        return Price(STOCK_TICKS.nearest(found[1] * Decimal(part)))

    def types(self, symbol: Symbol, effect: Effect, quantity: str, stop: str, limit: str | None = None) -> None:
        self.presses(
            ProposeOrder(
                symbol=symbol,
                effect=effect,
                quantity=Quantity(Decimal(quantity)),
                type=OrderType.MARKET if limit is None else OrderType.LIMIT,
                limit_price=None if limit is None else self.price(symbol, limit),
                stop_price=self.price(symbol, stop),
                stop_holder=StopHolder.BROKER,
            )
        )

    def row(self, symbol: Symbol, effect: Effect, quantity: str | None, stop: str | None = None) -> BasketRow:
        return BasketRow(
            place=f"{symbol} row",
            symbol=symbol,
            effect=effect,
            quantity=None if quantity is None else Quantity(Decimal(quantity)),
            notional=None,
            type=OrderType.MARKET,
            stop_price=None if stop is None else self.price(symbol, stop),
        )

    def signs_a_plan(self, *rows: BasketRow) -> None:
        self.presses(OpenBasket(BasketSource.FILE, "rows.csv", rows))
        self.passes(2)
        run = self.desk.plans.run
        for line in run.plan.lines:
            self.presses(MarkInBasket(run.id, line.proposal.id, True))
        run = self.desk.plans.run
        tried = rehearsed(self.desk, self.runtime.engine.the(BasketDrafts).gate, run)
        going = [t for t in tried if t.fits and t.proposal.id in run.marked]
        self.presses(SignBasket(run.id, digest_now(self.desk, run, going)))
        self.passes(90)

    def leaves(self) -> None:
        self.runtime.stop("left")


def first_day(desk: Desk, day: date) -> None:
    """Strategies trade; a typed entry is edited before its ticket, rests, is changed at the broker, and cancelled."""
    desk.until("09:40", day)
    desk.types(SPY, Effect.OPEN, "20", "0.97", limit="0.99")
    (typed,) = (p for p in desk.desk.stage.proposals() if p.strategy == MANUAL)
    desk.presses(EditProposal(typed.id, Quantity(Decimal(15)), desk.price(SPY, "0.988")))
    desk.passes(30)
    resting = next(o for o in desk.desk.ledger.working_entries(SPY, MANUAL))
    desk.presses(EditOrder(resting.id, Quantity(Decimal(12)), desk.price(SPY, "0.985"), None))
    desk.passes(30)
    waiting = next(o for o in desk.desk.ledger.working_entries(SPY, MANUAL))
    desk.presses(RequestCancel(waiting.id))
    desk.passes(30)
    desk.presses(PauseStrategy("dips", IBM))
    desk.until("11:15", day)
    told = next(iter(desk.desk.protections.latches.all_told()))
    desk.presses(OverrideProtection(told.name, told.scope, "OVERRIDE"))
    desk.until("13:00", day)
    desk.presses(ResumeStrategy("dips", IBM))
    desk.until("16:30", day)


def second_day(desk: Desk, day: date) -> None:
    """A basket buys both, a stop is moved, one is closed by its key; a short is sold, a kill takes back what waits."""
    desk.until("10:00", day)
    desk.signs_a_plan(desk.row(SPY, Effect.OPEN, "10", "0.98"), desk.row(IBM, Effect.OPEN, "20", "0.98"))
    position = desk.desk.ledger.position(IBM, MANUAL)
    assert position is not None
    desk.presses(MoveStop(IBM, MANUAL, desk.price(IBM, "0.985")))
    desk.passes(10)
    desk.presses(ProposeClose(SPY, strategy=MANUAL))
    desk.passes(60)
    desk.types(SPY, Effect.OPEN, "5", "0.96", limit="0.98")
    desk.passes(30)
    desk.presses(Halt("key"))
    desk.passes(30)
    desk.presses(Kill("key"))
    desk.passes(120)


def after_the_kill(desk: Desk, day: date) -> None:
    """Another start, on a desk that is killed; it is re-armed, and goes on with a short."""
    desk.passes(60)
    desk.presses(Rearm("REARM"))
    desk.passes(30)
    desk.until("11:30", day)
    desk.signs_a_plan(desk.row(IBM, Effect.CLOSE, None), desk.row(SPY, Effect.SHORT, "8", "1.02"))
    desk.until("14:00", day)
    desk.presses(RefuseSymbol(IBM, "earnings tonight"))
    desk.until("16:30", day)


def third_day(desk: Desk, day: date) -> None:
    """The short is covered, the limits are reloaded, a proposal is declined; one is halted and goes on."""
    desk.until("10:00", day)
    file = settings_of(desk.program)
    desk.presses(SettingsFileSeen(file))
    desk.presses(ReloadLimits(digest_of(file), "LOOSEN"))
    desk.presses(ProposeClose(SPY, strategy=MANUAL))
    desk.passes(60)
    desk.runtime.operator.retire()  # type: ignore[union-attr]
    desk.runtime.operator = None
    desk.until("11:00", day)
    for proposal in desk.desk.stage.proposals()[:1]:
        desk.presses(Decline(proposal.id, "not today"))
    desk.runtime.operator = ConfirmAll(desk.desk)
    desk.types(IBM, Effect.OPEN, "4", "0.96")
    desk.passes(20)
    desk.until("12:00", day)
    desk.types(SPY, Effect.OPEN, "3", "0.97", limit="0.98")
    desk.passes(10)
    desk.presses(Halt("key"))
    desk.passes(30)
    desk.presses(Resume())
    desk.until("16:30", day)


def fourth_day(desk: Desk, day: date) -> None:
    """It ends in the middle of the session: a long and a short with their stops, an entry that rests, a ticket open."""
    desk.until("10:00", day)
    desk.types(IBM, Effect.ADD, "6", "0.96")
    desk.passes(60)
    desk.types(SPY, Effect.SHORT, "5", "1.02")
    desk.passes(60)
    desk.types(IBM, Effect.ADD, "2", "0.97", limit="0.99")
    desk.passes(60)
    desk.until("12:15", day)
    desk.presses(RefuseSymbol(SPY, "enough of it"))
    desk.presses(PauseStrategy("vwap", SPY))
    desk.runtime.operator.retire()  # type: ignore[union-attr]
    desk.runtime.operator = None
    desk.presses(ProposeClose(IBM, strategy=MANUAL))
    for proposal in desk.desk.stage.proposals()[:1]:
        desk.presses(OpenTicket(proposal.id))
    desk.passes(2)


Chapter = Callable[[Desk, date], None]
CHAPTERS: tuple[tuple[Chapter, date, bool], ...] = (
    (first_day, DAYS[0], True),
    (second_day, DAYS[1], True),
    (after_the_kill, DAYS[1], True),
    (third_day, DAYS[2], False),
    (fourth_day, DAYS[3], True),
)
"""What happens, on which day, and whether the program then ends as it should."""


def play(home: Path) -> AccountFolder:
    """Play the whole story in an empty home."""
    environ = {**{k: v for k, v in os.environ.items() if not k.startswith("KEYTURN_")}, "KEYTURN_HOME": str(home)}
    home.mkdir(mode=0o700, exist_ok=True)
    write(home / "settings.toml", SETTINGS)
    (home / "strategies").mkdir(mode=0o700)
    write(home / "strategies" / "dips.py", example_strategy("dips"))
    for chapter, day, is_clean in CHAPTERS:
        if chapter is third_day:
            write(home / "settings.toml", SETTINGS.replace("entries_a_day = 12", "entries_a_day = 20"))
        with ExitStack() as stack:
            desk = Desk(environ, stack)
            desk.starts()
            chapter(desk, day)
            if is_clean:
                desk.leaves()
            desk.desk.journal.sync()
            tell(desk)
    return Home.of(environ).account(demo_account(SEED))


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def tell(desk: Desk) -> None:
    ledger = desk.desk.ledger
    held = [(p.symbol, p.strategy, str(p.quantity)) for p in ledger.positions()]
    working = [(o.request.symbol, o.request.side.value, o.request.type.value) for o in ledger.working()]
    filled = sum(o.status is OrderStatus.FILLED for o in ledger.state.orders.values())
    print(f"{desk.runtime.at:%a %H:%M} held {held}, working {working}, filled {filled}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as empty:
        play(Path(empty) / "home")
        print(keep(Path(empty) / "home", sys.argv[1]))
