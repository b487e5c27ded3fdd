"""Which channels there are: Apprise, a command, and what is installed as an entry point of `keyturn.channels`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from core.model.notice import DELIVERED, Delivery, DeliveryCode
from core.runtime.notifier.message import Message, RefusedError

GROUP = "keyturn.channels"
APPRISE, COMMAND = "apprise", "command"
Send = Callable[[str, Message], object]
"""Of a channel of one's own: `address` is what the keyring or the environment has. It returns where the receiver took
the message, and raises where it did not.
"""


def names() -> tuple[str, ...]:
    """Of every channel that may stand behind `by`."""
    return (APPRISE, *sorted(entry.name for entry in entry_points(group=GROUP)))


def prepare(by: str) -> None:
    """In the process that every try is forked from."""
    if by == APPRISE:
        from core.runtime.notifier import by_apprise

        by_apprise.prepare()


def send(by: str, address: str, message: Message) -> Delivery:
    """One try, by whichever channel it is."""
    if by == APPRISE:
        from core.runtime.notifier import by_apprise

        return by_apprise.send(address, message)
    if by == COMMAND:
        from core.runtime.notifier import by_command

        return by_command.send(address, message)
    for entry in entry_points(group=GROUP, name=by):
        return _by_its_own(entry.load(), address, message)
    return Delivery(DeliveryCode.NO_SUCH_KIND, said=f"no channel is called {by!r}; there are: {', '.join(names())}")


def _by_its_own(own: Send, address: str, message: Message) -> Delivery:
    try:
        own(address, message)
    except RefusedError as error:
        return Delivery(DeliveryCode.REFUSED, error.status, str(error))
    return DELIVERED
