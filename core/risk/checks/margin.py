"""A margin account stays above maintenance and within buying power, at the asset's own margin requirement (RK-14)."""

from __future__ import annotations

from core.model.account import Account, NoAccount
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import Effect
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, Symbol, percent
from core.risk.checks.buying_power import free_for
from core.risk.checks.verdicts import passed, refused, unmeasured, usd, warned, without_equity
from core.risk.gate import Candidate, ReviewContext
from core.risk.margin import MarginEffect, Unknown, effect_of, limit_under, maintenance_coming


class MarginCheck:
    """Shuts an entry that margin does not carry, and warns near maintenance; ends with fewer shares, or with more
    equity.
    """

    name = "margin"
    passes = passed(name, "a cash account borrows nothing")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; takes none")
        if isinstance(state.account, NoAccount):
            return without_equity(self.name, f"margin is not known: {state.account.reason}", state)
        if not state.account.lends and candidate.order.effect is Effect.SHORT:
            return refused(self.name, "a cash account sells nothing short")
        if not state.account.lends:
            return self.passes
        effect = margin_effect(candidate, state, state.account)
        if isinstance(effect, Unknown):
            return unmeasured(self.name, effect.reason, is_fresh=state.is_fresh)
        return self._judged(effect, state)

    def _judged(self, effect: MarginEffect, state: ReviewContext) -> Verdict:
        terms = state.settings.risk.margin
        if effect.after < ZERO:
            return refused(self.name, "it would bring the account under maintenance; take fewer shares")
        if effect.after < terms.refuse_at:
            least = percent(terms.refuse_at)
            return refused(
                self.name,
                f"excess over maintenance would be {percent(effect.after)}, at least {least}; take fewer shares",
            )
        if effect.used > effect.free:
            return refused(
                self.name,
                f"it takes {usd(effect.used)} of buying power, {usd(effect.free)} are free; take fewer shares",
            )
        reasons = []
        if effect.is_over_night:
            night = f"over the night {usd(max(effect.overnight or ZERO, ZERO))} may be spent"
            if terms.holds_overnight:
                return refused(self.name, f"{night}, and it takes {usd(effect.used_overnight)}; take fewer shares")
            reasons.append(f"{night}; close it before that")
        limit = limit_under(effect.after, terms.warn_at)
        if limit is not None:
            reasons.append(f"excess over maintenance would be {percent(effect.after)}, under {percent(limit)}")
        if reasons:
            return warned(self.name, "; ".join(reasons))
        return unsaid(
            self.name,
            lambda: f"excess over maintenance {percent(effect.after)} when filled, {percent(effect.before)} without it",
        )


def margin_effect(candidate: Candidate, state: ReviewContext, account: Account) -> MarginEffect | Unknown:
    """Return the effect of an entry on a margin account, working entries included."""
    price = candidate.price(state.quote_of_now)
    if price is None:
        return Unknown("no price to measure it by")

    def known(symbol: Symbol) -> BrokerInstrument | NoInstrument:
        return state.instruments.get(symbol) or NoInstrument("not asked for yet")

    coming = maintenance_coming(state.ledger, known, account.at, but=candidate.order)
    free = free_for(candidate.order, state.ledger, account)
    return effect_of(candidate.order, price, account, state.instrument, (coming, free))
