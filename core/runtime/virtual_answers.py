"""The simulated exchange's answers to requests: the broker adapter of the virtual runtime."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from core.brokers.simulated.exchange import SimulatedExchange
from core.brokers.simulated.rules import is_taken
from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchClock,
    FetchFigures,
    FetchPicture,
    LookUpOrder,
    ReplaceOrder,
    SubmitOrder,
)
from core.messages.inputs import (
    AccountFetched,
    ActivitiesFetched,
    CancelAnswered,
    ClockFetched,
    FiguresFetched,
    Input,
    LookUpAnswered,
    PictureFetched,
    SubmissionAnswered,
)
from core.model.account import NoAccount
from core.model.broker import Accepted, FreshFigures, NoAnswer, Refused
from core.model.instrument import BrokerInstrument
from core.model.values import Symbol

HAS_ID = "the broker has this id already"
NOT_ASKED = "it is asked for beside this quote"


class ExchangeAnswers:
    def __init__(self, exchange: SimulatedExchange) -> None:
        self._exchange = exchange

    def answer(self, effect: Effect, at: datetime) -> Input:
        """Return the answer to a request. Raises TypeError if the effect is not a request to a broker."""
        exchange = self._exchange
        match effect:
            case SubmitOrder() | ReplaceOrder():
                return SubmissionAnswered(effect.order.client_order_id, self._submitted(effect, at))
            case CancelOrder():
                return CancelAnswered(effect.client_order_id, exchange.cancel(at, effect.client_order_id))
            case LookUpOrder():
                return LookUpAnswered(effect.client_order_id, exchange.order(at, effect.client_order_id))
            case FetchFigures():
                figures = self._figures(effect.symbol, at)
                if effect.is_quote_alone:
                    figures = replace(figures, broker_time=NoAnswer(NOT_ASKED), account=NoAccount(NOT_ASKED))
                return FiguresFetched(effect.proposal_id, effect.ticket_id, figures, effect.is_quote_alone)
            case FetchAccount():
                return AccountFetched(exchange.account(at))
            case FetchClock():
                return ClockFetched(at)
            case FetchActivities():
                return ActivitiesFetched(exchange.activities(at, effect.since))
            case FetchPicture():
                listed = self.instruments(effect.instruments)
                return PictureFetched(replace(exchange.picture(at), instruments=listed))
        raise TypeError(f"{type(effect).__name__} is no request to a broker")

    def _submitted(self, effect: SubmitOrder | ReplaceOrder, at: datetime) -> Accepted | Refused | NoAnswer:
        """Submit an order. If the exchange cannot log it, the outcome counts as unknown."""
        ask = self._exchange.replace if isinstance(effect, ReplaceOrder) else self._exchange.submit
        try:
            answer = ask(at, effect.order)
        except OSError as error:
            return NoAnswer(f"the exchange's own disk fails, fix it: {error.strerror}")
        return NoAnswer(HAS_ID) if isinstance(answer, Refused) and is_taken(answer) else answer

    def _figures(self, symbol: Symbol, at: datetime) -> FreshFigures:
        exchange = self._exchange
        return FreshFigures(at, exchange.account(at), exchange.quote(at, symbol), exchange.instrument(symbol))

    def instruments(self, symbols: Iterable[Symbol]) -> tuple[BrokerInstrument, ...]:
        found = map(self._exchange.instrument, symbols)
        return tuple(instrument for instrument in found if isinstance(instrument, BrokerInstrument))
