"""The signature of a security key: its wire form, what it is over, and what makes it count."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import TouchKeyEnrolled, TouchVerified
from core.model.touch import (
    ECDSA,
    ED25519,
    Touch,
    TouchCode,
    TouchFormError,
    TouchPurpose,
    TouchSignature,
    basket_message,
    enroll_message,
    loosen_message,
    nonce_of,
    read_key,
    read_key_blob,
    remove_message,
    ticket_message,
    verify,
    wire_string,
)
from core.model.values import Digest, TicketId
from core.settings.changes import ChangeKind, changes_between
from core.settings.settings import Settings
from core.trading_state.touch_keys import TouchKeys
from tests.kit.rows import each
from tests.kit.security_key import SecurityKey

AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
NONCE = nonce_of("a", 0)
MESSAGE = ticket_message("paper-1", NONCE, TicketId("t1"), Digest("d" * 64))


def a_slice(*keys: SecurityKey) -> TouchKeys:
    held = TouchKeys()
    for key in keys:
        held.folds[TouchKeyEnrolled](AT, TouchKeyEnrolled(key.enrolled))
    return held


def uses(held: TouchKeys, touch: Touch | TouchCode) -> None:
    assert isinstance(touch, Touch)
    fact = TouchVerified(TouchPurpose.TICKET, "t1", touch.fingerprint, touch.counter, touch.digest)
    held.folds[TouchVerified](AT, fact)


@pytest.mark.parametrize("kind", [ED25519, ECDSA])
def test_a_touch_of_both_kinds_of_key_counts(kind: str) -> None:
    """OP-15"""
    key = SecurityKey(kind=kind)
    found = verify(read_key(key.line), MESSAGE, key.signs(MESSAGE))

    assert isinstance(found, Touch)
    assert (found.fingerprint, found.counter) == (key.public.fingerprint, 1)


@each("kind", [ED25519, ECDSA])
def test_a_signature_that_proves_no_touch_of_this_is_refused(kind: str) -> None:
    """OP-15: no presence flag, another application, another ticket, another key, another kind of key"""
    key, other = SecurityKey(kind=kind), SecurityKey(2, ECDSA if kind == ED25519 else ED25519)
    another = ticket_message("paper-1", NONCE, TicketId("t2"), Digest("d" * 64))

    assert verify(key.public, MESSAGE, key.signs(MESSAGE, flags=0)) is TouchCode.NOT_TOUCHED
    assert verify(key.public, MESSAGE, key.signs(MESSAGE, flags=4)) is TouchCode.NOT_TOUCHED
    assert verify(key.public, MESSAGE, key.signs(MESSAGE, application="ssh:else")) is TouchCode.WRONG
    assert verify(key.public, MESSAGE, key.signs(another)) is TouchCode.WRONG
    assert verify(key.public, MESSAGE, SecurityKey(3, kind).signs(MESSAGE)) is TouchCode.WRONG
    assert verify(key.public, MESSAGE, other.signs(MESSAGE)) is TouchCode.MALFORMED


def test_flags_and_counter_are_part_of_what_is_signed() -> None:
    """OP-15: neither can be changed behind the key"""
    key = SecurityKey()
    blob = key.signs(MESSAGE, flags=0)
    raised, counted = blob[:-5] + b"\x01" + blob[-4:], key.signs(MESSAGE)[:-1] + b"\x63"

    assert verify(key.public, MESSAGE, raised) is TouchCode.WRONG
    assert verify(key.public, MESSAGE, counted) is TouchCode.WRONG


def test_each_purpose_and_account_signs_another_message() -> None:
    """OP-15"""
    messages = [
        MESSAGE,
        ticket_message("paper-2", NONCE, TicketId("t1"), Digest("d" * 64)),
        basket_message("paper-1", NONCE, TicketId("t1"), Digest("d" * 64)),
        enroll_message("paper-1", NONCE, "f"),
        enroll_message("paper-1", nonce_of("a", 1), "f"),
        remove_message("paper-1", NONCE, "f"),
        loosen_message("paper-1", NONCE, "d" * 64),
        ticket_message("paper-1", NONCE, TicketId("t1d"), Digest("d" * 63)),
    ]

    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize("kind", [ED25519, ECDSA])
def test_a_cut_or_longer_signature_is_malformed(kind: str) -> None:
    """OP-15"""
    key = SecurityKey(kind=kind)
    blob = key.signs(MESSAGE)
    found = {verify(key.public, MESSAGE, blob[:length]) for length in range(len(blob))}

    assert found == {TouchCode.MALFORMED}
    assert verify(key.public, MESSAGE, blob + b"\0") is TouchCode.MALFORMED
    assert verify(key.public, MESSAGE, b"\xff" * 4 + blob) is TouchCode.MALFORMED


@given(st.binary(max_size=200), st.sampled_from([ED25519, ECDSA]), st.binary(max_size=80))
def test_no_bytes_verify_or_raise(junk: bytes, kind: str, raw: bytes) -> None:
    """OP-15: whatever an agent or a program sends is refused by a code"""
    key = SecurityKey(kind=kind)
    framed = wire_string(kind.encode()) + wire_string(raw) + junk

    assert isinstance(verify(key.public, MESSAGE, junk), TouchCode)
    assert isinstance(verify(key.public, MESSAGE, framed), TouchCode)
    with suppress(TouchFormError):
        read_key_blob(junk)


def test_a_point_that_is_not_on_the_curve_verifies_nothing() -> None:
    """OP-15"""
    key = SecurityKey(kind=ECDSA)
    off = replace(key.public, point=b"\x04" + b"\x01" * 64)

    assert verify(off, MESSAGE, key.signs(MESSAGE)) is TouchCode.WRONG


@each(
    "line",
    [
        "",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA",
        f"{ED25519} not-base64",
        f"{ED25519} é",
        f"{ED25519} AAAA",
        SecurityKey().line.replace(ED25519, ECDSA, 1),
        SecurityKey(application="https://a.site").line,
        "no-touch-required " + SecurityKey().line,
        SecurityKey().line + " " * 2000 + "x",
    ],
)
def test_a_line_of_no_security_key_is_refused(line: str) -> None:
    """OP-15"""
    with pytest.raises(TouchFormError):
        read_key(line)


def test_a_signature_counts_once_and_the_counter_only_rises() -> None:
    """OP-15"""
    key, later = SecurityKey(), ticket_message("paper-1", nonce_of("a", 1), TicketId("t2"), Digest("e" * 64))
    held = a_slice(key)
    first = TouchSignature.of(key.public.fingerprint, key.signs(MESSAGE, counter=7))
    uses(held, held.judged(MESSAGE, first))

    assert held.judged(later, first) is TouchCode.WRONG
    assert held.judged(later, key.touched(later, counter=7)) is TouchCode.COUNTER
    assert held.judged(later, key.touched(later, counter=0)) is TouchCode.COUNTER
    assert isinstance(held.judged(later, key.touched(later, counter=8)), Touch)


def test_a_key_without_a_counter_still_signs_once() -> None:
    """OP-15"""
    key, later = SecurityKey(), ticket_message("paper-1", nonce_of("a", 1), TicketId("t2"), Digest("e" * 64))
    held = a_slice(key)
    first = key.touched(MESSAGE, counter=0)
    uses(held, held.judged(MESSAGE, first))

    assert held.judged(later, first) is TouchCode.WRONG
    assert isinstance(held.judged(later, key.touched(later, counter=0)), Touch)


def test_only_an_enrolled_key_counts() -> None:
    """OP-15"""
    key, other = SecurityKey(), SecurityKey(2)

    assert a_slice().judged(MESSAGE, key.touched(MESSAGE)) is TouchCode.NO_KEY
    assert a_slice(key).judged(MESSAGE, None) is TouchCode.NO_SIGNATURE
    assert a_slice(key).judged(MESSAGE, other.touched(MESSAGE)) is TouchCode.UNKNOWN_KEY
    forged = TouchSignature.of(key.public.fingerprint, other.signs(MESSAGE))
    assert a_slice(key).judged(MESSAGE, forged) is TouchCode.WRONG


@each(
    "before after kind",
    [
        ("never", "live", ChangeKind.TIGHTER),
        ("never", "always", ChangeKind.TIGHTER),
        ("live", "always", ChangeKind.TIGHTER),
        ("always", "live", ChangeKind.LOOSER),
        ("always", "never", ChangeKind.LOOSER),
        ("live", "never", ChangeKind.LOOSER),
    ],
)
def test_fewer_touches_are_looser(before: str, after: str, kind: ChangeKind) -> None:
    """OP-15, RK-13"""
    old, new = (Settings.model_validate({"confirm": {"touch": touch}}) for touch in (before, after))
    (change,) = changes_between(old, new)

    assert change.kind is kind
