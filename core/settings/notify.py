"""Notification rules: recipients, channels and quiet hours (SY-03). Addresses are in the environment or the keyring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from core.model.notice import NoticeKind, Severity
from core.settings.types import Delay, SettingsTable, SymbolName, TimeOfDay

COMMAND = "command"
"""The name of the channel of `notify.command`."""
NAME = r"^[a-z][a-z0-9_]{0,30}$"
Name = Annotated[str, Field(pattern=NAME)]


def program_of(command: Sequence[str]) -> tuple[str, ...]:
    """Return the part of the command that may be shown and recorded: its program up to a blank.

    The rest may be secret (SY-06).
    """
    return tuple(str(word).split(" ", 1)[0] for word in command[:1])


class ChannelSettings(SettingsTable):
    """One channel to a person; its address is in KEYTURN_CHANNEL_ and its name, or in the keyring."""

    by: Name = Field("apprise", description="what carries it: apprise, or an entry point of keyturn.channels")
    a_minute: int = Field(10, ge=1, le=60, description="messages a minute, urgent or not; more go together")


class EscalationSettings(SettingsTable):
    """Further recipients for a notice whose cause persists after so long."""

    minutes: int = Field(ge=1, le=1440, description="after it began")
    channels: tuple[Name, ...] = Field(min_length=1)


class RuleSettings(SettingsTable):
    """Which notices go to which channels. An omitted key means every one."""

    channels: tuple[Name, ...] = Field(min_length=1)
    kinds: tuple[NoticeKind, ...] = ()
    at_least: Severity = Severity.INFO
    symbols: tuple[SymbolName, ...] = Field((), description="notices about these alone")
    accounts: tuple[str, ...] = ()
    digest: bool = Field(False, description="true: what is not urgent is told together, at notify.digest_at")
    escalate: tuple[EscalationSettings, ...] = ()


OF_COMMAND = RuleSettings(channels=(COMMAND,), at_least=Severity.URGENT)
"""The rule of a command that no other rule names."""


class QuietSettings(SettingsTable):
    """Quiet hours, by the exchange's clock, in which other notices wait."""

    begins: TimeOfDay | None = None
    ends: TimeOfDay | None = None
    broken_from: Severity = Field(Severity.URGENT, description="from this severity on a notice breaks it")
    broken_by: tuple[NoticeKind, ...] = Field((), description="kinds that break it, whatever their severity")

    @model_validator(mode="after")
    def both_or_none(self) -> Self:
        if (self.begins is None) != (self.ends is None) or (self.begins is not None and self.begins == self.ends):
            raise ValueError("notify.quiet.begins and notify.quiet.ends: give both, and not the same")
        return self


class NotifySettings(SettingsTable):
    """Notifications; a change needs a restart. Without a rule or a command nothing is sent or recorded."""

    command: tuple[str, ...] = Field(
        (),
        description='the channel "command": a program and its arguments, the message on its standard input; '
        "where no rule names it, it is told all that is urgent",
    )
    seconds: int = Field(15, ge=1, le=120, description="seconds that one try may take")
    give_up_minutes: int = Field(720, ge=1, le=10_080, description="minutes for which what failed is tried again")
    exit_seconds: Delay = Field(Decimal(3), description="seconds an exit waits before it is told, 4 at most")
    disconnect_seconds: Delay = Field(Decimal(60), description="seconds a connection is away before")
    digest_at: tuple[TimeOfDay, ...] = Field((time(16, 15),), min_length=1, description="when digests go out")
    in_demo: bool = Field(False, description="true: a demo's messages leave this machine too; a replay's never do")
    quiet: QuietSettings = QuietSettings()
    channels: dict[Name, ChannelSettings] = Field({}, description="a table for each: [notify.channels.phone]")
    rules: dict[Name, RuleSettings] = Field({}, description="a table for each: [notify.rules.night]")

    @property
    def names(self) -> tuple[str, ...]:
        """Every channel."""
        return (*self.channels, *((COMMAND,) if self.command else ()))

    @property
    def in_force(self) -> dict[str, RuleSettings]:
        """Return the rules, and one for a command that none of them names: everything urgent (OP-06)."""
        named = {name for rule in self.rules.values() for name in self._channels_of(rule)}
        if not self.command or COMMAND in named:
            return self.rules
        return {**self.rules, COMMAND: OF_COMMAND}

    def a_minute(self, channel: str) -> int:
        found = self.channels.get(channel)
        return ChannelSettings().a_minute if found is None else found.a_minute

    @model_validator(mode="after")
    def channels_are_there(self) -> Self:
        if COMMAND in self.channels:
            raise ValueError(f"notify.channels.{COMMAND}: that is the channel of notify.command; call it otherwise")
        if COMMAND in self.rules and COMMAND not in self._channels_of(self.rules[COMMAND]):
            raise ValueError(f"notify.rules.{COMMAND}: that is the rule of notify.command; call it otherwise")
        if self.command and not self.command[0].startswith("/"):
            raise ValueError("notify.command: its program is no whole path; write it from the / on")
        for place, name in self._named():
            if name not in self.names:
                known = ", ".join(self.names) or "none"
                raise ValueError(f"{place}: {name!r} is no channel; there are: {known}")
        return self

    @staticmethod
    def _channels_of(rule: RuleSettings) -> Iterator[str]:
        yield from rule.channels
        for step in rule.escalate:
            yield from step.channels

    def _named(self) -> Iterator[tuple[str, str]]:
        """Yield each channel that a rule names, with its place."""
        for rule, terms in self.rules.items():
            yield from ((f"notify.rules.{rule}.channels", name) for name in terms.channels)
            for step in terms.escalate:
                yield from ((f"notify.rules.{rule}.escalate", name) for name in step.channels)
