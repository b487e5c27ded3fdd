"""`keyturn demo`: the desk on the embedded exchange and a seeded market; no account, no network."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from console.commands.shared import FASTEST, MarketFile, Overrides, VixFile, composition_of, speed_of
from core.ports import DemoRequest, OperatorError, RegimeFiles

WITHOUT_ONE = (
    "without one: `keyturn demo --headless --operator confirm-all --speed 300`, or "
    "`keyturn replay FILE --headless --json`"
)
NO_TERMINAL = f"this needs a terminal; {WITHOUT_ONE}"
DUMB = f"TERM=dumb: this terminal cannot place text; set TERM to what it is (`TERM=xterm-256color`); {WITHOUT_ONE}"
NO_ERROR_OUTPUT = (
    f"the desk is drawn on standard error, and that is no terminal: run it without `2>` and without a pipe for it; "
    f"{WITHOUT_ONE}"
)


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the market; each seed is an account of its own.")] = 1,
    speed: Annotated[str, typer.Option(help="Virtual seconds a second; ×1 while a ticket is open.")] = "1",
    operator: Annotated[str, typer.Option(help="none, confirm-all, or a script of keys.")] = "none",
    headless: Annotated[bool, typer.Option("--headless", help="Without a desk, until a signal ends it.")] = False,
    stress: Annotated[
        bool,
        typer.Option("--stress", help="30 positions, 60 orders, 12 strategies, 2,000 quotes a second in 20 symbols."),
    ] = False,
    vix: VixFile = None,
    market: MarketFile = None,
    overrides: Overrides = None,
) -> None:
    """Open the desk on the simulated exchange. It goes on where it was left.

    With --operator confirm-all it is the busy demo: more entries a day, and answers delayed.

    With --stress it is the stress desk, on the account `stress`: prepared by a scripted operator in a market that stays
    where it is and never closes. It remembers nothing: each opening begins anew.

    Examples: keyturn demo --seed 7 --speed 10, keyturn demo --stress --speed 60
    """
    if stress and operator != "none":
        raise OperatorError("--stress brings an operator of its own; leave --operator out")
    if stress and (vix or market):
        raise OperatorError("--stress brings a market of its own; leave --vix and --market out")
    if not headless:
        need_a_terminal()
    composition_of(context).demo(
        DemoRequest(
            seed=seed,
            speed=speed_of(speed) or float(FASTEST),
            operator=operator,
            overrides=tuple(overrides or ()),
            is_headless=headless,
            is_stress=stress,
            regime=RegimeFiles(vix, market),
        )
    )


def need_a_terminal() -> None:
    """Refuse, saying what to do instead, where nobody could see the desk or type."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise OperatorError(NO_TERMINAL)
    if not sys.stderr.isatty():
        raise OperatorError(NO_ERROR_OUTPUT)
    if os.environ.get("TERM", "") == "dumb":
        raise OperatorError(DUMB)
