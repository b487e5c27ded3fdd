"""Count each request to the broker as it leaves; queries wait if the minute is short of room (RK-24).

Orders, cancels, the clock and a ticket's figures leave at once; a kill's cancels as `kill_cancels.py` says.
Queries share the budget outside the reserve: account and activities come last, comparisons and look-ups before them,
and queries that an exit, a kill or the operator waits for first. A waiting query is sent once, however often it is
requested; it moves up after 10 s and after 30 s, and never uses the reserve, nor the requests that exits under way are
about to need; while an exit waits for room, none moves up to the first share. After a stated 429 all wait until the
time that the broker named, a minute at the most: its limit is one of a minute, and a longer wait would keep exits from
the broker. Without a limit of the broker none waits for room.

One account query is under way at a time, and one leaves each second (EX-17). What asks for it meanwhile is merged into
one that leaves later than the last of them, so that its answer has every fill that asked for it.

Properties of assets are kept for a quarter of an hour. Unknown properties of traded or held assets are fetched with the
books if there is room, and a few old ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.execution.gateway import BOOKS, requests_of
from core.messages import inputs
from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchBooks,
    FetchFigures,
    LatchKill,
    LookUpOrder,
    LookUpSymbols,
)
from core.model.account import Channel, ConnectionState
from core.model.basket import BasketPhase
from core.model.broker import BrokerBooks, NoAnswer, Refused
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.risk.message_counts import MINUTE, Share, for_queries, limit_wait, of_an_earlier_run
from core.trading_state.state import TradingState
from core.workflows.orders.kill_cancels import A_WINDOW, KillCancels
from core.workflows.orders.request_reserve import A_MOMENT, RequestRoom, held_exits
from core.workflows.workflow import answers

MOVES_UP = (timedelta(seconds=10), timedelta(seconds=30))
"""Times after which a waiting query may use the next share."""
AN_ASSET_KEEPS = timedelta(minutes=15)
ASKED_AGAIN = timedelta(minutes=1)
"""Time after which an asset without an answer is requested again."""
OLD_AT_ONCE = 20
"""Old assets that are fetched again with one comparison."""
BETWEEN_ACCOUNTS = timedelta(seconds=1)
UNANSWERED = timedelta(seconds=10)
"""Time after which the next account query leaves although the last one has no answer."""

Query = LookUpOrder | FetchFigures | FetchAccount | FetchBooks | FetchActivities | LookUpSymbols
Reply = (
    inputs.SubmissionAnswered
    | inputs.CancelAnswered
    | inputs.LookUpAnswered
    | inputs.FiguresFetched
    | inputs.AccountFetched
    | inputs.ActivitiesFetched
    | inputs.ClockFetched
    | inputs.BooksFetched
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A query, and the time since when it waits."""

    query: Query
    since: datetime
    is_of_working: bool


class RequestPacing:
    """`paced` runs last in every act and selects the effects that leave now."""

    def __init__(self, state: TradingState, room: RequestRoom) -> None:
        self.state = state
        self.room = room
        self._waiting: dict[object, Waiting] = {}
        self._assets: dict[Symbol, datetime] = {}
        self._beyond = 0
        self._do_exits_wait = False
        self._account_asked_at = self._next_account = datetime.min.replace(tzinfo=UTC)
        self._cancels = KillCancels(state, room)

    # ── outgoing effects ─────────────────────────────────────────────────────────────────────────────────────────────

    def paced(self, asked: list[Effect]) -> list[Effect]:
        """Return the effects that leave now, in order, and waiting ones that have room."""
        is_unpaced = self._limit is None and not self._waiting and self.state.control.killed_by is None
        if is_unpaced and not any(isinstance(effect, FetchAccount) for effect in asked):
            return [self._with_all_assets(effect) if isinstance(effect, FetchBooks) else effect for effect in asked]
        others = [effect for effect in asked if not self._cancels.take(effect)]
        leaving: list[Effect] = [effect for effect in others if isinstance(effect, LatchKill)]
        leaving += self._counted(self._cancels.of_ours())
        for effect in others:
            if isinstance(effect, LatchKill):
                continue
            if isinstance(effect, Query) and not _is_of_a_ticket(effect) and not self._is_free(effect):
                leaving += self._let_go(self._wait(effect))
            else:
                self._count(effect)
                leaving.append(effect)
        self._do_exits_wait = bool(self._waiting and held_exits(self.state))
        for key in sorted(self._waiting, key=lambda key: -self._share(self._waiting[key])):
            leaving += self._let_go(key)
        leaving += self._counted(self._cancels.of_external())
        self._show()
        return leaving

    def _counted(self, cancels: Iterable[CancelOrder]) -> Iterator[CancelOrder]:
        for cancel in cancels:
            self._count(cancel)
            yield cancel

    def _show(self) -> None:
        """Publish the held queries, so a wait is visible (EX-09)."""
        held: dict[type[Effect], datetime] = {}
        for waiting in sorted(self._waiting.values(), key=lambda one: one.since):
            if isinstance(waiting.query, FetchAccount) and self.state.at < self._next_account:
                continue
            held.setdefault(type(waiting.query), waiting.since)
        self.state.sightings.held_queries = held

    def _with_all_assets(self, query: FetchBooks) -> FetchBooks:
        if due := self._due_assets(None):
            query = replace(query, instruments=due)
        self._count(query)
        return query

    def _wait(self, query: Query) -> object:
        """Keep the newest query of its kind with the time of the oldest, and return its key."""
        key = _key_of(query)
        before = self._waiting.get(key)
        since = self.state.at if before is None else before.since
        self._waiting[key] = Waiting(query, since, self._is_working(query))
        return key

    def _let_go(self, key: object) -> Iterator[Effect]:
        """Yield the query if there is room; drop it if its order has ended meanwhile."""
        waiting = self._waiting[key]
        if waiting.is_of_working and not self._is_working(waiting.query):
            del self._waiting[key]
            return
        query, rest = self._with_assets(waiting)
        if query is None:
            return
        del self._waiting[key]
        if rest is not None:
            self._waiting[_key_of(rest)] = replace(waiting, query=rest)
        self._count(query)
        yield query

    def _with_assets(self, waiting: Waiting) -> tuple[Query | None, Query | None]:
        """Return the part of the query that has room, and the part that keeps waiting."""
        query, room = waiting.query, self._room(waiting)
        if isinstance(query, FetchAccount) and self.state.at < self._next_account:
            return None, None
        if isinstance(query, FetchBooks):
            if room is not None and room < BOOKS and not self._is_whole_minute(waiting, BOOKS):
                return None, None
            return replace(query, instruments=self._due_assets(None if room is None else self._usual_room(room))), None
        if isinstance(query, LookUpSymbols):
            now = self._first_of(query.symbols, room)
            if not now and query.symbols:
                return None, None
            rest = query.symbols[len(now) :]
            return replace(query, symbols=now), replace(query, symbols=rest) if rest else None
        cost = self._cost(query)
        is_free = room is None or cost <= room or self._is_whole_minute(waiting, cost)
        return (query, None) if is_free else (None, None)

    def _room(self, waiting: Waiting) -> int | None:
        """Return the requests that it may use now; None without a limit."""
        limit = self._limit
        if limit is None:
            return None
        if self.room.is_refused:
            return 0
        most, window = self._most(limit, waiting)
        return most - self.state.messages.requests(self.state.at, window) - self._promised(waiting.query)

    def _most(self, limit: int, waiting: Waiting) -> tuple[int, timedelta]:
        """Return the limit for a waiting query, and the time in which requests count.

        The look-up of an order in doubt may use the room of external cancels, and in time all that a kill waits for.
        """
        share, has_waited = self._share(waiting), self.state.at - waiting.since >= MOVES_UP[1]
        allowed = self._allowed(limit, share)
        if self._cancels.are_external_wanted and share is Share.AWAITED:
            beside = self.room.beside_closes(limit)
            if beside > allowed and (has_waited or self._is_in_doubt(waiting.query)):
                return beside, A_WINDOW
        return allowed, MINUTE

    def _is_in_doubt(self, query: Query) -> bool:
        order = self.state.ledger.order(query.client_order_id) if isinstance(query, LookUpOrder) else None
        return order is not None and order.in_doubt_since is not None

    def _promised(self, query: Query) -> int:
        """Return the requests that exits under way are about to need, unless the query is one of theirs."""
        if isinstance(query, LookUpOrder) and query.client_order_id in self.room.promised_to():
            return 0
        return self.room.promised()

    def _usual_room(self, room: int) -> int:
        """Return the room for assets beside the books: at most the share of comparisons."""
        limit = self._limit
        if limit is None:
            return room
        usual = self._allowed(limit, Share.USUAL) - self.state.messages.requests(self.state.at)
        return max(0, min(room, usual) - BOOKS)

    def _is_whole_minute(self, waiting: Waiting, cost: int) -> bool:
        """Whether it needs more than its share ever allows: then it leaves in a minute without other requests."""
        limit = self._limit
        if limit is None or self.room.is_refused or cost <= self._allowed(limit, self._share(waiting)):
            return False
        return not self.state.messages.requests(self.state.at)

    @property
    def _limit(self) -> int | None:
        return self.state.sightings.capabilities.messages_a_minute

    def _allowed(self, limit: int, share: Share) -> int:
        """Return the limit for a query, with room for a kill's cancels; the least share is always left."""
        reserve = self.state.control.settings.risk.messages.reserve
        least = for_queries(limit, reserve, Share.LEAST)
        return max(min(for_queries(limit, reserve, share), limit - self.room.of_a_kill()), least)

    def _count(self, effect: Effect) -> None:
        if isinstance(effect, FetchBooks):
            self._assets.update(dict.fromkeys(effect.instruments, self.state.at))
            self._note(BOOKS + len(effect.instruments))
        elif isinstance(effect, LookUpSymbols | FetchFigures):
            symbols = effect.symbols if isinstance(effect, LookUpSymbols) else (effect.symbol,)
            new = [symbol for symbol in symbols if self._is_asset_due(symbol)]
            self._assets.update(dict.fromkeys(new, self.state.at))
            self._note((requests_of(effect) or 0) + len(new))
        else:
            if isinstance(effect, FetchAccount):
                self._account_asked_at, self._next_account = self.state.at, self.state.at + UNANSWERED
            self._note(requests_of(effect) or 0)

    def _is_free(self, query: Query) -> bool:
        """Whether it uses only the data service."""
        if isinstance(query, LookUpSymbols):
            return not any(map(self._is_asset_due, query.symbols))
        return not self._cost(query)

    def _cost(self, query: Query) -> int:
        new = isinstance(query, FetchFigures) and self._is_asset_due(query.symbol)
        return (requests_of(query) or 0) + new

    def _note(self, requests: int) -> None:
        if requests and self._limit is not None:
            reserve = self.state.control.settings.risk.messages.reserve
            self.state.messages.count(self.state.at, requests, of_an_earlier_run(self._limit, reserve))

    # ── shares ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _share(self, waiting: Waiting) -> Share:
        waited = self.state.at - waiting.since
        steps = sum(waited >= after for after in MOVES_UP)
        own, highest = self._own_share(waiting.query), Share.USUAL if self._do_exits_wait else Share.AWAITED
        return Share(max(own, min(highest, own + steps)))

    def _own_share(self, query: Query) -> Share:
        if isinstance(query, FetchAccount | FetchActivities | LookUpSymbols):
            return Share.LEAST
        if isinstance(query, LookUpOrder):
            order = self.state.ledger.order(query.client_order_id)
            if order is None:
                return Share.USUAL
            is_awaited = order.in_doubt_since is not None or (order.only_reduces and order.is_cancelling)
            is_unfilled = order.is_working and order.request.type.goes_at_once and not order.request.legs
            return Share.AWAITED if is_awaited or is_unfilled else Share.USUAL
        return Share.AWAITED if isinstance(query, FetchBooks) and self._are_books_awaited() else Share.USUAL

    def _are_books_awaited(self) -> bool:
        """Whether the books are urgent: before the first agreement, after a gap, a kill, or for a basket's report."""
        run, control = self.state.plans.running, self.state.control
        is_reporting = run is not None and run.phase is BasketPhase.REPORTING
        if not control.state.is_reconciled or is_reporting or control.killed_by is not None:
            return True
        connection, seen_at = self.state.sightings.connections.get(Channel.TRADES), self.state.sightings.books_at
        is_up = connection is not None and connection.state is ConnectionState.UP
        return connection is not None and is_up and seen_at is not None and seen_at < connection.since

    def _is_working(self, query: Query) -> bool:
        order = self.state.ledger.order(query.client_order_id) if isinstance(query, LookUpOrder) else None
        return order is not None and order.is_working

    # ── assets ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _due_assets(self, room: int | None) -> tuple[Symbol, ...]:
        """Return the due assets of traded or held symbols: unknown ones first, then old ones, oldest first."""
        state = self.state
        held = state.sightings.held_by_the_broker or ()
        wanted = {*map(Symbol, state.control.settings.symbols), *(p.symbol for p in state.ledger.positions()), *held}
        if not (due := sorted(symbol for symbol in wanted if self._is_asset_due(symbol))):
            return ()
        unknown = [symbol for symbol in due if symbol not in state.sightings.instruments]
        old = sorted((s for s in due if s in state.sightings.instruments), key=lambda s: self._assets.get(s, state.at))
        return tuple((*unknown, *old[:OLD_AT_ONCE])[:room])

    def _is_asset_due(self, symbol: Symbol) -> bool:
        asked_at = self._assets.get(symbol)
        if asked_at is None:
            return True
        keeps = AN_ASSET_KEEPS if symbol in self.state.sightings.instruments else ASKED_AGAIN
        return self.state.at - asked_at >= keeps

    def _first_of(self, symbols: tuple[Symbol, ...], room: int | None) -> tuple[Symbol, ...]:
        if room is None:
            return symbols
        for number, symbol in enumerate(symbols):
            room -= self._is_asset_due(symbol)
            if room < 0:
                return symbols[:number]
        return symbols

    # ── replies ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(inputs.CallsCounted)
    def on_calls(self, message: inputs.CallsCounted) -> Iterable[Effect]:
        """Count the requests that the adapter sent beyond those counted here."""
        self._note(message.beyond - self._beyond)
        self._beyond = message.beyond
        return ()

    @answers(
        inputs.SubmissionAnswered,
        inputs.CancelAnswered,
        inputs.LookUpAnswered,
        inputs.FiguresFetched,
        inputs.AccountFetched,
        inputs.ActivitiesFetched,
        inputs.ClockFetched,
        inputs.BooksFetched,
    )
    def on_reply(self, reply: Reply) -> Iterable[Effect]:
        """Delay every query after a stated 429. Request the books again if they show positions of unknown assets."""
        if isinstance(reply, inputs.CancelAnswered):
            self._cancels.answered(reply)
        answer, seconds = reply.answer, None
        if isinstance(reply, inputs.AccountFetched):
            self._next_account = self._account_asked_at + BETWEEN_ACCOUNTS
            self.state.sightings.deadline_moved |= FetchAccount in self._waiting
        if isinstance(answer, BrokerBooks) and self._limit is not None:
            held = {position.symbol for position in answer.positions}
            self.state.sightings.books_are_wanted |= not held <= self._assets.keys()
        if isinstance(answer, NoAnswer):
            seconds = answer.limited_seconds
        elif isinstance(answer, Refused):
            seconds = answer.wait_seconds
        if seconds is not None:
            until, known = self.state.at + limit_wait(seconds), self.state.sightings.limited_until
            self.state.sightings.limited_until = until if known is None else max(known, until)
        return ()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_holding(self) -> bool:
        """Whether a query or a cancel waits for room."""
        return bool(self._waiting or self._cancels)

    def next_due(self) -> Iterator[datetime]:
        limit, at = self._limit, self.state.at
        yield from self._cancels.next_due()
        for waiting in self._waiting.values():
            yield from (waiting.since + after for after in MOVES_UP if waiting.since + after > at)
            if isinstance(waiting.query, FetchAccount) and self._next_account > at:
                yield self._next_account
            elif self.room.is_refused:
                yield self.state.sightings.limited_until or at
            elif limit is not None:
                (allowed, window), cost = self._most(limit, waiting), max(1, self._cost(waiting.query))
                cost += self._promised(waiting.query)
                room_at = self.state.messages.room_from(at, cost, allowed, window)
                yield room_at if room_at > at else at + A_MOMENT

    def due(self) -> Iterable[Effect]:
        """Do nothing: waiting queries are handled at the end of every act."""
        return ()


def _is_of_a_ticket(effect: Effect) -> bool:
    return isinstance(effect, FetchFigures) and bool(effect.proposal_id)


def _key_of(query: Query) -> object:
    """Return the key of a query; queries with the same key are duplicates."""
    match query:
        case LookUpOrder():
            return LookUpOrder, query.client_order_id
        case FetchFigures():
            return FetchFigures, query.symbol
        case LookUpSymbols():
            return query
    return type(query)
