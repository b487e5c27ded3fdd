"""What an account may hold and the simulated exchange cannot: options, alone and as legs, in Alpaca's words."""

from __future__ import annotations

from tests.wire.exchange.papers import id_of
from tests.wire.exchange.words import Json


def call_on(symbol: str) -> str:
    return f"{symbol}261218C00700000"


def put_on(symbol: str) -> str:
    return f"{symbol}261218P00600000"


def two_legs(symbol: str) -> Json:
    """What an order of several legs says in place of its own fields: the whole of it has no symbol and no side."""
    return {
        "symbol": "", "asset_class": "", "side": "", "order_class": "mleg",
        "legs": [_leg(call_on(symbol), "buy"), _leg(put_on(symbol), "sell")],
    }  # fmt: skip


def option_json(symbol: str) -> Json:
    """Two contracts, each for a hundred shares."""
    name = call_on(symbol)
    return {
        "asset_id": id_of("asset", name), "symbol": name, "exchange": "", "asset_class": "us_option",
        "asset_marginable": False, "avg_entry_price": "3.15", "qty": "2", "qty_available": "2", "side": "long",
        "market_value": "640", "cost_basis": "630", "unrealized_pl": "10", "unrealized_plpc": "0.0158730158730159",
        "unrealized_intraday_pl": "10", "unrealized_intraday_plpc": "0.0158730158730159", "current_price": "3.2",
        "lastday_price": "3.15", "change_today": "0.0158730158730159",
    }  # fmt: skip


def _leg(name: str, side: str) -> Json:
    return {
        "id": id_of("leg", name), "client_order_id": id_of("leg's own", name), "asset_id": id_of("asset", name),
        "symbol": name, "asset_class": "us_option", "side": side, "position_intent": f"{side}_to_open", "qty": "1",
        "notional": None, "filled_qty": "0", "filled_avg_price": None, "order_class": "mleg", "type": "limit",
        "time_in_force": "day", "limit_price": None, "stop_price": None, "extended_hours": False, "status": "new",
        "legs": None,
    }  # fmt: skip
