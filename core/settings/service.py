"""The desk, and the running engine for others: notifications, health endpoint, watchdog, proof (SY-03, SP-08)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import time
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from core.model.account import Mode
from core.model.lazy_dataclass import dataclass
from core.model.notice import NoticeKind, Severity
from core.settings.types import (
    Delay,
    GrowingSettingsTable,
    MoreIsLooser,
    MoreOrZeroIsLooser,
    Seconds,
    SettingsTable,
    SymbolName,
    TimeOfDay,
    Url,
    no_direction,
    strictest,
)

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


class NewsSettings(SettingsTable):
    """Headlines and earnings dates: shown, notified of, and read by no check."""

    enabled: bool = Field(True, description="false: nobody is asked for headlines")
    earnings_sessions: int = Field(
        5, ge=0, le=20, description="sessions after today within which earnings are marked on a ticket; 0: of today"
    )


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
        if not self.command or any(COMMAND in self._channels_of(rule) for rule in self.rules.values()):
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


class ReportAgentSettings(SettingsTable):
    """A program that summarises the day's report after the close; a change needs a restart. Without a name none is."""

    name: str = Field("", description="the agent's name beside its words; empty: none is started")
    command: tuple[str, ...] = Field(
        (), description="the program and its arguments: the report on its standard input, its words on its output"
    )
    seconds: int = Field(120, ge=1, le=600, description="seconds after which it is ended, and the report goes without")

    @model_validator(mode="after")
    def name_and_program(self) -> Self:
        if bool(self.name) != bool(self.command):
            raise ValueError("report.agent.name and report.agent.command: give both, or none")
        if self.command and not self.command[0].startswith("/"):
            raise ValueError("report.agent.command: its program is no whole path; write it from the / on")
        return self


class ReportSettings(SettingsTable):
    """The report that the engine sends after the close."""

    agent: ReportAgentSettings = ReportAgentSettings()


LOOPBACK = re.compile(r"(127(?:\.[0-9]{1,3}){3}|localhost|\[::1\]):([0-9]{1,5})")
LAST_PORT = 65_535
PLACES = "127.0.0.1:9464, [::1]:9464, or unix: and a name in the account's folder or a whole path"


class HealthSettings(GrowingSettingsTable):
    """Health and figures of a running engine, over HTTP; a change needs a restart."""

    LATER: ClassVar[frozenset[str]] = frozenset({"slow_sync_milliseconds"})

    listen: str = Field("", description="127.0.0.1:9464, or unix:health.sock in the account's folder; empty: nowhere")
    symbols: bool = Field(False, description="true: fills are counted by symbol too")
    slow_sync_milliseconds: int = Field(
        250, ge=1, le=60_000, description="a write of the journal over it shows the disk as slow (SP-06)"
    )

    @field_validator("listen")
    @classmethod
    def on_this_machine_alone(cls, listen: str) -> str:
        place_of(listen)
        return listen


class WatchdogSettings(SettingsTable):
    """When the watchdog restarts the engine, and when it gives up (SY-02); a change needs a restart of the service."""

    silent_seconds: int = Field(60, ge=10, le=3600, description="without a heartbeat: it hangs")
    memory_mb: int = Field(512, ge=64, le=65_536, description="MB that the engine's own process may take")
    growth_mb_a_day: int = Field(10, ge=1, le=10_000, description="MB that it may grow by in a day")
    data_silent_seconds: int = Field(300, ge=30, le=86_400, description="of an open session without a bar or a quote")
    restarts: int = Field(3, ge=0, le=100, description="in within_seconds; after them the engine stays down")
    within_seconds: int = Field(600, ge=1, le=86_400, description="in which restarts are counted")


@dataclass(frozen=True, slots=True)
class TcpPlace:
    """A port of this machine's own address."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SocketPlace:
    """A socket in the file system; one without a slash is in the account's folder."""

    path: str


def place_of(listen: str) -> TcpPlace | SocketPlace | None:
    """Parse the place to listen at; None if empty. Raises ValueError."""
    if not listen:
        return None
    if listen.startswith("unix:"):
        path = listen.removeprefix("unix:")
        if path in ("", ".", "..") or "\0" in path or ("/" in path and not path.startswith("/")):
            raise ValueError(f"must be {PLACES}")
        return SocketPlace(path)
    found = LOOPBACK.fullmatch(listen)
    if found is None:
        raise ValueError(f"must be {PLACES}: any other address would be read by other machines")
    host, port = found[1].strip("[]"), int(found[2])
    if not 0 < port <= LAST_PORT or any(int(part) > 255 for part in host.split(".") if part.isdigit()):  # noqa: PLR2004
        raise ValueError(f"must be {PLACES}; a port is a number up to {LAST_PORT}")
    return TcpPlace("127.0.0.1" if host == "localhost" else host, port)


class ProofSettings(SettingsTable):
    """The proof of each day's record. No order depends on it; a command reads it each time, an engine at its start."""

    agent_key: str = Field(
        "",
        pattern=r"^(SHA256:[A-Za-z0-9+/]{43})?$",
        description="the fingerprint of an Ed25519 key of the SSH agent that signs; empty: the keyring's",
    )
    sign_daily: bool = Field(False, description="true: an engine at a broker has every past day signed")
    stamp_url: Url = Field("", description="a service of time stamps, RFC 3161; empty: none is asked")
    stamp_seconds: Seconds = Field(Decimal(30), description="until its whole answer has come")


# ── the desk ─────────────────────────────────────────────────────────────────────────────────────────────────────────
# The desk: its account, its screen, its advisers, and its absence (OP-09, RK-27).

ADAPTER_NAME = r"^[a-z][a-z0-9_-]{0,30}$"


class AccountSettings(GrowingSettingsTable):
    """The account, its broker and its data source."""

    LATER: ClassVar[frozenset[str]] = frozenset({"data"})

    mode: Mode = Field(Mode.PAPER, description="paper or live; live also needs KEYTURN_ALLOW_LIVE=1")
    broker: Annotated[str, Field(pattern=ADAPTER_NAME)] = Field(
        "alpaca", description="where orders go: alpaca or simulated"
    )
    data: Annotated[str, Field(pattern=f"^$|{ADAPTER_NAME}")] = Field(
        "", description="where prices come from: alpaca; empty is the broker's own source"
    )


class DisplaySettings(GrowingSettingsTable):
    """The screen."""

    LATER: ClassVar[frozenset[str]] = frozenset({"bell_seconds"})

    theme: Literal["keyturn", "light", "colour-blind", "high-contrast"] = Field(
        "keyturn", description="dark; light; blue and yellow alone, for the colour-blind; black and white with 7:1"
    )
    frames: Annotated[int, Field(ge=1, le=10)] = Field(10, description="a second, at most")
    bell_seconds: Annotated[int, Field(ge=1, le=300)] = Field(
        30, description="after which the bell rings again for an exit that waits and for shares owed a stop (OP-06)"
    )


Spell = Annotated[int, Field(ge=5, le=86_400)]


WATCHMAN = "watchman"


class WatchmanSettings(SettingsTable):
    """The watchman: an agent of this desk, in a process of its own, that reads the log and the positions."""

    enabled: bool = False
    refusals: Annotated[int, Field(ge=2, le=500)] = Field(5, description="of one reason in the log, before it says so")


class AdvisersSettings(SettingsTable):
    """The watchman: how often it looks, and its limits. It says texts; nothing follows from them."""

    every_seconds: Spell = Field(60, description="between two looks")
    answer_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        10, description="no answer of the engine in this time is a failure"
    )
    most: Annotated[int, Field(ge=1, le=20)] = Field(3, description="texts of one look, at most")
    failures: Annotated[int, Field(ge=1, le=100)] = Field(3, description="in a row, after which it rests until a start")
    watchman: WatchmanSettings = WatchmanSettings()


class AgentSettings(SettingsTable):
    """One agent: which of its drafts are taken. A draft sends nothing: the operator adopts it, and its ticket needs a
    key. Every limit of the desk applies beside these.
    """

    enabled: bool = Field(True, description="off takes no draft of it")
    live: bool = Field(False, description="also on a live account; otherwise on paper and simulated accounts alone")
    symbols: tuple[SymbolName, ...] = Field((), description="symbols that it may draft; empty is `symbols`")
    most_value: Annotated[Decimal, Field(gt=0)] = Field(Decimal(2_000), description="USD of one draft, at most")
    per_hour: Annotated[int, Field(ge=1, le=1_000)] = Field(20, description="drafts in an hour; more are rejected")
    waiting: Annotated[int, Field(ge=1, le=50)] = Field(5, description="drafts that wait at once, at most")
    minutes: Annotated[int, Field(ge=1, le=1_440)] = Field(
        15, description="minutes that a draft waits for the operator"
    )
    begins: TimeOfDay = Field(time(0, 0), description="exchange time from which it may draft")
    ends: TimeOfDay = Field(time(23, 59), description="exchange time until which it may draft")
    hides_amounts: bool = Field(False, description="it sees no quantity, value or equity of the account")


class AttendanceSettings(GrowingSettingsTable):
    """While no desk is attached. Proposals are then only followed as shadows; confirmed exits continue."""

    LATER: ClassVar[frozenset[str]] = frozenset({"key_seconds"})

    entries: Annotated[Literal["keep", "cancel"], strictest("cancel")] = Field(
        "keep", description="entries that rest while no desk is attached"
    )
    cancel_minutes: MoreIsLooser[Annotated[Decimal, Field(gt=0, le=1440)]] = Field(
        Decimal(30), description="minutes that an entry may rest without a desk, where entries are cancelled"
    )
    dead_man_hours: MoreOrZeroIsLooser[Annotated[Decimal, Field(ge=0, le=720)]] = Field(
        Decimal(0), description="hours without a key on a live account after which entries are halted; 0 is never"
    )
    key_seconds: Annotated[
        Seconds, no_direction("how long control waits for its desk, disarmed; any other halts, kills and takes it")
    ] = Field(Decimal(60), description="for which a desk keeps control after its connection was lost, disarmed (OP-13)")
