"""One symbol, and the symbols of one sector, stay within the profile's shares of equity (RK-23)."""

from __future__ import annotations

from decimal import Decimal

from core.model.account import Account
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, percent
from core.risk.checks.verdicts import passed, refused, unmeasured, without_equity
from core.risk.gate import Candidate, ReviewContext
from core.risk.portfolio import exposure_by_sector


class ConcentrationCheck:
    """Shuts an entry that would make a symbol, or its sector, too large a share; ends when part of it is closed, or
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
