"""`keyturn agents`: which agents may draft, with which limits; `keyturn mcp` serves one that speaks MCP (OP-09)."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from console.commands.assembly.tables import checked_folder
from console.commands.shared import Account, AsJson, JournalDir, TablesFolder, counted, host_of, print_json, say, tell
from core.model.instrument import symbol_in
from core.model.values import number_in, percent
from core.ports import OperatorError
from state.files import Home

if TYPE_CHECKING:
    from core.reports.agent_scores import AgentScore
    from core.settings.service import AgentSettings
    from state.mcp_tokens import Token

SERVER = "keyturn"
"""The name of the server in a client's settings."""
HOMES = ("KEYTURN_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
"""Variables that name another home than the usual one."""
TOKEN_VARIABLE = "KEYTURN_MCP_TOKEN"
APPLIES = "it applies now"
NEXT_START = "no engine runs: it applies at the engine's next start"
NOT_YET = "the running engine has not taken it over; `keyturn status` says what it waits for"
TAKEN_WITHIN, ASKED_EACH = 6.0, 0.1
"""Seconds in which an engine takes over a changed file, and between two looks at its heartbeat."""
TIMEOUT = 3.0
"""Seconds for the running engine's answer."""
Name = Annotated[str, typer.Argument(help="Small letters, digits, - and _, at most 24.")]

commands = typer.Typer(
    help="Agents: programs that may read the desk and draft orders, and nothing else.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@commands.command(name="list")
def list_agents(context: typer.Context, as_json: AsJson = False) -> None:
    """Print each agent with its limits and, if an engine runs, how many of its drafts wait.

    Example: keyturn agents list
    """
    host = host_of(context)
    agents = settings_of(host).agents
    waiting = {name: _waiting_of(host, name) for name in agents}
    if as_json:
        print_json(
            {name: {**terms.model_dump(mode="json"), "drafts_waiting": waiting[name]} for name, terms in agents.items()}
        )
        return
    if not agents:
        say("no agent is set up; `keyturn agents add NAME` adds one")
    for name, terms in agents.items():
        count = waiting[name]
        now = "" if count is None else f"; {counted(count, 'draft')} waiting"
        say(f"{name}: {_in_words(terms)}{now}")


def _in_words(terms: AgentSettings) -> str:
    words = [
        ", ".join(terms.symbols) or "the symbols of the settings",
        f"{terms.most_value:f} USD a draft",
        f"{counted(terms.per_hour, 'draft')} an hour, {terms.waiting} waiting for {terms.minutes} minutes at most",
        f"{terms.begins:%H:%M} to {terms.ends:%H:%M}",
    ]
    words += [] if terms.enabled else ["paused"]
    words += ["also on a live account"] if terms.live else []
    words += ["sees no amounts"] if terms.hides_amounts else []
    return "; ".join(words)


def _waiting_of(host: Host, name: str) -> int | None:
    """Return how many drafts of this agent wait; None if no engine serves it."""
    from console.client.agents import AgentClient
    from console.commands.assembly.agent_link import agent_connection
    from state.accounts import account_of

    try:
        folder = account_of(host.home, None)
        client = AgentClient(lambda: agent_connection(folder, TIMEOUT), name)
        try:
            return [each["word"] for each in client.drafts()].count("waiting")
        finally:
            client.close()
    except OperatorError:
        return None


@commands.command()
def add(
    context: typer.Context,
    name: Name,
    symbols: Annotated[
        str | None, typer.Option("--symbols", help="Symbols that it may draft, as SPY,QQQ; default: the settings'.")
    ] = None,
    most_value: Annotated[str | None, typer.Option("--most-value", help="USD of one draft, at most.")] = None,
    per_hour: Annotated[int | None, typer.Option("--per-hour", help="Drafts in an hour, at most.")] = None,
    hides_amounts: Annotated[
        bool, typer.Option("--hide-amounts", help="It sees no quantity, value or equity of the account.")
    ] = False,
) -> None:
    """Add an agent to the settings file. It may draft on paper and simulated accounts; nothing it drafts is sent.

    Example: keyturn agents add claude --symbols SPY,QQQ --most-value 1000
    """
    from core.settings.agent_names import refusal_of_name
    from state.agent_tables import add_agent

    host = host_of(context)
    if refusal := refusal_of_name(name):
        raise OperatorError(f"{refusal}; nothing was added")
    values: dict[str, str] = {}
    if symbols is not None:
        values["symbols"] = json.dumps([_symbol(text) for text in symbols.split(",")])
    if most_value is not None:
        if number_in(most_value) is None:
            raise OperatorError(f"--most-value {most_value}: is no amount in USD such as 1000")
        values["most_value"] = most_value
    if per_hour is not None:
        values["per_hour"] = str(per_hour)
    if hides_amounts:
        values["hides_amounts"] = "true"
    add_agent(host.home, name, values, _check(host))
    say(f"agent {name} added to {host.home.settings}; {_when(host)}. Then give its client these settings:")
    print_json(started_by_a_client(host, name))


@commands.command()
def remove(context: typer.Context, name: Name) -> None:
    """Remove an agent from the settings file. What it drafted stays in the journal.

    Example: keyturn agents remove claude
    """
    from state.agent_tables import remove_agent

    host = host_of(context)
    _check_name(name)
    remove_agent(host.home, name, _check(host))
    say(f"agent {name} removed from {host.home.settings}; {_when(host)}")


@commands.command()
def pause(
    context: typer.Context,
    name: Name,
    resume: Annotated[bool, typer.Option("--resume", help="Take its drafts again.")] = False,
) -> None:
    """Take no more drafts of an agent; it may still read. With --resume its drafts are taken again.

    Example: keyturn agents pause claude
    """
    from state.agent_tables import switch_agent

    host = host_of(context)
    _check_name(name)
    word = "resumed" if resume else "paused"
    if switch_agent(host.home, name, _check(host), enabled=resume):
        say(f"agent {name} {word} in {host.home.settings}; {_when(host)}")
    else:
        say(f"agent {name} is {word} already")


@commands.command()
def score(
    context: typer.Context,
    account: Account = None,
    journal_dir: JournalDir = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print the score of each agent: false facts, calibration, results if always followed and as you followed.

    Works on the journal, while the engine runs or not.

    Example: keyturn agents score
    """
    from core.reports.agent_scores import score_as_json
    from state.accounts import journal_of
    from state.past_drafts import scored

    checked_folder(csv)
    found = scored(journal_of(host_of(context).home, account, journal_dir).journal)
    lines = [line for each in found for line in _score_in_lines(each)]
    nothing = ["no agent has drafted anything in this journal"]
    tell(as_json, lambda: [score_as_json(each) for each in found], lines or nothing, csv=csv)


@commands.command()
def receipts(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One agent; default: all.")] = None,
    account: Account = None,
    journal_dir: JournalDir = None,
    csv: TablesFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print what each agent drafted on which facts, who decided, and what came of it.

    Each line has the number of its record in the journal; `keyturn journal export` proves that record.

    Example: keyturn agents receipts claude --json
    """
    from core.reports.agent_receipts import receipt_as_json, receipt_in_words
    from state.accounts import journal_of
    from state.past_drafts import receipts as read

    checked_folder(csv)
    found = read(journal_of(host_of(context).home, account, journal_dir).journal)
    its = [one for one in found if name is None or one.agent == name]
    nothing = ["there is no receipt: no agent has drafted anything in this journal"]
    tell(
        as_json, lambda: [receipt_as_json(one) for one in its], map(receipt_in_words, its) if its else nothing, csv=csv
    )


def _score_in_lines(score: AgentScore) -> Iterator[str]:
    ends = ", ".join(f"{count} {end.value}" for end, count in score.ends.items()) or "none ended"
    rejected = ", ".join(f"{count} {code.value}" for code, count in score.rejected.items()) or "none"
    drafts, more = counted(score.drafts, "draft"), counted(score.oversteps, "attempt")
    yield f"{score.agent}: {drafts} ({ends}); rejected: {rejected}; {more} at more"
    if score.false_share is None or score.old_share is None:
        share = "none could be checked"
    else:
        share = f"{percent(score.false_share)} false, {percent(score.old_share)} old"
    counts = f"{score.checkable} checkable, {score.false} false, {score.old} old"
    yield f"  {counted(score.stated, 'fact')} stated, {counts} ({share})"
    yield f"  USD: {score.if_always:,.2f} if always followed, 0.00 if never, {score.as_followed:,.2f} as you followed"
    if score.brier is None:
        yield "  confidence: no draft with a stated confidence has an outcome yet"
        return
    yield f"  confidence: Brier score {score.brier:.3f} of {counted(score.judged, 'draft')} (0 is perfect, 0.25 a coin)"
    for row in score.reliability:
        of = f"{row.low:.0%} to {row.high:.0%}"
        yield f"    {of}: {counted(row.drafts, 'draft')}, {row.stated:.0%} stated, {row.gained:.0%} gained"


def _when(host: Host) -> str:
    """Wait until the running engines have taken over the changed file, and say when it applies."""
    from core.settings.changes import digest_of_agents
    from state.running_engine import holder, read_heartbeat

    running = [folder for folder in host.home.accounts() if holder(folder) is not None]
    if not running:
        return NEXT_START
    wanted, until = digest_of_agents(settings_of(host)), time.monotonic() + TAKEN_WITHIN
    while True:
        beats = (read_heartbeat(folder) for folder in running if holder(folder) is not None)
        if all(beat is not None and beat[0].agents == wanted for beat in beats):
            return APPLIES
        if time.monotonic() >= until:
            return NOT_YET
        time.sleep(ASKED_EACH)


def _check(host: Host) -> Callable[[Home], object]:
    """Return the function that loads the settings of a changed home. Raises `OperatorError`."""
    return lambda home: settings_of(replace(host, home=home))


def _check_name(name: str) -> None:
    from core.settings.agent_names import AGENT_NAME

    if not AGENT_NAME.fullmatch(name):
        raise OperatorError(f"{name}: is no name for an agent: small letters, digits, - and _, at most 24")


def _symbol(text: str) -> str:
    found = symbol_in(text.strip())
    if found is None:
        raise OperatorError(f"--symbols: '{text}' is no symbol such as SPY")
    return found


ANSWERED_WITHIN = 10.0
"""Seconds for one answer of the engine."""
WITHOUT_IT = "keyturn mcp needs another package: `pip install 'keyturn[agents]'`"


def mcp(
    context: typer.Context,
    agent: Annotated[str, typer.Option("--agent", help="The agent's name in the settings; `keyturn agents add NAME`.")],
    account: Account = None,
    http: Annotated[
        int | None,
        typer.Option(
            "--http",
            metavar="PORT",
            min=1024,
            max=65535,
            help="Serve at http://127.0.0.1:PORT/mcp, with the token of KEYTURN_MCP_TOKEN or a kept one, not on stdin.",
        ),
    ] = None,
    show_token: Annotated[
        bool, typer.Option("--show-token", help="With --http: print the token also if it was given or kept.")
    ] = False,
) -> None:
    """Serve one agent on standard input and output: it reads the desk and drafts orders, and can do nothing else.

    Example: keyturn mcp --agent claude
    """
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        raise OperatorError(WITHOUT_IT)
    from importlib.metadata import version

    from console.client.agents import AgentClient
    from console.commands.assembly.agent_journal import AgentJournal
    from console.commands.assembly.agent_link import agent_connection
    from console.commands.assembly.mcp_server import DeskServer, serve
    from console.commands.assembly.settings import settings_of
    from state.accounts import account_of, journal_of, last_started_with
    from state.host_info import release

    host = host_of(context)
    if agent not in settings_of(host).agents:
        raise OperatorError(f"no agent {agent} is set up; `keyturn agents add {agent}` adds it")
    client = AgentClient(
        lambda: agent_connection(account_of(host.home, account), ANSWERED_WITHIN), agent, release(version("keyturn"))
    )
    past = AgentJournal(
        agent,
        lambda: journal_of(host.home, account, None).journal,
        lambda: settings_of(host, last_started_with(account_of(host.home, account)).overrides),
        host.environ,
    )
    try:
        if http is None:
            serve(client, past)
        else:
            from console.commands.assembly.mcp_http import serve_http

            token = _token_of(host, agent)
            shown = token.text if token.is_new or show_token else None
            for line in _url_in_words(host, agent, http, shown):
                say(line, err=True)
            serve_http(DeskServer(client, past), http, token.text)
    finally:
        client.close()


def _token_of(host: Host, agent: str) -> Token:
    """Return the token of the environment, or the kept one. Raises `OperatorError`."""
    from state.mcp_tokens import Token, kept_token

    if given := host.environ.get(TOKEN_VARIABLE):
        return Token(given, is_new=False)
    return kept_token(host.home.mcp_token(agent))


def _url_in_words(host: Host, agent: str, port: int, token: str | None) -> list[str]:
    """Return the settings of a client that calls the URL, in lines; without the token, where it is."""
    from console.commands.assembly.mcp_http import LOOPBACK

    place = TOKEN_VARIABLE if host.environ.get(TOKEN_VARIABLE) else str(host.home.mcp_token(agent))
    where = "" if token else f"; TOKEN is that of {place}, and --show-token prints it"
    url = f"http://{LOOPBACK}:{port}/mcp"
    headers = {"Authorization": f"Bearer {token or 'TOKEN'}"}
    settings = {"mcpServers": {SERVER: {"type": "http", "url": url, "headers": headers}}}
    return [f"keyturn: {url} serves {agent}{where}", *json.dumps(settings, indent=2).splitlines()]


def started_by_a_client(host: Host, agent: str) -> dict[str, object]:
    """Return the settings of a client that starts `keyturn mcp`, with the path and the home that it need not know."""
    command, *first = _program()
    simulated = host.program.split()[1:]
    server: dict[str, object] = {"command": command, "args": [*first, *simulated, "mcp", "--agent", agent]}
    home = {name: str(Path(host.environ[name]).expanduser().absolute()) for name in HOMES if host.environ.get(name)}
    return {"mcpServers": {SERVER: {**server, **({"env": home} if home else {})}}}


def _program() -> list[str]:
    """Return the absolute command line of this Keyturn."""
    from console.commands.assembly.host import own_program

    beside = Path(sys.executable).absolute().with_name("keyturn")
    return [str(beside)] if os.access(beside, os.X_OK) else own_program()
