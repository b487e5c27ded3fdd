"""Writes docs/keyturn.1, the manual page, from the commands' own help; the wheel holds it as share/man/man1/keyturn.1.

.venv/bin/python docs/man.py          writes it
.venv/bin/python docs/man.py --check  exits 1 where it differs
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

from typer.main import get_command

from console.commands.assembly.host import Host
from console.commands.program import build

PAGE = Path(__file__).resolve().parent / "keyturn.1"
WITHOUT_SAYING = ("--help",)
"""Options that every command has; the page names them once."""
FILES = (
    ("~/.config/keyturn/settings.toml", "Settings. KEYTURN_HOME moves settings and state to one folder."),
    ("~/.local/state/keyturn/", "A folder for each account: journal, state documents, kill switch."),
)
VARIABLES = (
    ("APCA_API_KEY_ID, APCA_API_SECRET_KEY", "The keys of an account at Alpaca."),
    ("KEYTURN_ALLOW_LIVE", "1 is one of the two gates to real money; account.mode in the settings is the other."),
    ("KEYTURN_HOME", "The folder that settings and state live in."),
    (
        "KEYTURN_MCP_TOKEN",
        "The token that callers of `keyturn mcp --http` send; without it one is made, printed once and kept.",
    ),
    ("KEYTURN_RECORD_KEY", "The key that signs each day of the record, 64 hex digits, where there is no keyring."),
    ("KEYTURN_SSH", "The command in the place of ssh, for --host."),
    ("KEYTURN_SECTION__NAME", "A setting, as in KEYTURN_RISK__ENTRIES_A_DAY=2; it goes over the settings file."),
    ("NO_COLOR", "Set to anything: the desk has no colours."),
)


def commands() -> Iterator[tuple[str, Any, Any]]:
    """Every command that does something: its words, itself and its context, in the order of the help."""
    program = get_command(build(Host.of({"HOME": "/nonexistent"})))
    yield from _below(program, program.make_context("keyturn", [], resilient_parsing=True))


def _below(command: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    yield context.command_path, command, context
    for name, child in getattr(command, "commands", {}).items():
        if child.hidden:
            continue
        inner = child.make_context(name, [], parent=context, resilient_parsing=True)
        yield from _below(child, inner)


def page() -> str:
    about = metadata("keyturn")
    (_, program, context), *others = commands()
    whole = [
        f'.TH KEYTURN 1 "" "keyturn {about["Version"]}" "User commands"',
        ".SH NAME",
        f"keyturn \\- {escaped(about['Summary'].rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B keyturn",
        "[\\fIOPTIONS\\fR] [\\fICOMMAND\\fR [\\fIARGUMENTS\\fR]]",
        ".SH DESCRIPTION",
        *described(program),
        ".PP",
        "Without a command it opens the desk on the account of the settings. Every command takes \\fB\\-\\-help\\fR.",
        ".SH OPTIONS",
        *options(program, context, leave_out=()),
        ".SH COMMANDS",
    ]
    for path, command, inner in others:
        whole += [
            ".SS",
            usage(path, command, inner),
            *described(command),
            *options(command, inner, leave_out=WITHOUT_SAYING),
        ]
    whole += [".SH FILES", *entries(FILES), ".SH ENVIRONMENT", *entries(VARIABLES)]
    return "\n".join(whole) + "\n"


def usage(path: str, command: Any, context: Any) -> str:
    return escaped(" ".join([path, *command.collect_usage_pieces(context)]))


def described(command: Any) -> Iterator[str]:
    """The paragraphs of its help."""
    for number, paragraph in enumerate((command.help or "").split("\n\n")):
        if number:
            yield ".PP"
        yield escaped(" ".join(paragraph.split()))


def options(command: Any, context: Any, leave_out: tuple[str, ...]) -> Iterator[str]:
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    known = [record for record in records if record is not None]
    yield from entries([(name, words) for name, words in known if not name.endswith(leave_out or ("\0",))])


def entries(named: Any) -> Iterator[str]:
    for name, words in named:
        yield from (".TP", f".B {escaped(name)}", escaped(re.sub(r"\s+", " ", words)))


def escaped(text: str) -> str:
    """As roff reads it: a backslash and a hyphen are themselves, and no line begins as a request does."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain


def main() -> int:
    made = page()
    if "--check" in sys.argv:
        return int(not PAGE.exists() or PAGE.read_text() != made)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
