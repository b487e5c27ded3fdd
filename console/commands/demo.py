"""`keyturn demo`: the desk on the embedded exchange and a seeded market; no account, no network."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from console.commands.assembly.desks import open_demo, run_demo
from console.commands.assembly.simulated import DemoOptions
from console.commands.shared import FASTEST, MarketFile, Overrides, VixFile, host_of, speed_of
from console.start import prepare
from core.ports import OperatorError


class DemoProfile(StrEnum):
    SWING = "swing"
    MICRO = "micro"


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the market; each seed has a separate account.")] = 1,
    speed: Annotated[str, typer.Option(help="Virtual seconds per second; ×1 while a ticket is open.")] = "1",
    operator: Annotated[str, typer.Option(help="none, confirm-all, or the file of a key script.")] = "none",
    profile: Annotated[
        DemoProfile | None,
        typer.Option(help="swing: 100,000 USD, eight shares, a lively market; micro: 200 USD, SPY, a calm one."),
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Run without a desk until a signal ends it.")] = False,
    stress: Annotated[
        bool,
        typer.Option("--stress", help="30 positions, 60 orders, 12 strategies, 2,000 quotes a second in 20 symbols."),
    ] = False,
    watch: Annotated[
        int,
        typer.Option(
            min=0, max=200, help="With --stress: a watchlist of this many symbols with 5,000 quotes a second."
        ),
    ] = 0,
    vix: VixFile = None,
    market: MarketFile = None,
    overrides: Overrides = None,
) -> None:
    """Open the desk on the simulated exchange. It continues where it was left.

    A new account has 100,000 USD, three positions and a lively market; with --profile micro 200 USD.
    Eight symbols are listed: AAPL, BAC, IBM, IWM, MSFT, QQQ, SPY, XOM; / in an order form shows them.

    With --operator confirm-all it is the busy demo: more entries a day, and delayed answers.

    With --stress it is the stress desk, on the account `stress`: prepared by a scripted operator in a market that stays
    at its level and never closes. It is reset at each opening.

    Examples: keyturn demo --seed 7 --speed 10, keyturn demo --stress --speed 60
    """
    if stress and operator != "none":
        raise OperatorError("--stress brings its own operator; leave --operator out")
    if watch and not stress:
        raise OperatorError("--watch is the stress desk's: add --stress; in another, a adds a symbol to the list")
    if stress and profile:
        raise OperatorError("--stress brings its own account; leave --profile out")
    if stress and (vix or market):
        raise OperatorError("--stress brings its own market; leave --vix and --market out")
    if not headless:
        prepare()
    begin = run_demo if headless else open_demo
    options = DemoOptions(
        seed=seed,
        speed=speed_of(speed) or float(FASTEST),
        operator=operator,
        profile=None if profile is None else profile.value,
        overrides=tuple(overrides or ()),
        vix=vix,
        market=market,
        watched=watch,
    )
    begin(host_of(context), options, is_stress=stress)
