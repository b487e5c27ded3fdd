"""Ask for the touch of a security key where an order opens, and enroll and remove these keys (OP-15).

Exits, cancels, halts and kills never come here. A key by script needs no touch: scripts are accepted on the simulated
exchange alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from core import facts
from core.messages.commands import Confirm, SignBasket
from core.messages.desk_commands import EnrollTouchKey, ReloadLimits, RemoveTouchKey
from core.messages.effects import Effect
from core.model.account import Mode
from core.model.text_sanitizer import harmless
from core.model.touch import (
    LONGEST_LABEL,
    MOST_KEYS,
    Nonce,
    Touch,
    TouchCode,
    TouchFormError,
    TouchKey,
    TouchPurpose,
    TouchSignature,
    enroll_message,
    line_of,
    loosen_message,
    nonce_of,
    read_key,
    remove_message,
)
from core.model.values import ZERO, Money
from core.trading_state.state import TradingState
from core.workflows.basket_dry_run import DryRunResult
from core.workflows.operator.command_rights import seat_at
from core.workflows.workflow import answers

TOUCH = "touch"
"""The name used as a check for a confirmation that a missing touch refuses."""
OF_THE_TOUCH = (("confirm", "touch"), ("confirm", "touch_above_usd"))
"""Settings whose looser values need a touch."""


def is_needed(state: TradingState, cost: Money | None) -> bool:
    """Whether an opening order of this cost needs a touch; one of unknown cost counts as large."""
    terms = state.control.settings.confirm
    if terms.touch == "never" or (terms.touch == "live" and state.mode is not Mode.LIVE):
        return False
    return terms.touch_above_usd == 0 or cost is None or cost > terms.touch_above_usd


def is_needed_for(state: TradingState, orders: Iterable[DryRunResult]) -> bool:
    """Whether the entries among a basket's marked orders need a touch, by their cost in sum."""
    costs = [order.cost for order in orders if not order.proposal.only_reduces]
    if not costs:
        return False
    known = [cost for cost in costs if cost is not None]
    return is_needed(state, Money(sum(known, ZERO)) if len(known) == len(costs) else None)


def nonce_now(state: TradingState) -> Nonce:
    """Return what the next touch signs beside its subject: no signature of an earlier touch fits it."""
    return nonce_of(state.control.state.installation or "", state.touch_keys.state.touches)


def judged(
    state: TradingState, command: Confirm | SignBasket | ReloadLimits, message: bytes
) -> Touch | TouchCode | None:
    """Return the verified touch of a command, or why it has none; None for a key by script."""
    if command.desk is None and command.sender is not None and command.sender.is_script:
        return None
    return state.touch_keys.judged(message, command.touch)


def record(state: TradingState, purpose: TouchPurpose, subject: str, touch: Touch | TouchCode | None) -> None:
    """Record the touch, or its refusal."""
    if isinstance(touch, Touch):
        state.record(facts.TouchVerified(purpose, subject, touch.fingerprint, touch.counter, touch.digest))
    elif touch is not None:
        state.record(facts.TouchRefused(purpose, subject, touch))


def loosens_touch(state: TradingState, looser: Iterable[tuple[str, ...]]) -> bool:
    """Whether one of these settings is of the touch, and a key is enrolled that can permit it."""
    return bool(state.touch_keys.state.keys) and any(path in OF_THE_TOUCH for path in looser)


def loosening(state: TradingState, command: ReloadLimits, looser: Iterable[tuple[str, ...]]) -> TouchCode | None:
    """Record the touch that a looser `confirm.touch` needs once a key is enrolled; return why it is refused."""
    if not loosens_touch(state, looser):
        return None
    touch = judged(state, command, loosen_message(state.account_name, nonce_now(state), command.digest))
    record(state, TouchPurpose.LOOSEN, command.digest, touch)
    return touch if isinstance(touch, TouchCode) else None


class TouchEnrolment:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(EnrollTouchKey)
    def on_enroll(self, command: EnrollTouchKey) -> Iterable[Effect]:
        """Enroll a key by its own touch; beside another also by that of an enrolled one."""
        found = self._enrolled(command)
        if isinstance(found, TouchCode):
            record(self.state, TouchPurpose.ENROLL, harmless(command.label)[:LONGEST_LABEL], found)
            return ()
        key, touches = found
        for touch in touches:
            record(self.state, TouchPurpose.ENROLL, key.fingerprint, touch)
        self.state.record(facts.TouchKeyEnrolled(key, *seat_at(self.state, command)))
        return ()

    def _enrolled(self, command: EnrollTouchKey) -> tuple[TouchKey, list[Touch]] | TouchCode:
        slice_ = self.state.touch_keys
        try:
            public = read_key(command.line)
        except TouchFormError:
            return TouchCode.MALFORMED
        key = TouchKey(public.fingerprint, line_of(public), harmless(command.label)[:LONGEST_LABEL])
        if slice_.key(key.fingerprint) is not None:
            return TouchCode.ENROLLED
        if len(slice_.state.keys) >= MOST_KEYS:
            return TouchCode.TOO_MANY
        message = enroll_message(self.state.account_name, nonce_now(self.state), key.fingerprint)
        own = slice_.judged_by(key, message, TouchSignature(key.fingerprint, command.own))
        if isinstance(own, TouchCode):
            return own
        if not slice_.state.keys:
            return key, [own]
        other = slice_.judged(message, command.touch)
        return other if isinstance(other, TouchCode) else (key, [own, other])

    @answers(RemoveTouchKey)
    def on_remove(self, command: RemoveTouchKey) -> Iterable[Effect]:
        """Remove a key by the touch of an enrolled one, itself or the other."""
        slice_, fingerprint = self.state.touch_keys, harmless(command.fingerprint)[: 2 * LONGEST_LABEL]
        key = slice_.key(command.fingerprint)
        message = remove_message(self.state.account_name, nonce_now(self.state), command.fingerprint)
        touch = TouchCode.UNKNOWN_KEY if key is None else slice_.judged(message, command.touch)
        record(self.state, TouchPurpose.REMOVE, fingerprint, touch)
        if key is not None and isinstance(touch, Touch):
            self.state.record(facts.TouchKeyRemoved(key, *seat_at(self.state, command)))
        return ()
