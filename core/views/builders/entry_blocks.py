"""List everything that blocks entries now, from one place for all who tell it (OP-09, SY-02).

The status line and the banner of the desk, `keyturn status`, the health endpoint and `get_desk` of agents read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from core.model.account import AWAY, Channel, Mode, NoAccount
from core.model.entry_blocks import EntryBlock, EntryCause
from core.model.session import NoSession
from core.model.staging import CheckResult
from core.model.values import Symbol
from core.trading_state.state import TradingState
from core.views import ProtectionRow
from core.views.builders.protections import ALLOWANCE, WINDOW, ProtectionRows, is_of_everything, shut_by_the_clock
from core.workflows.staging.ticket_checks import silent_links

OF_ROWS = {"symbol": EntryCause.SYMBOL_REFUSED, "list": EntryCause.LIST, "breaker": EntryCause.BREAKER}
"""The cause of a row by its key's first part; every other row is a protection."""
NOTED = (EntryCause.SYMBOL_REFUSED, EntryCause.LIST)
"""Causes whose reason is the operator's note."""
TOLD_ELSEWHERE = frozenset({"desk", WINDOW})
"""Rows whose reason is in the list by the desk's own state, and by the clock."""


def entry_blocks(state: TradingState, at: datetime, rows: Iterable[ProtectionRow]) -> tuple[EntryBlock, ...]:
    """Return everything that blocks an entry, what blocks every one first; `rows` are those of all guards."""
    found = (*_of_the_desk(state, at), *_of_guards(state, at, rows), *_of_symbols(state, at))
    return tuple(sorted(found, key=lambda block: block.scope != ""))


def blocks_at(state: TradingState, at: datetime) -> tuple[EntryBlock, ...]:
    """Return the same without a desk that has the rows."""
    return entry_blocks(state, at, ProtectionRows(state).rows(at))


def _of_the_desk(state: TradingState, at: datetime) -> Iterator[EntryBlock]:
    yield from state.control.blocks()
    if (refusal := state.breaker.refusal(at)) is not None:
        yield EntryBlock(EntryCause.BREAKER, f"breaker: {refusal}")
    broker = state.sightings.connections.get(Channel.BROKER)
    if broker is not None and broker.state in AWAY:
        yield EntryBlock(EntryCause.LINK, "the broker is away")
    for verdict in silent_links(state, at):
        if verdict.standing is CheckResult.REFUSES:
            yield EntryBlock(EntryCause.LINK, verdict.reason)
    account = state.sightings.account
    if isinstance(account, NoAccount):
        if state.control.settings.risk.on_missing_equity == "refuse":
            yield EntryBlock(EntryCause.ACCOUNT, f"the account's figures are not known: {account.reason}")
    elif account.is_blocked:
        yield EntryBlock(EntryCause.ACCOUNT, f"the broker accepts no orders: {account.blocked_because}")
    if state.mode is Mode.LIVE and state.control.settings.account.mode is not Mode.LIVE:
        yield EntryBlock(EntryCause.MODE, "the account is live and account.mode is paper; start the desk again")


def _of_guards(state: TradingState, at: datetime, rows: Iterable[ProtectionRow]) -> Iterator[EntryBlock]:
    is_open = state.breaker.refusal(at) is None
    for row in rows:
        name = row.key.partition("/")[0]
        if not row.is_tripped or row.passes_overridden or name in TOLD_ELSEWHERE:
            continue
        if name == "breaker" and not is_open:
            continue
        cause = OF_ROWS.get(name, EntryCause.PROTECTION)
        scope = "" if is_of_everything(row.key) else row.name
        told = f"{row.name}: {row.measure}" if cause in NOTED else ""
        yield EntryBlock(cause, f"{told or row.name}: {row.reason}", row.key, scope, told)
    for key, words in shut_by_the_clock(state, at):
        yield EntryBlock(EntryCause.PROTECTION, words, key)


def _of_symbols(state: TradingState, at: datetime) -> Iterator[EntryBlock]:
    for halt in state.normaliser.state.halted.values():
        yield EntryBlock(EntryCause.TRADING_HALT, f"{halt.symbol} is halted ({halt.reason})", scope=halt.symbol)
    for symbol in sorted(state.sightings.differing | state.sightings.disputed):
        yield EntryBlock(EntryCause.BOOKS, f"the broker's books of {symbol} differ from the desk's", scope=symbol)
    if Channel.DATA not in state.sightings.connections or isinstance(state.calendar.session_at(at), NoSession):
        return
    for followed in state.control.settings.symbols:
        if Symbol(followed) not in state.sightings.quotes:
            yield EntryBlock(EntryCause.NO_QUOTE, f"no quote of {followed} came yet", scope=followed)


def shut_in_words(blocks: Iterable[EntryBlock]) -> str:
    """Return the guard that refuses every entry, and why; empty if there is none."""
    of_all = [block for block in blocks if block.key and not block.scope]
    tripped = [block for block in of_all if block.key not in (WINDOW, ALLOWANCE)]
    if not tripped:
        return of_all[0].words if of_all else ""
    more = f", and {len(tripped) - 1} more" if len(tripped) > 1 else ""
    return f"{tripped[0].words}{more}"
