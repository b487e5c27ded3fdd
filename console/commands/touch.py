"""The command `keyturn touch`: the security keys whose touch an opening order needs (OP-15)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.assembly.host import Host
from console.commands.shared import AsJson, host_of, print_json, say
from core.ports import OperatorError

if TYPE_CHECKING:
    from console.client.touch_keys import TouchKeyDesk
    from core.model.touch import PublicKey

LEAVES_WITHIN = 3.0
"""Seconds to detach from the engine."""

commands = typer.Typer(
    help="Security keys: an opening order needs the touch of one, where `confirm.touch` says so.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@commands.command(name="list")
def list_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the enrolled security keys of the running engine's account.

    Example: keyturn touch list
    """
    with _desk(host_of(context)) as desk:
        keys = desk.enrolled()
    if as_json:
        print_json([{"label": key.label, "fingerprint": key.fingerprint, "key": key.line} for key in keys])
        return
    if not keys:
        say("no security key is enrolled; `keyturn touch enroll FILE` enrolls one")
    for key in keys:
        say(f"{key.label}: {key.fingerprint}")


@commands.command()
def enroll(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Its public key, made by `ssh-keygen -t ed25519-sk` or `ecdsa-sk`.")],
    label: Annotated[str | None, typer.Option("--label", help="A name for it; default: the file's.")] = None,
) -> None:
    """Enroll a security key by its touch; beside another, an enrolled one is touched too. Two can be enrolled.

    ssh-agent must have the keys (`ssh-add`). Enroll a second one, and keep it elsewhere: without any, nothing opens.

    Example: keyturn touch enroll ~/.ssh/id_ed25519_sk.pub --label desk
    """
    key, line = _read(file)
    name = label or file.stem
    with _desk(host_of(context)) as desk:
        desk.enroll(key, line, name)
    say(f'{name} is enrolled: {key.fingerprint}; `touch = "live"` under [confirm] in the settings asks for its touch')


@commands.command()
def remove(
    context: typer.Context, which: Annotated[str, typer.Argument(metavar="KEY", help="Its label or its fingerprint.")]
) -> None:
    """Remove a security key, by the touch of an enrolled one. While none is left, nothing opens that needs a touch.

    Example: keyturn touch remove desk
    """
    with _desk(host_of(context)) as desk:
        key = desk.remove(which)
    say(f"{key.label} is removed: {key.fingerprint}")


def _read(file: Path) -> tuple[PublicKey, str]:
    """Return the key of a public key file. Raises `OperatorError`."""
    from core.model.touch import LONGEST_LINE, TouchFormError, read_key

    try:
        with file.open("rb") as opened:
            line = opened.read(LONGEST_LINE).decode("utf-8", "replace").strip()
        return read_key(line), line
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}; name the .pub file of a security key") from None
    except TouchFormError as error:
        raise OperatorError(f"{file}: {error}; `ssh-keygen -t ed25519-sk` makes one") from None


@contextmanager
def _desk(host: Host) -> Iterator[TouchKeyDesk]:
    """Attach to the running engine, and detach again. Raises `OperatorError`."""
    from importlib.metadata import version

    from console.client.access import a_seat
    from console.client.remote import RemoteEngine
    from console.client.touch_keys import TouchKeyDesk
    from console.commands.assembly.attach import EngineNearby
    from state.host_info import release
    from state.running_engine import holder, last_account

    folder = last_account(host.home)
    if folder is None or holder(folder) is None:
        raise OperatorError(f"no engine runs; `{host.program} engine start` or `{host.program} demo` starts one")
    nearby = EngineNearby(host, may_start=False)
    handle = RemoteEngine(lambda _role: nearby.connect(), a_seat(), release(version("keyturn")))
    desk = TouchKeyDesk(handle, say)
    handle.start()
    try:
        yield desk
    finally:
        handle.leave("done", on_purpose=True)
        handle.close("done", LEAVES_WITHIN)
