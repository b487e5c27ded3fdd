"""The command `keyturn mcp`: the desk for an agent that speaks the Model Context Protocol (OP-09)."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.shared import Account, host_of
from core.ports import OperatorError

TIMEOUT = 10.0
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
            help="Serve at http://127.0.0.1:PORT/mcp, with the token of KEYTURN_MCP_TOKEN or a new one, not on stdin.",
        ),
    ] = None,
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
    from console.commands.assembly.mcp_server import serve, serve_http
    from console.commands.assembly.settings import settings_of
    from state.accounts import account_of, journal_of, last_started_with
    from state.host_info import release

    host = host_of(context)
    if agent not in settings_of(host).agents:
        raise OperatorError(f"no agent {agent} is set up; `keyturn agents add {agent}` adds it")
    client = AgentClient(
        lambda: agent_connection(account_of(host.home, account), TIMEOUT), agent, release(version("keyturn"))
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
            serve_http(client, past, http, host.environ.get("KEYTURN_MCP_TOKEN", ""))
    finally:
        client.close()
