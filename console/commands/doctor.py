"""The commands `keyturn doctor` and `keyturn reconcile`: connections, and books beside the broker's (EX-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.at_a_broker import (
    account_of_the_keys,
    calendar_from_now,
    keys_of_source,
    live_books,
    real_broker,
    source_of,
)
from console.commands.assembly.host import Host
from console.commands.assembly.settings import is_simulated, mode_of, settings_of
from console.commands.assembly.simulated import demo_books
from console.commands.service import is_installed
from console.commands.shared import Account, AsJson, counted, host_of, print_json, say
from core.model.account import Mode
from core.ports import OperatorError
from state.accounts import account_of
from state.files import AccountFolder
from state.running_engine import last_account

if TYPE_CHECKING:
    from core.brokers.port import Broker
    from core.engine import Engine
    from core.model.api_contract import Keys
    from core.runtime.doctor import Finding
    from core.settings.settings import Settings

ANY_HOST = "https://broker.invalid"
"""Of none in particular: exceptions by host are in NO_PROXY."""
NOT_FOR = {"https": "the data stream", "socks4": "a notice", "socks4a": "a notice"}
"""Kinds of proxies, and what cannot use them."""


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check keys, network, clock, market data, disk and terminal; no order is sent. Exit code 1 if a check fails.

    Example: keyturn doctor --json
    """
    found = []
    for finding in findings(host_of(context)):
        found.append(finding)
        if not as_json:
            say(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name:<16} {finding.detail}")
            if finding.remedy:
                say(f"      {'':<16} → {finding.remedy}")
    if as_json:
        print_json([asdict(finding) for finding in found])
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)


def findings(host: Host) -> Iterator[Finding]:
    """Yield each finding on this desk's connections as soon as it is known."""
    from core.io.wall_clock import utc_now
    from core.model.values import Symbol
    from core.runtime.doctor import Doctor, Finding, Places
    from state.credentials import find_keys
    from state.host_info import look_around
    from state.service_units import EXPECTS

    yield from look_around(host.home, host.environ, has_service=EXPECTS in host.environ or is_installed(host))
    yield _own_connections(host)
    yield _proxy()
    try:
        settings = settings_of(host)
        yield from _looser_limits(settings)
        yield _ssh_agent(settings)
        mode = mode_of(host, settings)
        kind = real_broker(settings)
        source = source_of(settings, kind)
        keys = find_keys(host.environ, mode, kind.keys)
        keys_of_data = keys_of_source(host, source, kind, keys, mode)
    except OperatorError as error:
        yield Finding("settings and keys", False, str(error), "fix that first; the rest needs them")
        return
    yield Finding("settings and keys", True, f"{mode.value} keys, {', '.join(settings.symbols)}", "")
    if mode is Mode.LIVE:
        yield _security_key(settings)
    symbols = tuple(Symbol(text) for text in settings.symbols)
    connected = kind.connect(settings, mode, keys)
    broker = connected.broker
    market = source.make(settings, keys_of_data, symbols, calendar_from_now(), {})
    promised = (*kind.contract(), *source.contract())
    places = Places(kind.title, kind.reached_by, source.reached_by)
    parts = broker, connected.orders, market, symbols, mode, utc_now, promised, places
    yield from Doctor(*parts, _holder_of_the_streams(host, keys)).look()
    broker.close()


def _proxy() -> Finding:
    """Return the proxy of the environment that requests and streams use (SY-10)."""
    from core.io.proxies import ProxyRefusedError, proxy_of
    from core.runtime.doctor import Finding

    try:
        proxy = proxy_of(ANY_HOST)
    except ProxyRefusedError as error:
        return Finding("proxy", False, str(error), "correct it, or unset it; requests and streams use the same one")
    if proxy is None:
        return Finding("proxy", True, "none in the environment, for requests and streams", "")
    barred = NOT_FOR.get(proxy.kind)
    if barred is None:
        return Finding("proxy", True, f"{proxy.in_words}, for requests and streams", "")
    return Finding("proxy", False, f"{proxy.in_words}: {barred} cannot use it", "name http:// or socks5:// there")


def _holder_of_the_streams(host: Host, keys: Keys) -> str:
    """Name the running engine of these keys' account, which has the broker's only places; empty if none runs."""
    from state.credentials import KnownAccounts
    from state.running_engine import holder

    name = KnownAccounts(host.home).name_of(keys)
    process = None if name is None else holder(host.home.account(name))
    return "" if process is None else f"our engine (process {process}) has it: `keyturn status` shows how it is"


def _own_connections(host: Host) -> Finding:
    """Say whether an engine of ours has the broker's places, or may have left its connections there (SY-10)."""
    from core.io.http_requests import OWN_LASTS
    from core.runtime.demo import seed_of
    from core.runtime.doctor import Finding
    from state.running_engine import holder, read_heartbeat

    name, seconds = "own connections", OWN_LASTS.total_seconds()
    folders = [each for each in host.home.accounts() if seed_of(each.name) is None and not each.exchange.exists()]
    for folder in folders:
        if (process := holder(folder)) is not None:
            words = f"the engine of {folder.name} runs (process {process}) and has its places at the broker"
            return Finding(name, True, words, "")
    ages = [age for folder in folders if (last := read_heartbeat(folder)) is not None for age in last[1:]]
    age = min(ages, default=seconds)
    if age >= seconds:
        return Finding(name, True, f"no engine of ours was at a broker in the last {seconds:.0f} s", "")
    words = f"our engine was at a broker {age:.0f} s ago, which may still count its connections as there"
    return Finding(name, True, words, f"where a stream below finds no place, try again in {seconds - age:.0f} s")


AGENT_ANSWERS_IN = 3.0
"""Time-out in seconds."""


def _ssh_agent(settings: Settings) -> Finding:
    """Say whether the ssh-agent of a touch answers, at its own socket or at the one that tmux knows (SY-10, OP-15)."""
    from console.client.ssh_agent import SshAgent
    from core.runtime.doctor import Finding

    is_used = settings.confirm.touch != "never"
    try:
        answer = SshAgent(timeout=AGENT_ANSWERS_IN).look()
    except OperatorError as error:
        words, _, remedy = str(error).partition("; ")
        remedy = remedy if is_used else "only a touch needs one (`confirm.touch`)"
        return Finding("ssh-agent", not is_used, words, remedy)
    newer = ", at the socket that tmux knows; this window's is gone" if answer.is_newer else ""
    return Finding("ssh-agent", True, f"answers with {counted(answer.keys, 'key')}{newer}", "")


def _looser_limits(settings: Settings) -> Iterator[Finding]:
    """Yield the limits of strategies that change nothing, because the account's are stricter (RK-07)."""
    from core.risk.strategy_limits import looser_than_the_account
    from core.runtime.doctor import Finding

    if found := [f"{key} is looser than {account}" for key, account in looser_than_the_account(settings)]:
        yield Finding("strategy limits", True, f"the account's limits hold: {'; '.join(found)}", "")


def _security_key(settings: Settings) -> Finding:
    """Recommend the touch of a security key on a live account (OP-15)."""
    from core.runtime.doctor import Finding

    if settings.confirm.touch == "never":
        remedy = 'recommended: `keyturn touch enroll FILE`, then `touch = "live"` under [confirm] in the settings'
        return Finding("security key", True, "an order that opens needs no touch: a program can type its key", remedy)
    above = settings.confirm.touch_above_usd
    size = f" above {above:f} USD" if above else ""
    return Finding("security key", True, f"an order that opens{size} needs the touch of one", "")


WORD = "ACCEPT"


def reconcile(
    context: typer.Context,
    account: Account = None,
    accept_broker: Annotated[
        bool, typer.Option("--accept-broker", help="Accept the broker's books for every position that differs.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help=f"Do not ask for the word {WORD}.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare with the broker, while no engine runs. Exit code 0 if the books agree, 1 if they differ.

    Example: keyturn reconcile --accept-broker
    """
    host = host_of(context)
    found = compared(host, account)
    if accept_broker and not found["ok"]:
        if not yes:
            _tell(found, err=True)
            _ask_for_the_word()
        found = compared(host, account, accept=True)
    if as_json:
        print_json(found)
    else:
        _tell(found)
    if not found["ok"]:
        raise typer.Exit(1)


def _tell(found: dict[str, object], *, err: bool = False) -> None:
    word = "the books agree" if found["ok"] else "the books DIFFER"
    has = f"{counted(found['positions'], 'position')} and {counted(found['orders'], 'working order')}"
    say(f"{word}: the broker has {has}", err=err)
    differences = found["differences"]
    assert isinstance(differences, list)
    for one in differences:
        note = f"; {one['note']}" if one["note"] else ""
        say(
            f"  {one['kind']} {one['symbol']}: here {one['local'] or '–'}, broker {one['broker'] or '–'}{note}", err=err
        )


def _ask_for_the_word() -> None:
    typed = typer.prompt(f"Our positions become the broker's. Type {WORD}", default="", show_default=False, err=True)
    if typed.strip() != WORD:
        raise OperatorError(f"nothing was changed: {WORD} was not typed")


def compared(host: Host, account: str | None, *, accept: bool = False) -> dict[str, object]:
    """Compare our books with the broker's, while no engine runs (EX-09)."""
    from core.model.reconciliation import ONLY_SHOWN
    from core.runtime.reconcile import Reconciling
    from state.kill_switch import FileKillSwitch
    from state.running_engine import EngineLock

    folder = _account(host, account)
    with ExitStack() as stack:
        stack.enter_context(EngineLock(folder))
        engine, broker, now, write = _books_of(host, folder, stack, accept=accept)
        switch = FileKillSwitch(folder, host.environ) if accept else None
        reconciling = Reconciling(engine, broker, now, switch)
        found = reconciling.accept() if accept else reconciling.look()
        if accept:
            write()
    return {
        "ok": all(d.kind in ONLY_SHOWN for d in found.differences),
        "positions": found.positions,
        "orders": found.orders,
        "differences": [
            {"kind": d.kind.value, "symbol": d.symbol, "local": d.local, "broker": d.broker, "note": d.note}
            for d in found.differences
        ],
    }


def _account(host: Host, account: str | None) -> AccountFolder:
    """Return the named, running or last account; if none ran yet, the one of the settings."""
    from core.runtime.demo import demo_account, seed_of

    found = host.home.account(account) if account else last_account(host.home)
    if found is not None and found.path.is_dir():
        return found
    settings = settings_of(host)
    if is_simulated(settings):
        first = host.home.account(demo_account(1))
    elif account is not None and seed_of(account) is not None:
        return account_of(host.home, account)
    else:
        first = account_of_the_keys(host, settings)
    if account not in (None, first.name):
        raise OperatorError(f"{account}: the keys that are set are of account {first.name}; set its own")
    first.prepare()
    return first


def _books_of(
    host: Host, folder: AccountFolder, stack: ExitStack, *, accept: bool
) -> tuple[Engine, Broker, Callable[[], datetime], Callable[[], None]]:
    """Return the engine of a stopped account, its broker, the clock, and the function that writes a checkpoint.

    Raises `OperatorError` if the account has no broker to ask.
    """
    from core.runtime.demo import seed_of

    seed = seed_of(folder.name)
    if seed is not None:
        return demo_books(host, folder, seed, stack, accept=accept)
    if folder.exchange.exists():
        raise OperatorError(f"{folder.name}: this account has no broker to compare with")
    return live_books(host, folder, stack, accept=accept)
