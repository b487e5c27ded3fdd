"""The door of the HTTP side: every request is written down, judged by its keys, acted upon once, and answered.

What the exchange was told to do wrong is done here and nowhere else: in place of acting, or after it.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from core.io.wall_clock import utc_now
from tests.kit.pause import pause
from tests.wire.exchange.faults import Fault, Faults, Moment
from tests.wire.exchange.floor import Floor
from tests.wire.exchange.refusal import INVALID, MALFORMED, NOT_FOUND, UNAUTHORIZED, RefusalError, malformed

PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
MYSTERY = "pending_mystery"
REFUSALS: Mapping[str, tuple[int, int, str]] = {
    "duplicate-id": (422, MALFORMED, "client_order_id must be unique"),
    "invalid": (422, INVALID, "invalid order"),
    "insufficient": (403, 40310000, "insufficient buying power"),
    "day-trade": (403, 40310100, "trade denied due to pattern day trading protection"),
    "not-found": (404, NOT_FOUND, "order not found"),
    "server-error": (500, 50010000, "internal server error occurred"),
    "504-after-accepting": (504, 50410000, "gateway timeout"),
    "duplicate-after-accepting": (422, INVALID, "client_order_id must be unique"),
    "error-after-accepting": (422, INVALID, "unable to replace order, order isn't sent to exchange yet"),
}
TOO_MANY = (42910000, "rate limit exceeded")
MARKET_DATA = ("/v2/stocks", "/v1/corporate-actions", "/v1beta1/news")
A_MINUTE = timedelta(minutes=1)
MOST_KEPT = 100_000
"""Requests that are remembered."""
FILL_FIRST = 0.02
"""Seconds by which the updates are ahead of their answer, where the fault names none."""


@dataclass(frozen=True, slots=True)
class Keys:
    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in. `at` is real time."""

    method: str
    path: str
    query: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read: the parts of its path, its query, and its body with numbers as Decimal."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON, or nothing where there is nothing to say."""

    json: Any = None
    status: int = 200


Act = Callable[[Floor, Call], Answer]


class Door:
    """Where requests come in.

    Parameters
    ----------
    publish
        Tells the streams what is in the floor's outbox.
    drop
        Drops the connection that a request came on.
    say
        Hears a line for each request.
    limit
        Requests that are taken in any minute of real time, those for market data counted apart; None is without end.
        More are answered with 429.

    Attributes
    ----------
    refused
        Requests beyond the limit so far.
    told_as
        What becomes of the answers to a kind of request before they are told.
    """

    def __init__(
        self,
        floor: Floor,
        faults: Faults,
        keys: Keys,
        publish: Callable[[], None],
        drop: Callable[[tuple[str, int]], None],
        say: Callable[[str], None],
        limit: int | None = None,
    ) -> None:
        self.received: deque[Received] = deque(maxlen=MOST_KEPT)
        self.refused = 0
        self.told_as: dict[str, Callable[[Any], Any]] = {}
        self._floor, self._faults, self._keys = floor, faults, keys
        self._publish, self._drop = publish, drop
        self._say = say
        self._limit = limit
        self._taken: dict[bool, deque[datetime]] = {is_data: deque(maxlen=limit or 1) for is_data in (False, True)}

    def route(self, method: str, path: str, kind: str, act: Act) -> Route:
        async def endpoint(request: Request) -> Response:
            response = await self._receive(request, kind, act)
            self._say(f"{request.method} {request.url.path}: {response.status_code}")
            return response

        return Route(path, endpoint, methods=[method])

    async def _receive(self, request: Request, kind: str, act: Act) -> Response:
        body = (await request.body()).decode(errors="replace")
        now = utc_now()
        self.received.append(Received(request.method, request.url.path, request.url.query, body, now))
        taken = self._taken[request.url.path.startswith(MARKET_DATA)]
        if len(taken) == self._limit and now - taken[0] < A_MINUTE:
            self.refused += 1
            return too_many((taken[0] + A_MINUTE - now).total_seconds())
        taken.append(now)
        fault = self._faults.take(Moment.ASKED, kind)
        if fault is not None:
            return await self._fail(request, fault)
        try:
            self._require_keys(request)
            call = Call(request.path_params, request.query_params, parsed(body))
            answer = act(self._floor, call)
            if self._faults.take(Moment.DONE, kind, ["sent-twice"]) is not None:
                answer = act(self._floor, call)
        except RefusalError as no:
            return refused(no.status, no.code, no.message, BackgroundTask(self._tell))
        return await self._answer(request, kind, answer)

    async def _answer(self, request: Request, kind: str, answer: Answer) -> Response:
        fault = self._faults.take(Moment.DONE, kind)
        match fault.name if fault else "":
            case "504-after-accepting" | "error-after-accepting" | "duplicate-after-accepting" as name:
                return refused(*REFUSALS[name], BackgroundTask(self._tell))
            case "html-after-accepting":
                return HTMLResponse(PAGE, 502, background=BackgroundTask(self._tell))
            case "drop-after-accepting":
                self._publish()
                return self._dropped(request)
            case "hang-after-accepting":
                self._publish()
                return await silence(request)
            case "fill-before-answer":
                self._publish()
                await pause((fault.seconds if fault else 0) or FILL_FIRST, may_be_real=True)
            case "slow":
                self._publish()
                await pause(fault.seconds if fault else 0, may_be_real=True)
            case "slow-with-news":
                await pause(fault.seconds if fault else 0, may_be_real=True)
                self._floor.catch_up()
                report = self._floor.order(answer.json["client_order_id"])
                answer = Answer(self._floor.order_json(report, nested=True), answer.status)
            case "unknown-status":
                answer = Answer(of_no_known_status(answer.json), answer.status)
            case "positions-empty":
                answer = Answer([], answer.status)
            case "null-bars":
                answer = Answer(without_bars(answer.json), answer.status)
        if (change := self.told_as.get(kind)) is not None:
            answer = Answer(change(answer.json), answer.status)
        background = BackgroundTask(self._tell)
        if answer.json is None:
            return Response(status_code=answer.status, background=background)
        return JSONResponse(answer.json, answer.status, background=background)

    async def _fail(self, request: Request, fault: Fault) -> Response:
        """In place of acting."""
        match fault.name:
            case "hang":
                return await silence(request, fault.seconds)
            case "drop":
                return self._dropped(request)
            case "html":
                return HTMLResponse(PAGE, 502)
            case "rate-limited":
                return refused(429, *TOO_MANY)
            case "rate-limited-retry-after":
                return too_many(fault.seconds)
            case name:
                return refused(*REFUSALS[name])

    async def _tell(self) -> None:
        self._publish()

    def _dropped(self, request: Request) -> Response:
        if request.client is not None:
            self._drop((request.client.host, request.client.port))
        return Response(status_code=500)  # nobody hears it

    def _require_keys(self, request: Request) -> None:
        said = request.headers.get("APCA-API-KEY-ID"), request.headers.get("APCA-API-SECRET-KEY")
        if said != (self._keys.id, self._keys.secret) or self._faults.lasting("wrong-keys"):
            raise RefusalError(401, UNAUTHORIZED, "request is not authorized")


def refused(status: int, code: int, message: str, background: BackgroundTask | None = None) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status, background=background)


def too_many(seconds: float) -> Response:
    """With the time to wait, said in both ways."""
    wait = max(1, ceil(seconds))
    reset = int(utc_now().timestamp()) + wait
    response = refused(429, *TOO_MANY)
    response.headers.update({"Retry-After": str(wait), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)})
    return response


async def silence(request: Request, seconds: float = 0.0) -> Response:
    """No answer: until the client hangs up, or for some seconds and then 504."""
    try:
        async with asyncio.timeout(seconds or None):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    return Response(status_code=504)


def parsed(body: str) -> dict[str, Any]:
    """Raises `RefusalError`."""
    if not body:
        return {}
    try:
        read = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        raise malformed("request body format is invalid") from None
    if not isinstance(read, dict):
        raise malformed("request body format is invalid")
    return read


def of_no_known_status(said: Any) -> Any:
    if isinstance(said, list):
        return [of_no_known_status(one) for one in said]
    return {**said, "status": MYSTERY} if isinstance(said, dict) and "status" in said else said


def without_bars(said: Any) -> Any:
    if isinstance(said, dict) and isinstance(said.get("bars"), dict):
        return {**said, "bars": dict.fromkeys(said["bars"])}
    return said
