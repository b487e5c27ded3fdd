"""The one gate: all run, all reasons are kept, entries are refused where exits are warned."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.model.account import NoAccount
from core.model.bar import NoQuote
from core.model.instrument import NoInstrument
from core.model.order import Effect, Side
from core.model.session import NoSession
from core.model.staging import CheckResult, Verdict
from core.risk.gate import Candidate, Check, Gate, ReviewContext, passed, refused, warned
from core.risk.standard_gate import standard_gate
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import at
from tests.unit.core.risk.reviews import KILLED, NOW, a_candidate, a_control, a_desk, a_quote, an_exit, settings, usd

PASSES, WARNS, REFUSES = CheckResult.PASSES, CheckResult.WARNS, CheckResult.REFUSES


class Says:
    """A check with one answer."""

    def __init__(self, standing: CheckResult, name: str = "test") -> None:
        self.name = name
        self.standing = standing

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        say = {PASSES: passed, WARNS: warned, REFUSES: refused}[self.standing]
        return say(self.name, "because")


class Raises:
    name = "broken"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        raise ZeroDivisionError("no volume")


@table(
    "check on_an_entry on_an_exit",
    (Says(PASSES), PASSES, PASSES),
    (Says(WARNS), WARNS, WARNS),
    (Says(REFUSES), REFUSES, WARNS),
    (Raises(), REFUSES, WARNS),
)
@table("effect", *Effect)
def test_a_refusal_is_a_warning_for_an_exit(
    check: Check, on_an_entry: CheckResult, on_an_exit: CheckResult, effect: Effect
) -> None:
    """RK-01, RK-22"""
    (verdict,) = Gate((check,)).review(a_candidate(effect=effect), a_desk()).verdicts

    assert verdict.standing is (on_an_exit if effect.only_reduces else on_an_entry)


def test_a_raising_check_names_its_error(snapshot: SnapshotAssertion) -> None:
    """RK-01"""
    (verdict,) = Gate((Raises(),)).review(a_candidate(), a_desk()).verdicts

    assert (verdict.check, verdict.reason) == ("broken", snapshot)


def test_every_check_runs_and_is_kept() -> None:
    """RK-01, RK-09"""
    gate = Gate((Says(REFUSES, "one"), Says(WARNS, "two"), Raises(), Says(PASSES, "four"), Says(REFUSES, "five")))

    review = gate.review(a_candidate(), a_desk())

    assert [v.check for v in review.verdicts] == ["one", "two", "broken", "four", "five"]
    assert [v.check for v in review.refusals] == ["one", "broken", "five"]
    assert [v.check for v in review.warnings] == ["two"]
    assert not review.passes


def test_an_ordinary_entry_passes_every_check() -> None:
    """RK-01, EX-11"""
    review = standard_gate().review(a_candidate(), a_desk())

    assert [v.reason for v in review.verdicts if v.standing is not PASSES] == []


def test_every_entry_guard_can_refuse(snapshot: SnapshotAssertion) -> None:
    """RK-01, RK-09"""
    desk = a_desk(
        session=NoSession("weekend"), control=a_control(KILLED), account=NoAccount("no answer"),
        quote=NoQuote("no answer"), instrument=NoInstrument("no answer"), at=at("15:00"),
        settings=settings(daily_loss=usd("0.01"), max_open_positions=1),
    )  # fmt: skip
    candidate = a_candidate(limit=None, stop=None, quantity="0.0001", is_manual=True)

    review = standard_gate().review(candidate, desk)

    assert {v.check for v in review.refusals} == snapshot


def test_an_exit_is_only_warned() -> None:
    """RK-22"""
    desk = a_desk(
        session=NoSession("weekend"), control=a_control(KILLED), account=NoAccount("no answer"),
        quote=NoQuote("no answer"), instrument=NoInstrument("no answer"), at=NOW + timedelta(hours=9),
    )  # fmt: skip

    review = standard_gate().review(an_exit(limit=None, quantity="0.0001"), desk)

    assert review.passes
    assert {"kill switch", "session and clock", "tradable", "quantity"} <= {v.check for v in review.warnings}


def test_checks_have_names_in_ticket_order() -> None:
    """OP-03"""
    names = [check.name for check in standard_gate().checks]

    assert len(set(names)) == len(names)
    assert names[0] == "kill switch"


@table(
    "limit quote side price",
    ("100.00", "99.99 100.01", Side.BUY, "100.00"),
    (None, "99.99 100.01", Side.BUY, "100.01"),
    (None, "99.99 100.01", Side.SELL, "99.99"),
    (None, None, Side.BUY, None),
)
def test_a_share_costs_its_limit_or_the_quote(
    limit: str | None, quote: str | None, side: Side, price: str | None
) -> None:
    """OP-03"""
    seen = a_quote(*quote.split()) if quote else NoQuote("none")
    candidate = a_candidate(limit=limit, side=side)

    assert candidate.price(seen) == (None if price is None else Decimal(price))
