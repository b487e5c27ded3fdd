"""The kernel's registers: the places of each figure in its arrays of integers, and its units.

Prices are in 1/10,000 USD, quantities in 1/1,000 shares, money in the product of both (1/10,000,000 USD), times in
microseconds since 1970 (UTC). No float is money.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np
from numba import njit
from numpy.typing import NDArray
from platformdirs import user_cache_dir

Function = TypeVar("Function", bound=Callable[..., Any])


def cache_folder() -> str:
    """Return where compiled code is kept: a folder for each state of the kernel's sources.

    numba itself compares a function with its own file alone, and not with the files of what it calls.
    """
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return str(Path(user_cache_dir("keyturn")) / f"kernel-{digest.hexdigest()[:16]}")


if TYPE_CHECKING:

    def compiled(function: Function) -> Function:
        """Compile a function of integers and arrays of integers that makes no array.

        Its arrays are not counted as they are passed on: counting took two thirds of the loop's time.
        """
        return function

    def allocating(function: Function) -> Function:
        """Compile a function that makes arrays."""
        return function
else:
    numba.config.CACHE_DIR = cache_folder()
    compiled = njit(cache=True, _nrt=False)
    allocating = njit(cache=True)

Integers = NDArray[np.int64]

# ── units ────────────────────────────────────────────────────────────────────────────────────────────────────────────

PRICE_UNITS, QUANTITY_UNITS = 10_000, 1_000
"""Units of a USD, and of a share."""
MONEY_UNITS = PRICE_UNITS * QUANTITY_UNITS
MOST_MONEY = 20_000_000 * MONEY_UNITS
"""More could not be multiplied with a ratio."""
TICK = 100
"""A cent: the tick of every price from one USD on."""
RATE_UNITS = 100_000_000
"""Units of a slippage of all of the price."""
RATIO_UNITS = 10_000
"""Units of a ratio in a rule: of the average price."""
SECOND = 1_000_000
MINUTE = 60 * SECOND
LONG_WEEKEND = 5
"""Days: a longer pause between two bars separates their ranges."""
PAUSE = 4 * 60 * MINUTE
"""A longer gap between the starts of two bars is a pause of the exchange."""
NEVER = 2**62

# ── the bars: a row for each figure ───────────────────────────────────────────────────────────────────────────────────

START, END, OPEN, HIGH, LOW, CLOSE, VOLUME, HEARD, SESSION, BAR_SIZE = range(10)
"""`END` is when the path of its prices ends; `HEARD` when the desk receives it; `SESSION` the number of its session."""

# ── the sessions: a row for each figure ───────────────────────────────────────────────────────────────────────────────

CLOSES, DAY, WEEK, NOON, FLAT_FROM, SESSION_SIZE = range(6)
"""`DAY` is the ordinal of its date, `WEEK` of that week's Monday, `NOON` its noon; the last one is a setting."""

# ── the signals: a row for each ───────────────────────────────────────────────────────────────────────────────────────

ENTERS, LEAVES, LATE, SIGNAL_SIZE = range(4)
"""`ENTERS` is 0, or 1 + the number of the rule that would enter; `LEAVES` has a bit for each rule that would leave;
`LATE` is 1 where a position must be flat."""

# ── the rules of the exchange and of the desk ────────────────────────────────────────────────────────────────────────

(
    HALF_SPREAD,
    SLIPPAGE,
    BY_SIZE,
    PART,
    OF_PARTS,
    FEE,
    SETTLES,
    LATENCY,
    IS_DAILY,
    ENTRIES,
    PROFIT_TARGET,
    STALE_DAYS,
    STALE_GAIN,
    MAX_DAYS,
    RULES_GUARD,
    LEAVE_REASON,
    LEVEL_BARS,
    LONGEST,
    DAY_LOSS,
    WEEK_LOSS,
    COOLDOWN_STOP,
    COOLDOWN_LOSS,
    STREAK_STOP,
    STREAK_LIMIT,
    GUARD_STOP,
    GUARD_LIMIT,
    GUARD_BACK,
    GUARD_PROFIT,
    GUARD_IN_A_ROW,
    LOW_STOP,
    LOW_LIMIT,
    LOW_BACK,
    LOW_PROFIT,
    FALL_STOP,
    FALL_TRADES,
    FALL_BACK,
    FALL_WITHIN,
    FALL_LIMIT,
    PAST_ROW,
    FAULT,
    CONFIG_SIZE,
) = range(41)
"""`BY_SIZE` is the slippage of an order as large as its share of a bar; `PART` of `OF_PARTS` is the participation;
`FEE` is of a share, in units of a price. `LEAVE_REASON`, `LEVEL_BARS` and `LONGEST` are of the strategy.

`DAY_LOSS` and `WEEK_LOSS` are the least losses of which the desk takes notice. From `COOLDOWN_STOP` on they are of
protections, whose `…_STOP` is how long they shut entries, 0 for one that is off; `PAST_ROW` is the first row of their
trades. `FAULT` is the number of a planted fault, for tests; 0 plants none.
"""

# ── the state ────────────────────────────────────────────────────────────────────────────────────────────────────────

(
    BAR,
    OPENED,
    POINT,
    NOW,
    PHASE,
    REFUSED,
    POSITION,
    CASH,
    UNSETTLED,
    SESSION_NOW,
    DAY_OPENING,
    WEEK_OPENING,
    FILLED_TODAY,
    VALUE_TODAY,
    TAKEN,
    TAKEN_IN,
    ENTRY,
    ENTRY_AT,
    ENTRY_ENDS,
    ENTRY_QUANTITY,
    ENTRY_LEFT,
    ENTRY_LIMIT,
    ENTRY_STEP,
    ENTRY_HIT,
    HAS_LEGS,
    PLAN_STOP,
    PLAN_TARGET,
    PLAN_RULE,
    PLAN_LEVEL,
    STOPS,
    TARGET,
    TARGET_LEFT,
    TARGET_HIT,
    FRESH_BAR,
    SALE,
    SALE_AT,
    SALE_WHOLE,
    SALE_LEFT,
    SALE_STEP,
    SALE_REASON,
    TRADE_AT,
    TRADE_DAY,
    TRADE_QUANTITY,
    TRADE_COST,
    TRADE_PROCEEDS,
    TRADE_FEES,
    TRADE_PRICE,
    TRADE_IS_ROUNDED,
    LOST_TODAY,
    SEEN_LOSS,
    LOCKED_UNTIL,
    CLOSED,
    COUNTED,
    LOST_IN_A_ROW,
    GUARD_FROM,
    FILLS,
    TRADES,
    STATE_SIZE,
) = range(58)

NONE, COMING, WORKING, ELECTED, VOID, CANCELLING = range(6)
"""States of an order: on its way, working, a stop that takes any price, a proposal that never becomes an order, and a
sale whose stops are being cancelled."""
MOST_STOPS = 8
STOP_STATE, STOP_AT, STOP_LEFT, STOP_STEP, STOP_WHOLE = range(5)
"""The columns of the stops, the oldest first, in the first rows of the table."""
ROWS = 4096
FILL_ROW, TRADE_ROW, SETTLING_ROW = MOST_STOPS, MOST_STOPS + ROWS, MOST_STOPS + 2 * ROWS
TABLE_SIZE = 7
"""The table's columns; from these rows on it has fills, closed trades, and for each session what settles with it and
the equity that it begins with."""
PAST_AT, PAST_RATIO, PAST_PROFIT, PAST_IS_STOP = range(4)
"""The columns of the trades that protections count."""

# ── what comes out ───────────────────────────────────────────────────────────────────────────────────────────────────

FILL_AT, FILL_KIND, FILL_PRICE, FILL_QUANTITY, FILL_SIZE = range(5)
BUYS, STOPS_OUT, TAKES_PROFIT, SELLS = range(4)
"""Kinds of fills: of the entry, a stop, a target at the exchange, a sale at the market."""
(
    ENTERED_AT,
    LEFT_AT,
    TRADED,
    COST,
    PROCEEDS,
    FEES,
    REASON,
    TRADE_SIZE,
) = range(8)
BY_STOP, BY_TARGET, BY_SIGNAL, BY_CLOSE, BY_TIME, BY_REVERSION = range(6)
"""Reasons of an exit."""
DONE, TO_SIZE, TO_EMPTY, IS_REFUSED = range(4)
"""Why the loop returned: at the end, for the size of an entry, for room in its tables, at what it does not model."""

(
    HELD_OVER_CLOSE,
    STOPPED_WHILE_BUYING,
    LEAVES_WHILE_BUYING,
    TOO_MANY_STOPS,
    NEAR_A_LOSS_LIMIT,
    ROUNDING_TIE,
    PART_OF_LEGS,
    STOP_CUT_BY_CLOSE,
    SALE_CUT_BY_CLOSE,
    NO_STOP,
    TOO_MUCH_MONEY,
    STOP_AT_QUOTE,
    STOP_STILL_FILLS,
    SLIPPAGE_TIE,
    TOO_MANY_TRADES,
    LEFT_BY_THE_CLOCK,
) = range(1, 17)
"""What the loop finds in the bars and does not model; 0 is nothing."""
