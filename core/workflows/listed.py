"""The workflows of a desk, in the order in which they hear: the one place where they are put together.

Each is given those that it makes use of; none knows who makes use of it. What one does because of another is a fact
that it follows, an input that it answers too, or what it finds at the end of the act.
"""

from __future__ import annotations

from core.desk import Desk
from core.risk.checks import standard_gate
from core.workflows.advising import Advising
from core.workflows.beginning import Beginning
from core.workflows.breaking import Breaking
from core.workflows.cancelling import Cancelling
from core.workflows.changing import Changing
from core.workflows.choosing import Choosing
from core.workflows.closing import Closing
from core.workflows.comparing import Comparing
from core.workflows.confirming import Confirming
from core.workflows.doubting import Doubting
from core.workflows.editing import Editing
from core.workflows.evaluating import Evaluating
from core.workflows.exiting import Exiting
from core.workflows.filling import Filling
from core.workflows.fitting import Fitting
from core.workflows.guarding import Guarding
from core.workflows.holding_over import HoldingOver
from core.workflows.lending import Lending
from core.workflows.market import Market
from core.workflows.measuring import Measuring
from core.workflows.minding import Minding
from core.workflows.owing import Owing
from core.workflows.planning import Planning
from core.workflows.proposing import Proposing
from core.workflows.protecting import Protecting
from core.workflows.recommending import Recommending
from core.workflows.reloading import Reloading
from core.workflows.renewing import Renewing
from core.workflows.replacing import Replacing
from core.workflows.running import Running
from core.workflows.seeing import Seeing
from core.workflows.starting import Starting
from core.workflows.stopping import Stopping
from core.workflows.submitting import Submitting
from core.workflows.timekeeping import Timekeeping
from core.workflows.trimming import Trimming
from core.workflows.unattended import Unattended
from core.workflows.unwritten import Unwritten
from core.workflows.warming import Warming
from core.workflows.warned import Warned


def workflows_of(desk: Desk) -> tuple[object, ...]:
    """All of them: first who hears how the broker answers, then the market and the operator, then orders, then what
    the broker's books are compared with.
    """
    gate = standard_gate()
    filling = Filling(desk)
    doubting = Doubting(desk, filling)
    submitting = Submitting(desk, filling, doubting)
    cancelling = Cancelling(desk, filling, doubting, submitting)
    proposing = Proposing(desk, gate)
    changing = Changing(desk, proposing)
    renewing = Renewing(desk, changing, proposing)
    protecting = Protecting(desk, submitting, cancelling, proposing, doubting, renewing)
    closing = Closing(desk, submitting, cancelling, protecting)
    fitting = Fitting(desk, submitting, cancelling, protecting, renewing)
    owing = Owing(desk, submitting, protecting, renewing)
    confirming = Confirming(desk, gate, changing, submitting, closing)
    unattended = Unattended(desk, confirming)
    guarding, lending = Guarding(desk), Lending(desk)
    recommending = Recommending(desk)
    stopping = Stopping(desk, cancelling, proposing)
    comparing = Comparing(
        desk,
        filling,
        doubting,
        cancelling,
        protecting,
        closing,
        fitting,
        renewing,
        owing,
        stopping,
        HoldingOver(desk, proposing),
    )
    minding = Minding(desk, proposing)
    return (
        Breaking(desk),
        proposing,
        Timekeeping(desk),
        Beginning(desk),
        guarding,
        recommending,
        Evaluating(desk),
        Advising(desk),
        Measuring(desk),
        Reloading(desk, guarding),
        minding,
        Market(desk, proposing, minding, Exiting(desk), guarding, recommending, unattended),
        Choosing(desk, proposing),
        Editing(desk, gate),
        changing,
        filling,
        submitting,
        Warned(desk, cancelling),
        doubting,
        stopping,
        cancelling,
        owing,
        Replacing(desk, doubting, cancelling),
        closing,
        protecting,
        renewing,
        confirming,
        unattended,
        Seeing(desk, guarding, lending),
        Planning(desk, gate),
        Running(desk, confirming, comparing, cancelling),
        fitting,
        Trimming(desk, gate),
        Unwritten(desk, submitting, renewing),
        comparing,
        Starting(desk, comparing, doubting),
        Warming(desk),
    )
