"""Clients of both SDKs at their own limits, beside an engine and servers that are killed.

The longer run, with its figures: `PYTHONPATH=. MCP_TYPESCRIPT=FOLDER python -m tests.soak.agent_clients --rounds 5`,
where `npm install @modelcontextprotocol/sdk` was run in FOLDER.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from console.commands.assembly.mcp_answers import LARGEST
from tests.kit.tools import needs
from tests.real.agent_sdks import CLIENTS_WAIT, TYPESCRIPT, typescript_sdk
from tests.soak.agent_clients import LONG_WAIT, Figures, a_run

PYTHON, NODE = ("python-stdio", "python-http"), ("typescript-stdio", "typescript-http")
needs_the_sdk = pytest.mark.skipif(not typescript_sdk(), reason=f"needs {TYPESCRIPT}")


def is_met(figures: Figures, clients: int) -> None:
    assert figures.unexpected == []
    assert (figures.timeouts, figures.doubled, figures.lost) == (0, 0, 0)
    assert figures.longest_call < CLIENTS_WAIT
    assert figures.largest_answer <= LARGEST
    assert figures.progress >= clients  # the long wait reports it
    assert figures.drafted >= 3 * clients
    assert figures.refused_as_meant == 4 * clients
    assert (figures.kills_of_the_engine, figures.wrong_tokens_refused) == (1, 1)


async def test_clients_of_python_survive_a_restart_of_either_side(tmp_path: Path) -> None:
    """SY-11, OP-09: no call is later than its limit, and no draft doubled or lost"""
    with a_run(tmp_path, PYTHON, LONG_WAIT) as run:
        is_met(await run.go(1), len(PYTHON))


@needs("node")
@needs_the_sdk
async def test_clients_of_typescript_survive_a_restart_of_either_side(tmp_path: Path) -> None:
    """SY-11, OP-09: the same"""
    with a_run(tmp_path, NODE, LONG_WAIT) as run:
        is_met(await run.go(1), len(NODE))
