"""A margin account over a New York day: what is lent, how near maintenance comes, and what is refused then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words
from core.facts import MarginSampled, MarginWarned, NotificationDue, ProposalSkipped
from core.messages.commands import ProposeClose
from core.messages.desk_commands import LookAt
from core.model.notice import NoticeKind, Severity
from core.model.order import Effect
from core.model.staging import CheckResult
from core.model.values import Money
from core.settings.settings import Settings
from core.views import ProtectionRow, StatusView
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import passes
from tests.scenarios.house import (
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_typed_buy,
    assert_can_be_rebuilt,
    rebuilt,
)
from tests.scenarios.receivers import Receivers, with_receivers
from tests.scenarios.receivers import settings as with_notices
from tests.unit.core.brokers.trading_floor import SPY

pytestmark = pytest.mark.usefixtures("a_whole_morning")

FALLING = (
    ("10:06", "10:09", STEADY),
    ("10:10", "10:14", "80"),
    ("10:15", "10:19", "73"),
    ("10:20", "10:24", "70"),
    ("10:25", "10:40", "99"),
)
"""20 shares are bought at 99.60 with 1,000 USD: at 80 maintenance is 21 % away, at 73 6 %, at 70 3 % gone."""


def settings(**risk: object) -> Settings:
    return Settings.model_validate(
        {
            "risk": {
                "max_notional": {"usd": "2000"},
                "per_trade": {"usd": "20"},
                "daily_loss": {"usd": "5000"},
                "weekly_loss": {"usd": "5000"},
                "max_open_positions": 3,
                "window_end": "15:30",
                "protections": {"max_drawdown": {"enabled": False}},
                **risk,
            },
            "strategies": {"vwap": {"quantity_step": "1", "stop_holder": "desk"}},
        }
    ).model_copy(update={"notify": with_notices().notify})


def a_house_on_margin(*then: tuple[str, str, str], **risk: object) -> House:
    """At 10:06:02 the dip is bought, with as much again as there is."""
    house = House(a_day(*FALLING, *then), settings(**risk), cash=Decimal(1000), multiplier=Decimal(2)).opens()
    house.confirms_at("10:06:02")
    house.until("10:07")
    assert house.held() == "20"
    return house


def status(house: House) -> StatusView:
    return ViewBuilder(house.engine).draw(house.line.at).status


def row(house: House, key: str) -> ProtectionRow | None:
    return next((r for r in ViewBuilder(house.engine).draw(house.line.at).protections if r.key == key), None)


def test_each_margin_distance_warns_once_and_ends(snapshot: SnapshotAssertion) -> None:
    """RK-14"""
    house = a_house_on_margin()

    house.until("10:30")

    assert [f.limit for f in house.facts(MarginWarned)] == [Decimal("0.25"), Decimal("0.10"), 0, None]
    assert [f.deficit > 0 for f in house.facts(MarginWarned)] == [False, False, True, False]
    assert [in_words(f) for f in house.facts(MarginWarned)] == snapshot
    assert_can_be_rebuilt(house)


def test_the_status_shows_the_distance_to_maintenance() -> None:
    """RK-14"""
    house = a_house_on_margin()

    calm, near, passed = (status(house.until(clock)) for clock in ("10:09", "10:14", "10:24"))
    house.presses(ProposeClose(SPY))
    house.confirms_at("10:24:30")
    flat = status(house.until("10:26"))

    assert (f"{calm.margin_distance:.3f}", calm.is_margin_near) == ("0.402", False)
    assert (f"{near.margin_distance:.3f}", near.is_margin_near) == ("0.211", True)
    assert (f"{passed.margin_distance:.3f}", passed.is_margin_near) == ("-0.029", True)
    assert (flat.margin_distance, flat.is_margin_near) == (None, False)


def test_margin_is_sampled_once_a_minute() -> None:
    """RK-14, SP-05: a restart in the middle forgets none and repeats none."""
    house = a_house_on_margin().until("10:12")
    before = list(house.desk.margin.state.samples)

    house = house.restarted()
    assert house.desk.margin.state.samples[: len(before)] == before
    house.until("10:20")
    house.presses(ProposeClose(SPY))
    house.confirms_at("10:20:30")
    house.until("10:40")

    times = [sample.at for sample in house.desk.margin.state.samples]
    in_use = [sample.maintenance_margin > 0 for sample in house.desk.margin.state.samples]
    assert len(house.facts(MarginSampled)) == len(times) == 16
    assert all(later - earlier >= timedelta(minutes=1) for earlier, later in pairwise(times[:-1]))
    assert in_use == [True] * 15 + [False]
    assert len(house.facts(MarginWarned)) == 4
    assert_can_be_rebuilt(house)


def test_samples_are_kept_for_a_day() -> None:
    """RK-14"""
    house = a_house_on_margin().until("10:12")
    slice_ = rebuilt(house.desk).margin
    kept = list(slice_.state.samples)

    slice_.folds[MarginSampled](kept[0].at + timedelta(days=1), house.last(MarginSampled))

    assert kept[0] not in slice_.state.samples
    assert slice_.state.samples[0] == kept[1]


def test_the_pane_shows_margin_use_and_its_trip(snapshot: SnapshotAssertion) -> None:
    """RK-14, RK-09"""
    house = a_house_on_margin()

    calm, under = row(house.until("10:09"), "margin"), row(house.until("10:24"), "margin")

    assert calm is not None
    assert under is not None
    assert (calm.is_tripped, under.is_tripped) == (False, True)
    assert (calm.measure, under.measure) == snapshot


def test_near_maintenance_only_exits_go(snapshot: SnapshotAssertion) -> None:
    """RK-14, RK-22"""
    house = a_house_on_margin().until("10:21")

    house.presses(a_typed_buy("1", limit="70", stop="69.90"))
    refused = house.last(ProposalSkipped)
    house.presses(ProposeClose(SPY))
    house.confirms_at("10:21:30")
    house.until("10:22")

    assert "margin" in refused.checks
    assert refused.reasons == snapshot
    assert house.held() == "0"


def with_figures(house: House, maintenance: str, **figures: object) -> None:
    """The broker tells these of the account from now on."""
    account = house.exchange.account
    house.exchange.account = lambda at: replace(  # type: ignore[method-assign]
        account(at), maintenance_margin=Money(Decimal(maintenance)), equity=Money(Decimal(1000)), **figures
    )


def urgent(house: House) -> list[datetime]:
    told = [fact.notice for fact in house.facts(NotificationDue)]
    return [n.at for n in told if n.kind is NoticeKind.PROTECTION and n.severity is Severity.URGENT]


def test_a_margin_call_in_steps_is_told_step_by_step() -> None:
    """RK-14, SY-03: maintenance rises from 800 to 1,500 of 1,000 USD; each clearly larger deficit is a notice in 5 s"""
    house = with_receivers(a_house_on_margin(), Receivers())
    steps = []
    with_figures(house, "850")
    house.until("10:09:02")
    for maintenance in ("990", "1010", "1012", "1050", "1500"):
        with_figures(house, maintenance)
        steps.append(house.line.at)
        passes(house, 20)
    told = urgent(house)

    assert len(told) == 3
    assert all(at - step <= timedelta(seconds=5) for at, step in zip(told, (steps[1], *steps[3:]), strict=True))
    assert [f.deficit for f in house.facts(MarginWarned)][-3:] == [10, 50, 500]
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(
    ("clock", "cash", "seconds"),
    [("10:15", "-992", 5), ("17:00", "-992", 5), ("10:15", "1500", 5), ("10:15", "100", 80), ("21:00", "-992", 61)],
)
def test_a_far_jump_is_told_within_five_seconds(clock: str, cash: str, seconds: int) -> None:
    """RK-14: whatever the distance was, where cash or shares are owed; else only the next comparison can know

    While no market is open the account is asked each minute.
    """
    house = with_receivers(a_house_on_margin(("21:15", "21:15", STEADY)), Receivers())
    with_figures(house, "200", cash=Money(Decimal(cash)))
    house.until(clock)
    passes(house, 660)
    before, jumped_at = urgent(house), house.line.at
    with_figures(house, "1500", cash=Money(Decimal(cash)))
    passes(house, 90)
    (told_at,) = urgent(house)

    assert before == []
    assert told_at - jumped_at <= timedelta(seconds=seconds)


def test_a_deficit_is_told_again_after_a_restart() -> None:
    """RK-14: where its notice was lost"""
    house = with_receivers(a_house_on_margin(), Receivers())
    with_figures(house, "1010")
    house.until("10:09:10")
    before = urgent(house)
    warned = next(r.sequence for r in house.journal.records() if isinstance(r.fact, MarginWarned) and r.fact.deficit)
    house.loses_the_journal_after(warned)
    house = with_receivers(house.restarted(), Receivers())
    passes(house, 5)

    assert (len(before), len(urgent(house))) == (1, 1)


def test_margin_is_watched_after_the_broker_lends_no_more() -> None:
    """RK-14: the multiplier falls from two to one while shares are held on credit; nothing more is bought"""
    house = with_receivers(a_house_on_margin(), Receivers())
    with_figures(house, "1010", multiplier=Decimal(1), cash=Money(Decimal(-900)))
    house.until("10:09:10")
    house.presses(a_typed_buy("1"))
    refused = house.last(ProposalSkipped)

    assert row(house, "margin") is not None
    assert len(urgent(house)) == 1
    assert "margin" in refused.checks


def test_a_cash_account_has_no_margin() -> None:
    """RK-14"""
    house = a_house_in_a_position().until("10:20")

    assert status(house).margin_distance is None
    assert (house.facts(MarginSampled), house.facts(MarginWarned), row(house, "margin")) == ([], [], None)


def test_a_ticket_shows_the_margin_of_its_order() -> None:
    """RK-14, OP-03"""
    house = House(a_day(*FALLING), settings(), cash=Decimal(1000), multiplier=Decimal(2)).opens()
    house.until("10:06:01")
    house.opens_ticket()
    house.until("10:06:02")

    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets

    assert ticket.margin is not None
    assert (ticket.margin.initial, ticket.margin.before, ticket.margin.overnight) == (Decimal(996), Decimal(1), None)
    assert f"{ticket.margin.after:.4f}" == "0.4024"


def a_house_lent_four_times(**margin: object) -> House:
    """It is 10:05; 1,000 USD are lent four times by day, and twice over the night."""
    terms = settings(max_notional={"usd": "5000"}, per_trade={"usd": "50"}, margin=margin)
    return House(a_day(*FALLING), terms, cash=Decimal(1000), multiplier=Decimal(4)).opens().until("10:05")


def margin_verdict(house: House) -> tuple[CheckResult, str]:
    (found,) = (v for v in house.ticket.review.verdicts if v.check == "margin")
    return found.standing, found.reason


@pytest.mark.parametrize(("effect", "stop"), [(Effect.OPEN, "99.30"), (Effect.SHORT, "100.30")])
def test_overnight_margin_warns_a_desk_that_goes_flat(effect: Effect, stop: str, snapshot: SnapshotAssertion) -> None:
    """RK-14: 22 shares are 2,191 USD at the limit of 99.60, and 2,200 at the bid that a short sale meets."""
    house = a_house_lent_four_times()

    house.presses(replace(a_typed_buy("22", limit="99.60", stop=stop), effect=effect))
    house.opens_ticket()
    house.until("10:05:03")

    assert margin_verdict(house)[0] is CheckResult.WARNS
    assert margin_verdict(house) == snapshot
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    assert ticket.margin is not None
    assert ticket.margin.overnight == Decimal(2000)


@pytest.mark.parametrize(("effect", "stop"), [(Effect.OPEN, "99.30"), (Effect.SHORT, "100.30")])
@pytest.mark.usefixtures("a_tick_each_way")
def test_overnight_margin_refuses_a_desk_that_holds(effect: Effect, stop: str, snapshot: SnapshotAssertion) -> None:
    """RK-14: a short sale takes what it fills at, the bid of 99.99."""
    house = a_house_lent_four_times(holds_overnight=True)
    house.presses(LookAt(SPY))
    house.until("10:05:01")

    house.presses(replace(a_typed_buy("22", limit="99.60", stop=stop), effect=effect))
    refused = house.last(ProposalSkipped).reasons
    house.presses(replace(a_typed_buy("20", limit="99.60", stop=stop), effect=effect))

    assert refused == snapshot
    assert [p.order.quantity for p in house.desk.stage.proposals()] == [Decimal(20)]


def test_a_cash_account_is_refused_a_short_sale(snapshot: SnapshotAssertion) -> None:
    """RK-14"""
    house = House(a_day(*FALLING), settings(), cash=Decimal(10_000)).opens().until("10:05")

    house.presses(replace(a_typed_buy("1", limit="99.60", stop="99.90"), effect=Effect.SHORT))

    assert house.last(ProposalSkipped).checks == ("margin",)
    assert house.last(ProposalSkipped).reasons == snapshot


def test_over_the_exposure_limit_only_exits_go(snapshot: SnapshotAssertion) -> None:
    """RK-16: 20 shares are worth 2.0 times the equity at 99.60, and 2.6 times what is left at 80."""
    house = a_house_on_margin(portfolio={"max_exposure": "2.05"})

    held = row(house.until("10:09"), "portfolio")
    house.presses(a_typed_buy("1", limit="99.60", stop="99.30"))
    too_large = house.last(ProposalSkipped).reasons
    over = row(house.until("10:12"), "portfolio")
    house.presses(a_typed_buy("1", limit="80", stop="79.90"))
    exits_only = house.last(ProposalSkipped).reasons
    house.presses(ProposeClose(SPY))
    house.confirms_at("10:12:30")
    house.until("10:14")

    assert held is not None
    assert over is not None
    assert (held.is_tripped, over.is_tripped) == (False, True)
    assert (held.measure, over.measure, too_large, exits_only) == snapshot
    assert house.held() == "0"
