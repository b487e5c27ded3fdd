"""An order that opens needs the touch of a security key; an exit, a cancel, a halt and a kill never do (OP-15)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from core import facts
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import (
    Command,
    Confirm,
    Halt,
    Kill,
    ProposeClose,
    RequestCancel,
    ReversePosition,
    SignBasket,
)
from core.messages.desk_commands import EnrollTouchKey, ReloadLimits, RemoveTouchKey, SettingsFileSeen
from core.model.account import Mode
from core.model.touch import (
    ECDSA,
    ED25519,
    Nonce,
    TouchCode,
    TouchPurpose,
    TouchSignature,
    TouchTerms,
    basket_message,
    enroll_message,
    loosen_message,
    nonce_of,
    remove_message,
    ticket_message,
)
from core.model.values import Money
from core.runtime.scripted_operator import turn_of
from core.settings.changes import digest_of
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.baskets import BasketDrafts, digest_now, rehearsed
from core.workflows.operator.limits_reload import WORD
from core.workflows.operator.touch_keys import TOUCH, is_needed, nonce_now
from tests.kit.rows import each
from tests.kit.security_key import SecurityKey
from tests.scenarios import plans
from tests.scenarios.house import STEADY, Disk, House, a_day, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import SPY

ACCOUNT = "house"


def asks(touch: str = "always", above: str = "0", **others: object) -> Settings:
    return Settings.model_validate({"confirm": {"touch": touch, "touch_above_usd": above}, **others})


ALWAYS = asks()


class TouchHouse(House):
    """Its keys come from a console, as those of a desk: a script's need no touch."""

    def _take_up(self, start: datetime) -> None:
        self.port = CommandPort(PortKind.CONSOLE)
        super()._take_up(start)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def enrolls(self, key: SecurityKey, by: SecurityKey | None = None) -> None:
        message = enroll_message(ACCOUNT, self.nonce(), key.public.fingerprint)
        own, other = key.touched(message).text, None if by is None else by.touched(message)
        self.presses(EnrollTouchKey(key.line, key.label, own, other))

    def confirms_with(self, key: SecurityKey, **terms: int) -> None:
        self.presses(self.turn(key.touched(self.message(), **terms)))

    def message(self) -> bytes:
        return ticket_message(ACCOUNT, self.nonce(), self.ticket.id, self.ticket.digest)

    def nonce(self) -> Nonce:
        return nonce_now(self.desk)

    def turn(self, touch: TouchSignature | None) -> Confirm:
        return replace(turn_of(self.ticket), touch=touch)

    def enrolled(self) -> list[str]:
        return [key.label for key in self.desk.touch_keys.state.keys]


def a_ticket(settings: Settings = ALWAYS, *keys: SecurityKey) -> TouchHouse:
    """It is 10:06:02, the entry's ticket is open, and these keys are enrolled."""
    house = TouchHouse(a_day(("10:06", "10:30", STEADY)), settings)
    house.opens().until("10:06")
    for number, key in enumerate(keys):
        house.enrolls(key, keys[0] if number else None)
    house.opens_ticket()
    house.until("10:06:02")
    return house


def buys(house: House) -> int:
    return len([request for request in house.sent() if "buy" in request])


@pytest.mark.parametrize("kind", [ED25519, ECDSA])
def test_touched_entry_goes_and_its_touch_is_recorded(kind: str) -> None:
    """OP-15"""
    key = SecurityKey(kind=kind)
    house = a_ticket(ALWAYS, key)
    ticket = house.ticket
    house.confirms_with(key, counter=9)
    house.until("10:06:30")

    verified = house.last(facts.TouchVerified)
    assert (verified.purpose, verified.subject) == (TouchPurpose.TICKET, ticket.id)
    assert (verified.fingerprint, verified.counter) == (key.public.fingerprint, 9)
    assert buys(house) == 1
    assert house.held() != "0"
    assert_can_be_rebuilt(house)


def test_key_that_software_can_type_opens_nothing() -> None:
    """OP-15"""
    house = a_ticket(ALWAYS, SecurityKey())
    house.confirms()
    house.until("10:06:30")

    assert house.last(facts.ConfirmationRefused).checks == (TOUCH,)
    assert house.last(facts.TouchRefused).code is TouchCode.NO_SIGNATURE
    assert buys(house) == 0
    assert_can_be_rebuilt(house)


def test_without_an_enrolled_key_nothing_opens() -> None:
    """OP-15: fail closed"""
    house = a_ticket()
    house.confirms_with(SecurityKey())

    assert house.last(facts.TouchRefused).code is TouchCode.NO_KEY
    assert buys(house) == 0


def _of_another_account(house: TouchHouse, key: SecurityKey) -> TouchSignature:
    return key.touched(ticket_message("other", house.nonce(), house.ticket.id, house.ticket.digest))


def _of_a_basket(house: TouchHouse, key: SecurityKey) -> TouchSignature:
    return key.touched(basket_message(ACCOUNT, house.nonce(), house.ticket.id, house.ticket.digest))


Wrong = Callable[[TouchHouse, SecurityKey], TouchSignature]
OTHER = SecurityKey(5)
WRONG: list[tuple[TouchCode, Wrong]] = [
    (TouchCode.NOT_TOUCHED, lambda house, key: key.touched(house.message(), flags=0)),
    (TouchCode.WRONG, lambda house, key: TouchSignature.of(key.public.fingerprint, OTHER.signs(house.message()))),
    (
        TouchCode.WRONG,
        lambda house, key: TouchSignature.of(key.public.fingerprint, key.signs(house.message(), application="ssh:x")),
    ),
    (
        TouchCode.WRONG,
        _of_another_account,
    ),
    (
        TouchCode.WRONG,
        _of_a_basket,
    ),
    (TouchCode.UNKNOWN_KEY, lambda house, _key: OTHER.touched(house.message())),
    (TouchCode.MALFORMED, lambda _house, key: TouchSignature.of(key.public.fingerprint, b"\0" * 90)),
    (TouchCode.COUNTER, lambda house, key: key.touched(house.message(), counter=1)),
]


@each("code wrong", WRONG)
def test_wrong_touch_opens_nothing(code: TouchCode, wrong: Wrong) -> None:
    """OP-15"""
    key = SecurityKey()
    key.counter = 5
    house = a_ticket(ALWAYS, key)
    house.presses(house.turn(wrong(house, key)))
    house.until("10:06:30")

    assert house.last(facts.TouchRefused).code is code
    assert buys(house) == 0


def test_touch_of_one_ticket_confirms_no_other() -> None:
    """OP-15: the same order on a later ticket needs another touch"""
    key = SecurityKey()
    house = a_ticket(ALWAYS, key)
    old = key.touched(house.message())
    digest = house.ticket.digest
    house.opens_ticket()
    house.until("10:06:04")
    house.presses(house.turn(old))

    assert house.ticket.digest == digest
    assert house.last(facts.TouchRefused).code is TouchCode.WRONG
    assert buys(house) == 0


def test_counter_is_known_after_a_restart() -> None:
    """OP-15, SP-03"""
    key = SecurityKey()
    house = a_ticket(ALWAYS, key)
    house.confirms_with(key, counter=9)
    house.until("10:06:30")
    house.restarted()
    house.until("10:07")

    state = house.desk.touch_keys.state
    assert state.counters == {key.public.fingerprint: 9}
    assert [one.fingerprint for one in state.keys] == [key.public.fingerprint]


def test_ticket_and_basket_say_that_they_need_a_touch() -> None:
    """OP-15"""
    house = a_ticket(ALWAYS, SecurityKey())
    view = ViewBuilder(house.engine).draw(house.line.at)

    assert [ticket.needs_touch for ticket in view.tickets] == [True]
    assert [key.label for key in view.touch.keys] == ["desk"]
    ticket_of_none = a_ticket(Settings())
    assert not ViewBuilder(ticket_of_none.engine).draw(ticket_of_none.line.at).tickets[0].needs_touch


def test_size_and_account_decide_whether_it_is_needed() -> None:
    """OP-15"""
    house = a_ticket(asks("live", "100"))
    desk = house.desk

    assert not is_needed(desk, Money(Decimal(500)))
    desk.mode = Mode.LIVE
    assert [is_needed(desk, cost and Money(Decimal(cost))) for cost in (None, 100, 101)] == [True, False, True]


def test_small_entry_goes_without_a_touch() -> None:
    """OP-15: the ticket's cost is about 50 USD"""
    house = a_ticket(asks("always", "100"), SecurityKey())
    house.confirms()
    house.until("10:06:30")

    assert buys(house) == 1


def test_key_by_script_needs_no_touch() -> None:
    """OP-15: a script is accepted on the simulated exchange alone"""
    house = House(a_day(("10:06", "10:30", STEADY)), ALWAYS).opens().until("10:06")
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert buys(house) == 1


def test_exits_cancels_halt_and_kill_need_no_touch() -> None:
    """OP-15: even the last enrolled key may be lost"""
    key = SecurityKey()
    house = a_ticket(ALWAYS, key)
    house.confirms_with(key)
    house.until("10:06:30")
    house.presses(a_typed_buy(limit="90", stop="89"))
    house.opens_ticket()
    house.until("10:06:35")
    house.confirms_with(key)
    house.until("10:06:40")
    resting = next(o for o in house.desk.ledger.working() if not o.only_reduces)
    verified = len(house.facts(facts.TouchVerified))

    house.presses(RequestCancel(resting.id))
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:07")
    house.confirms()
    house.until("10:08")
    for command in (Halt("key"), Kill("key")):
        house.presses(command)

    assert house.held() == "0"
    assert house.desk.ledger.order(resting.id).status.is_terminal  # type: ignore[union-attr]
    assert house.facts(facts.Halted)
    assert house.facts(facts.Killed)
    assert len(house.facts(facts.TouchVerified)) == verified
    assert not house.facts(facts.TouchRefused)


# ── baskets ──────────────────────────────────────────────────────────────────────────────────────────────────────────

FLOOR = Settings.model_validate({**plans.SETTINGS.model_dump(mode="json"), "confirm": {"touch": "always"}})


def a_floor(*keys: SecurityKey) -> TouchHouse:
    """10:00, with several symbols at 100."""
    bars = [bar for symbol in ("AAA", "BBB") for bar in minutes("09:57", "10:15", "100", symbol=plans.Symbol(symbol))]
    house = TouchHouse(bars, settings=FLOOR, cash=Decimal(20_000), multiplier=Decimal(2))
    house.opens().until("10:00")
    for key in keys:
        house.enrolls(key)
    return house


def sign_of(house: TouchHouse, key: SecurityKey | None) -> SignBasket:
    run = plans.the_plan(house)
    tried = rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run)
    digest = digest_now(house.desk, run, [t for t in tried if t.fits and t.proposal.id in run.marked])
    touch = None if key is None else key.touched(basket_message(ACCOUNT, nonce_now(house.desk), run.id, digest))
    return SignBasket(run.id, digest, touch=touch)


def test_basket_with_an_entry_needs_one_touch() -> None:
    """OP-15, OP-05"""
    key = SecurityKey()
    house = a_floor(key)
    plans.opens(house, plans.a_buy("AAA", "10"), plans.a_buy("BBB", "10"))
    plans.marks(house)
    view = ViewBuilder(house.engine).draw(house.line.at)
    house.presses(sign_of(house, None))

    assert view.plan is not None
    assert view.plan.needs_touch
    assert not house.facts(facts.BasketSigned)
    assert house.last(facts.TouchRefused).purpose is TouchPurpose.BASKET
    house.presses(sign_of(house, key))
    plans.runs_out(house)
    assert (house.held(plans.Symbol("AAA")), house.held(plans.Symbol("BBB"))) == ("10", "10")
    assert len([f for f in house.facts(facts.TouchVerified) if f.purpose is TouchPurpose.BASKET]) == 1
    assert_can_be_rebuilt(house)


def test_basket_that_only_closes_needs_no_touch() -> None:
    """OP-15, OP-05"""
    key = SecurityKey()
    house = a_floor(key)
    plans.opens(house, plans.a_buy("AAA", "10"))
    plans.marks(house)
    house.presses(sign_of(house, key))
    plans.runs_out(house)
    plans.opens(house, plans.a_sale("AAA", "10"))
    plans.marks(house)
    view = ViewBuilder(house.engine).draw(house.line.at)
    house.presses(sign_of(house, None))
    plans.runs_out(house)

    assert view.plan is not None
    assert not view.plan.needs_touch
    assert house.held(plans.Symbol("AAA")) == "0"


def test_reversal_needs_the_touch() -> None:
    """OP-15: it opens as much the other way"""
    key = SecurityKey()
    house = a_floor(key)
    plans.opens(house, plans.a_buy("AAA", "10"))
    plans.marks(house)
    house.presses(sign_of(house, key))
    plans.runs_out(house)
    (position,) = house.desk.ledger.positions()
    house.presses(ReversePosition(position.symbol, position.strategy, position.quantity))
    plans.passes(house, 1)
    plans.marks(house)
    house.presses(sign_of(house, None))

    assert house.last(facts.TouchRefused).purpose is TouchPurpose.BASKET
    assert house.held(plans.Symbol("AAA")) == "10"


# ── enrolment ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_first_key_is_enrolled_by_its_own_touch() -> None:
    """OP-15"""
    house, key = a_ticket(), SecurityKey()
    message = enroll_message(ACCOUNT, house.nonce(), key.public.fingerprint)
    house.presses(EnrollTouchKey(key.line, key.label, key.touched(message, flags=0).text))
    assert house.last(facts.TouchRefused).code is TouchCode.NOT_TOUCHED
    assert house.enrolled() == []

    house.enrolls(key)
    assert house.enrolled() == ["desk"]


def test_second_key_needs_the_first() -> None:
    """OP-15"""
    first, second = SecurityKey(), SecurityKey(2, ECDSA, label="safe")
    house = a_ticket(ALWAYS, first)
    house.enrolls(second)
    assert house.last(facts.TouchRefused).code is TouchCode.NO_SIGNATURE
    house.enrolls(second, second)
    assert house.last(facts.TouchRefused).code is TouchCode.UNKNOWN_KEY
    assert house.enrolled() == ["desk"]

    house.enrolls(second, first)
    assert house.enrolled() == ["desk", "safe"]
    house.confirms_with(second)
    house.until("10:06:30")
    assert buys(house) == 1


def test_third_key_and_the_same_key_are_refused() -> None:
    """OP-15"""
    first, second = SecurityKey(), SecurityKey(2)
    house = a_ticket(ALWAYS, first)
    house.enrolls(first, first)
    assert house.last(facts.TouchRefused).code is TouchCode.ENROLLED
    house.enrolls(second, first)
    house.enrolls(SecurityKey(3), first)
    assert house.last(facts.TouchRefused).code is TouchCode.TOO_MANY
    house.presses(EnrollTouchKey("ssh-ed25519 AAAA", "soft", "", None))
    assert house.last(facts.TouchRefused).code is TouchCode.MALFORMED


def test_removing_a_key_needs_an_enrolled_one() -> None:
    """OP-15: a removal is signed for once"""
    first, second = SecurityKey(), SecurityKey(2, label="safe")
    house = a_ticket(ALWAYS, first, second)
    fingerprint = second.public.fingerprint
    message = remove_message(ACCOUNT, house.nonce(), fingerprint)
    house.presses(RemoveTouchKey(fingerprint, OTHER.touched(message)))
    assert house.last(facts.TouchRefused).code is TouchCode.UNKNOWN_KEY
    earlier = remove_message(ACCOUNT, nonce_of(ACCOUNT, 0), fingerprint)
    house.presses(RemoveTouchKey(fingerprint, first.touched(earlier)))
    assert house.last(facts.TouchRefused).code is TouchCode.WRONG

    house.presses(RemoveTouchKey(fingerprint, first.touched(message)))
    assert house.enrolled() == ["desk"]
    house.confirms_with(second)
    assert house.last(facts.TouchRefused).code is TouchCode.UNKNOWN_KEY


def test_keys_are_enrolled_by_a_desk_without_control() -> None:
    """OP-15, OP-13: a touch permits it, not control"""
    house, key = a_ticket(), SecurityKey()
    first, second = house.attaches("ann"), house.attaches("bob", terminal="/dev/pts/9")
    message = enroll_message(ACCOUNT, house.nonce(), key.public.fingerprint)
    command: Command = EnrollTouchKey(key.line, key.label, key.touched(message).text)
    house.presses_at(second, command)

    assert house.desk.desks.is_holder(first)
    assert house.last(facts.TouchKeyEnrolled).user == "bob"


# ── loosening ────────────────────────────────────────────────────────────────────────────────────────────────────────


@each("file", [asks("live"), asks("never"), asks("always", "1000")])
def test_looser_touch_needs_the_word_and_a_touch(file: Settings) -> None:
    """OP-15, RK-13"""
    key = SecurityKey()
    house, digest = a_ticket(ALWAYS, key), digest_of(file)
    house.presses(SettingsFileSeen(file))
    assert ViewBuilder(house.engine).draw(house.line.at).reload.needs_touch
    house.presses(ReloadLimits(digest))
    house.presses(ReloadLimits(digest, WORD))
    house.presses(ReloadLimits(digest, WORD, touch=key.touched(loosen_message(ACCOUNT, house.nonce(), "0" * 16))))
    assert house.desk.control.settings.confirm == ALWAYS.confirm
    assert [f.code for f in house.facts(facts.TouchRefused)] == [TouchCode.NO_SIGNATURE, TouchCode.WRONG]

    house.presses(ReloadLimits(digest, WORD, touch=key.touched(loosen_message(ACCOUNT, house.nonce(), digest))))
    assert house.desk.control.settings.confirm == file.confirm
    assert house.last(facts.TouchVerified).purpose is TouchPurpose.LOOSEN


def test_stricter_touch_holds_without_one() -> None:
    """OP-15, RK-13"""
    key = SecurityKey()
    house = a_ticket(asks("never"), key)
    house.presses(SettingsFileSeen(ALWAYS))
    house.presses(ReloadLimits(digest_of(ALWAYS)))

    assert house.desk.control.settings.confirm == ALWAYS.confirm


def test_other_looser_limits_need_the_word_alone() -> None:
    """OP-15, RK-13"""
    house = a_ticket(ALWAYS, SecurityKey())
    file = asks(risk={"entries_a_day": 9})
    house.presses(SettingsFileSeen(file))
    house.presses(ReloadLimits(digest_of(file), WORD))

    assert house.desk.control.settings.risk.entries_a_day == 9


@each("file kept", [("never", "always"), ("live", "always"), ("never", "live")])
def test_reset_loosens_no_touch(file: str, kept: str) -> None:
    """OP-15, SP-04: neither by the settings of the first start, nor by the word alone afterwards"""
    key = SecurityKey()
    house = a_ticket(ALWAYS, key)
    house.journal = Disk()
    house.journal.append(house.line.at, facts.TouchKeysKept((key.enrolled,), {}, TouchTerms(kept, Decimal(0))))
    house.settings = asks(file)
    house.restarted()
    assert house.enrolled() == ["desk"]
    assert house.desk.control.settings.confirm.touch == kept

    digest = digest_of(asks(file))
    house.presses(SettingsFileSeen(asks(file)))
    house.presses(ReloadLimits(digest, WORD))
    assert house.desk.control.settings.confirm.touch == kept
    house.presses(ReloadLimits(digest, WORD, touch=key.touched(loosen_message(ACCOUNT, house.nonce(), digest))))
    assert house.desk.control.settings.confirm.touch == file
    house.restarted()
    assert house.desk.control.settings.confirm.touch == file


def test_reset_takes_a_stricter_touch_of_the_settings() -> None:
    """OP-15, SP-04"""
    house = a_ticket(ALWAYS, SecurityKey())
    house.journal = Disk()
    house.journal.append(house.line.at, facts.TouchKeysKept((), {}, TouchTerms("live", Decimal(500))))
    house.restarted()

    assert house.desk.control.settings.confirm == ALWAYS.confirm


def test_edited_file_loosens_nothing_at_a_start() -> None:
    """OP-15, RK-13"""
    house = a_ticket(ALWAYS, SecurityKey())
    house.settings = asks("never")
    house.restarted()

    assert house.desk.control.settings.confirm == ALWAYS.confirm
    assert house.enrolled() == ["desk"]
