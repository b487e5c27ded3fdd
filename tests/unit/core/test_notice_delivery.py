"""Whatever a network and a machine do: urgent messages arrive at least once and marked, others at most once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from core.facts import AlertRang, Halted, NotificationBegun, NotificationFailed, NotificationSent
from core.messages.effects import SendNotification
from core.messages.inputs import DeadlineReached, NotificationAnswered
from core.model.alert import Alert, AlertKind, AlertTerms
from core.model.codes import HaltCause
from core.model.delivery import DELIVERED, Delivery, DeliveryCode
from core.model.notice import REPEAT
from core.settings.settings import Settings
from tests.kit.rows import table
from tests.scenarios.house import House, minutes
from tests.scenarios.receivers import Receivers
from tests.unit.core.brokers.trading_floor import SPY

SETTINGS = Settings.model_validate(
    {"symbols": ["SPY"], "notify": {"channels": {"phone": {"a_minute": 3}}, "rules": {"all": {"channels": ["phone"]}}}}
)
ENDS = {
    "taken": (True, DELIVERED),
    "taken, no answer": (True, Delivery(DeliveryCode.TIMED_OUT)),
    "taken, said no": (True, Delivery(DeliveryCode.REFUSED, 500)),
    "taken, the notifier died": (True, None),
    "nobody there": (False, Delivery(DeliveryCode.NOT_SENT)),
    "lost on its way": (False, Delivery(DeliveryCode.UNCLEAR)),
}
"""What becomes of a try: whether the message arrived, and what is said of that."""


@dataclass
class Phone(Receivers):
    """One telephone: what it got, notice by notice, and whether the message said that it may be a repeat."""

    end: str = "taken"
    got: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = self.take

    def take(self, effect: SendNotification) -> Delivery | None:
        has_arrived, delivery = ENDS[self.end]
        if has_arrived:
            lines = [line for line in effect.text.splitlines() if "what=" in line]
            self.got += [(line.partition("what=")[2].split()[0], effect.title.startswith(REPEAT)) for line in lines]
        return delivery


def passes(house: House, seconds: int) -> None:
    """Time, in which nothing but the desk's own deadlines happens."""
    until = house.line.at + timedelta(seconds=seconds)
    while (due := house.engine.next_deadline) is not None and due <= until:
        house.line.at = max(house.line.at, due)
        house.line.take(house.line.at, DeadlineReached())
        house.line._look_around()
    house.line.at = until


def happens(house: House, word: str, *, is_urgent: bool) -> None:
    state = house.engine.state
    state.at = house.line.at
    ring = AlertRang(Alert(1, AlertTerms(SPY, AlertKind.FILL)), f"what={word} .")
    state.record(Halted(HaltCause.SIGNAL, f"what={word} .") if is_urgent else ring)
    house.line.take(house.line.at, DeadlineReached())
    house.line._look_around()


def some_steps(chance: Random) -> list[str | int]:
    happenings = ["urgent", "ordinary", "ordinary", "crash"]
    return [chance.choice((*sorted(ENDS), *happenings, *chance.choices(range(1, 200), k=8))) for _ in range(25)]


@table("seed", *range(3))
def test_urgent_notices_arrive_at_least_once(seed: int):
    """SY-03: over answers of every kind, crashes beside them, and a link that comes back."""
    steps = some_steps(Random(seed))
    phone = Phone()
    house = House(minutes("09:30", "09:40"), SETTINGS)
    house.line._notifier = phone
    house.opens()
    told: dict[str, bool] = {}
    for number, step in enumerate(steps):
        match step:
            case int():
                passes(house, step)
            case "crash":
                house._take_up(house.line.at)
                house.line._notifier = phone
                house.opens()
            case "urgent" | "ordinary":
                told[f"n{number}"] = step == "urgent"
                happens(house, f"n{number}", is_urgent=step == "urgent")
            case _:
                phone.end = step
    phone.end = "taken"
    passes(house, 3_600)

    got = Counter(word for word, _ in phone.got)
    for word, is_urgent in told.items():
        assert got[word] >= 1 if is_urgent else got[word] <= 1, (word, is_urgent, phone.got)
    seen: set[str] = set()
    for word, is_marked in phone.got:
        assert is_marked or word not in seen, (word, phone.got)
        seen.add(word)
    begun, ended = house.facts(NotificationBegun), [*house.facts(NotificationSent), *house.facts(NotificationFailed)]
    assert len(begun) == len(ended)


def test_a_late_answer_is_ignored():
    """SY-03: it is of a try that was given up, and another is on its way."""
    phone = Phone(end="taken, the notifier died")
    house = House(minutes("09:30", "09:40"), SETTINGS)
    house.line._notifier = phone
    house.opens()
    happens(house, "one", is_urgent=True)
    passes(house, 40)
    first, second = phone.heard

    late = NotificationAnswered(first.channel, first.is_urgent, first.numbers, first.tries, DELIVERED)
    house.line.take(house.line.at, late)
    assert house.facts(NotificationSent) == []

    answer = NotificationAnswered(second.channel, second.is_urgent, second.numbers, second.tries, DELIVERED)
    house.line.take(house.line.at, answer)
    house.line.take(house.line.at, answer)
    assert len(house.facts(NotificationSent)) == 1
