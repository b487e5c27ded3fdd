"""The command `keyturn notify`: channels and rules, and a test message for each channel (SY-03)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.engines import carrier_of
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.shared import AsJson, host_of, print_json, say, tell
from core.model.delivery import DeliveryCode
from core.model.instrument import symbol_in
from core.model.notice import USUAL, NoticeKind, Severity
from core.model.notification_sanitizer import harmless
from core.model.session import HOME
from core.model.values import AccountId
from core.ports import OperatorError

if TYPE_CHECKING:
    from core.model.delivery import Delivery
    from core.runtime.notifier.message import Message
    from core.settings.service import NotifySettings


def channels_of(
    terms: NotifySettings, kind: NoticeKind, severity: Severity, symbol: str | None, account: str
) -> tuple[str, ...]:
    """Return the channels that the rules select, each once; empty if no rule matches."""
    from core.workflows.operator.notification_rules import rules_for

    about = None if symbol is None else symbol_in(symbol)
    if symbol is not None and about is None:
        raise OperatorError(f"--symbol {symbol} is no symbol such as SPY")
    found = [c for _, rule in rules_for(terms, kind, severity, about, AccountId(account)) for c in rule.channels]
    return tuple(dict.fromkeys(found))


def deliver(host: Host, terms: NotifySettings, channels: tuple[str, ...], message: Message) -> dict[str, Delivery]:
    """Send the message; return the delivery by channel."""
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


commands = typer.Typer(help="Notification channels and rules.", no_args_is_help=True, rich_markup_mode=None)


@commands.callback()
def notify() -> None:
    """Notification channels and rules."""


@commands.command(name="list")
def list_(context: typer.Context, is_json: AsJson = False) -> None:
    """Print the channels, whether each has an address, and the rules. No address is printed.

    Example: keyturn notify list
    """
    host = host_of(context)
    terms = settings_of(host).notify
    where = {name: _address_of(host, terms, name) for name in terms.names}
    if is_json:
        rules = {name: rule.model_dump(mode="json") for name, rule in terms.in_force.items()}
        print_json({"channels": where, "rules": rules, "quiet": terms.quiet.model_dump(mode="json")})
        return
    if not terms.names:
        say("no channel: name one in the settings, [notify.channels.phone]; docs/NOTIFICATIONS.md shows how")
    for name, found in where.items():
        say(f"channel {name}: address {found}")
    for name, rule in terms.in_force.items():
        kinds = ", ".join(kind.words for kind in rule.kinds) or "everything"
        parts = [f"{kinds} from {rule.at_least} on", f"to {', '.join(rule.channels)}"]
        parts += [f"about {', '.join(rule.symbols)}"] if rule.symbols else []
        parts += [f"of {', '.join(rule.accounts)}"] if rule.accounts else []
        parts += ["in a digest"] if rule.digest else []
        parts += [f"after {step.minutes} min {', '.join(step.channels)}" for step in rule.escalate]
        say(f"rule {name}: {'; '.join(parts)}")
    if terms.quiet.begins is not None:
        say(f"quiet from {terms.quiet.begins:%H:%M} to {terms.quiet.ends:%H:%M} {HOME.name}")


@commands.command(name="test")
def tried(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help=f"The kind of message: {', '.join(NoticeKind)}.")],
    channel: Annotated[
        list[str] | None,
        typer.Option("--channel", help="Use only this channel; repeatable. Default: those of the rules."),
    ] = None,
    severity: Annotated[
        str | None, typer.Option("--severity", help="info, warning or urgent; default: that of the kind.")
    ] = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Test the rules for this symbol.")] = None,
    account: Annotated[str, typer.Option("--account", help="Test the rules for this account.")] = "",
    is_json: AsJson = False,
) -> None:
    """Send a test message for this kind now, also in quiet hours, and print each channel's result.

    Exit code 0 if every channel took it, 1 if one did not. No engine is needed, and nothing is recorded.

    Example: keyturn notify test kill --channel phone
    """
    host = host_of(context)
    terms = settings_of(host).notify
    subject = _kind(kind)
    grave = USUAL[subject] if severity is None else _severity(severity)
    channels = _chosen(terms, channel) if channel else channels_of(terms, subject, grave, symbol, account)
    if not channels:
        raise OperatorError(
            f"no rule tells anybody of {subject.value}: add one under [notify.rules], or name a channel with --channel"
        )
    ends = _sent(host, terms, subject, channels, grave)
    lines = (f"{name}: {delivery_in_words(end)}" for name, end in ends.items())
    tell(is_json, lambda: {name: delivery_as_json(end) for name, end in ends.items()}, lines)
    if any(end.code is not DeliveryCode.DELIVERED for end in ends.values()):
        raise typer.Exit(1)


def _sent(
    host: Host, terms: NotifySettings, kind: NoticeKind, channels: tuple[str, ...], severity: Severity
) -> dict[str, Delivery]:
    from core.io.wall_clock import utc_now
    from core.runtime.notifier.message import Message

    title = f"Keyturn TEST: {kind.words}"
    text = f"{HOME.clock(utc_now())} {kind.words}: a test of this channel; nothing happened at the desk"
    return deliver(host, terms, channels, Message(harmless(title), text, severity is Severity.URGENT))


def _kind(text: str) -> NoticeKind:
    try:
        return NoticeKind(text.replace("-", "_"))
    except ValueError:
        raise OperatorError(f"{text}: is no kind of notice; there are: {', '.join(NoticeKind)}") from None


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError:
        raise OperatorError(f"--severity {text}: must be {', '.join(Severity)}") from None


def _chosen(terms: NotifySettings, channels: list[str]) -> tuple[str, ...]:
    for name in channels:
        if name not in terms.names:
            raise OperatorError(f"--channel {name}: is no channel; there are: {', '.join(terms.names) or 'none'}")
    return tuple(dict.fromkeys(channels))


def _address_of(host: Host, terms: NotifySettings, channel: str) -> str:
    """Describe where the address is set, never the address itself."""
    from core.settings.service import COMMAND, program_of
    from state.credentials import find_address, variable_of

    if channel == COMMAND:
        return f"{' '.join(program_of(terms.command))}, in the settings"
    if host.environ.get(variable_of(channel)):
        return f"in {variable_of(channel)}"
    try:
        is_there = find_address(host.environ, channel) is not None
    except OperatorError as error:
        return f"NOT KNOWN: {error}"
    return "in the keyring" if is_there else f"MISSING: set {variable_of(channel)}, or the keyring"
