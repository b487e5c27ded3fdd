"""Facts in words: one line each, for the log pane, the journal's tail and the chain of an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from core import facts
from core.advisers import words as advice
from core.model.basket import BasketLine
from core.model.codes import HaltCause
from core.model.order import LegRole, OrderRequest, OrderType
from core.model.reconciliation import DifferenceKind
from core.model.signal import EntrySignal, ExitSignal
from core.model.staging import AT_THE_KEY, StopPlan
from core.model.values import CENT, ZERO, plain, priced
from core.model.venues import HOME
from core.risk.evaluation import words as evaluation
from core.risk.regime import report
from core.strategies.memory import fault_in_words
from core.trading_state.trading_status import jump_in_words

CORRECTED = frozenset({DifferenceKind.MISSING_LOCAL, DifferenceKind.MISSING_BROKER, DifferenceKind.QUANTITY_MISMATCH})
"""Differences that a passed comparison has corrected: they are told as corrections."""

CRITICAL, ERROR = "CRITICAL", "ERROR"
SEVERITIES: dict[type, str] = {
    facts.CommandRefused: CRITICAL,
    facts.AdviserOverstepped: CRITICAL,
    facts.CancelFailed: ERROR,
}


def kind_of(fact: facts.Fact) -> str:
    """One word for the log's first column."""
    return _KINDS.get(type(fact), "desk")


def order_in_words(order: OrderRequest) -> str:
    """`BUY 47 SPY limit 166.76`, and that it acts in extended hours too."""
    return f"{order.side.value.upper()} {plain(order.quantity)} {order.symbol} {terms_in_words(order)}"


def terms_in_words(order: OrderRequest) -> str:
    """`limit 166.76`, and that it acts in extended hours too."""
    return f"{_terms(order)}{' in extended hours too' if order.extended_hours else ''}"


def _terms(order: OrderRequest) -> str:
    """`limit 166.76`, `stop 48.43 limit 48.40`, `trailing stop 1.50 behind`, `trailing stop 2 % behind`."""
    if order.trail_price is not None:
        return f"trailing stop {priced(order.trail_price)} behind"
    if order.trail_fraction is not None:
        return f"trailing stop {plain(order.trail_fraction * 100)} % behind"
    words = [order.type.value] if order.type is OrderType.MARKET else []
    if order.stop_price is not None:
        words.append(f"stop {priced(order.stop_price)}")
    if order.limit_price is not None:
        words.append(f"limit {priced(order.limit_price)}")
    return " ".join(words)


def with_legs_in_words(order: OrderRequest) -> str:
    """`BUY 47 SPY limit 166.76, with it stop 166.26 and target 170`."""
    legs = [
        f"target {priced(leg.limit_price or ZERO)}"
        if leg.role is LegRole.TARGET
        else f"stop {priced(leg.stop_price or ZERO)}"
        for leg in order.legs
    ]
    return order_in_words(order) + (f", with it {' and '.join(legs)}" if legs else "")


def purpose_in_words(order: OrderRequest) -> str:
    """`to open`, or whose place it takes."""
    return f"to {order.effect.value}" if order.replaces is None else f"in the place of {order.replaces}"


def severity_of(fact: facts.Fact) -> str:
    """`CRITICAL` where a promise of our own code is broken or somebody reached for what is not theirs, `ERROR` where a
    cancel failed, empty else (EX-02, EX-07, EX-14).
    """
    if isinstance(fact, facts.Halted):
        return CRITICAL if fact.cause is HaltCause.INVARIANT else ""
    return SEVERITIES.get(type(fact), "")


def in_words(fact: facts.Fact) -> str:
    """What happened, in one line without its time, behind its severity where it has one."""
    severity, words = severity_of(fact), _in_words(fact)
    return f"{severity}: {words}" if severity else words


def _in_words(fact: facts.Fact) -> str:
    match fact:
        case facts.SettingsApplied():
            return _settings_in_words(fact)
        case facts.SettingsFileChanged():
            return f"ENTRIES ARE SHUT: {fact.reason}"
        case facts.SettingsFileAgreed():
            return "the settings file says again what the desk trades by: entries pass"
        case facts.LimitsReloaded():
            left = f"; left as they were: {'; '.join(fact.left)}" if fact.left else ""
            return f"limits reloaded: {'; '.join(fact.taken) or 'none of them changed'}{left}"
        case facts.ReloadRefused():
            return f"the limits are not reloaded:{_list(fact.reasons, ' ')}"
        case facts.ClockJumped():
            return f"ENTRIES ARE SHUT: {jump_in_words(fact.seconds, fact.behind)}"
        case facts.ClockSettled():
            return "the clock is steady: entries pass again"
        case facts.InstallationNamed():
            return f"this installation is {fact.name}"
        case facts.StateReset():
            return f"reset {_minute(fact.when)}, after record {fact.last_record}; what was there is in {fact.backup}"
        case facts.StateRestored():
            kept = "" if fact.backup is None else f"; what was there is in {fact.backup}"
            return f"restored {_minute(fact.when)} from {fact.archive}, {fact.lost} records lost{kept}"
        case facts.EngineStarted():
            return "engine started; nothing trades before the books are compared"
        case facts.EngineStopped():
            return f"engine stopped: {fact.reason}"
        case facts.DayStarted() | facts.DayCorrected():
            return _day_in_words(fact)
        case facts.BarClosed():
            bar = fact.bar
            return f"{bar.symbol} {HOME.told(bar.start)} closed at {priced(bar.close)}, {plain(bar.volume)} shares"
        case facts.HistoryLoaded() | facts.PastDaysLoaded() | facts.TradingHalted() | facts.TradingResumed():
            return _market_in_words(fact)
        case facts.MarketDataQuarantined():
            return f"market data set aside, {fact.place}: {fact.reason}"
        case facts.StrategyPaused():
            told = f"{fact.strategy} on {fact.symbol} is paused: it opens nothing, its exits go on"
            return f"{told}; {fact.reason}" if fact.reason else told
        case facts.StrategyResumed():
            return f"{fact.strategy} on {fact.symbol} goes on"
        case (
            facts.SignalRaised()
            | facts.ReasonsCounted()
            | facts.StrategyFailed()
            | facts.SignalsOpposed()
            | facts.StrategyMissing()
            | facts.StrategyFound()
            | facts.StrategyForgot()
        ):
            return _of_strategies(fact)
        case facts.SymbolRefused():
            return f"{fact.symbol} is refused for {fact.day}: {fact.reason}; nothing opens in it"
        case facts.ReconciliationPassed():
            shown = tuple(d.in_words for d in fact.differences if d.kind not in CORRECTED or d.is_error)
            return "books agree with the broker" + _list(fact.corrections, "; corrected: ") + _list(shown, "; ")
        case facts.ReconciliationFailed():
            return "read-only:" + _list(fact.reasons, " ")
        case facts.PositionCorrected():
            return f"position corrected: {fact.reason}"
        case facts.CallFailed():
            return f"no answer to {fact.call}: {fact.reason}"
        case facts.CallAnswered():
            late = f" after {fact.took} s" if fact.is_slow else ""
            return f"the broker answered {fact.call}{late}"
        case facts.BreakerOpened():
            ends = "until you clear it" if fact.until is None else f"until {HOME.told(fact.until, '%H:%M:%S')}"
            return f"BREAKER open {ends}, no entries: {fact.reason}"
        case facts.BreakerClosed():
            return f"breaker closed: {fact.reason}"
        case facts.ProtectionTripped():
            if fact.until is None:
                return f"PROTECTION {_guard(fact)} shut until it recovers: {fact.reason}"
            return f"PROTECTION {_guard(fact)} shut until {_minute_of(fact.until)}: {fact.reason}"
        case facts.ProtectionExpired():
            return f"protection {_guard(fact)} ended: entries pass it again"
        case facts.ProtectionOverridden():
            return _override_in_words(fact)
        case facts.OverrideEnded():
            return f"protection {_guard(fact)} is no longer overridden: {fact.reason}"
        case facts.RegimeMeasured():
            return f"regime: {report.in_words(fact.regime)}"
        case facts.RiskThrottled():
            return f"THROTTLE: a trade risks {plain(fact.factor)} of what it did: {fact.reason}"
        case facts.RiskRestored():
            return f"the throttle ends, a trade risks as much as before: {fact.reason}"
        case facts.MarginSampled():
            return f"margin: maintenance {_usd(fact.maintenance_margin)} of {_usd(fact.equity)} equity"
        case facts.MarginWarned():
            return _margin(fact)
        case facts.Halted():
            return f"HALTED ({fact.cause.value}) {fact.reason}"
        case facts.Resumed():
            return f"resumed from the halt by {fact.cause.value}"
        case facts.Killed():
            return f"KILLED by {fact.by}, the stops too" if fact.naked else f"KILLED by {fact.by}"
        case facts.Rearmed():
            return "re-armed"
        case facts.RearmRefused():
            return f"not re-armed: {fact.reason}"
    return _staging_in_words(fact)


def _day_in_words(fact: facts.DayStarted | facts.DayCorrected) -> str:
    close = "" if fact.close_of is None else f", the close of {fact.close_of:%a %d %b}"
    mended = ", by the broker's later word" if isinstance(fact, facts.DayCorrected) else ""
    return f"day {fact.day} begins with equity {_usd(fact.equity)}{close}{mended}"


def _override_in_words(fact: facts.ProtectionOverridden) -> str:
    again = "" if fact.again_at is None else f", or until {_usd(fact.again_at)} are lost"
    return f"protection {_guard(fact)} overridden from {_minute_of(fact.begins)} to {_minute_of(fact.until)}{again}"


def _staging_in_words(fact: facts.Fact) -> str:
    match fact:
        case facts.ProposalStaged():
            proposal, order = fact.proposal, fact.proposal.order
            return f"{proposal.strategy}: {order_in_words(order)} {purpose_in_words(order)}, {proposal.reason}"
        case facts.ProposalSkipped():
            return f"{fact.strategy}: {fact.symbol} not staged:" + _list(fact.reasons, " ")
        case facts.ProposalEdited():
            return f"proposal {fact.proposal.id} is now {order_in_words(fact.proposal.order)}"
        case facts.EditRefused():
            return f"proposal {fact.proposal_id} not edited:" + _list(fact.reasons, " ")
        case facts.ProposalEnded():
            return f"proposal {fact.proposal_id} {fact.end.value}: {fact.reason}"
        case facts.TicketOpened():
            ticket = fact.ticket
            stop = f", stop {_stop_in_words(ticket.stop)}" if isinstance(ticket.stop, StopPlan) else ""
            review = ticket.review
            return (
                f"ticket {ticket.id}: {order_in_words(ticket.order)} {purpose_in_words(ticket.order)}{stop}; "
                f"{len(review.verdicts) - len(review.warnings) - len(review.refusals)} checks pass, "
                f"{len(review.warnings)} warn, {len(review.refusals)} refuse; digest {ticket.digest[:16]}"
            )
        case facts.TicketClosed():
            return f"ticket {fact.ticket_id} closed: {fact.reason}"
        case facts.ConfirmationReceived():
            return f"ticket {fact.ticket_id} confirmed, digest {fact.digest[:16]}"
        case facts.ExitReleased():
            return f"exit {fact.proposal_id} goes out unattended, {plain(fact.quantity)}, as {fact.mandate_id} permits"
        case facts.CommandRefused():
            return f"{fact.command} refused: {fact.reason}"
        case facts.ConfirmationRefused():
            return f"ticket {fact.ticket_id} refused:" + _list(fact.reasons, " ")
        case facts.OrderApproved():
            is_fresh = fact.equity is not None or fact.bid is not None
            figures = "on fresh figures" if is_fresh else "without fresh figures: the broker gave none in time"
            warned = tuple(f"{v.check}: {v.reason}" for v in fact.review.warnings if v.check in AT_THE_KEY)
            return (
                f"ticket {fact.ticket_id} approved {figures}" + _quote(fact.bid, fact.ask) + _list(warned, "; warns: ")
            )
        case facts.ApprovalRedeemed():
            old = fact.approval.less_of
            if old is not None:
                return (
                    f"what was signed with {old} permits {plain(fact.quantity)} of it, used for {fact.client_order_id}"
                )
            by = "permission" if fact.approval.mandate_id else "approval"
            return f"{by} {fact.approval.id} used for {fact.client_order_id}"
        case facts.AuthorizationProlonged():
            return f"permission {fact.mandate_id} waits for a stop in doubt: it ends at {HOME.clock(fact.ends_at)}"
        case facts.AuthorizationEnded():
            return f"permission {fact.mandate_id} ended: {fact.reason}"
    return _plan_in_words(fact)


def _plan_in_words(fact: facts.Fact) -> str:
    match fact:
        case facts.BasketOpened():
            plan = fact.plan
            left = "; ".join(f"{row.place}: {row.reason}" for row in plan.skipped)
            out = f"; left out: {left}" if left else ""
            name = f"{plan.source.value} {plan.name}".strip()
            against = "; ".join(told for line in plan.lines if (told := _against(line)))
            skipped = f"; would not go: {against}" if against else ""
            return f"plan {plan.id} opened of {name}: {len(plan.lines)} orders{out}{skipped}"
        case facts.BasketMarked():
            return f"plan {fact.plan_id}: proposal {fact.proposal_id} {'marked' if fact.is_marked else 'not marked'}"
        case facts.BasketSigned():
            out = "; ".join(f"{proposal} left out: {'; '.join(reasons)}" for proposal, reasons in fact.left_out)
            entries = f"{len(fact.taken_back)} entries taken back, " if fact.taken_back else ""
            return f"plan {fact.plan_id} SIGNED, {entries}{len(fact.orders)} orders, digest {fact.digest[:16]}" + (
                f"; {out}" if out else ""
            )
        case facts.BasketRefused():
            name = f" {fact.name}" if fact.name else ""
            return f"plan{name} not opened or signed:" + _list(fact.reasons, " ")
        case facts.BasketTurnBegun():
            return f"plan {fact.plan_id}: the turn of proposal {fact.proposal_id}, ticket {fact.ticket_id}"
        case facts.BasketOrderSkipped():
            return f"plan {fact.plan_id}: proposal {fact.proposal_id} not sent:" + _list(fact.reasons, " ")
        case facts.BasketPhaseChanged():
            return f"plan {fact.plan_id} {fact.phase.value}: {fact.reason}"
        case facts.BasketEnded():
            return f"plan {fact.plan_id} {fact.end.value}: {fact.reason}"
    return _order_in_words(fact)


def _stop_in_words(stop: StopPlan) -> str:
    return priced(stop.price) if stop.behind is None else f"{priced(stop.behind)} behind its fill"


def _against(line: BasketLine) -> str:
    """`BUY 120 GGG market (buying power: …)`; empty where the dry run found nothing against it."""
    return f"{order_in_words(line.proposal.order)} ({'; '.join(line.refusals)})" if line.refusals else ""


def _order_in_words(fact: facts.Fact) -> str:
    match fact:
        case facts.OrderCreated():
            is_made = fact.role is not None and fact.order.replaces is None
            made = f", made by the broker with {fact.parent}" if is_made else ""
            order = f"{with_legs_in_words(fact.order)} {purpose_in_words(fact.order)}"
            return f"{fact.order.client_order_id} PENDING, {order}{made}"
        case facts.OrdersRecalled():
            names = ", ".join(past.id for past in fact.orders)
            return f"{names} ended before, and the broker tells something new: taken up again as it was"
        case facts.LegResized():
            return f"{fact.client_order_id} is for {plain(fact.quantity)} by now: its pair filled in part"
        case facts.ContingentOrdersMissing():
            return f"{fact.client_order_id} has no legs at the broker: its stop is sent on its own"
        case facts.OrderStateChanged():
            why = f", {fact.reason}" if fact.reason else ""
            return f"{fact.client_order_id} {fact.before.value} → {fact.after.value} ({fact.source.value}){why}"
        case facts.OrderStateUnknown():
            return f"{fact.client_order_id} in doubt: {fact.reason}; looked up, not sent again"
        case facts.OrderNotFound():
            return f"{fact.client_order_id} not found by the broker"
        case facts.SubmissionBlocked():
            return f"{fact.client_order_id} blocked: {fact.reason}"
        case facts.BrokerWarned():
            return f"{fact.client_order_id} the broker WARNS:" + _list(fact.warnings, " ")
        case facts.WarningConfirmed():
            return f"{fact.client_order_id} the broker's warning was confirmed"
        case facts.OrderKept():
            return f"{fact.client_order_id} was not sent before the desk left; the next start sends it or asks for it"
        case facts.KeptOrderReleased():
            return f"{fact.client_order_id} is sent now: it waited here when the desk left"
        case facts.PermissionReturned():
            return f"{fact.client_order_id} never left: the ticket permits {plain(fact.quantity)} again"
        case facts.StopAskedFor():
            return f"a stop for {plain(fact.quantity)} of {fact.client_order_id} is asked for on a ticket of its own"
        case facts.StopCut():
            return f"{fact.client_order_id} was made less; a stop for {plain(fact.owed)} of it is owed"
        case facts.OrderSent():
            form = f"%H:%M:%S.{fact.sent_at.microsecond // 1000:03}"
            return f"{fact.client_order_id} was sent at {HOME.told(fact.sent_at, form)}"
        case facts.CancelRequested():
            return f"{fact.client_order_id} cancel asked for: {fact.reason}"
        case facts.CancelFailed():
            return f"{fact.client_order_id} cancel failed: {fact.reason}"
        case facts.CancelDropped():
            return f"{fact.client_order_id} goes on working: {fact.reason}"
        case facts.OrderFilled():
            late = ", late" if fact.is_late else ""
            fill = fact.fill
            what = f"{fill.client_order_id} filled {plain(fill.quantity)} at {priced(fill.price)}"
            return f"{what} ({fact.source.value}){late}"
        case facts.PositionChanged():
            average = "" if fact.average_price is None else f" at {fact.average_price:.2f} on average"
            return f"{fact.symbol} position of {fact.strategy} is {plain(fact.quantity)}{average}"
        case facts.TradeClosed():
            trade = fact.trade
            meant = "" if trade.meant is None else f" of an exit before, closed by {trade.meant.value}"
            what = f"{plain(trade.quantity)} from {cents(trade.entry_price)} to {cents(trade.exit_price)}"
            fees = f" after fees of {cents(trade.fees)} USD" if trade.fees else ""
            made = f"profit {signed(trade.profit)} USD{fees}, slippage {signed(trade.slippage)} USD"
            return f"{trade.symbol} {trade.exit_reason.value}{meant}: {what}, {made}"
        case facts.FillNotBelieved():
            return f"{fact.client_order_id}: NOT COUNTED, {fact.reason}; the broker's books are asked"
        case facts.OtherTakenBack():
            return f"{fact.order}, which is not this desk's, is taken back: {fact.reason}"
        case facts.UpdateIgnored():
            return f"{fact.client_order_id} update ignored: {fact.reason}"
    return evaluation.in_words(fact) or advice.in_words(fact)


def _guard(
    fact: facts.ProtectionTripped | facts.ProtectionExpired | facts.ProtectionOverridden | facts.OverrideEnded,
) -> str:
    """`cooldown SPY`, `max drawdown`."""
    scope = "" if fact.scope == "global" else f" {fact.scope}"
    return fact.name.replace("_", " ") + scope


def _margin(fact: facts.MarginWarned) -> str:
    if fact.limit is None:
        return f"margin: maintenance is {fact.distance:.1%} away, over every distance that warns"
    if fact.distance < 0:
        return f"MARGIN {-fact.distance:.1%} UNDER maintenance: the broker may close positions; close some first"
    return f"MARGIN {fact.distance:.1%} from maintenance, under {fact.limit:.1%}: close some, or bring equity"


def cents(amount: Decimal) -> Decimal:
    """An amount to the cent, halves away from zero, as the desk shows it."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def signed(amount: Decimal) -> str:
    """An amount to the cent with its sign; one that rounds to nothing has none."""
    shown = cents(amount)
    if not shown:
        return "0.00"
    return f"{'+' if shown > 0 else '−'}{abs(shown):,.2f}"


def _list(items: tuple[str, ...], lead: str) -> str:
    return lead + "; ".join(items) if items else ""


def _minute_of(at: datetime) -> str:
    """Of this year."""
    return HOME.told(at, "%m-%d %H:%M")


def _minute(at: datetime) -> str:
    return HOME.told(at, "%Y-%m-%d %H:%M")


def _settings_in_words(fact: facts.SettingsApplied) -> str:
    settings = fact.settings
    told = f"settings applied, profile {settings.profile}, symbols {', '.join(settings.symbols)}"
    return f"{told}; read as they were: {'; '.join(settings.odd.words)}" if settings.odd.words else told


def _market_in_words(
    fact: facts.HistoryLoaded | facts.PastDaysLoaded | facts.TradingHalted | facts.TradingResumed,
) -> str:
    if isinstance(fact, facts.TradingHalted):
        return f"{fact.halt.symbol} is HALTED by its exchange: {fact.halt.reason}; nothing is opened in it"
    if isinstance(fact, facts.TradingResumed):
        return f"{fact.symbol} trades again: {fact.reason}"
    if isinstance(fact, facts.HistoryLoaded):
        return f"{fact.symbol}: {len(fact.bars)} bars of history taken in; nothing is proposed on them"
    closes = sum(day.close is not None for day in fact.past.days)
    moves = sum(day.deviation is not None for day in fact.past.days)
    return f"{fact.past.symbol}: the closes of {closes} days before today's taken in, and how {moves} of them moved"


def _usd(amount: Decimal) -> str:
    return f"{amount:,.2f} USD"


def _quote(bid: Decimal | None, ask: Decimal | None) -> str:
    return "" if bid is None or ask is None else f", quote {plain(bid)} × {plain(ask)}"


def _of_strategies(
    fact: facts.SignalRaised
    | facts.ReasonsCounted
    | facts.StrategyFailed
    | facts.SignalsOpposed
    | facts.StrategyMissing
    | facts.StrategyFound
    | facts.StrategyForgot,
) -> str:
    match fact:
        case facts.SignalRaised():
            return _signal_in_words(fact.signal)
        case facts.ReasonsCounted():
            return "the session is over: " + "; ".join(_counts(key, fact.reasons[key]) for key in sorted(fact.reasons))
        case facts.StrategyFailed():
            skipped = "; it is skipped for this bar" if fact.reason else ""
            return f"{fact.strategy} on {fact.symbol} {fault_in_words(fact)}{skipped}"
        case facts.StrategyMissing():
            return f"{fact.strategy} does not run: {fact.reason}"
        case facts.StrategyFound():
            return f"{fact.strategy}: it loads again, or nothing asks for it any more"
        case facts.StrategyForgot():
            return f"{fact.strategy} on {fact.symbol} begins anew, what was saved does not fit: {fact.reason}"
    sides = f"{', '.join(fact.buyers)} would buy and {', '.join(fact.sellers)} would sell"
    if not fact.leaving:
        return f"{fact.symbol}: {sides} on the same bar; neither is staged"
    return f"{fact.symbol}: {sides} on the same bar; the exit of {', '.join(fact.leaving)} is staged, nothing else is"


def _signal_in_words(signal: EntrySignal | ExitSignal) -> str:
    told = f"{signal.strategy} on {signal.symbol}, bar of {HOME.told(signal.bar_start)}"
    if isinstance(signal, ExitSignal):
        return f"{told}: sell {plain(signal.quantity)} at the market, {signal.reason}"
    entry = f"buy {plain(signal.quantity)} at {priced(signal.limit_price)}, stop {priced(signal.stop_price)}"
    return f"{told}: {entry}, {signal.reason}"


def _counts(key: str, reasons: Mapping[str, int]) -> str:
    strategy, _, symbol = key.partition("/")
    counts = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    return f"{strategy} on {symbol} " + ", ".join(f"{reason} {bars}" for reason, bars in counts)


_KINDS: dict[type, str] = {
    **advice.KINDS,
    **evaluation.KINDS,
    facts.SettingsFileChanged: "settings",
    facts.SettingsFileAgreed: "settings",
    facts.LimitsReloaded: "settings",
    facts.ReloadRefused: "settings",
    facts.ClockJumped: "clock",
    facts.ClockSettled: "clock",
    facts.BarClosed: "bar",
    facts.HistoryLoaded: "data",
    facts.PastDaysLoaded: "data",
    facts.TradingHalted: "market",
    facts.TradingResumed: "market",
    facts.MarketDataQuarantined: "data",
    facts.StrategyPaused: "strategy",
    facts.StrategyResumed: "strategy",
    facts.SignalRaised: "strategy",
    facts.ReasonsCounted: "strategy",
    facts.StrategyFailed: "strategy",
    facts.SignalsOpposed: "strategy",
    facts.StrategyMissing: "strategy",
    facts.StrategyFound: "strategy",
    facts.StrategyForgot: "strategy",
    facts.SymbolRefused: "symbol",
    facts.ProposalStaged: "proposal",
    facts.ProposalSkipped: "proposal",
    facts.ProposalEdited: "proposal",
    facts.EditRefused: "proposal",
    facts.ProposalEnded: "proposal",
    facts.TicketOpened: "ticket",
    facts.TicketClosed: "ticket",
    facts.CommandRefused: "CRITICAL",
    facts.ConfirmationReceived: "ticket",
    facts.ConfirmationRefused: "ticket",
    facts.OrderApproved: "ticket",
    facts.ApprovalRedeemed: "ticket",
    facts.AuthorizationEnded: "ticket",
    facts.AuthorizationProlonged: "ticket",
    facts.BasketOpened: "plan",
    facts.BasketMarked: "plan",
    facts.BasketSigned: "plan",
    facts.BasketRefused: "plan",
    facts.BasketTurnBegun: "plan",
    facts.BasketOrderSkipped: "plan",
    facts.BasketPhaseChanged: "plan",
    facts.BasketEnded: "plan",
    facts.OrderCreated: "order",
    facts.OrdersRecalled: "order",
    facts.LegResized: "order",
    facts.ContingentOrdersMissing: "order",
    facts.OrderStateChanged: "order",
    facts.OrderStateUnknown: "order",
    facts.OrderNotFound: "order",
    facts.SubmissionBlocked: "order",
    facts.OrderKept: "order",
    facts.KeptOrderReleased: "order",
    facts.PermissionReturned: "order",
    facts.StopAskedFor: "order",
    facts.StopCut: "order",
    facts.OrderSent: "order",
    facts.BrokerWarned: "order",
    facts.WarningConfirmed: "order",
    facts.CallFailed: "broker",
    facts.CallAnswered: "broker",
    facts.BreakerOpened: "broker",
    facts.BreakerClosed: "broker",
    facts.ProtectionTripped: "guard",
    facts.ProtectionExpired: "guard",
    facts.ProtectionOverridden: "guard",
    facts.OverrideEnded: "guard",
    facts.RegimeMeasured: "regime",
    facts.RiskThrottled: "guard",
    facts.RiskRestored: "guard",
    facts.MarginSampled: "margin",
    facts.MarginWarned: "margin",
    facts.CancelRequested: "order",
    facts.CancelFailed: "order",
    facts.OtherTakenBack: "order",
    facts.FillNotBelieved: "fill",
    facts.CancelDropped: "order",
    facts.UpdateIgnored: "order",
    facts.OrderFilled: "fill",
    facts.PositionChanged: "position",
    facts.PositionCorrected: "position",
    facts.TradeClosed: "trade",
    facts.Halted: "HALT",
    facts.Killed: "KILL",
}
