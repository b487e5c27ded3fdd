"""What was declined, expired or blocked is followed, by strategy, over a restart and no longer than its day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from core.analytics.equity import to_the_cent
from core.brokers.simulated.config import EDITION
from core.facts import OrderCreated, ProposalEnded, ProposalSkipped, ProposalStaged, SubmissionBlocked, TradeClosed
from core.messages.commands import Decline, EditProposal, Kill, PauseStrategy, ProposeClose, Rearm, RefuseSymbol
from core.messages.effects import Effect, SubmitOrder
from core.messages.inputs import BarArrived, CorporateActionsArrived
from core.model.codes import ProposalEnd
from core.model.order import OrderType, TimeInForce
from core.model.reference_data import ActionKind, CorporateAction
from core.model.session import HOME
from core.model.values import Fraction, Price, Quantity
from core.ports import Recorded
from core.post_mortem.page import as_json
from core.post_mortem.post_mortem import Read, post_mortem
from core.reports.figures import not_taken
from core.reports.report import report_of
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.views import DeskView
from core.views.builders.desk import ViewBuilder
from core.views.builders.strategies import result_rows
from core.workflows.staging.proposal_lifecycle import TOO_LATE
from tests.scenarios.changes import ROOMY
from tests.scenarios.house import (
    FALL,
    RARELY,
    RECOVERY,
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.requests import requested
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

pytestmark = pytest.mark.usefixtures("a_whole_morning")

FRIDAY = date(2026, 11, 20)
UP = ("10:09", "10:30", RECOVERY)


def the_view(house: House) -> DeskView:
    return ViewBuilder(house.engine).draw(house.line.at)


def shadows(house: House) -> list[tuple[str, str, str | None]]:
    """Strategy, how it ended, and how far it has come with what it made to the cent; the oldest first."""
    return [
        (row.strategy, f"{row.end}: {row.state}", None if row.result is None else f"{row.result:.2f}")
        for row in reversed(the_view(house).shadows)
    ]


def test_results_keep_their_order_by_the_first_decline() -> None:
    """OP-12: a later decline moves no row of strategies that run no more"""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY))
    house.presses(Decline(house.proposal.id, "too soon"))
    (first,) = the_view(house).shadows
    newest_first = [replace(first, strategy=strategy) for strategy in ("one", "one", "two")]

    rows = result_rows(house.desk, THURSDAY, {}, (), (), newest_first)

    assert [(row.strategy, row.declined) for row in rows] == [("vwap", 0), ("two", 1), ("one", 2)]


def test_a_declined_entry_is_followed_to_its_target() -> None:
    """OP-12: 0.502 shares from 99.60; VWAP at the signal was 99.99."""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY), UP)
    house.presses(PauseStrategy("vwap", SPY))
    house.presses(Decline(house.proposal.id, "too soon"))

    at_first = shadows(house)
    opened = shadows(house.until("10:08:30"))
    ended = shadows(house.until("10:10:30"))

    assert at_first == [("vwap", "declined: waits", None)]
    assert opened == [("vwap", "declined: open", "-0.01")]
    assert ended == [("vwap", "declined: target", "0.20")]
    (result,) = the_view(house).results
    assert (result.strategy, result.trades, result.declined, f"{result.shadow:.2f}") == ("vwap", 0, 1, "0.20")
    assert house.facts(OrderCreated) == []


def test_an_expired_entry_is_followed_to_its_stop() -> None:
    """OP-12: the bar opens at 99.55 and goes through the stop at 99.30."""
    house = a_house_with_a_proposal(("10:06", "10:09", STEADY), ("10:10", "10:10", FALL), ("10:11", "10:20", "99.25"))
    house.presses(PauseStrategy("vwap", SPY))

    house.until("10:11:30")

    assert house.last(ProposalEnded).end is ProposalEnd.EXPIRED
    assert shadows(house) == [("vwap", "expired: stop", "-0.16")]


@pytest.mark.parametrize("fee", ["0", "0.10"])
@pytest.mark.usefixtures("a_tick_each_way")
def test_a_shadow_makes_what_the_trade_would_have_made(fee: str) -> None:
    """OP-12, RK-13: stopped out at half a spread below 99.30, with the fees of both ways"""
    terms = Settings.model_validate({"exchange": {"fee_per_share": fee}})
    then = ("10:06", "10:08", STEADY), ("10:09", "10:09", FALL), ("10:10", "10:20", "99.25")

    def a_house() -> House:
        return a_house_with_a_proposal(*then, settings=terms, fee_per_share=Decimal(fee), edition=EDITION)

    taken, declined = a_house(), a_house()
    taken.confirms_at("10:06:02")
    declined.presses(Decline(declined.proposal.id, ""))
    for house in (taken, declined):
        house.presses(PauseStrategy("vwap", SPY))
        house.until("10:10:30")

    trade = taken.last(TradeClosed).trade
    (row,) = the_view(declined).shadows
    assert (trade.entry_price, trade.exit_price) == (Decimal("99.60"), Decimal("99.29"))
    assert (row.state, row.result) == ("stop", trade.profit)


def test_an_entry_stopped_at_the_gateway_is_followed() -> None:
    """OP-12, OP-08: the kill comes between the intent and the wire."""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY), UP)
    house.line.tamper = lambda effect: _killed_before(house, effect)
    house.confirms_at("10:06:02")

    house.until("10:10:30")

    assert house.facts(SubmissionBlocked)
    assert shadows(house)[0] == ("vwap", "blocked: target", "0.20")
    assert requested(house) == []


def _killed_before(house: House, effect: Effect) -> Effect:
    if isinstance(effect, SubmitOrder):
        house.switch.door = "file"
    return effect


def test_refused_signals_are_followed_one_at_a_time() -> None:
    """OP-12: every bar of the dip is a signal; a strategy would hold one position. The others say so."""
    house = House(a_day(("10:06", "10:08", STEADY), UP)).opens().until("10:00")
    house.presses(RefuseSymbol(SPY, ""))

    house.until("10:08:30")
    during = shadows(house)
    house.until("10:10:30")

    many = len(house.facts(ProposalSkipped))
    assert many > 1
    others = [("vwap", "blocked: another is followed", None)] * (many - 1)
    assert during == [("vwap", "blocked: open", "-0.01"), *others[: len(during) - 1]]
    assert shadows(house) == [("vwap", "blocked: target", "0.20"), *others]
    assert_can_be_rebuilt(house)


def test_a_dip_declined_again_is_followed_once() -> None:
    """OP-12: every bar of the dip stages it again; a strategy would hold one position."""
    bars = a_day(("10:06", "10:08", STEADY), ("10:09", "10:09", RECOVERY), ("10:10", "10:30", STEADY))
    house = House(bars).opens()

    for clock in ("10:06", "10:07", "10:08", "10:09", "10:11"):
        house.until(f"{clock}:05")
        house.presses(Decline(house.proposal.id, ""))

    assert len(house.facts(ProposalEnded)) == 5
    others = [("vwap", "declined: another is followed", None)] * 3
    assert shadows(house) == [("vwap", "declined: target", "0.20"), *others, ("vwap", "declined: waits", None)]
    (result,) = the_view(house).results
    assert (result.declined, result.left_out, f"{result.shadow:.2f}") == (5, 3, "0.20")


def test_a_bar_older_than_its_signal_proposes_nothing() -> None:
    """RK-07: a start reads the morning's bars; what they would have bought is no offer any more"""
    *morning, dip = a_day()
    house = House([*morning, *minutes("10:07", "10:30", STEADY)]).opens().until("10:07:31")

    house.line.take(house.line.at, BarArrived(dip, "the bars that were missed"))

    assert [fact.reasons for fact in house.facts(ProposalSkipped)] == [(TOO_LATE,)]
    assert (house.facts(ProposalStaged), shadows(house)) == ([], [])


def test_only_a_sound_typed_order_is_followed() -> None:
    """OP-12"""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY), UP)
    house.presses(PauseStrategy("vwap", SPY))
    house.presses(Decline(house.proposal.id, ""))
    house.presses(a_typed_buy("50"))
    house.presses(a_typed_buy("0.2"))
    house.presses(Decline(house.proposal.id, ""))

    house.until("10:10:30")

    assert shadows(house) == [("vwap", "declined: target", "0.20"), ("manual", "declined: open", "0.12")]
    assert [(r.strategy, r.declined) for r in the_view(house).results] == [("vwap", 1), ("manual", 1)]


def test_taken_orders_and_exits_are_not_followed() -> None:
    """OP-12"""
    house = a_house_in_a_position()
    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    house.presses(Decline(house.proposal.id, ""))

    assert shadows(house) == []


def test_the_edited_order_is_what_is_followed() -> None:
    """OP-12, OP-02"""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY), UP)
    house.presses(EditProposal(house.proposal.id, Quantity(Decimal("0.1")), Price(Decimal("99.58"))))
    house.presses(Decline(house.proposal.id, ""))

    (row,) = the_view(house).shadows

    assert (row.quantity, row.entry_price) == (Decimal("0.1"), Decimal("99.58"))


def test_a_shadow_survives_a_restart() -> None:
    """OP-12, SP-03, SP-05"""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY), UP)
    house.presses(PauseStrategy("vwap", SPY))
    house.presses(Decline(house.proposal.id, ""))
    house.until("10:08:30")
    assert_can_be_rebuilt(house)

    house.restarted().until("10:10:30")

    assert shadows(house) == [("vwap", "declined: target", "0.20")]
    assert_can_be_rebuilt(house)


def test_shadows_end_with_their_day() -> None:
    """OP-12"""
    bars = a_day(("10:06", "10:30", STEADY)) + minutes("09:30", "10:30", "99.60", FRIDAY)
    house = House(bars, Settings(**RARELY)).opens().until("10:06")
    house.presses(Decline(house.proposal.id, ""))
    house.presses(PauseStrategy("vwap", SPY))

    thursday = shadows(house.until("10:30"))
    house.until("09:40", FRIDAY)

    assert thursday == [("vwap", "declined: open", "-0.01")]
    assert shadows(house) == []
    assert house.desk.shadows.following == {}
    assert_can_be_rebuilt(house)


def test_results_by_strategy_include_what_is_open() -> None:
    """OP-12, EX-08: half of the position is sold at 100.20, 60 cents up; the other half is worth that."""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", "100.20 100.20 100.19 100.20"))
    house.presses(PauseStrategy("vwap", SPY))
    house.until("10:09:05")
    house.presses(Decline(house.proposal.id, ""))
    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    house.confirms_at("10:09:15")
    house.until("10:09:50")
    assert house.held() == "0.251"

    (half,) = the_view(house).results
    house.until("10:10:05")
    house.confirms_at("10:10:15")
    (flat,) = the_view(house.until("10:11")).results

    assert (half.trades, f"{half.realised:.2f}", f"{half.unrealised:.2f}") == (0, "0.15", "0.15")
    assert (flat.trades, flat.wins, f"{flat.realised:.2f}", flat.unrealised) == (1, 1, "0.30", Decimal(0))
    assert half.shadow is None


def test_a_rearmed_desk_goes_on_following() -> None:
    """OP-12"""
    settings = Settings(risk=RiskSettings(entries_a_day=5))
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY), UP, settings=settings)
    first = house.proposal.id
    house.presses(Kill("key"))
    house.presses(Rearm("REARM"))

    house.until("10:07:05")
    staged = [fact.proposal.id for fact in house.facts(ProposalStaged)]

    assert staged[0] == first
    assert len(staged) == 2
    assert [row.key for row in the_view(house).shadows] == [first]


def test_a_typed_bracket_keeps_its_target() -> None:
    """OP-12: it names no price that it was measured against."""
    house = House(a_day(("10:06", "10:08", STEADY), UP), ROOMY, cash=Decimal(10_000)).opens().until("10:06")
    house.presses(PauseStrategy("vwap", SPY))
    house.presses(Decline(house.proposal.id, ""))
    house.presses(replace(a_typed_buy("2"), target_price=Price(Decimal("99.90"))))
    assert house.proposal.order.legs
    house.presses(Decline(house.proposal.id, ""))

    house.until("10:10:30")

    (row,) = [row for row in the_view(house).shadows if row.strategy == "manual"]
    assert (row.state, row.result) == ("target", Decimal("0.60"))


def test_a_blocked_submission_is_in_the_report() -> None:
    """OP-12: what the screen shows of it is what the day's report tells."""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY), UP)
    house.line.tamper = lambda effect: _killed_before(house, effect)
    house.confirms_at("10:06:02")
    house.until("10:10:30")

    found = post_mortem(Read(list(house.journal.records())), [THURSDAY], HOME.day_of, house.calendar.session_at)

    told = [(each.proposal.strategy, each.end, each.would_have_made) for each in found.let_go]
    assert told[0] == next((row.strategy, row.end, row.result) for row in reversed(the_view(house).shadows))
    assert (told[0][:2], told[0][2] is not None) == (("vwap", "blocked"), True)


def a_dip_declined_and_blocked() -> House:
    """One declined and followed; the others of the dip beside it, the last ones blocked."""
    house = House(a_day(("10:06", "10:08", STEADY), UP)).opens()
    house.until("10:06:05")
    house.presses(Decline(house.proposal.id, ""))
    house.presses(RefuseSymbol(SPY, ""))
    return house.until("16:30")


def test_screen_report_and_explain_count_the_same() -> None:
    """OP-12: the count, those not followed, the sum, and each row; Results said 1 where the report said 3."""
    house = a_dip_declined_and_blocked()
    read = Read(list(house.journal.records()))

    view = the_view(house)
    report = report_of(read, [THURSDAY], HOME.day_of, house.calendar.session_at, is_week=False)

    (shown,) = [row for row in view.results if row.strategy == "vwap"]
    (told,) = not_taken(report.found.let_go)
    many = len(house.facts(ProposalSkipped)) + 1
    assert many > 2
    assert (shown.declined, shown.left_out, to_the_cent(shown.shadow)) == (many, many - 1, Decimal("0.20"))
    assert (told.many, told.left_out, told.would_have_made) == (many, many - 1, Decimal("0.20"))
    assert told.ends == (("blocked", many - 1), ("declined", 1))
    rows = [(row.end, row.state, row.result) for row in reversed(view.shadows)]
    assert [(each.end, each.state.value, each.would_have_made) for each in report.found.let_go] == rows
    explained = [(each["end"], each["state"]) for each in as_json(report.found)["not_taken"]]  # type: ignore[attr-defined]
    assert explained == [(end, state) for end, state, _ in rows]


def test_a_proposal_is_counted_once() -> None:
    """OP-12: declined, and skipped before under the same id"""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY))
    proposal = house.proposal
    house.presses(Decline(proposal.id, ""))
    records = list(house.journal.records())
    ended = next(record for record in records if isinstance(record.fact, ProposalEnded))
    again = replace(ended, fact=ProposalSkipped("vwap", SPY, ended.at, ("again",), proposal, ()))

    found = post_mortem(Read([*records, again]), [THURSDAY], HOME.day_of, house.calendar.session_at)
    house.desk.shadows.folds[ProposalSkipped](ended.at, again.fact)

    assert [each.end for each in found.let_go] == [row.end for row in the_view(house).shadows] == ["declined"]


def test_an_entry_for_a_closed_market_is_counted() -> None:
    """OP-12: refused after the close, so it could not be followed"""
    house = a_house_with_a_proposal(("10:06", "10:08", STEADY))
    refused = ProposalSkipped("vwap", SPY, at("16:30"), ("again",), house.proposal, ())
    records = [*house.journal.records(), Recorded(9_999, at("16:30"), refused)]

    found = post_mortem(Read(records), [THURSDAY], HOME.day_of, house.calendar.session_at)
    house.desk.shadows.folds[ProposalSkipped](at("16:30"), refused)

    rows = [(row.end, row.state, row.result) for row in the_view(house).shadows]
    assert rows == [("blocked", "market closed", None)]
    assert [(each.end, each.state.value, each.would_have_made) for each in found.let_go] == rows


def test_screen_and_report_agree_on_each_type() -> None:
    """OP-12: limits that wait, expire or go at once, and stops that are triggered or not"""
    house = House(a_day(("10:06", "10:08", STEADY), UP), ROOMY, cash=Decimal(10_000)).opens().until("10:06")
    for waiting in house.desk.stage.proposals():
        house.presses(Decline(waiting.id, ""))
    plain, stop = a_typed_buy("1"), OrderType.STOP
    typed = [
        plain,
        replace(plain, limit_price=Price(Decimal("99.40")), ttl_seconds=60),
        replace(plain, limit_price=Price(Decimal("99.70")), time_in_force=TimeInForce.IOC),
        *(replace(plain, type=stop, limit_price=None, trigger_price=Price(Decimal(at))) for at in ("99.80", "101")),
        replace(
            plain, type=OrderType.STOP_LIMIT, limit_price=Price(Decimal(100)), trigger_price=Price(Decimal("99.80"))
        ),
        replace(plain, type=OrderType.TRAILING_STOP, limit_price=None, trail_price=Price(Decimal("0.20"))),
    ]
    for command in typed:
        house.presses(command)
        assert house.desk.stage.proposals(), (command, house.last(ProposalSkipped))
        house.presses(Decline(house.proposal.id, ""))
    house.until("16:30")

    found = post_mortem(Read(list(house.journal.records())), [THURSDAY], HOME.day_of, house.calendar.session_at)

    told = [(each.end, each.would_have_made) for each in found.let_go if each.proposal.strategy == "manual"]
    shown = [(row.end, row.result) for row in reversed(the_view(house).shadows) if row.strategy == "manual"]
    assert told == shown
    assert [result is not None for _, result in shown] == [True, False, True, True, False, True, True]


def test_a_shadow_is_held_over_night() -> None:
    """OP-12: as its trade would be, and it is no entry of the next day; a rebuild keeps it."""
    bars = [*minutes("09:30", "10:30", "99.60"), *minutes("09:30", "10:30", "99.80", day=FRIDAY)]
    house = House(bars).opens().until("10:06")
    house.presses(a_typed_buy("0.2", limit=None, stop="99.30"))
    house.presses(Decline(house.proposal.id, ""))

    house.until("10:06", FRIDAY)
    house.presses(a_typed_buy("0.2", limit=None, stop="99.30"))
    house.presses(Decline(house.proposal.id, ""))

    first, second = house.desk.shadows.state.shadows.values()
    found = post_mortem(Read(list(house.journal.records())), [THURSDAY, FRIDAY], HOME.day_of, house.calendar.session_at)
    assert [each.would_have_made for each in found.let_go] == [first.result, second.result]
    assert (first.course.value, first.result) == ("open", Decimal("0.2") * (Decimal("99.79") - Decimal("99.61")))
    assert [row.entry_price for row in the_view(house).shadows] == [second.entry_price]


@pytest.mark.parametrize(
    ("action", "price", "made"),
    [
        (CorporateAction(SPY, ActionKind.SPLIT, FRIDAY, None, Decimal(1), Decimal(2)), "50", "-0.20"),
        (CorporateAction(SPY, ActionKind.SPECIAL_DIVIDEND, FRIDAY, Decimal(6)), "94", "-0.20"),
    ],
    ids=["2 for 1", "6 USD a share"],
)
def test_a_shadow_is_counted_over_a_split_by_each_report(action: CorporateAction, price: str, made: str) -> None:
    """OP-12, EX-25: ten at 100 are worth the same on Friday; a cent each way is lost, for each share of before"""
    bars = [*minutes("09:30", "10:30", "100"), *minutes("09:30", "10:30", price, day=FRIDAY)]
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:06")
    house.presses(a_typed_buy("10", limit=None, stop="90"))
    house.presses(Decline(house.proposal.id, ""))
    house.until("16:30").until("09:20", FRIDAY)
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (action,)))
    house.until("10:06", FRIDAY)

    found = post_mortem(Read(list(house.journal.records())), [THURSDAY, FRIDAY], HOME.day_of, house.calendar.session_at)

    (shadow,) = house.desk.shadows.state.shadows.values()
    (told,) = found.let_go
    assert (shadow.course.value, shadow.result) == (told.state.value, told.would_have_made)
    assert (told.state.value, told.would_have_made) == ("open", Decimal(made))
