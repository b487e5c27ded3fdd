"""Three hundred touches in a row: each counts once, and no signature fits anything later (OP-15).

Tickets, baskets, enrolments, removals and loosened settings follow one another, with restarts between them. Before each
true touch, earlier signatures are tried in its place, and the commands that they permitted are sent again as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

import pytest

from core import facts
from core.messages.commands import Command, RequestCancel
from core.messages.desk_commands import EnrollTouchKey, ReloadLimits, RemoveTouchKey, SettingsFileSeen
from core.model.touch import TouchSignature, basket_message, enroll_message, loosen_message, remove_message
from core.settings.changes import digest_of
from core.settings.settings import Settings
from core.trading_state.checkpoint import checkpoint_of
from core.workflows.operator.limits_reload import WORD
from tests.kit.security_key import SecurityKey
from tests.scenarios import plans
from tests.scenarios.house import Drawer, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.test_touch import ACCOUNT, TouchHouse, sign_of

CYCLES, OF_A_CYCLE = 50, 6
AGAIN = 3
"""Earlier signatures that are tried before each touch, beside the last one."""
HELD_ALONE, IN_BASKETS = plans.Symbol("AAA"), plans.Symbol("BBB")
Makes = Callable[[TouchSignature], Command]


def terms(above: str) -> Settings:
    table = plans.SETTINGS.model_dump(mode="json", exclude_unset=True)
    confirm = {"touch": "always", "touch_above_usd": above}
    own = {"symbols": ["SPY", HELD_ALONE, IN_BASKETS], "confirm": confirm}
    return Settings.model_validate({**table, **own, "risk": {**table["risk"], "entries_a_day": 1000}})


STRICT, LOOSE = terms("0"), terms("1")


@dataclass
class Story:
    """`taken` has each command that a touch permitted, with its signature, in order."""

    counts: bool
    chance: Random = field(default_factory=lambda: Random(15))
    first: SecurityKey = field(default_factory=SecurityKey)
    second: SecurityKey = field(default_factory=lambda: SecurityKey(2, label="safe"))
    taken: list[tuple[Command, TouchSignature]] = field(default_factory=list)
    tried: int = 0

    def __post_init__(self) -> None:
        symbols = (HELD_ALONE, IN_BASKETS, plans.Symbol("SPY"))
        bars = [bar for symbol in symbols for bar in minutes("09:57", "12:00", "100", symbol=symbol)]
        self.house = TouchHouse(bars, settings=STRICT, cash=Decimal(200_000), multiplier=Decimal(2))
        self.house.opens().until("10:00")
        own = self.touched(self.first, enroll_message(ACCOUNT, self.house.nonce(), self.first.public.fingerprint))
        self.house.presses(EnrollTouchKey(self.first.line, self.first.label, own.text))

    def touched(self, key: SecurityKey, message: bytes) -> TouchSignature:
        return key.touched(message) if self.counts else key.touched(message, counter=0)

    @property
    def verified(self) -> int:
        return self.house.desk.touch_keys.state.touches

    def use(self, message: Callable[[], bytes], makes: Makes) -> None:
        """Try earlier signatures in place of the true one, then that one, then that one again."""
        earlier = [*self.taken[-1:], *self.chance.sample(self.taken, min(AGAIN, len(self.taken)))]
        for command, signature in earlier:
            self.is_refused(command)
            self.is_refused(makes(signature))
        true = self.touched(self.first, message())
        command, before = makes(true), self.verified
        self.house.presses(command)
        assert self.verified > before, self.house.last(facts.TouchRefused)
        self.taken.append((command, true))
        self.is_refused(command)

    def is_refused(self, command: Command) -> None:
        before, enrolled = self.verified, self.house.enrolled()
        self.tried += 1
        self.house.presses(command)
        assert (self.verified, self.house.enrolled()) == (before, enrolled)

    # ── what needs a touch ───────────────────────────────────────────────────────────────────────────────────────

    def ticket(self) -> None:
        house = self.house
        house.presses(replace(a_typed_buy("1", "90", "89"), symbol=HELD_ALONE))
        house.opens_ticket()
        plans.passes(house, 1)
        self.use(house.message, house.turn)
        self.cancels_the_entry()

    def cancels_the_entry(self) -> None:
        plans.passes(self.house, 2)
        (order,) = [order for order in self.house.desk.ledger.working() if not order.only_reduces]
        self.house.presses(RequestCancel(order.id))
        plans.passes(self.house, 2)

    def basket(self) -> None:
        house = self.house
        plans.opens(house, plans.a_buy(IN_BASKETS, "1", limit="90", stop="89"))
        plans.marks(house)
        sign = sign_of(house, None)
        self.use(
            lambda: basket_message(ACCOUNT, house.nonce(), sign.plan_id, sign.digest),
            lambda touch: replace(sign_of(house, None), touch=touch),
        )
        self.cancels_the_entry()
        plans.runs_out(house)

    def loosens_and_tightens(self) -> None:
        house, digest = self.house, digest_of(LOOSE)
        house.presses(SettingsFileSeen(LOOSE))
        self.use(
            lambda: loosen_message(ACCOUNT, house.nonce(), digest),
            lambda touch: ReloadLimits(digest, WORD, touch=touch),
        )
        assert house.desk.control.settings.confirm == LOOSE.confirm
        house.presses(SettingsFileSeen(STRICT))
        house.presses(ReloadLimits(digest_of(STRICT)))
        assert house.desk.control.settings.confirm == STRICT.confirm

    def enrolls_and_removes(self) -> None:
        house, second, print_ = self.house, self.second, self.second.public.fingerprint

        def message() -> bytes:
            return enroll_message(ACCOUNT, house.nonce(), print_)

        def enrolls(touch: TouchSignature) -> Command:
            return EnrollTouchKey(second.line, second.label, self.touched(second, message()).text, touch)

        self.use(message, enrolls)
        assert house.enrolled() == ["desk", "safe"]
        self.use(
            lambda: remove_message(ACCOUNT, house.nonce(), print_),
            lambda touch: RemoveTouchKey(print_, touch),
        )
        assert house.enrolled() == ["desk"]

    def restarts(self) -> None:
        self.house.drawer = self.chance.choice([None, Drawer(checkpoint_of(self.house.desk))])
        self.house.restarted()
        plans.passes(self.house, 30)


@pytest.mark.parametrize("counts", [False, True])
def test_each_of_300_touches_counts_once_and_fits_nothing_later(counts: bool) -> None:
    """OP-15: also of a key whose counter is always 0, after restarts from the journal and from documents"""
    story = Story(counts)
    deeds = [story.ticket, story.basket, story.loosens_and_tightens, story.enrolls_and_removes]
    while story.verified < CYCLES * OF_A_CYCLE:
        for deed in story.chance.sample(deeds, len(deeds)):
            deed()
        if story.chance.random() < 0.15:
            story.restarts()
    assert len({signature.text for _, signature in story.taken}) == len(story.taken)
    for command, signature in story.taken:
        story.is_refused(command)
        story.is_refused(ReloadLimits(digest_of(LOOSE), WORD, touch=signature))
    assert (story.verified, story.tried) == (301, 2736)
    assert_can_be_rebuilt(story.house)
