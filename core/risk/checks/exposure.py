"""Checks of exposure: portfolio, symbol, sector, strategy, and day (RK-23, EX-08)."""

from __future__ import annotations

from decimal import Decimal

from core.execution.external_orders import in_the_way_of
from core.execution.ledger import Ledger
from core.model.account import Account
from core.model.order import Side
from core.model.reconciliation import NO_SYMBOL, DifferenceKind
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, Symbol, percent, plain
from core.risk.checks.funds import free_for
from core.risk.exposure import exposure_by_sector
from core.risk.gate import Candidate, ReviewContext, passed, refused, unmeasured, usd, warned, without_equity


class PortfolioCheck:
    """All positions stay within the profile's exposure and leave its reserve free; over the limit only exits pass
    (RK-16).

    Shuts every entry that takes more than is left; ends when positions are closed, or with fewer shares.
    """

    name = "portfolio"
    passes = passed(name, "no limit is set")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        terms, account = state.settings.risk.portfolio, state.account
        if candidate.only_reduces:
            return passed(self.name, "closes; makes room")
        if terms.limits_nothing:
            return self.passes
        if not isinstance(account, Account):
            return without_equity(self.name, "equity and buying power are not known yet", state)
        equity = account.equity
        if equity <= ZERO:
            return refused(self.name, "no equity is left: exits only")
        cost = candidate.cost(state.quote_of_now)
        if cost is None:
            return unmeasured(self.name, "no price to measure it by", is_fresh=state.is_fresh)
        held = state.exposure(candidate.order)[1]
        refusal = None
        if held + cost > terms.max_exposure * equity:
            refusal = _exposed(held / equity, (held + cost) / equity, terms.max_exposure)
        elif terms.reserve:
            refusal = _spent(free_for(candidate.order, state.ledger, account), cost, terms.reserve)
        if refusal is not None:
            return refused(self.name, refusal)
        return unsaid(self.name, lambda: f"exposure {percent((held + cost) / equity)} of equity with it")


def _exposed(before: Decimal, after: Decimal, most: Decimal) -> str:
    if before > most:
        return f"exposure {percent(before)} of equity is over {percent(most)}: exits only"
    return f"exposure would be {percent(after)} of equity, {percent(most)} is the most; take fewer shares"


def _spent(free: Decimal, cost: Decimal, reserve: Decimal) -> str | None:
    if free - cost >= reserve:
        return None
    if free < reserve:
        return f"{usd(free)} of buying power are free, under the reserve of {usd(reserve)}: exits only"
    return f"it would leave {usd(free - cost)} of buying power, the reserve is {usd(reserve)}; take fewer shares"


class ConcentrationCheck:
    """One symbol, and the symbols of one sector, stay within the profile's shares of equity (RK-23).

    Shuts an entry that would make a symbol, or its sector, too large a share; ends when part of it is closed, or
    with fewer shares.
    """

    name = "concentration"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        terms, account, symbol = state.settings.risk.portfolio, state.account, candidate.order.symbol
        if not terms.limits_concentration:
            return None
        if candidate.only_reduces:
            return passed(self.name, "closes; makes room")
        if not isinstance(account, Account):
            return without_equity(self.name, "equity is not known yet", state)
        if account.equity <= ZERO:
            return refused(self.name, "no equity is left: exits only")
        cost = candidate.cost(state.quote_of_now)
        if cost is None:
            return unmeasured(self.name, "no price to measure it by", is_fresh=state.is_fresh)
        equity, sectors = account.equity, state.settings.risk.sectors
        sector = sectors.get(symbol)
        held, _ = state.exposure(candidate.order)
        own, together = held.get(symbol, ZERO), ZERO
        if sector is not None:
            together = exposure_by_sector(held, sectors).get(sector, ZERO)
        if own + cost > terms.symbol_exposure * equity:
            return refused(self.name, _too_much(symbol, own / equity, (own + cost) / equity, terms.symbol_exposure))
        if sector is not None and together + cost > terms.sector_exposure * equity:
            of = f"the sector {sector}"
            return refused(
                self.name, _too_much(of, together / equity, (together + cost) / equity, terms.sector_exposure)
            )
        return unsaid(self.name, lambda: _told(symbol, sector, (own + cost) / equity, (together + cost) / equity))


def _too_much(what: str, before: Decimal, after: Decimal, most: Decimal) -> str:
    if before > most:
        return f"{what} is {percent(before)} of equity, over {percent(most)}: exits only"
    return f"{what} would be {percent(after)} of equity, {percent(most)} is the most; take fewer shares"


def _told(symbol: str, sector: str | None, own: Decimal, together: Decimal) -> str:
    of_sector = "of no sector" if sector is None else f"the sector {sector} {percent(together)}"
    return f"{symbol} {percent(own)} of equity with it, {of_sector}"


class OpenPositionsCheck:
    """No more positions than the profile allows, and one direction per symbol; working orders count (EX-08).

    Shuts an entry in one more symbol, or against a held position; ends when a position is closed.

    Only one strategy at a time may hold a symbol, unless the settings allow several. An operator may always trade a
    symbol that a strategy holds; the ticket names that position.
    """

    name = "open positions"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            held = in_the_way_of(candidate.order, state.others, state.ledger)
            return warned(self.name, held) if held else passed(self.name, "closes one")
        symbol = candidate.order.symbol
        if unreadable := _unreadable(state, symbol):
            return refused(self.name, unreadable)
        if symbol in state.differing:
            return refused(self.name, f"our books and the broker's differ in {symbol}; wait for the next comparison")
        taken = places_taken(state.ledger)
        others = sorted([owner for s, owner in taken if s == symbol and owner != candidate.strategy])
        if others and not candidate.is_manual and not state.settings.risk.several_strategies_a_symbol:
            return refused(
                self.name, f"another strategy holds {symbol} or has an order in it; close or cancel that first"
            )
        if opposed := _opposed(candidate, state):
            return refused(self.name, opposed)
        limit = state.settings.risk.max_open_positions
        joins = candidate.is_manual and bool(others)  # the symbol already counts
        if not joins and len(taken) + ((symbol, candidate.strategy) not in taken) > limit:
            return refused(self.name, f"FULL, max_open_positions exceeded: {len(taken)} of {limit}; close one first")
        if others:
            return warned(self.name, f"it meets {' and '.join(_met(state.ledger, symbol, owner) for owner in others)}")
        places = len(taken)
        return unsaid(self.name, lambda: f"{places} of {limit} before it")


def _met(ledger: Ledger, symbol: Symbol, owner: str) -> str:
    """Describe the position or order that is there already, as in `the position of vwap, 47 long`."""
    held = ledger.position(symbol, owner)
    if held is None or not held.quantity:
        return f"an order of {owner}"
    return f"the position of {owner}, {plain(abs(held.quantity))} {'long' if held.quantity > 0 else 'short'}"


def places_taken(ledger: Ledger) -> set[tuple[Symbol, str]]:
    """Return symbol and strategy of each open or coming position."""
    taken = {(p.symbol, p.strategy) for p in ledger.positions()}
    taken.update([(group.symbol, group.strategy) for group in ledger.entry_groups()])
    return taken


def _unreadable(state: ReviewContext, symbol: Symbol) -> str | None:
    """Return the reason if an order or position that may be in this symbol cannot be read (EX-09)."""
    for found in state.control.state.differences:
        if found.kind is DifferenceKind.UNREADABLE_POSITION:
            return f"the broker's row of {found.symbol} cannot be read: nobody knows what is held; look at the broker"
        if found.kind is DifferenceKind.UNREADABLE_ORDER and found.symbol in (symbol, NO_SYMBOL):
            where = "may be in" if found.symbol == NO_SYMBOL else "is in"
            whose = "an order of ours" if found.hides_what_is_held else "somebody's order"
            return f"{whose} {where} {symbol} and cannot be read ({found.broker}); cancel it at the broker"
    return None


def _opposed(candidate: Candidate, state: ReviewContext) -> str | None:
    """Return the reason if the entry opposes a held position, which it would close, or a working entry."""
    symbol, side = candidate.order.symbol, candidate.order.side
    held = state.ledger.net_quantity(symbol)
    if held and (held > 0) is (side is Side.SELL):
        return f"{symbol} is held {'long' if held > 0 else 'short'}; close it first"
    if any(group.side is not side for group in state.ledger.entry_groups(symbol)):
        return f"an order that opens {symbol} the other way is working; cancel it first"
    return None
