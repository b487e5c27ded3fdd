"""A judge of refusals that calls none wrong proves nothing: each control is made to refuse too much in turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import core.risk.checks.price_collar
import core.risk.self_cross
from core.model.staging import Verdict
from core.risk.checks.broker_limits import BrokerLimitsCheck
from core.risk.checks.concentration import ConcentrationCheck
from core.risk.checks.day_value import DayValueCheck
from core.risk.checks.lists import ListsCheck
from core.risk.checks.margin_deficits import MarginDeficitsCheck
from core.risk.checks.message_rate import MessageRateCheck
from core.risk.checks.order_size import OrderSizeCheck
from core.risk.checks.verdicts import refused
from core.risk.gate import Candidate, Check
from tests.simulation.play import play
from tests.simulation.sessions import made

SEED = 77
SESSIONS = 12
CONTROLS: tuple[type[Check], ...] = (
    BrokerLimitsCheck,
    ConcentrationCheck,
    DayValueCheck,
    ListsCheck,
    MarginDeficitsCheck,
    MessageRateCheck,
    OrderSizeCheck,
)
Patch = pytest.MonkeyPatch


def any_order_of_the_symbol_is_met(patch: Patch) -> None:
    patch.setattr(
        core.risk.self_cross,
        "_opposite",
        lambda order, ledger: (one for one in ledger.working() if one.request.symbol == order.symbol),
    )


def every_price_is_too_dear(patch: Patch) -> None:
    patch.setattr(core.risk.checks.price_collar, "_beyond", lambda _side, _pays, _whence, _band: True)


@pytest.mark.parametrize("plant", [any_order_of_the_symbol_is_met, every_price_is_too_dear], ids=lambda it: it.__name__)
def test_a_control_that_measures_wrongly_is_found(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """RK-23, RK-25"""
    plant(monkeypatch)

    assert is_found()


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_control_that_refuses_everything_is_found(control: type[Check], monkeypatch: Patch) -> None:
    """RK-23, RK-24, RK-26"""

    def review(check: Check, candidate: Candidate, _state: object) -> Verdict | None:
        return None if candidate.only_reduces else refused(check.name, "it is too much")

    monkeypatch.setattr(control, "review", review)

    assert is_found()


def is_found() -> bool:
    return any(play(made(SEED, number)).zeros.refused_wrongly for number in range(SESSIONS))
