"""Send requests to a real broker and market, and return their outcomes as inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any

from core.brokers.port import Broker
from core.market.port import MarketData, MarketDataError
from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchClock,
    FetchFigures,
    FetchHistory,
    FetchPicture,
    LookUpOrder,
    LookUpSymbols,
    ReplaceOrder,
    SubmitOrder,
)
from core.messages.inputs import (
    AccountFetched,
    ActivitiesFetched,
    BarArrived,
    CancelAnswered,
    ClockFetched,
    FiguresFetched,
    HistoryFetched,
    Input,
    LookUpAnswered,
    PictureFetched,
    SubmissionAnswered,
    SymbolsLookedUp,
)
from core.model.account import NoAccount
from core.model.bar import Bar, NoQuote
from core.model.broker import BrokerPicture, FreshFigures, NoAnswer
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.values import Symbol
from core.runtime.clock_guard import ClockGuard
from core.runtime.lane_threads import Threads
from core.settings.settings import Settings

TO_BE_HEARD = 0.1
"""Seconds of a confirmation's time-out that are reserved for processing the answers."""
NOT_ASKED = "it is asked for beside this quote"
AT_ONCE = 8
"""Symbols fetched at the same time for one comparison."""


class RequestExecutor:
    """Blocks: called in threads, never in the engine's. `settings` are those in force when the request was made.

    Parameters
    ----------
    guard
        Notified of each reading of the broker's clock; None if the desk's clock is the broker's.
    """

    def __init__(self, broker: Broker, market: MarketData, guard: ClockGuard | None = None) -> None:
        self.broker = broker
        self.market = market
        self.guard = guard
        self._threads = Threads("figures")

    def close(self) -> None:
        self._threads.close()

    def ask(self, effect: Effect, settings: Settings) -> Input:
        """Send a request and return its outcome."""
        broker = self.broker
        match effect:
            case SubmitOrder():
                return SubmissionAnswered(effect.order.client_order_id, broker.submit(effect.order))
            case ReplaceOrder():
                answer = broker.replace(effect.order, effect.broker_order_id)
                return SubmissionAnswered(effect.order.client_order_id, answer)
            case CancelOrder():
                cancelled = broker.cancel(effect.client_order_id, effect.broker_order_id)
                return CancelAnswered(effect.client_order_id, cancelled)
            case LookUpOrder():
                found = broker.look_up(effect.client_order_id, with_legs=effect.with_legs)
                return LookUpAnswered(effect.client_order_id, found)
            case FetchFigures():
                figures = self._figures(effect, settings)
                return FiguresFetched(effect.proposal_id, effect.ticket_id, figures, effect.is_quote_alone)
            case FetchAccount():
                return AccountFetched(broker.account())
            case FetchPicture():
                return PictureFetched(self._picture(effect))
            case FetchClock():
                return self._clock()
            case FetchActivities():
                return ActivitiesFetched(broker.activities(effect.since))
            case FetchHistory():
                return HistoryFetched(effect.symbols, effect.start, effect.end, self._history(effect))
            case LookUpSymbols():
                return SymbolsLookedUp(effect.symbols, self._instruments(effect.symbols), self._history(effect))
        raise TypeError(f"{type(effect).__name__} is no request to a broker")

    def _clock(self) -> ClockFetched:
        if self.guard is None:
            return ClockFetched(self.broker.time())
        asked = self.guard.steady()
        told = self.broker.time()
        if isinstance(told, NoAnswer):
            return ClockFetched(told)
        found = self.guard.hear(told, asked, self.guard.steady())
        return ClockFetched(told, found.ahead, found.is_near, found.step)

    def _history(self, effect: FetchHistory | LookUpSymbols) -> tuple[Bar, ...] | NoAnswer:
        try:
            found = self.market.history(effect.symbols, effect.start, effect.end)
        except MarketDataError as error:
            return NoAnswer(str(error))
        return tuple(minute.bar for minute in found if isinstance(minute, BarArrived))

    def _figures(self, effect: FetchFigures, settings: Settings) -> FreshFigures:
        """Fetch clock, account, quote and asset in parallel, each within the confirmation's time-out.

        A missing one is reported as missing and does not delay the others (OP-03).
        """
        symbol = effect.symbol
        asked: list[Callable[[], Any]] = [
            _nothing if effect.is_quote_alone else self.broker.time,
            _nothing if effect.is_quote_alone else self.broker.account,
            lambda: self.market.quote(symbol),
            lambda: self.broker.instrument(symbol),
        ]
        seconds = float(settings.staging.review_seconds)
        futures = [self._threads.ask(act) for act in asked]
        wait(futures, timeout=max(seconds - TO_BE_HEARD, seconds / 2))
        time, account, quote, instrument = (_come(future, seconds) for future in futures)
        return FreshFigures(
            time,
            NoAccount(account.reason) if isinstance(account, NoAnswer) else account,
            NoQuote(quote.reason) if isinstance(quote, NoAnswer) else quote,
            NoInstrument(instrument.reason) if isinstance(instrument, NoAnswer) else instrument,
        )

    def _picture(self, effect: FetchPicture) -> BrokerPicture | NoAnswer:
        """Fetch the broker's books, and its data on the requested instruments."""
        picture = self.broker.picture()
        if isinstance(picture, NoAnswer):
            return picture
        return replace(picture, instruments=self._instruments(effect.instruments))

    def _instruments(self, symbols: Iterable[Symbol]) -> tuple[BrokerInstrument, ...]:
        asked = [lambda s=s: self.broker.instrument(s) for s in sorted(symbols)]
        found = self._threads.all_of(asked, AT_ONCE)
        return tuple(each for each in found if isinstance(each, BrokerInstrument))


def _nothing() -> NoAnswer:
    return NoAnswer(NOT_ASKED)


def _come(future: Future[Any], seconds: float) -> Any:
    """Return the result of one request so far."""
    if not future.done():
        return NoAnswer(f"no answer in {seconds:g} s")
    return future.result()


def no_answer(effect: Effect, reason: str) -> Input:
    """Return the outcome of a request that failed before it was sent."""
    nothing = NoAnswer(reason)
    match effect:
        case SubmitOrder() | ReplaceOrder():
            return SubmissionAnswered(effect.order.client_order_id, nothing)
        case CancelOrder():
            return CancelAnswered(effect.client_order_id, nothing)
        case LookUpOrder():
            return LookUpAnswered(effect.client_order_id, nothing)
        case FetchFigures():
            return FiguresFetched(effect.proposal_id, effect.ticket_id, nothing, effect.is_quote_alone)
        case FetchAccount():
            return AccountFetched(nothing)
        case FetchPicture():
            return PictureFetched(nothing)
        case FetchActivities():
            return ActivitiesFetched(nothing)
        case FetchClock():
            return ClockFetched(nothing)
        case FetchHistory():
            return HistoryFetched(effect.symbols, effect.start, effect.end, nothing)
        case LookUpSymbols():
            return SymbolsLookedUp(effect.symbols, (), nothing)
    raise TypeError(f"{type(effect).__name__} is no request to a broker")
