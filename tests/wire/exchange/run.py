"""`make exchange`: the loopback exchange by hand, in the foreground, with the environment that points `keyturn` at it.

Its market is seeded, moves in real time and keeps the New York Stock Exchange's sessions. `--market-time 09:45` opens
it at any hour: time stays real, and each day's session is moved so that it is 09:45 on the exchange now. The calendar
that it serves says the moved hours; a desk that goes by the broker's calendar finds the market open, one that goes by
New York's own does not.

The account begins anew with each start. It outlives the desk, not itself.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from core.brokers.simulated.config import EDITION
from core.market.calendar import load_calendar
from core.model.session import Calendar
from tests.wire.exchange.clocks import RunningClock
from tests.wire.exchange.hours import Hours, moved_hours
from tests.wire.exchange.server import LoopbackExchange

PORT = 8765
LIMIT = 200
"""Requests a minute, as the broker has it for an account."""
KNOWN_DAYS = timedelta(days=60)
"""How far the sessions are known, before and after today."""


def main(arguments: Sequence[str] | None = None) -> int:
    told = parsed(arguments)
    now = datetime.now(UTC)
    exchange = LoopbackExchange(
        symbols=told.symbols.upper().split(","), seed=told.seed, clock=RunningClock(),
        calendar=hours_of(told.market_time, now), cash=told.cash, multiplier=told.multiplier, port=told.port,
        limit=told.limit or None, quote_every=timedelta(seconds=1) / told.quotes, edition=EDITION, say=say,
    )  # fmt: skip
    over = threading.Event()
    try:
        with exchange:
            for name in (signal.SIGINT, signal.SIGTERM):
                signal.signal(name, lambda *_: over.set())
            print(announcement(exchange), flush=True)
            over.wait()
    except OSError as error:
        print(f"exchange: port {told.port}: {error.strerror}; choose another with --port", file=sys.stderr)
        return 1
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make exchange ARGS=…", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=PORT, help=f"on 127.0.0.1; {PORT} unless told")
    parser.add_argument("--seed", type=int, default=1, help="another market")
    parser.add_argument("--symbols", default="SPY", help="separated by commas")
    parser.add_argument("--cash", type=Decimal, default=Decimal(100_000), help="opening balance, USD")
    parser.add_argument("--multiplier", type=Decimal, default=Decimal(2), help="1 is a cash account, 2 and 4 margin")
    parser.add_argument(
        "--limit", type=int, default=LIMIT, help=f"requests a minute; {LIMIT} unless told, 0 without end"
    )
    parser.add_argument("--quotes", type=int, default=1, help="a second of each symbol")
    parser.add_argument("--market-time", type=time.fromisoformat, help="what time it is on the exchange now, as 09:45")
    return parser.parse_args(arguments)


def hours_of(market_time: time | None, now: datetime) -> Calendar:
    if market_time is not None:
        return moved_hours(now, market_time)
    return load_calendar((now - KNOWN_DAYS).date(), (now + KNOWN_DAYS).date())


def environment(exchange: LoopbackExchange) -> dict[str, str]:
    """What points `keyturn` at this exchange."""
    told = {
        "APCA_API_KEY_ID": exchange.keys.id, "APCA_API_SECRET_KEY": exchange.keys.secret,
        "KEYTURN_ACCOUNT__BROKER": "alpaca", "KEYTURN_ALPACA__TRADING_URL": exchange.trading_url,
        "KEYTURN_ALPACA__DATA_URL": exchange.data_url, "KEYTURN_ALPACA__TRADE_STREAM_URL": exchange.trade_stream_url,
        "KEYTURN_ALPACA__DATA_STREAM_URL": exchange.data_stream_url,
    }  # fmt: skip
    hours = exchange.floor.calendar
    if isinstance(hours, Hours):
        told |= {
            "KEYTURN_RISK__WINDOW_START": f"{hours.opens:%H:%M}",
            "KEYTURN_RISK__WINDOW_END": f"{hours.closes:%H:%M}",
        }
    return told


def announcement(exchange: LoopbackExchange) -> str:
    floor = exchange.floor
    hours = floor.calendar
    symbols = ", ".join(floor.tape.symbols)
    when = (
        f"each day from {hours.opens:%H:%M} to {hours.closes:%H:%M} New York"
        if isinstance(hours, Hours)
        else "in the sessions of the New York Stock Exchange"
    )
    exports = "\n".join(f"export {name}={value}" for name, value in environment(exchange).items())
    return f"""Alpaca's protocols on this machine, over the simulated exchange: {symbols}, open {when}.
{floor.config.cash:,} USD, buying power times {floor.config.multiplier}. Ctrl+C ends it, and the account with it.

In another terminal:

{exports}

What goes wrong, from there:

curl -s {exchange.trading_url}/faults
curl -s {exchange.trading_url}/faults -d '{{"fault": "504-after-accepting", "of": "submit"}}'
curl -s {exchange.trading_url}/faults -d '{{"fault": "gone", "seconds": 120}}'
curl -s -X DELETE {exchange.trading_url}/faults
curl -s {exchange.trading_url}/received
"""


def say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S.%f} {line}"[:120], flush=True)


if __name__ == "__main__":
    sys.exit(main())
