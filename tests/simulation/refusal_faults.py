"""Controls that reject too much, planted to see that the audit of rejections finds each (RK-23 to RK-26)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import core.risk.checks.market
import core.risk.checks.other_orders
from core.model.staging import Verdict
from core.risk.checks.desk_state import MessageRateCheck
from core.risk.checks.exposure import ConcentrationCheck
from core.risk.checks.funds import BrokerLimitsCheck, MarginDeficitsCheck
from core.risk.checks.market import ListsCheck
from core.risk.checks.order import OrderSizeCheck
from core.risk.checks.order_value import DayValueCheck
from core.risk.gate import Candidate, Check, refused

Fault = Callable[[pytest.MonkeyPatch], None]
CONTROLS: tuple[type[Check], ...] = (
    BrokerLimitsCheck,
    ConcentrationCheck,
    DayValueCheck,
    ListsCheck,
    MarginDeficitsCheck,
    MessageRateCheck,
    OrderSizeCheck,
)


def any_order_of_the_symbol_is_met(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        core.risk.checks.other_orders,
        "_opposite",
        lambda order, ledger: (one for one in ledger.working() if one.request.symbol == order.symbol),
    )


def every_price_is_too_dear(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(core.risk.checks.market, "_beyond", lambda _side, _pays, _whence, _band: True)


def _rejects_everything(control: type[Check]) -> Fault:
    def review(check: Check, candidate: Candidate, _state: object) -> Verdict | None:
        return None if candidate.only_reduces else refused(check.name, "it is too much")

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(control, "review", review)

    plant.__name__ = f"{control.name}_rejects_everything".replace(" ", "_").replace("-", "_")
    return plant


REFUSAL_FAULTS: tuple[Fault, ...] = (
    any_order_of_the_symbol_is_met,
    every_price_is_too_dear,
    *map(_rejects_everything, CONTROLS),
)
