"""Software at the operator's keys: armed tickets typed at by `tmux send-keys`, and a program at `engine.sock` (OP-15).

Each session is a real engine on its own account, a real ssh-agent's socket with a security key in software that waits
for a hand, and either a desk in tmux or `scripted_desk.py`. With `confirm.touch` no ticket may become an order, and the
session's last ticket must, once the key is touched. Without it each key is a person's: the table says how many went.

`make soak PART=typed N=400` plays 100 tickets in each of the four ways.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.security_key import AgentAtASocket, SecurityKey, an_agent
from tests.kit.tools import path_of
from tests.real.account import SETTINGS, Account
from tests.real.demo import CONFIRMED
from tests.real.terminal import Pty
from tests.real.tmux_desk import SentKeys
from tests.real.waiting import LIMIT, LOOK, until
from tests.soak.chunks import Chunks, Play
from tests.soak.scripted_desk import REFUSED

A_SESSION = 25
TOUCH = '[confirm]\ntouch = "always"\n'
KEYS_WAY, SOCKET_WAY = "tmux send-keys", "engine.sock"
WAYS = tuple((way, touch) for touch in (True, False) for way in (KEYS_WAY, SOCKET_WAY))
SCRIPT = Path(__file__).with_name("scripted_desk.py")
PRESSES = 3
"""Times that the key is sent at one armed ticket which waits for a touch."""


@dataclass
class Typed:
    """Of each way, with and without a touch: armed tickets, orders, refusals, and orders after a touch."""

    figures: Counter[tuple[str, bool, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Typed) -> None:
        self.figures += other.figures
        self.failures += other.failures


def play(seed: int, first: int, many: int) -> Typed:
    """Play one session, of the way that its number says. One that cannot go on to its end counts as a failure."""
    way, touch = WAYS[first // A_SESSION % len(WAYS)]
    typed = Typed()
    try:
        _play(typed, way, touch, many)
    except AssertionError as error:
        typed.failures.append(f"{error}")
    typed.failures = [f"{first} of seed {seed}, {way}: {failure}" for failure in typed.failures]
    return typed


def _play(typed: Typed, way: str, touch: bool, many: int) -> None:
    """Raises `AssertionError` where something does not happen within its time."""
    with tempfile.TemporaryDirectory(prefix="k") as place, _account(Path(place), touch) as (account, agent):
        armed = _send_keys(account, agent, many, touch) if way == KEYS_WAY else _speak(account, many, touch)
        orders, refusals = account.count(CONFIRMED), account.count(REFUSED)
        touched = _touch_one(account, agent, way) if touch else 0
    for name, figure in (("armed", armed), ("orders", orders), ("refused", refusals), ("touched", touched)):
        typed.figures[way, touch, name] += figure
    if orders != (0 if touch else armed) or armed != many or touched != touch:
        typed.failures.append(f"{armed} armed, {orders} orders, {touched} touched")


@contextmanager
def _account(place: Path, touch: bool) -> Iterator[tuple[Account, AgentAtASocket]]:
    """An account with an engine; with a touch it is asked for, and the key is enrolled by one."""
    key = SecurityKey()
    settings = SETTINGS.replace("[confirm]\n", TOUCH) if touch else SETTINGS
    with an_agent(place, key) as agent:
        variables = {"SSH_AUTH_SOCK": agent.path}
        with Account(place, variables=variables, settings=settings) as account:
            account.running()
            if touch:
                public = place / "key.pub"
                public.write_text(key.line)
                account.succeeds("touch", "enroll", str(public), "--label", "desk")
                agent.touched.clear()
            yield account, agent


def _send_keys(account: Account, agent: AgentAtASocket, many: int, touch: bool) -> int:
    """Type at so many armed tickets; how many were armed, and asked the key where they need one."""
    desk, armed = SentKeys(account), 0
    desk.until_attached()
    for _ in range(many):
        desk.proposes()
        desk.until_armed()
        armed += 1
        if not touch:
            desk.confirms_it()
            continue
        asked = len(agent.asked)
        desk.presses(b"B", lambda known=asked: len(agent.asked) > known)
        desk.until_it_shows("touch your security key")
        desk.type(*[b"B"] * PRESSES)
        desk.presses(b"\x1b", desk.is_bare)
    return armed


def _speak(account: Account, many: int, touch: bool) -> int:
    """Run the program to its end; how many tickets it opened."""
    command = [sys.executable, str(SCRIPT), str(many), *(["touch"] if touch else [])]
    with Pty(command, dict(account.environ)) as program:
        until(lambda: not program.is_alive(), program.what_it_shows, lambda: program.read_for(LOOK), many * LIMIT)
        assert program.ended() == 0, program.what_it_shows()
    return account.count("TicketOpened")


def _touch_one(account: Account, agent: AgentAtASocket, way: str) -> int:
    """Confirm one more ticket with the key and a touch; the orders that came of it."""
    known = account.count(CONFIRMED)
    desk = account.desks[0] if way == KEYS_WAY else SentKeys(account)
    desk.until_attached()
    desk.proposes()
    desk.until_armed()
    agent.touched.set()
    desk.confirms_it()
    return account.count(CONFIRMED) - known


def run(chunks: Callable[[Play, int], Chunks], cores: int, _plant: str | None) -> int:
    """Play them and print the table; 1 where a claim did not hold."""
    if path_of("tmux") is None:
        print("needs tmux, which this machine does not have")
        return 1
    begun, played = time.monotonic(), Typed()
    for chunk in chunks(play, A_SESSION).results(cores):
        played.add(chunk)
    print(f"{'':16} {'touch':6} {'armed':>7} {'orders':>7} {'refused':>8} {'touched':>8}")
    for way, touch in WAYS:
        armed, orders, refused, touched = (
            played.figures[way, touch, name] for name in ("armed", "orders", "refused", "touched")
        )
        print(f"{way:16} {'on' if touch else 'off':6} {armed:>7} {orders:>7} {refused:>8} {touched:>8}")
    for failure in played.failures:
        print(f"wrong: {failure}")
    print(f"{time.monotonic() - begun:,.0f} s")
    return int(bool(played.failures))
