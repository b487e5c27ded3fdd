"""Advisers speak: their words are kept, and whatever else they try is refused and told (OP-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.advisers import Adviser, Shown
from core.messages.commands import Confirm, Kill, OpenTicket
from core.messages.inputs import FromAdviser
from core.model.recommendation import Advice, TradeIdea, UnauthorizedAIActionError
from core.model.values import Price, Quantity, Symbol
from core.settings.settings import Settings
from core.workflows.staging.proposal_lifecycle import Proposals
from tests.scenarios.house import House, a_day, a_house_in_a_position, a_typed_buy, assert_can_be_rebuilt
from tests.scenarios.requests import requested
from tests.unit.core.brokers.trading_floor import SPY

pytestmark = pytest.mark.usefixtures("a_whole_morning")

Deed = Callable[[Shown, House], object]


class Speaker:
    """Says what it is told to, at every question; `deed` is what it tries beside it."""

    is_deterministic = True

    def __init__(self, *said: object, name: str = "speaker") -> None:
        self.said = said
        self.name = name
        self.asked = 0

    def advise(self, shown: Shown) -> Iterable[Advice]:
        self.asked += 1
        return self.said  # type: ignore[return-value]


class Climber(Speaker):
    """Has come by the house somehow, and tries one way to trade; it swallows the error, as a sly one would."""

    def __init__(self, house: House, deed: Deed) -> None:
        super().__init__(name="climber")
        self.house, self.deed = house, deed
        self.errors: list[Exception] = []

    def advise(self, shown: Shown) -> Iterator[Advice]:
        try:
            self.deed(shown, self.house)
        except UnauthorizedAIActionError as error:
            self.errors.append(error)
        yield Advice("buy everything")


def asks(house: House, *advisers: Adviser) -> House:
    """From here on they are asked, every minute."""
    from core.runtime.advisers import Rounds
    from core.views.builders.desk import ViewBuilder

    terms = house.desk.control.settings.advisers
    house.line.rounds = Rounds(advisers, terms, house.line.at)
    house.line._advised = ViewBuilder(house.engine)
    return house


def an_idea(strategy: str = "", quantity: str = "0.3") -> TradeIdea:
    figures = (Price(Decimal(text)) for text in ("99.60", "99.30", "100.20"))
    return TradeIdea(strategy, SPY, *figures, Quantity(Decimal(quantity)))


def a_house() -> House:
    return House(a_day(("10:06", "10:30", "99.60 99.61 99.58 99.60"))).opens().until("09:40")


def test_advice_is_recorded_once_and_stages_nothing() -> None:
    """OP-09"""
    said = "the range is narrow"
    house = asks(a_house(), Speaker(Advice(said, an_idea()))).until("09:50")

    (given,) = house.facts(facts.AdviceGiven)
    assert (given.number, given.adviser, given.text) == (1, "speaker", said)
    assert given.idea == an_idea()
    assert not house.facts(facts.ProposalStaged)
    assert_can_be_rebuilt(house)


def test_expired_advice_may_be_given_again() -> None:
    """OP-09"""
    short = Advice("the range is narrow", valid_for=timedelta(minutes=5))

    house = asks(a_house(), Speaker(short)).until("09:47")

    assert [given.number for given in house.facts(facts.AdviceGiven)] == [1, 2]


def test_advice_is_bounded_and_printable() -> None:
    """OP-09, SY-06"""
    house = asks(a_house(), Speaker(Advice("\x1b[2Jbuy\nnow \ud800" + "x" * 5000))).until("09:42")

    (given,) = house.facts(facts.AdviceGiven)
    assert given.text.startswith("[2Jbuy now x")
    assert len(given.text) == 300
    assert given.text.isprintable()


def test_the_watchman_names_a_check_that_keeps_refusing(snapshot: SnapshotAssertion) -> None:
    """OP-09"""
    settings = Settings.model_validate({"advisers": {"watchman": {"enabled": True}}})
    house = a_house_in_a_position(settings=settings)
    from core.advisers import advisers_of

    asks(house, *advisers_of(settings.advisers))
    for _ in range(5):
        house.presses(a_typed_buy("0.1", stop="99.90"))
    assert len(house.facts(facts.ProposalSkipped)) == 5
    house.until("10:08")

    assert [(given.adviser, given.text) for given in house.facts(facts.AdviceGiven)] == snapshot


def test_the_same_advisers_make_the_same_journal() -> None:
    """OP-09, MD-05"""
    days = [asks(a_house(), Speaker(Advice("the range is narrow", an_idea()))).until("10:20") for _ in range(2)]

    first, second = ([(r.at, r.fact) for r in house.journal.records()] for house in days)
    assert first == second
    assert days[0].journal.fingerprint() == days[1].journal.fingerprint()


def test_an_unsteady_adviser_is_not_asked_in_virtual_time() -> None:
    """OP-09, MD-05"""
    moody = Speaker(Advice("buy"))
    moody.is_deterministic = False

    asks(a_house(), moody).until("10:00")

    assert moody.asked == 0


def test_an_adviser_is_off_until_it_is_turned_on() -> None:
    """OP-09"""
    from core.advisers import advisers_of

    assert advisers_of(Settings().advisers) == ()


class Raiser(Speaker):
    def advise(self, shown: Shown) -> Iterable[Advice]:
        self.asked += 1
        raise SystemExit("the model is not there")


class Flooder(Speaker):
    def advise(self, shown: Shown) -> Iterator[Advice]:
        while True:
            self.asked += 1
            yield Advice(f"advice {self.asked}")


@pytest.mark.parametrize(
    ("adviser", "kept"),
    [
        (Raiser(), 0),
        (Flooder(), 9),
        (Speaker("buy"), 0),
        (Speaker(Advice("x", replace(an_idea(), stop=Price(Decimal("nan"))))), 0),
        (Speaker(Advice("x", replace(an_idea(), target=Price(Decimal("1E-999999"))))), 0),
        (Speaker(Advice("x", replace(an_idea(), stop=Price(Decimal("0." + "3" * 9999))))), 0),
        (Speaker(Advice("x", replace(an_idea(), symbol=Symbol("spy\n")))), 0),
    ],
    ids=["raises", "floods", "no advice", "no number", "tiny target", "long stop", "bad symbol"],
)
def test_a_failing_adviser_rests_and_changes_nothing(adviser: Speaker, kept: int, snapshot: SnapshotAssertion) -> None:
    """OP-09"""
    house = asks(a_house(), adviser)

    house.until("10:06")

    (failed,), (paused,) = house.facts(facts.AdviserFailed), house.facts(facts.AdviserPaused)
    assert failed.reason == snapshot
    assert (failed.adviser, paused.adviser) == (adviser.name, adviser.name)
    assert len(house.facts(facts.AdviceGiven)) == kept
    assert len(house.facts(facts.ProposalStaged)) == 1, "VWAP trades on"
    assert not house.desk.control.halts
    assert_can_be_rebuilt(house)


def test_the_next_start_asks_a_resting_adviser_again() -> None:
    """OP-09"""
    house = asks(a_house(), Raiser()).until("09:50")
    assert house.desk.advice.state.paused

    assert not house.restarted().desk.advice.state.paused


def confirms(house: House) -> None:
    house.confirms()


WAYS: dict[str, Deed] = {
    "submit": lambda shown, _: shown.submit,
    "stage": lambda shown, _: shown.stage_entry,
    "broker": lambda shown, _: shown.broker,
    "the handle": lambda shown, _: shown.handle.send(a_typed_buy()),
    "the inbox": lambda _, house: house.line.send(a_typed_buy()),
    "the runtime": lambda _, house: house.line.obey(a_typed_buy()),
    "a kill at the runtime": lambda _, house: house.line.obey(Kill("adviser")),
    "the engine": lambda _, house: house.engine.handle(house.line.at, a_typed_buy()),
    "a ticket": lambda _, house: house.opens_ticket(),
    "a key": lambda _, house: confirms(house),
    "a kill": lambda _, house: house.line.send(Kill("adviser")),
    "the journal": lambda _, house: house.desk.record(house.facts(facts.ProposalStaged)[0]),
    "the workflow": lambda _, house: house.engine.the(Proposals).staging.stage(house.proposal),
    "the gateway": lambda _, house: house.line.gateway.refusal(None, house.line.at),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("way", WAYS)
def test_an_adviser_that_tries_to_trade_is_refused(way: str) -> None:
    """OP-09"""
    settings = Settings.model_validate({"advisers": {"every_seconds": 5}})
    house = House(a_day(("10:06", "10:30", "99.60 99.61 99.58 99.60")), settings).opens().until("10:06")
    house.opens_ticket()
    house.until("10:06:01")
    climber = Climber(house, WAYS[way])
    asks(house, climber)
    before = house.told()

    house.until_moment(house.line.at + timedelta(seconds=6))

    assert [type(error) for error in climber.errors] == [UnauthorizedAIActionError]
    (told,) = house.facts(facts.AdviserOverstepped)
    assert told.adviser == "climber"
    assert not house.facts(facts.ConfirmationReceived)
    assert not house.facts(facts.OrderCreated)
    assert len(house.facts(facts.ProposalStaged)) == 1
    assert requested(house) == []
    assert house.desk.control.killed_by is None
    assert house.line.latch.shut() is None
    assert house.told()[len(before) :] == ["AdviserOverstepped", "AdviceGiven"]
    assert_can_be_rebuilt(house)


def test_the_engine_refuses_a_command_from_an_adviser(snapshot: SnapshotAssertion) -> None:
    """OP-09: not only by the wrapper."""
    house = House(a_day(("10:06", "10:30", "99.60 99.61 99.58 99.60"))).opens().until("10:06")
    house.opens_ticket()
    house.until("10:06:01")
    ticket = house.ticket

    house.line.take(house.line.at, FromAdviser("sly", Confirm(ticket.id, ticket.digest, ticket.order.effect)))
    house.line.take(house.line.at, FromAdviser("sly", OpenTicket(house.proposal.id)))

    assert house.facts(facts.AdviserOverstepped) == snapshot
    assert not house.facts(facts.ConfirmationReceived)


def test_a_command_among_the_advice_is_refused(snapshot: SnapshotAssertion) -> None:
    """OP-09"""
    house = asks(a_house(), Speaker(Advice("all is well"), a_typed_buy()))

    house.until("09:41:30")

    assert house.last(facts.AdviserOverstepped) == snapshot
    assert not house.facts(facts.ProposalStaged)


def test_an_adviser_that_keeps_trying_is_asked_no_more() -> None:
    """OP-09"""
    house = a_house()
    climber = Climber(house, WAYS["submit"])

    asks(house, climber).until("10:00")

    assert len(house.facts(facts.AdviserOverstepped)) == 3
    assert house.last(facts.AdviserPaused).adviser == "climber"
    assert len(climber.errors) == 3


def test_an_unknown_name_is_no_attempt_to_trade() -> None:
    """OP-09: a slip of the pen rings no bell."""
    house = a_house()
    names = ("postions", "orders", "signals", "computed_at", "__copy__")
    climber = Climber(house, lambda shown, _: [getattr(shown, name, None) for name in names])

    asks(house, climber).until("09:45")

    assert not house.facts(facts.AdviserOverstepped)
    assert house.facts(facts.AdviceGiven)
