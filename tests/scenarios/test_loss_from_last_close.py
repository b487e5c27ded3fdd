"""The day's loss and the week's are measured from the last close, and an overridden one shuts again as it grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Decline, OverrideProtection
from core.messages.inputs import AccountFetched
from core.model.account import Account, NoAccount
from core.model.broker import FreshFigures
from core.model.session import NoSession
from core.model.staging import FIGURES, CheckResult, Review
from core.model.values import Money
from core.risk.checks.losses import DailyLossCheck
from core.risk.day import day_before, shuts_again_at
from core.risk.standard_gate import standard_gate
from core.settings.settings import PROFILES, Settings
from core.views import ProtectionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, NewYorkHours, at
from tests.unit.core.risk.reviews import a_candidate, a_day, a_desk

WEDNESDAY, MONDAY, FRIDAY = date(2026, 11, 18), date(2026, 11, 16), date(2026, 11, 20)
NEXT_MONDAY = date(2026, 11, 23)
WIDE: dict[str, Any] = {"window_end": "15:59", "entries_a_day": 50, "max_open_positions": 5}


def usd(amount: str) -> Money:
    return Money(Decimal(amount))


def sees(house: House, equity: str, last_equity: str | None = None) -> None:
    """The broker's figures."""
    known = house.exchange.account(house.line.at)
    told = None if last_equity is None else usd(last_equity)
    account = replace(known, at=house.line.at, equity=usd(equity), last_equity=told)
    house.line.take(house.line.at, AccountFetched(account))


class FirstStart(House):
    """A desk that has never run, started in the middle of a day; the account lost before anybody looked."""

    def __init__(self, clock: str = "13:00", day: date = THURSDAY, **risk: object) -> None:
        settings = Settings.model_validate({"risk": {**WIDE, **risk}, "strategies": {"vwap": {"enabled": False}}})
        super().__init__(
            [*minutes(clock, "15:59", "100", day, every=10), *minutes("09:30", "15:59", "100", FRIDAY, every=10)],
            settings,
        )
        self.day = day

    def opens_with(self, equity: str, last_equity: str | None) -> FirstStart:
        """Its books are compared, and then these are the account's figures."""
        account = self.exchange.account

        def told(moment: Any) -> Account:
            close = None if last_equity is None else usd(last_equity)
            return replace(account(moment), equity=usd(equity), last_equity=close)

        self.exchange.account = told  # type: ignore[method-assign]
        self.opens()
        self.until_moment(self.line.at + timedelta(seconds=5))
        return self


def refusals(house: House) -> list[str]:
    """The checks that refuse an entry that is typed now."""
    before = len(house.facts(facts.ProposalSkipped))
    house.presses(a_typed_buy(limit="99.90", stop="99.70"))
    for proposal in house.desk.stage.proposals():
        house.presses(Decline(proposal.id, "only asked"))
    return [check for fact in house.facts(facts.ProposalSkipped)[before:] for check in fact.checks]


def trip(house: House) -> tuple[str, Decimal | None]:
    fact = house.last(facts.ProtectionTripped)
    return fact.name, fact.limit


def shown(house: House, *keys: str) -> list[tuple[str, str, bool]]:
    """What the pane says of these guards."""
    rows = [row(house, key) for key in keys]
    return [(each.measure, each.reason, each.has_tripped) for each in rows]


def row(house: House, key: str = "daily_loss") -> ProtectionRow:
    return next(r for r in ViewBuilder(house.engine).draw(house.line.at).protections if r.key == key)


def test_a_late_first_start_counts_the_mornings_loss(snapshot: SnapshotAssertion) -> None:
    """RK-03: 12 USD of 200 were lost since yesterday's close; the limit of the day is 10"""
    house = FirstStart().opens_with("188", "200")

    assert house.facts(facts.DayStarted) == [facts.DayStarted(THURSDAY, usd("200"), WEDNESDAY)]
    assert trip(house) == ("daily_loss", 10)
    assert "daily loss" in refusals(house)
    assert shown(house, "daily_loss") == snapshot
    assert_can_be_rebuilt(house)


def test_the_first_figure_replaces_a_missing_close(snapshot: SnapshotAssertion) -> None:
    """RK-03"""
    house = FirstStart().opens_with("188", None)

    assert house.facts(facts.DayStarted) == [facts.DayStarted(THURSDAY, usd("188"))]
    assert shown(house, "daily_loss") == snapshot
    assert "daily loss" not in refusals(house)


def test_a_new_account_begins_with_its_first_figure() -> None:
    """RK-03: a new one tells zero"""
    house = FirstStart().opens_with("200", "0")

    assert house.last(facts.DayStarted) == facts.DayStarted(THURSDAY, usd("200"))


def test_a_week_first_seen_midweek_has_no_known_close(snapshot: SnapshotAssertion) -> None:
    """RK-03"""
    house = FirstStart().opens_with("188", "200")

    assert shown(house, "weekly_loss") == snapshot
    assert not house.desk.opening.is_last_week_known(THURSDAY)


def test_a_whole_week_counts_from_last_weeks_close(snapshot: SnapshotAssertion) -> None:
    """RK-03: 26 are lost since Friday"""
    bars = [bar for day in (FRIDAY, NEXT_MONDAY) for bar in minutes("09:30", "15:59", "100", day, every=10)]
    house = House(bars, Settings.model_validate({"risk": WIDE}))
    house.opens().until("10:00", FRIDAY)
    house.until("09:31", NEXT_MONDAY)
    day = house.last(facts.DayStarted)

    assert (day.day, day.close_of) == (NEXT_MONDAY, FRIDAY)
    sees(house, "174")
    assert trip(house) == ("weekly_loss", 25)
    assert house.desk.opening.since_of_week(NEXT_MONDAY) == snapshot


def test_an_overnight_loss_counts_on_the_next_day(snapshot: SnapshotAssertion) -> None:
    """RK-03: the simulated exchange tells yesterday's close too; two shares held at 100 open at 96"""
    bars = [
        *minutes("09:55", "10:05", "100"),
        *minutes("15:55", "15:59", "100"),
        *minutes("09:30", "09:35", "96", FRIDAY),
    ]
    risk = {**WIDE, "max_notional": {"usd": "250"}, "per_trade": {"usd": "20"}, "daily_loss": {"usd": "7"}}
    settings = Settings.model_validate(
        {"risk": {**risk, "portfolio": {"max_exposure": "10"}}, "strategies": {"vwap": {"enabled": False}}}
    )
    house = House(bars, settings, cash=Decimal(1000)).opens().until("10:00")
    house.presses(a_typed_buy("2", limit="100.10", stop="95"))
    house.confirms_at("10:00:05")
    house.until("09:32", FRIDAY)

    began = house.last(facts.DayStarted)
    assert (began.day, began.close_of) == (FRIDAY, THURSDAY)
    assert began.equity == house.exchange.account(house.line.at).last_equity
    assert trip(house) == ("daily_loss", 7)
    assert row(house).measure == snapshot


class AtMidnight(FirstStart):
    """It is started some minutes after midnight, when the broker's figure of the close may be a day old."""

    def _take_up(self, start: datetime) -> None:
        super()._take_up(start if self.journal.sequence else at("00:04"))


def at_midnight(equity: str, last_equity: str | None) -> FirstStart:
    return AtMidnight("09:30").opens_with(equity, last_equity)


def tells(house: House, equity: str, last_equity: str | None) -> None:
    """From now on the broker tells these figures to whoever asks."""
    account = house.exchange.account
    close = None if last_equity is None else usd(last_equity)
    house.exchange.account = lambda moment: replace(account(moment), equity=usd(equity), last_equity=close)  # type: ignore[method-assign]


def test_a_close_rolled_after_midnight_corrects_the_day(snapshot: SnapshotAssertion) -> None:
    """RK-03: at 00:04 it still tells Tuesday's close, 200; on Wednesday 12 were lost, and the day's limit is 10"""
    house = at_midnight("188", "200")
    assert house.facts(facts.DayStarted) == [facts.DayStarted(THURSDAY, usd("200"), WEDNESDAY)]
    assert row(house).has_tripped

    sees(house, "188", "188")

    assert house.facts(facts.DayCorrected) == [facts.DayCorrected(THURSDAY, usd("188"), WEDNESDAY)]
    assert len(house.facts(facts.DayStarted)) == 1
    assert not row(house).has_tripped
    assert shown(house, "daily_loss") == snapshot
    assert house.desk.opening.opening_equity(THURSDAY) == 188
    assert house.desk.opening.opening_equity_of_week(THURSDAY) == 188  # the first day of the week that it saw
    assert house.desk.sizing.losses.state.opening == 188
    assert_can_be_rebuilt(house)


def test_the_close_is_asked_for_before_the_open() -> None:
    """RK-03: nobody else asks in the night; a restart that knows the stale figure asks too"""
    house = at_midnight("188", "200")
    tells(house, "188", "188")
    house.until("09:24")
    assert not house.facts(facts.DayCorrected)

    house.restarted()
    house.until("09:29:59")

    assert house.facts(facts.DayCorrected) == [facts.DayCorrected(THURSDAY, usd("188"), WEDNESDAY)]


def test_a_limit_reached_by_correction_stays_shut() -> None:
    """RK-03: 188 were told of the close, it was 200"""
    house = at_midnight("188", "188")
    assert not row(house).has_tripped

    sees(house, "188", "200")

    assert trip(house) == ("daily_loss", 10)
    sees(house, "199", "200")
    assert row(house).has_tripped  # nothing was mended: it was lost, and made good


def test_a_close_reported_before_the_open_is_taken(snapshot: SnapshotAssertion) -> None:
    """RK-03"""
    house = at_midnight("188", None)

    sees(house, "188", "200")
    sees(house, "188", None)

    assert house.facts(facts.DayCorrected) == [facts.DayCorrected(THURSDAY, usd("200"), WEDNESDAY)]
    assert house.desk.opening.since(THURSDAY) == snapshot


def test_no_figure_moves_the_start_of_an_open_session() -> None:
    """RK-03"""
    house = at_midnight("188", "200")
    tells(house, "188", "200")
    house.until("09:30")

    sees(house, "188", "188")

    assert not house.facts(facts.DayCorrected)
    assert house.desk.opening.opening_equity(THURSDAY) == 200


def test_an_older_answer_corrects_nothing() -> None:
    """RK-03: two questions crossed"""
    house = at_midnight("188", "188")
    account = house.desk.sightings.account
    assert isinstance(account, Account)

    old = replace(account, at=account.at - timedelta(seconds=30), last_equity=usd("200"))
    house.line.take(house.line.at, AccountFetched(old))

    assert not house.facts(facts.DayCorrected)


def test_the_day_before_a_monday_is_friday() -> None:
    """RK-03"""

    class Closed(NewYorkHours):
        def session_on(self, day: date) -> NoSession:  # type: ignore[override]
            raise LookupError(day)

    assert day_before(NEXT_MONDAY, NewYorkHours()) == FRIDAY
    assert day_before(NEXT_MONDAY, Closed()) is None


def test_it_shuts_again_at_the_next_half_of_the_limit() -> None:
    """RK-06: of a limit of 10"""
    lost = ["-3", "10", "14.99", "15", "16", "31"]

    assert [shuts_again_at(Decimal(each), Decimal(10)) for each in lost] == [15, 15, 15, 20, 20, 35]


def an_overridden_house() -> House:
    """12 are lost of a limit of 10; the word was typed at 13:01."""
    house = FirstStart().opens_with("188", "200")
    house.until("13:01")
    house.presses(OverrideProtection("daily_loss", "global", "OVERRIDE"))
    return house


def test_an_overridden_loss_shuts_at_each_further_half(snapshot: SnapshotAssertion) -> None:
    """RK-06: at 15, and after another word at 20"""
    house = an_overridden_house()
    assert house.last(facts.ProtectionOverridden).again_at == 15
    assert "daily loss" in refusals(house.until("14:00:59"))
    assert "daily loss" not in refusals(house.until("14:01"))
    overridden = shown(house, "daily_loss")

    sees(house, "185.01")
    assert "daily loss" not in refusals(house)
    sees(house, "185")
    assert "daily loss" in refusals(house)
    assert house.last(facts.OverrideEnded).name == "daily_loss"
    assert trip(house) == ("daily_loss", 10)
    sees(house, "191")
    assert "daily loss" in refusals(house)
    made_good = house.last(facts.ProposalSkipped).reasons
    assert (
        overridden,
        house.last(facts.OverrideEnded).reason,
        house.last(facts.ProtectionTripped).reason,
        made_good,
    ) == snapshot

    house.presses(OverrideProtection("daily_loss", "global", "OVERRIDE"))
    sees(house, "184")
    assert house.last(facts.ProtectionOverridden).again_at == 15
    assert_can_be_rebuilt(house)


def test_a_growing_loss_ends_an_override_not_yet_begun(snapshot: SnapshotAssertion) -> None:
    """RK-06"""
    house = an_overridden_house().until("13:30")

    sees(house, "184")

    assert house.last(facts.OverrideEnded) == snapshot
    assert "daily loss" in refusals(house.until("14:30"))


def test_a_restart_keeps_the_next_shutting_loss(snapshot: SnapshotAssertion) -> None:
    """RK-06, RK-09"""
    house = an_overridden_house().until("14:02")
    house.restarted()
    house.until("14:03")
    assert "daily loss" not in refusals(house)

    sees(house, "184")

    assert "daily loss" in refusals(house)
    assert shown(house, "daily_loss") == snapshot


def test_fresh_figures_at_the_key_shut_it_again() -> None:
    """RK-06, OP-03: the check itself measures"""
    house = an_overridden_house().until("14:02")
    context = house.desk.figures_for(house.line.at, SPY, None)
    assert isinstance(context.account, Account)

    worse = replace(context, account=replace(context.account, equity=usd("184")))
    assert DailyLossCheck().review(a_candidate(), worse).standing is CheckResult.REFUSES


NEEDED = {"daily loss", "weekly loss", "buying power", "portfolio", "margin"}
"""The checks that need the account's figures whatever the limits are."""
PARTS = {"loss at the stop", "notional", "risk budget", "day value", "concentration"}
"""Those of which the limit is a part of equity, in the profile swing."""


def without_an_account(house: House) -> None:
    """The broker answers for clock and quote, and not for the account."""
    house.desk.sightings.account = gone = NoAccount("the broker did not say")
    ask = house.line.ask

    def nothing(effect: Any) -> Any:
        reply = ask(effect)
        answer = getattr(reply, "answer", None)
        return replace(reply, answer=replace(answer, account=gone)) if isinstance(answer, FreshFigures) else reply

    house.line.ask = nothing  # type: ignore[method-assign]


def let_pass(review: Review) -> set[str]:
    return {v.check for v in review.warnings if v.reason.endswith("risk.on_missing_equity lets it pass")}


@pytest.mark.parametrize("choice", ["refuse", "allow"])
def test_unknown_equity_refuses_or_passes_by_the_setting(choice: str, snapshot: SnapshotAssertion) -> None:
    """RK-03"""
    settings = Settings.model_validate(
        {
            "risk": {**WIDE, "on_missing_equity": choice, "portfolio": {"max_exposure": "0.8"}},
            "strategies": {"vwap": {"enabled": False}},
        }
    )
    house = House(minutes("10:00", "15:59", "100"), settings).opens().until("10:10:01")
    without_an_account(house)
    house.presses(a_typed_buy("0.1", limit="99.90", stop="99.70"))
    if choice == "refuse":
        assert house.desk.stage.proposals() == ()
        assert "daily loss" in house.last(facts.ProposalSkipped).checks
        assert house.last(facts.ProposalSkipped).reasons == snapshot
        return
    house.opens_ticket()
    house.until("10:10:03")
    review = house.ticket.review
    house.confirms()
    house.until("10:10:05")

    assert review.refusals == ()
    assert let_pass(review) == NEEDED
    assert let_pass(house.last(facts.OrderApproved).review) == NEEDED | {FIGURES}


@pytest.mark.parametrize(("choice", "refused"), [("refuse", NEEDED | PARTS), ("allow", set())])
def test_limits_of_unknown_equity_follow_the_setting(choice: str, refused: set[str]) -> None:
    """RK-03: profile swing, before any figure of the day has come"""
    risk: dict[str, Any] = {**PROFILES["swing"]["risk"], "on_missing_equity": choice}  # type: ignore[dict-item]
    nothing = {"account": NoAccount("the broker did not say"), "opening": a_day(None)}
    desk = a_desk(settings=Settings.model_validate({"profile": "swing", "risk": risk}), **nothing)

    review = standard_gate().review(a_candidate(quantity="10"), desk)

    assert {v.check for v in review.refusals} == refused
    assert let_pass(review) == (NEEDED | PARTS if choice == "allow" else set())
