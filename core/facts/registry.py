"""The registry of facts, and records from before there were codes.

The class decorator registers a fact with its name and version in journals.

A class may have any name and be moved anywhere: a journal knows only the registered name. docs/FORMATS.md describes how
a fact changes its name or its shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from itertools import takewhile
from typing import Any, TypeVar

from core.model.codes import AuthorizationCode, BasketStop, BlockCode, CancelCode, EndCode, GuardCode, ReadOnlyCode
from core.model.lazy_dataclass import dataclass
from core.model.signal import ExitReason

Data = dict[str, Any]
"""A fact's fields as JSON has them."""

Upgrade = Callable[[Data], Data]
"""Converts one version's data to the next version."""


class Fact:
    """Base class of all facts."""

    __slots__ = ()


F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class FactKind:
    """The journal format of one kind of fact.

    Attributes
    ----------
    name
        Its name in new records.
    version
        Of the current shape; the first was 1.
    aliases
        Its names in older records.
    upgrades
        By version. A missing one means that only fields with a default were added: each default is the value of records
        from before.
    is_heard_again
        It needs no separate sync: if lost in a crash, the source sends it again.
    """

    made: type[Fact]
    name: str
    version: int
    aliases: tuple[str, ...]
    upgrades: Mapping[int, Upgrade]
    is_heard_again: bool

    @property
    def names(self) -> tuple[str, ...]:
        """All names in records."""
        return (self.name, *self.aliases)

    def upgraded(self, data: Data, version: int) -> Data:
        """Convert the data of a version to the newest version."""
        for step in range(version, self.version):
            if upgrade := self.upgrades.get(step):
                data = upgrade(data)
        return data


BY_TYPE: dict[type[Fact], FactKind] = {}
"""Every kind, in the order in which the classes were made."""
BY_NAME: dict[str, FactKind] = {}
"""The same by each name, aliases included."""


def fact(
    name: str = "",
    *,
    version: int = 1,
    aliases: tuple[str, ...] = (),
    upgrades: Mapping[int, Upgrade] | None = None,
    is_heard_again: bool = False,
) -> Callable[[type[F]], type[F]]:
    """Register a class, by its own name unless `name` is given.

    Raises ValueError for a name that another fact has, and for an upgrade of no older version.
    """

    def registered(made: type[F]) -> type[F]:
        kind = FactKind(made, name or made.__name__, version, aliases, upgrades or {}, is_heard_again)
        if taken := sorted(set(kind.names) & BY_NAME.keys()):
            raise ValueError(f"{made.__name__}: another fact is called {', '.join(taken)} in journals")
        if wrong := sorted(set(kind.upgrades) - set(range(1, version))):
            raise ValueError(f"{made.__name__}: no version {wrong[0]} comes before version {version}")
        BY_TYPE[made] = kind
        BY_NAME.update(dict.fromkeys(kind.names, kind))
        return made

    return registered


def edition() -> int:
    """Return the edition of all facts together: it grows with each new fact and version, and never shrinks."""
    return sum(kind.version for kind in BY_TYPE.values())


def kind_of(made: type[Fact]) -> FactKind:
    """Return the journal format of a fact's class."""
    return BY_TYPE[made]


# ── records without codes ────────────────────────────────────────────────────────────────────────────────────────────
# Records from before there were codes: their text is converted once, when a record is decoded.
#
# Nothing else reads text (SP-07). This table has the texts of the releases without codes: it never changes, whatever
# the current texts are.

Words = tuple[tuple[str, Enum], ...]
"""Beginnings of texts, with their codes."""

ENDS: Words = (
    ("never arrived", EndCode.NEVER_ARRIVED),
    ("replaced", EndCode.REPLACED),
    ("the broker says filled", EndCode.FILLED_SHORT),
    ("the broker rejected the rest", EndCode.REJECTED_LATER),
    ("the broker knows it no more", EndCode.LOST_THERE),
)

CANCELS: Words = (
    ("cancelled by the operator", CancelCode.OPERATOR),
    ("killed by ", CancelCode.KILLED),
    ("its position is being closed", CancelCode.MAKES_WAY),
    ("the broker refuses the position's stop while it rests", CancelCode.MAKES_WAY),
    ("it is for more than is held", CancelCode.TOO_MUCH),
    ("the broker's books show none of it", CancelCode.NONE_AT_THE_BROKER),
    ("the position is closed", CancelCode.FLAT),
    ("its time to live is over", CancelCode.OUTLIVED),
    ("the broker's warning was not confirmed in time", CancelCode.WARNING),
    ("flattened by the operator", CancelCode.FLATTENED),
    ("what it was made with has ended", CancelCode.ORPHANED),
    ("it works at the broker after its end", CancelCode.REAPPEARED),
    ("the order that it replaces filled further meanwhile", CancelCode.FILLED_FURTHER),
)

BLOCKS: Words = (
    ("taken back before it was sent", BlockCode.TAKEN_BACK),
    ("it was not sent before the desk left", BlockCode.LEFT),
)

GUARDS: Words = (
    ("no stop at the broker guards these shares", GuardCode.BY_HAND),
    ("its stop ended with the day", GuardCode.WITH_ITS_DAY),
    ("its stop is owed, and what was signed for it has ended", GuardCode.PERMITTED_NO_MORE),
    ("its stop never reached the broker", GuardCode.NOT_THERE),
    ("the broker refused its stop", GuardCode.REFUSED),
    ("the broker ended its stop beside a corporate action", GuardCode.REFUSED),
    ("its stop was kept back before it was sent", GuardCode.KEPT_BACK),
    ("it was not sent before the desk left", GuardCode.LEFT),
    ("the desk failed before sending it", GuardCode.FAILED),
)

AUTHORIZATIONS: Words = (
    ("sold", AuthorizationCode.SOLD),
    ("nothing is left to ", AuthorizationCode.NOTHING_LEFT),
    ("close again: the stop was not gone in time", AuthorizationCode.NOT_IN_TIME),
    ("close again: ", AuthorizationCode.NOT_THROUGH),
    ("another close took its place", AuthorizationCode.DISPLACED),
    ("the stop was asked for again", AuthorizationCode.ASKED_AGAIN),
    ("its stop could not be asked for again", AuthorizationCode.NOT_ASKED_AGAIN),
    ("the stop waits for its key", AuthorizationCode.WAITS_FOR_KEY),
    ("an exit of it was declined", AuthorizationCode.DECLINED),
    ("taken back by the operator", AuthorizationCode.TAKEN_BACK),
)

STOPS: Words = (
    ("stopped: halted, ", BasketStop.HALTED),
    ("stopped: killed by ", BasketStop.KILLED),
    ("stopped: the desk was stopped while the plan ran", BasketStop.RESTARTED),
    ("stopped: nobody said in time whether the buys should go", BasketStop.UNANSWERED),
    ("stopped", BasketStop.OPERATOR),
)

CHECKS = frozenset(
    {
        "allocation",
        "back-pressure",
        "breaker",
        "buying power",
        "cooldown",
        "daily loss",
        "day trades",
        "entry window",
        "equity curve",
        "fresh figures",
        "kill switch",
        "link",
        "loss at the stop",
        "loss streak",
        "low profit",
        "margin",
        "max drawdown",
        "mode",
        "notional",
        "open positions",
        "portfolio",
        "price",
        "quantity",
        "quote age",
        "risk budget",
        "session and clock",
        "session limits",
        "spread",
        "stop",
        "stop loss guard",
        "symbol refused today",
        "tradable",
        "trade frequency",
        "trading halt",
        "vix",
        "volatility halt",
        "weekly loss",
    }
)
"""Every check that existed when only its reasons were recorded, each as `name: reason`."""

LOSSES = ("daily_loss", "weekly_loss")
LIMIT = re.compile(r"the limit is ([0-9,]+\.[0-9]{2}) USD$")
"""The limit in the text of a trip by the account's loss."""

READ_ONLY: Words = (
    ("the broker cannot be reached", ReadOnlyCode.UNREACHABLE),
    ("an order on its way may explain it", ReadOnlyCode.UNDECIDED),
)
"""Phrases within the reasons."""


def _meant(table: Words, words: str, otherwise: Enum) -> str:
    found = next((code for beginning, code in table if words.startswith(beginning)), otherwise)
    return str(found.value)


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def order_state_changed(data: Data) -> Data:
    return {**data, "code": _meant(ENDS, data["reason"], EndCode.AS_ITS_STATE_SAYS)}


def cancel_requested(data: Data) -> Data:
    return {**data, "code": _meant(CANCELS, data["reason"], CancelCode.OTHER)}


def submission_blocked(data: Data) -> Data:
    is_lapsed = " lapsed at " in data["reason"]
    code = BlockCode.LAPSED.value if is_lapsed else _meant(BLOCKS, data["reason"], BlockCode.OTHER)
    return {**data, "code": code}


def refused_by_checks(data: Data) -> Data:
    """The checks' reasons come first."""
    named = (reason.partition(": ")[0] for reason in data["reasons"])
    return {**data, "checks": [*takewhile(CHECKS.__contains__, named)]}


def proposed(data: Data) -> Data:
    return {**data, "proposal": _proposal(data["proposal"])}


def _proposal(proposal: Data) -> Data:
    is_stop = proposal["exit_reason"] == ExitReason.STOP_LOSS.value
    found = [code.value for words, code in GUARDS if is_stop and proposal["reason"] == words]
    return {**proposal, "guard": found[0] if found else None}


def protection_tripped(data: Data) -> Data:
    found = LIMIT.search(data["reason"]) if data["name"] in LOSSES else None
    return {**data, "limit": found[1].replace(",", "") if found else None}


def reconciliation_failed(data: Data) -> Data:
    told = " ".join(data["reasons"])
    found = [code.value for words, code in READ_ONLY if words in told]
    return {**data, "code": found[0] if found else ReadOnlyCode.APART.value}


AUTHORIZED = {"mandate_id": "authorization_id", "mandates": "authorizations"}


def authorized(data: Data) -> Data:
    """Authorizations were called mandates, in a fact and in its approval."""
    named = {AUTHORIZED.get(name, name): value for name, value in data.items()}
    if approval := named.get("approval"):
        named["approval"] = {AUTHORIZED.get(name, name): value for name, value in approval.items()}
    return named


def authorization_ended(data: Data) -> Data:
    return {**data, "code": _meant(AUTHORIZATIONS, data["reason"], AuthorizationCode.OTHER)}


def plan_moved(data: Data) -> Data:
    return {**data, "stop": _stop(data["reason"])}


def _stop(words: str) -> str | None:
    return _meant(STOPS, words, BasketStop.OPERATOR) if words.startswith("stopped") else None
