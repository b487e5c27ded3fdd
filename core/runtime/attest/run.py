"""A session at twice the load of the busiest day that tries each control, with an order it must stop and an exit.

The run uses its own engine, journal, exchange and cash, none of the account's. The same seed, messages and settings
give the same run, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.messages.effects import Effect, SubmitOrder
from core.messages.inputs import DeadlineReached, Input
from core.model.account import Mode
from core.model.instrument import BrokerInstrument
from core.ports import Journal
from core.risk.controls import CONTROLS
from core.risk.trials import Control, First, Trial
from core.runtime.attest.script import AFTER, FALLS_AFTER, Seen, Slot, Trials, slots_of
from core.runtime.attest.trial_market import LEAST, OPEN, QUOTED, SESSION, Line, Market, wide
from core.runtime.inbox import Operator
from core.runtime.pending_requests import no_answer
from core.runtime.simulated_exchange import config_of
from core.runtime.stress_market import OneSession
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from core.strategies.builtin import OF_THE_HOUSE

ACCOUNT = "attest"
Watch = Callable[[int, int], None]
"""Called with the number of minutes played and the total."""


class Result(Enum):
    HELD = "held"
    DID_NOT_HOLD = "did not hold"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Tested:
    """The result of one control's trial and its reason; `order` describes the order, its setup and its settings."""

    result: Result
    why: str
    order: str = ""


@dataclass(frozen=True, slots=True)
class Attested:
    """A run: the result of each control by its name, and the number of messages that its engine received or sent."""

    results: dict[str, Tested]
    messages: int


class NoSwitch:
    """A kill switch that is never latched: the run keeps no state outside its own memory."""

    def is_on(self) -> str | None:
        return None

    def latch(self, by: str) -> None:
        """Do nothing."""

    def release(self) -> None:
        """Do nothing."""


class NoLog:
    """An exchange log that keeps nothing: the exchange ends with the run."""

    def append(self, record: object) -> None:
        """Do nothing."""


class AttestedRuntime(VirtualRuntime):
    """A virtual runtime on a faulty connection; it counts its messages."""

    def __init__(self, engine: Engine, exchange: SimulatedExchange, market: Market, line: Line, keys: Operator) -> None:
        self._line = line
        self.messages = 0
        super().__init__(engine, exchange, market.feed(), start=OPEN, switch=NoSwitch(), link=line.link, operator=keys)

    def step(self, until: datetime | None = None) -> bool:
        if self._line.told:
            self.take(self.at, self._line.told.popleft())
        self.link = self._line.link
        return super().step(until)

    def take(self, at: datetime, message: Input) -> None:
        self.messages += not isinstance(message, DeadlineReached)
        super().take(at, message)

    def ask(self, effect: Effect) -> Input:
        self.messages += 1
        if self._line.is_silent and isinstance(effect, SubmitOrder) and not effect.order.effect.only_reduces:
            return no_answer(effect, "the broker is silent")
        return super().ask(effect)


def attested(
    account: Settings,
    many: int,
    journal: Journal,
    *,
    seed: int = 1,
    controls: Sequence[Control] = CONTROLS,
    watch: Watch = lambda _done, _whole: None,
) -> Attested:
    """Play the session with this many messages and try each control in it.

    Parameters
    ----------
    account
        The settings of the attested account.
    many
        The number of market messages; a session has at least `LEAST`.
    journal
        The run's own journal.
    """
    slots = slots_of(controls)
    falls = next((slot.at for slot in slots if slot.trial.first is First.STOPPED_OUT), AFTER) + FALLS_AFTER
    market = Market(seed, max(many, LEAST), falls)
    calendar, settings = OneSession(SESSION), wide()
    engine = Engine(ACCOUNT, Mode.PAPER, calendar, journal, OF_THE_HOUSE)
    engine.apply(OPEN, settings, f"attest-{seed}")
    listed = {symbol: BrokerInstrument(symbol) for symbol in QUOTED}
    exchange = SimulatedExchange(config_of(settings, ACCOUNT, str(seed)), calendar, NoLog(), listed)
    line = Line(settings)
    trials = Trials(engine.state, line, market, slots, account)
    runtime = AttestedRuntime(engine, exchange, market, line, trials)
    _play(runtime, slots, watch)
    results = {control.name: _result(control, trials.seen, account) for control in controls}
    return Attested(results, runtime.messages)


def _play(runtime: AttestedRuntime, slots: Sequence[Slot], watch: Watch) -> None:
    """Play 15 minutes at a time, so that `watch` can show the progress."""
    end = max(SESSION.close, slots[-1].at) + timedelta(minutes=5)
    whole = int((end - OPEN) / timedelta(minutes=1))
    runtime.run(OPEN)
    for minute in range(0, whole + 1, 15):
        watch(min(minute, whole), whole)
        runtime.play(min(OPEN + timedelta(minutes=minute + 15), end))
    watch(whole, whole)


# ── the verdict ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _result(control: Control, seen: Sequence[Seen], account: Settings) -> Tested:
    if isinstance(control.trial, str):
        return Tested(Result.NOT_TRIED, control.trial)
    if control.is_off(account):
        return Tested(Result.NOT_TRIED, "it is off")
    plain = next((each for each in seen if not each.slot.controls), None)
    if plain is None or not plain.is_sent or not plain.is_exit_sent:
        return Tested(Result.NOT_TRIED, f"the run's plain order did not leave: {_told(plain)}")
    own = next((each for each in seen if control in each.slot.controls), None)
    if own is None or not own.is_over:
        return Tested(Result.NOT_TRIED, "the run ended before its turn")
    return _held(control, control.trial, own)


def _held(control: Control, trial: Trial, seen: Seen) -> Tested:
    order = order_in_words(trial)
    named = seen.warned if trial.warns else seen.refused
    if control.name not in named:
        if seen.is_sent:
            what = "sent"
        else:
            what = f"refused by {', '.join(sorted(seen.refused))}" if seen.refused else "not sent"
        return Tested(Result.DID_NOT_HOLD, f"the order was {what}, without a word of it", order)
    if seen.is_sent and not trial.warns:
        return Tested(Result.DID_NOT_HOLD, "the order was refused and sent all the same", order)
    if not seen.is_exit_sent:
        return Tested(Result.DID_NOT_HOLD, "the exit did not leave", order)
    return Tested(Result.HELD, seen.words.get(control.name, ""), order)


def order_in_words(trial: Trial) -> str:
    """Describe the typed order, its setup and its settings."""
    first = "" if trial.first is First.NOTHING else f", when {trial.first.value}"
    at = ", ".join(f"{key} = {_short(value)}" for key, value in trial.settings.items())
    kept = ", ".join(f"{key} as set" for key in trial.as_set)
    told = "; ".join(part for part in (at, kept) if part)
    return f"{trial.order.value}{first}" + (f" (at {told})" if told else "")


def _short(value: object) -> str:
    return f"{next(iter(value.values()))} USD" if isinstance(value, dict) else str(value)


def _told(seen: Seen | None) -> str:
    if seen is None:
        return "the run did not come so far"
    return "; ".join(seen.words.values()) or "no word of it"
