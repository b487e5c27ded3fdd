"""What the exchange can be told to do wrong: one table of names, and the faults that wait for their moment.

A fault is told from a test by `LoopbackExchange.make`, from another terminal by `POST /faults`. Its `Moment` says when
it acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum


class Moment(Enum):
    """When a fault acts."""

    ASKED = "in place of acting on the next requests of a kind"
    DONE = "after acting on the next requests of a kind"
    TOLD = "on the next trade updates"
    SHOWN = "on the next messages of market data"
    LASTS = "from now until it is ended"
    AT_ONCE = "at once, and it is over"


@dataclass(frozen=True, slots=True)
class Kind:
    moment: Moment
    words: str


FAULTS: Mapping[str, Kind] = {
    "hang": Kind(Moment.ASKED, "nothing is done and no answer comes; `seconds` ends it with 504"),
    "html": Kind(Moment.ASKED, "a 502 with a page of HTML"),
    "server-error": Kind(Moment.ASKED, "a 500 with a message"),
    "rate-limited": Kind(Moment.ASKED, "a 429 without Retry-After"),
    "rate-limited-retry-after": Kind(Moment.ASKED, "a 429 with Retry-After: `seconds`"),
    "drop": Kind(Moment.ASKED, "the connection is dropped before anything is done"),
    "duplicate-id": Kind(Moment.ASKED, "refused with 422, 40010001"),
    "invalid": Kind(Moment.ASKED, "refused with 422, 42210000"),
    "insufficient": Kind(Moment.ASKED, "refused with 403, 40310000"),
    "day-trade": Kind(Moment.ASKED, "refused with 403, 40310100"),
    "not-found": Kind(Moment.ASKED, "refused with 404, 40410000, although it is there"),
    "504-after-accepting": Kind(Moment.DONE, "done, and answered with 504"),
    "drop-after-accepting": Kind(Moment.DONE, "done, and the connection dropped"),
    "hang-after-accepting": Kind(Moment.DONE, "done, and no answer comes"),
    "html-after-accepting": Kind(Moment.DONE, "done, and answered with a page of HTML"),
    "error-after-accepting": Kind(Moment.DONE, "done, and answered with 422 as if it were not"),
    "duplicate-after-accepting": Kind(Moment.DONE, "done, and answered with 422, 42210000, as an id that is taken"),
    "sent-twice": Kind(Moment.DONE, "done, and sent again on its way: the second answer is the one that comes"),
    "fill-before-answer": Kind(Moment.DONE, "the updates go out first, the answer follows after `seconds`"),
    "slow-with-news": Kind(Moment.DONE, "the answer takes `seconds`, and says how the order stands by then"),
    "slow": Kind(Moment.DONE, "the answer takes `seconds`"),
    "unknown-status": Kind(Moment.DONE, "orders in the answer have a status that nobody knows"),
    "positions-empty": Kind(Moment.DONE, "the list of positions comes empty"),
    "null-bars": Kind(Moment.DONE, "null in place of each list of bars"),
    "replay-update": Kind(Moment.TOLD, "told twice, the same execution id"),
    "reorder-updates": Kind(Moment.TOLD, "held back and told after the one that follows"),
    "drop-update": Kind(Moment.TOLD, "never told"),
    "unknown-status-update": Kind(Moment.TOLD, "told with a status that nobody knows"),
    "malformed-update": Kind(Moment.TOLD, "told with fields missing"),
    "late-bar": Kind(Moment.SHOWN, "a bar told only with the next one of its symbol, after it"),
    "drop-bar": Kind(Moment.SHOWN, "a bar never told by the stream"),
    "revised-bar": Kind(Moment.SHOWN, "a bar told, and told again as updated bar with another close"),
    "repeated-bar": Kind(Moment.SHOWN, "a bar told twice"),
    "mute": Kind(Moment.LASTS, "the sockets stay open and say nothing (`of`: trades or data; both without it)"),
    "connection-limit": Kind(
        Moment.LASTS, "every new stream is refused with 406 (`of`: trades or data; both without it)"
    ),
    "cancel-pending": Kind(Moment.LASTS, "cancels stay pending; ended, they are carried out"),
    "clock-skew": Kind(Moment.LASTS, "the clock that it tells is `seconds` ahead"),
    "account-unreadable": Kind(
        Moment.LASTS, "the account is told without what it always has: whether trading is blocked"
    ),
    "asset-unreadable": Kind(Moment.LASTS, "assets are told without what they always have: whether they are shortable"),
    "positions-lag": Kind(Moment.LASTS, "the list of positions stays as it is; orders and account go on"),
    "account-blocked": Kind(Moment.LASTS, "the account is blocked, and orders are refused"),
    "orders-forbidden": Kind(Moment.LASTS, "orders are refused as for a blocked account; its figures show no block"),
    "market-halted": Kind(Moment.LASTS, "the market of `symbol` stands still: no bar, no quote, no fill"),
    "crossed-quotes": Kind(Moment.LASTS, "quotes, streamed and asked for, have their bid above their ask"),
    "zero-quotes": Kind(Moment.LASTS, "quotes, streamed and asked for, have noughts for a bid"),
    "unknown-symbol": Kind(Moment.LASTS, "every question for market data that names `symbol` is refused with 400"),
    "legs-left-out": Kind(
        Moment.LASTS, "lists and the look-up by client order id leave legs out; the order itself does not"
    ),
    "legs-hidden": Kind(Moment.LASTS, "no answer names legs, the order itself neither, although it says its class"),
    "legs-unlinked": Kind(
        Moment.LASTS, "the legs of a bracket know nothing of each other: none shrinks, and none goes with another"
    ),
    "wrong-keys": Kind(Moment.LASTS, "no keys are right any more"),
    "gone": Kind(Moment.AT_ONCE, "no server for `seconds`, every connection dropped"),
    "disconnect": Kind(Moment.AT_ONCE, "the streams are closed (`of`: trades or data; both without it)"),
    "cut-mid-frame": Kind(
        Moment.AT_ONCE, "the streams end in the middle of a frame (`of`: trades or data; both without it)"
    ),
    "cancelled-elsewhere": Kind(Moment.AT_ONCE, "somebody else cancels `order`, a client order id"),
    "closed-elsewhere": Kind(Moment.AT_ONCE, "somebody else cancels the orders of `symbol` and closes the position"),
    "dollars-elsewhere": Kind(
        Moment.AT_ONCE, "somebody else's order for `symbol` rests, in dollars, without a quantity"
    ),
    "legs-elsewhere": Kind(Moment.AT_ONCE, "somebody else's order of two legs rests, options on `symbol`"),
    "auction-elsewhere": Kind(Moment.AT_ONCE, "somebody else's order for `symbol` waits for the next opening auction"),
    "option-held": Kind(Moment.LASTS, "the account holds two contracts of an option on `symbol`"),
    "no-symbol-elsewhere": Kind(Moment.AT_ONCE, "somebody else's order for `symbol` rests, and is told without it"),
    "fills-taken-back": Kind(Moment.AT_ONCE, "the fills of `order` are taken back, and only the lists show it"),
    "fills-busted": Kind(Moment.AT_ONCE, "the fills of `order` are taken back, and an update says so"),
    "bought-elsewhere": Kind(Moment.AT_ONCE, "somebody else buys a share of `symbol`"),
}

ANY = "any"
KINDS_OF_REQUEST = (
    "submit", "replace", "cancel", "cancel-all", "order", "orders", "positions", "close", "account", "activities",
    "clock", "calendar", "assets", "bars", "quotes", "corporate-actions", "news", ANY,
)  # fmt: skip
"""What `of` may say of a fault that acts on requests."""
EVENTS = ("new", "partial_fill", "fill", "canceled", "expired", "replaced", "pending_cancel")
"""What `of` may say of a fault that acts on trade updates."""
STREAMS = ("trades", "data")
"""What `of` may say of a fault of the streams; neither is both."""


@dataclass(slots=True)
class Fault:
    """One fault that was told.

    Attributes
    ----------
    of
        The kind of request, of update or of stream that it is for; `any` is every one.
    times
        How often it still acts.
    """

    name: str
    of: str = ANY
    times: int = 1
    seconds: float = 0.0
    symbol: str = ""
    order: str = ""

    @property
    def moment(self) -> Moment:
        return FAULTS[self.name].moment

    def is_for(self, kind: str) -> bool:
        return self.of in (ANY, kind)


class UnknownFaultError(ValueError):
    """There is no such fault, or not for that."""


class Faults:
    """Those that wait and those that last, in the order in which they were told."""

    def __init__(self) -> None:
        self.told: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.told.append(fault)

    def end(self, name: str | None = None) -> list[Fault]:
        """Ends the faults of a name, or all; returns those that were ended."""
        ended = [fault for fault in self.told if name in (None, fault.name)]
        self.told = [fault for fault in self.told if fault not in ended]
        return ended

    def take(self, moment: Moment, kind: str, names: Iterable[str] = FAULTS) -> Fault | None:
        """The oldest fault for this, used up by one."""
        for fault in self.told:
            if fault.moment is moment and fault.is_for(kind) and fault.name in names:
                fault.times -= 1
                if fault.times <= 0:
                    self.told.remove(fault)
                return fault
        return None

    def lasting(self, name: str, kind: str = ANY) -> Fault | None:
        return next((f for f in self.told if f.name == name and (kind == ANY or f.is_for(kind))), None)


def fault_of(
    name: str, of: str = ANY, times: int = 1, seconds: float = 0.0, symbol: str = "", order: str = ""
) -> Fault:
    """Raises `UnknownFaultError`."""
    if name not in FAULTS:
        raise UnknownFaultError(f"no fault {name!r}; there are: {', '.join(FAULTS)}")
    allowed = (*KINDS_OF_REQUEST, *EVENTS, *STREAMS)
    if of not in allowed:
        raise UnknownFaultError(f"no kind {of!r}; there are: {', '.join(allowed)}")
    if FAULTS[name].moment in (Moment.TOLD, Moment.SHOWN) and of in STREAMS:
        of = ANY  # there is one stream of either
    return Fault(name, of, times, seconds, symbol, order)
