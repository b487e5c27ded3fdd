"""Render notifications and their delivery as text."""

from __future__ import annotations

from core import facts
from core.event_text.pieces import EventTexts, told
from core.model.notice import DeliveryCode
from core.model.session import HOME

NoticeFact = facts.NotificationDue | facts.NotificationSuppressed | facts.NotificationSettled
DeliveryFact = facts.NotificationBegun | facts.NotificationSent | facts.NotificationFailed | facts.NotificationWithdrawn
CODES = {
    DeliveryCode.DELIVERED: "delivered",
    DeliveryCode.NOT_SENT: "nobody was reached",
    DeliveryCode.REFUSED: "the receiver said no",
    DeliveryCode.UNCLEAR: "it failed on its way",
    DeliveryCode.TIMED_OUT: "no answer in time",
    DeliveryCode.CUT_OFF: "the engine ended while it was on its way",
    DeliveryCode.NO_ADDRESS: "the channel has no address: set KEYTURN_CHANNEL_ and its name, or the keyring",
    DeliveryCode.BAD_ADDRESS: "the channel's address is none",
    DeliveryCode.NOT_ENCRYPTED: "it would cross a network in the clear",
    DeliveryCode.NO_SUCH_KIND: "what carries the channel is not installed",
    DeliveryCode.KEPT_HERE: "in virtual time nothing leaves this machine",
    DeliveryCode.NO_CHANNEL: "the settings do not have the channel any more",
}


def failed_in_words(code: DeliveryCode, status: int | None) -> str:
    """Return `the receiver said no (500)`."""
    return CODES[code] if status is None else f"{CODES[code]} ({status})"


def _notice(fact: NoticeFact) -> str:
    match fact:
        case facts.NotificationSettled():
            return f"{fact.matter} has ended: nobody else is told"
        case facts.NotificationSuppressed():
            return f"not told to {_channels(fact.channels)}, too many wait: {fact.notice.words}"
        case facts.NotificationDue():
            when = "" if fact.not_before is None else f" from {HOME.told(fact.not_before, '%m-%d %H:%M')} on"
            return f"{fact.notice.severity} to {_channels(fact.channels)}{when}: {fact.notice.words}"


def _channels(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _delivery(fact: DeliveryFact) -> str:
    what = "urgent message" if fact.is_urgent else "message"
    of = f"{what} of {len(fact.numbers)} notices" if len(fact.numbers) > 1 else what
    match fact:
        case facts.NotificationBegun():
            return f"{fact.channel}: {of} leaves, try {fact.tries}{', marked as a repeat' if fact.is_repeat else ''}"
        case facts.NotificationSent():
            return f"{fact.channel}: {of} delivered"
        case facts.NotificationWithdrawn():
            return f"{fact.channel}: {of} withdrawn, its matter has ended"
        case facts.NotificationFailed():
            again = "not tried again" if fact.again_at is None else f"again at {HOME.clock(fact.again_at)}"
            return f"{fact.channel}: {of} NOT delivered, {failed_in_words(fact.code, fact.status)}; {again}"


NOTIFICATIONS: EventTexts = {
    **told("notice", _notice, NoticeFact),
    **told("notice", _delivery, DeliveryFact),
}
