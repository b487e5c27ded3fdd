"""The trading side of the API: orders, positions, the account, the clock, the calendar and assets."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

from starlette.routing import Route

from core.model.broker import BrokerPosition
from core.model.order import Effect, OrderRequest, OrderType, TimeInForce
from core.model.session import Session
from core.model.values import ZERO, ClientOrderId, Quantity, Symbol
from tests.wire.exchange.asked import as_asked, number, read_order, read_replacement
from tests.wire.exchange.door import Answer, Call, Door
from tests.wire.exchange.floor import Floor, is_open
from tests.wire.exchange.papers import id_of
from tests.wire.exchange.query import day_of, moment, read_time, whole, yes
from tests.wire.exchange.refusal import RefusalError, malformed, not_found
from tests.wire.exchange.words import (
    Json,
    account_json,
    activity_json,
    asset_json,
    clock_json,
    fill_json,
    position_json,
    session_json,
    side_that_closes,
)

MOST_ORDERS, FEW_ORDERS = 500, 50
MOST_ACTIVITIES = 100


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def submit(floor: Floor, call: Call) -> Answer:
    require_not_blocked(floor)
    floor.catch_up()
    symbol = Symbol(str(call.body.get("symbol")))
    order = read_order(call.body, floor.held(symbol))
    return Answer(floor.submit(order))


def replace(floor: Floor, call: Call) -> Answer:
    require_not_blocked(floor)
    floor.catch_up()
    old = floor.order_by_id(call.path["id"])
    asked = floor.papers.of(old.client_order_id).asked or as_asked(old)
    return Answer(floor.replace(old, read_replacement(call.body, asked)))


def cancel(floor: Floor, call: Call) -> Answer:
    floor.catch_up()
    floor.ask_to_cancel(floor.order_by_id(call.path["id"]).client_order_id)
    return Answer(status=204)


def cancel_all(floor: Floor, _: Call) -> Answer:
    asked = []
    for name in floor.open_orders():
        floor.ask_to_cancel(name)
        asked.append({"id": floor.papers.of(name).id, "status": 200})
    return Answer(asked, 207)


def order_of_id(floor: Floor, call: Call) -> Answer:
    floor.catch_up()
    return Answer(floor.order_json(floor.order_by_id(call.path["id"]), nested=yes(call.query, "nested")))


def order_of_client_id(floor: Floor, call: Call) -> Answer:
    floor.catch_up()
    report = floor.order(ClientOrderId(call.query.get("client_order_id", "")))
    return Answer(floor.order_json(report, nested=yes(call.query, "nested") and not floor.leaves_legs_out))


def orders(floor: Floor, call: Call) -> Answer:
    """Newest first unless `direction` says otherwise; `after` and `until` leave their own instant out.

    Nested, legs stand under their parent alone, and go with it out of a list of open orders; not nested, those that are
    held are in no such list. Both is how clients found the broker.
    """
    query = call.query
    status, limit = query.get("status", "open"), whole(query, "limit", FEW_ORDERS)
    if not 0 < limit <= MOST_ORDERS:
        raise malformed(f"limit must be between 1 and {MOST_ORDERS}")
    symbols = {symbol for symbol in query.get("symbols", "").split(",") if symbol}
    after, until = moment(query, "after"), moment(query, "until")
    nested = yes(query, "nested")
    found = []
    for report in floor.orders():
        paper = floor.papers.of(report.client_order_id)
        wanted = (
            (status == "all" or (status == "open") == is_open(report))
            and not (paper.is_leg if nested else status == "open" and report.raw_status == "held")
            and (not symbols or report.symbol in symbols)
            and query.get("side", report.side.value) == report.side.value
            and (after is None or paper.submitted_at > after)
            and (until is None or paper.submitted_at < until)
        )
        if wanted:
            found.append(floor.order_json(report, nested=nested and not floor.leaves_legs_out))
    if query.get("direction", "desc") == "desc":
        found.reverse()
    return Answer(found[:limit])


# ── positions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def positions(floor: Floor, _: Call) -> Answer:
    listed = floor.positions() if floor.listed_positions is None else floor.listed_positions
    return Answer([*(_position(floor, position) for position in listed), *floor.options_held])


def position(floor: Floor, call: Call) -> Answer:
    return Answer(_position(floor, _held(floor, call.path["symbol"])))


def close(floor: Floor, call: Call) -> Answer:
    """A market order for all of it, or for `qty` shares or `percentage` of it."""
    require_not_blocked(floor)
    held = _held(floor, call.path["symbol"])
    whole_position = abs(held.quantity)
    part = number(dict(call.query), "percentage")
    quantity = number(dict(call.query), "qty") or whole_position * (part or Decimal(100)) / 100
    return Answer(floor.submit(closing_order(held, Quantity(quantity), floor.next_name())))


def close_all(floor: Floor, call: Call) -> Answer:
    require_not_blocked(floor)
    if yes(call.query, "cancel_orders"):
        cancel_all(floor, call)
    answers = []
    for held in floor.positions():
        order = floor.submit(closing_order(held, Quantity(abs(held.quantity)), floor.next_name()))
        answers.append({"symbol": held.symbol, "status": 200, "body": order})
    return Answer(answers, 207)


# ── account, clock, calendar, assets ─────────────────────────────────────────────────────────────────────────────────


def account(floor: Floor, _: Call) -> Answer:
    figures = floor.account()
    values = {held.symbol: held.quantity * floor.price(held.symbol) for held in floor.positions()}
    return Answer(_without(floor, account_json(figures, values, floor.opened_at) | floor.shown_block))


def activities(floor: Floor, call: Call) -> Answer:
    """Fills and all else, newest first, by pages of their ids."""
    named = call.path.get("kind") or call.query.get("activity_types")
    kinds = None if named is None else named.split(",")
    found = [
        fill_json(report, floor.papers.of(report.client_order_id), number)
        for report in floor.orders()
        for number in range(len(report.executions))
    ]
    found += map(activity_json, floor.activities())
    after, until, day = moment(call.query, "after"), moment(call.query, "until"), call.query.get("date")
    found = [
        row
        for row in found
        if (kinds is None or row["activity_type"] in kinds)
        and (after is None or _happened_at(row) > after)
        and (until is None or _happened_at(row) < until)
        and (day is None or f"{_happened_at(row):%Y-%m-%d}" == day)
    ]
    found.sort(key=_happened_at)
    if call.query.get("direction", "desc") == "desc":
        found.reverse()
    token = call.query.get("page_token")
    if token:
        seen = [row["id"] for row in found]
        found = found[seen.index(token) + 1 :] if token in seen else []
    return Answer(found[: whole(call.query, "page_size", MOST_ACTIVITIES)])


def _happened_at(row: Json) -> datetime:
    return read_time(row.get("transaction_time") or f"{row['date']}T00:00:00Z")


def portfolio_history(floor: Floor, _: Call) -> Answer:
    """Two points: what the account was opened with, and what it is."""
    figures = floor.account()
    base, gain = floor.config.cash, figures.equity - floor.config.cash
    return Answer(
        {
            "timestamp": [int(floor.opened_at.timestamp()), int(figures.at.timestamp())],
            "equity": [float(base), float(figures.equity)], "profit_loss": [0.0, float(gain)],
            "profit_loss_pct": [0.0, float(gain / base)], "base_value": float(base), "timeframe": "1D",
        },
    )  # fmt: skip


def clock(floor: Floor, _: Call) -> Answer:
    now = floor.catch_up()
    session = floor.calendar.session_at(now)
    following = floor.calendar.next_session(now)
    closes = session.close if isinstance(session, Session) else following.close
    return Answer(clock_json(now + floor.skew, isinstance(session, Session), following.open, closes))


def calendar(floor: Floor, call: Call) -> Answer:
    today = floor.calendar.trading_day(floor.catch_up())
    first = day_of(call.query, "start", today - timedelta(days=30))
    last = min(day_of(call.query, "end", today + timedelta(days=30)), first + timedelta(days=3660))
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    found = []
    for day in days:
        with suppress(LookupError):  # a calendar of a library ends somewhere
            session = floor.calendar.session_on(day)
            found += [session_json(session)] if isinstance(session, Session) else []
    return Answer(found)


def assets(floor: Floor, _: Call) -> Answer:
    return Answer([_asset(floor, symbol) for symbol in floor.tape.symbols])


def asset(floor: Floor, call: Call) -> Answer:
    said = call.path["symbol"]
    named = {id_of("asset", symbol): symbol for symbol in floor.tape.symbols}
    return Answer(_asset(floor, named.get(said, Symbol(said))))


def option_contracts(_: Floor, __: Call) -> Answer:
    return Answer({"option_contracts": [], "next_page_token": None})


def trading_routes(door: Door) -> list[Route]:
    return [
        door.route("POST", "/v2/orders", "submit", submit),
        door.route("GET", "/v2/orders", "orders", orders),
        door.route("DELETE", "/v2/orders", "cancel-all", cancel_all),
        door.route("GET", "/v2/orders:by_client_order_id", "order", order_of_client_id),
        door.route("GET", "/v2/orders/{id}", "order", order_of_id),
        door.route("PATCH", "/v2/orders/{id}", "replace", replace),
        door.route("DELETE", "/v2/orders/{id}", "cancel", cancel),
        door.route("GET", "/v2/positions", "positions", positions),
        door.route("DELETE", "/v2/positions", "close", close_all),
        door.route("GET", "/v2/positions/{symbol}", "positions", position),
        door.route("DELETE", "/v2/positions/{symbol}", "close", close),
        door.route("GET", "/v2/account", "account", account),
        door.route("GET", "/v2/account/activities", "activities", activities),
        door.route("GET", "/v2/account/activities/{kind}", "activities", activities),
        door.route("GET", "/v2/account/portfolio/history", "account", portfolio_history),
        door.route("GET", "/v2/clock", "clock", clock),
        door.route("GET", "/v2/calendar", "calendar", calendar),
        door.route("GET", "/v2/assets", "assets", assets),
        door.route("GET", "/v2/assets/{symbol}", "assets", asset),
        door.route("GET", "/v2/options/contracts", "assets", option_contracts),
    ]


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def require_not_blocked(floor: Floor) -> None:
    if floor.refuses_orders:
        raise RefusalError(403, 40310000, "account is blocked from trading")


def closing_order(held: BrokerPosition, quantity: Quantity, name: str) -> OrderRequest:
    side = side_that_closes(held.quantity)
    effect = Effect.CLOSE if held.quantity > ZERO else Effect.COVER
    return OrderRequest(ClientOrderId(name), held.symbol, side, effect, quantity, OrderType.MARKET, TimeInForce.DAY)


def _held(floor: Floor, said: str) -> BrokerPosition:
    for held in floor.positions():
        if said in (held.symbol, id_of("asset", held.symbol)):
            return held
    raise not_found("position does not exist")


def _position(floor: Floor, held: BrokerPosition) -> Json:
    in_orders = floor.in_orders(held.symbol, side_that_closes(held.quantity))
    return position_json(held, floor.price(held.symbol), floor.close_before_today(held.symbol), in_orders)


def _asset(floor: Floor, symbol: Symbol) -> Json:
    return _without(floor, asset_json(floor.instrument(symbol), floor.config.is_margin))


def _without(floor: Floor, said: Json) -> Json:
    return {name: value for name, value in said.items() if name not in floor.left_out}
