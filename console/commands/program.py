"""The command line's parser: every subcommand by its name."""

from __future__ import annotations

import shlex

import typer

from console.commands import (
    agents,
    analysis,
    attest,
    backtest,
    bars,
    demo,
    doctor,
    engine,
    evidence,
    export,
    journal,
    notify,
    protections,
    risk,
    service,
    state,
    status,
    strategies,
    sweep,
    touch,
)
from console.commands.assembly.desks import open_desk, prepare
from console.commands.assembly.host import Host
from console.commands.shared import say
from core.ports import OperatorError

HELP = """A trading console for careful people: strategies propose, you turn the key.

Example: keyturn demo
"""


def without_host(destination: str, command: str) -> str:
    """Return the alternative to `keyturn --host SERVER command`."""
    there = f"ssh {shlex.quote(destination)} keyturn {command}"
    return f"--host opens a desk and goes with no command: `{there}` runs it there"


def build(host: Host) -> typer.Typer:
    """Return the program's commands for this host."""
    program = typer.Typer(
        name="keyturn",
        help=HELP,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["--help", "-h"]},
    )

    def say_version(is_wanted: bool) -> None:
        if is_wanted:
            from importlib.metadata import version

            from state.host_info import release

            say(f"keyturn {release(version('keyturn'))}")
            raise typer.Exit

    @program.callback(invoke_without_command=True)
    def root(
        context: typer.Context,
        _version: bool = typer.Option(
            False,
            "--version",
            help="Print the version and commit.",
            callback=say_version,  # as a default value: an annotation could not refer to this local function
            is_eager=True,
        ),
        destination: str | None = typer.Option(
            None,
            "--host",
            metavar="USER@SERVER",
            help="Open the desk here on the engine of another machine, through ssh.",
        ),
        simulated: bool = typer.Option(
            False,
            "--simulated",
            help="On the built-in exchange, whatever the settings name; before a command, that command too.",
        ),
    ) -> None:
        """Open the desk on the configured account."""
        context.obj = host.simulated() if simulated else host
        if destination is not None and simulated:
            raise OperatorError("--simulated is of this machine; leave it out with --host")
        if destination is not None and context.invoked_subcommand is not None:
            raise OperatorError(without_host(destination, context.invoked_subcommand))
        if context.invoked_subcommand is None:
            prepare()
            open_desk(context.obj, destination)

    program.command(name="demo")(demo.demo)
    program.command(name="replay")(demo.replay)
    program.command(name="backtest")(backtest.backtest)
    program.command(name="sweep")(sweep.sweep)
    program.command(name="attest")(attest.attest)
    program.command(name="doctor")(doctor.doctor)
    program.command(name="explain")(analysis.explain)
    program.command(name="whatif")(analysis.whatif)
    program.command(name="report")(analysis.report)
    program.command(name="status")(status.status)
    program.command(name="kill")(status.kill)
    program.command(name="basket")(export.basket)
    program.command(name="plan", hidden=True)(export.basket)
    for command in (export.positions, export.orders, export.trades, export.quote, export.export):
        program.command()(command)
    program.command(name="activities")(analysis.activities)
    program.command(name="latency")(analysis.latency)
    program.command(name="measures")(analysis.measures)
    program.command(name="risk")(risk.risk)
    program.command(name="relay")(engine.relay)
    program.command(name="mcp")(agents.mcp)
    program.command(name="reconcile")(doctor.reconcile)
    for name, research in (
        ("bars", bars.bars),
        ("regime", protections.regime),
        ("regime-study", evidence.regime_study),
        ("regime-label", evidence.regime_label),
        ("theses", evidence.theses),
    ):
        program.command(name=name)(research)
    program.add_typer(agents.commands, name="agents")
    program.add_typer(notify.commands, name="notify")
    program.add_typer(protections.commands, name="protections")
    program.add_typer(strategies.commands, name="strategies")
    program.add_typer(touch.commands, name="touch")
    program.add_typer(engine.commands, name="engine")
    program.add_typer(service.commands, name="service")
    program.add_typer(journal.commands, name="journal")
    program.add_typer(state.settings_commands, name="settings")
    program.add_typer(state.commands, name="state")
    return program
