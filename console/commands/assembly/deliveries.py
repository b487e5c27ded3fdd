"""Send a message for a command: choose the channels, deliver, and describe each result (SY-03).

It is sent at once, also in quiet hours, because the user waits for it. No engine is needed, and nothing is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.commands.assembly.engines import carrier_of
from console.commands.assembly.host import Host
from core.model.harmless_words import harmless
from core.model.instrument import symbol_in
from core.model.notice import DeliveryCode, NoticeKind, Severity
from core.model.values import AccountId
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.model.notice import Delivery
    from core.settings.service import NotifySettings


def channels_of(
    terms: NotifySettings, kind: NoticeKind, severity: Severity, symbol: str | None, account: str
) -> tuple[str, ...]:
    """Return the channels that the rules select, each once; empty if no rule matches."""
    from core.workflows.operator.notification_delivery import rules_for

    about = None if symbol is None else symbol_in(symbol)
    if symbol is not None and about is None:
        raise OperatorError(f"--symbol {symbol} is no symbol such as SPY")
    found = [c for _, rule in rules_for(terms, kind, severity, about, AccountId(account)) for c in rule.channels]
    return tuple(dict.fromkeys(found))


def deliver(
    host: Host, terms: NotifySettings, channels: tuple[str, ...], title: str, text: str, severity: Severity
) -> dict[str, Delivery]:
    """Send the message; return the delivery by channel."""
    from core.runtime.notifier.message import Message

    message = Message(title, text, severity is Severity.URGENT)
    carrier = carrier_of(host, terms)
    try:
        return {name: carrier.deliver(name, message) for name in channels}
    finally:
        carrier.close()


def delivery_in_words(end: Delivery) -> str:
    from core.event_text.desk import failed_in_words

    if end.code is DeliveryCode.DELIVERED:
        return "delivered"
    more = f": {harmless(end.said)}" if end.said else ""
    return f"NOT delivered, {failed_in_words(end.code, end.status)}{more}"


def delivery_as_json(end: Delivery) -> dict[str, object]:
    return {
        "is_delivered": end.code is DeliveryCode.DELIVERED,
        "code": end.code,
        "status": end.status,
        "said": harmless(end.said),
    }
