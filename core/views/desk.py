"""The whole picture."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.values import AccountId
from core.views.advice import NO_ADVICE, AdviceView
from core.views.basket import BasketView
from core.views.results import ChartView, ResultRow, ShadowRow, TradeRow
from core.views.rows import (
    ForeignRow,
    LogRow,
    OrderRow,
    OtherOrderRow,
    PositionRow,
    ProposalRow,
    ProtectionRow,
    StrategyRow,
)
from core.views.standing import NO_WIRE, NOTHING_TO_RELOAD, KillView, ProposalOutcome, ReloadView, StatusView, WireView
from core.views.ticket import NO_SIZING, SizingView, SymbolView, TicketView


@dataclass(frozen=True, slots=True)
class DeskView:
    """Everything that is on the screen.

    Attributes
    ----------
    number
        Grows with every picture that differs from the one before.
    staged
        Proposals staged since the start: a higher number than last time rings the bell.
    endings
        The last proposals that ended, the newest last.
    refusals
        What was not staged, not confirmed or not sent, with every reason; the newest last.
    chart
        Of the symbol that the console watches; None where it watches none.
    failed_closes
        Closes that led to nothing since the start, each with its reason; the newest last.
    basket
        The basket that is open or runs, or the last one; None where there was none.
    others, foreign
        Orders at the broker that are not this desk's, and what is held of kinds that it does not trade.
    """

    number: int
    status: StatusView
    proposals: tuple[ProposalRow, ...]
    positions: tuple[PositionRow, ...]
    orders: tuple[OrderRow, ...]
    log: tuple[LogRow, ...]
    tickets: tuple[TicketView, ...]
    endings: tuple[ProposalOutcome, ...]
    refusals: tuple[LogRow, ...]
    kill: KillView
    symbols: tuple[SymbolView, ...]
    strategies: tuple[StrategyRow, ...]
    staged: int
    protections: tuple[ProtectionRow, ...]
    trades: tuple[TradeRow, ...]
    shadows: tuple[ShadowRow, ...]
    results: tuple[ResultRow, ...]
    chart: ChartView | None
    sizing: SizingView = NO_SIZING
    wire: WireView = NO_WIRE
    failed_closes: tuple[LogRow, ...] = ()
    reload: ReloadView = NOTHING_TO_RELOAD
    advice: AdviceView = NO_ADVICE
    plan: BasketView | None = None
    others: tuple[OtherOrderRow, ...] = ()
    foreign: tuple[ForeignRow, ...] = ()

    @property
    def account(self) -> AccountId:
        """Whose desk it is a picture of."""
        return self.status.account
