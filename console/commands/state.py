"""The commands `keyturn state` and `keyturn settings` (SP-04)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from console.commands.assembly.host import Host
from console.commands.shared import Account, AsJson, counted, host_of, print_json, say, tell
from core.model.lazy_dataclass import dataclass
from core.model.text_sanitizer import harmless
from core.ports import Checkpoint, OperatorError
from state.accounts import account_of, whole_account
from state.running_engine import last_account

if TYPE_CHECKING:
    from pydantic import BaseModel

    from state.restoring import ResetPlan, RestorePlan


RESTORE = "RESTORE"
RESET = "RESET"
"""Must be typed in full."""
AT_THE_BROKER = "the broker's books are as they are: the next start compares, and trades only once both agree"
KEPT = "an archive of what is here is written first"
TIMEOUT_SECONDS = 1.0
"""A faster operation shows no progress bar."""
UNDONE = 1
"""The exit code if the word was not typed."""

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for the word, for scripts.")]

commands = typer.Typer(
    help="Show, back up, restore and reset the state folder.", no_args_is_help=True, rich_markup_mode=None
)


@commands.command()
def show(context: typer.Context, account: Account = None) -> None:
    """Print the state documents as JSON.

    Example: keyturn state show
    """
    print_json(documents_of(host_of(context), account))


@commands.command()
def backup(
    context: typer.Context,
    target: Annotated[Path | None, typer.Argument(help="A file or folder; default: the current folder.")] = None,
    account: Account = None,
) -> None:
    """Write journal, documents and the exchange's log into one archive, also while an engine runs.

    Example: keyturn state backup /var/backups
    """
    from state.folder_swap import backup as write_backup

    say(str(write_backup(account_of(host_of(context).home, account), target or Path.cwd())))


@commands.command()
def restore(
    context: typer.Context,
    archive: Annotated[Path, typer.Argument(help="An archive written by `keyturn state backup`.")],
    account: Account = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Replace journal, documents and exchange log by those of an archive; the current ones are archived first.

    It asks for a typed word; exit code 1 if it was not typed. No engine may run. A kill persists, from here or from the
    archive, and so do the security keys enrolled here. The broker's books are not touched: the next start compares with
    them.

    Example: keyturn state restore keyturn-demo-1204.tar.gz
    """
    done = _restored(
        host_of(context), account, archive, lambda plan: yes or _agrees(_loss(plan), RESTORE), ProgressBar()
    )
    if done is None:
        _leave_undone()
    if as_json:
        print_json(done)
        return
    _say_notes(done)
    kept = f"; what was there is in {done['backup']}" if done["backup"] else ""
    records = counted(done["records"], "record")
    say(f"{done['account']}: restored {records} from {done['archive']}, {done['lost']} lost{kept}")
    if done["has_exchange"]:
        say("the simulated exchange is as it was then; the next start goes on from there")
    else:
        say(AT_THE_BROKER)
    _say_kill(done)


@commands.command()
def reset(context: typer.Context, account: Account = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Clear the state of an account and start a new journal; the old state is archived first.

    It asks for a typed word; exit code 1 if it was not typed. No engine may run. A kill and enrolled security keys
    persist. The books at the broker, real or simulated, are not touched: the next start compares with them.

    Example: keyturn state reset --account demo
    """
    done = _reset(host_of(context), account, lambda plan: yes or _agrees(_forgetting(plan), RESET))
    if done is None:
        _leave_undone()
    if as_json:
        print_json(done)
        return
    _say_notes(done)
    records = counted(done["present"], "record")
    say(f"{done['account']}: reset, {records} forgotten; what was there is in {done['backup']}")
    say(AT_THE_BROKER)
    _say_kill(done)


def _loss(plan: RestorePlan) -> tuple[str, ...]:
    until = f"the last of {plan.ends_at:%Y-%m-%d %H:%M:%S} UTC"
    comes = f"{plan.account}: {plan.archive} holds {counted(plan.records, 'record')}, {until}"
    if not plan.present:
        return (comes, "no record is here that it would replace")
    verb = "is" if plan.present == 1 else "are"
    return (comes, f"{counted(plan.present, 'record')} {verb} here, and {plan.lost} of them would be lost", KEPT)


def _forgetting(plan: ResetPlan) -> tuple[str, ...]:
    lost = "proposals, orders, trades, and what counts against the limits of a day"
    return (f"{plan.account}: {counted(plan.present, 'record')} would be forgotten: {lost}", KEPT)


def _agrees(words: Sequence[str], word: str) -> bool:
    """Ask on standard error, so that standard output has only the result; a word from a pipe counts too."""
    for line in words:
        sys.stderr.write(f"{harmless(line)}\n")
    sys.stderr.write(f"type {word} to do it: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == word


class ProgressBar:
    """Progress of an archive's verification: only on a terminal, only if slow, and removed at the end."""

    def __init__(self) -> None:
        self._appears_at = time.monotonic() + TIMEOUT_SECONDS if sys.stderr.isatty() else None
        self._shown = 0

    def __call__(self, part: float) -> None:
        percent = int(part * 100)
        if self._appears_at is None or percent == self._shown or time.monotonic() < self._appears_at:
            return
        self._shown = percent
        line = "" if part >= 1 else f"proving the archive {'━' * (percent // 4):<25} {percent:>3} %"
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()


def _leave_undone() -> NoReturn:
    sys.stderr.write("keyturn: the word was not typed, nothing was changed; --yes asks nothing\n")
    raise typer.Exit(UNDONE)


def _say_notes(done: dict[str, object]) -> None:
    notes = done["notes"]
    for note in notes if isinstance(notes, tuple) else ():
        say(note)


def _say_kill(done: dict[str, object]) -> None:
    if done["killed_by"]:
        say(f"killed by {done['killed_by']} as before; type REARM at the desk to trade again")


def documents_of(host: Host, account: str | None) -> dict[str, object]:
    """Return the state documents, with their last record. Raises `OperatorError`."""
    from core.trading_state.checkpoint import in_full
    from state.documents import TinyDocuments

    found = TinyDocuments(whole_account(host.home, account)).load()
    if isinstance(found, Checkpoint):
        return {"sequence": found.sequence, **in_full(found.documents)}
    raise OperatorError(f"{found.reason}; the next start writes them again from the journal")


def _restored(
    host: Host,
    account: str | None,
    archive: Path,
    agree: Callable[[RestorePlan], bool],
    watch: Callable[[float], None],
) -> dict[str, object] | None:
    """Restore an archive's journal and documents; None if the operator did not agree."""
    from state.folder_swap import look
    from state.restoring import restore

    contents = look(archive)
    # The archive's account, which must be the named one, the last one, or a new one.
    made_of = contents.account
    last = last_account(host.home)
    expected = account or (last.name if last else made_of)
    if expected != made_of:
        raise OperatorError(f"{archive.name} is of account {made_of!r}, not {expected!r}; add --account {made_of}")
    folder = host.home.account(made_of)
    done = restore(folder, archive, contents, datetime.now(UTC), agree, watch)
    if done is None:
        return None
    return {**asdict(done.plan), "backup": str(done.backup) if done.backup else None, "notes": done.notes}


def _reset(host: Host, account: str | None, agree: Callable[[ResetPlan], bool]) -> dict[str, object] | None:
    """Reset an account; None if the operator did not agree."""
    from state.restoring import reset

    done = reset(account_of(host.home, account), datetime.now(UTC), agree)
    if done is None:
        return None
    return {**asdict(done.plan), "backup": str(done.backup), "notes": done.notes}


settings_commands = typer.Typer(
    help="Print an example of the settings file, or every key.", no_args_is_help=True, rich_markup_mode=None
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the settings: its default, its looser direction and its meaning."""

    name: str
    default: str
    looser: str
    meaning: str


@settings_commands.callback()
def settings() -> None:
    """The settings: an example of the file, and every key."""


@settings_commands.command()
def example(
    profile: Annotated[str, typer.Option("--profile", help="micro, swing or freqtrade.")] = "micro",
    output: Annotated[Path | None, typer.Option("--output", help="Write to this new file.")] = None,
) -> None:
    """Print a settings.toml with every key, its meaning and the profile's value.

    Example: keyturn settings example --profile swing --output settings.toml
    """
    from core.settings.settings import PROFILES
    from state.settings_file import example_settings

    if profile not in PROFILES:
        raise OperatorError(f"--profile {profile}: there is none; one of {', '.join(PROFILES)}")
    text = example_settings(profile)
    if output is None:
        for line in text.splitlines():
            say(line)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OperatorError(f"{output} exists already; name another file") from None
    except OSError as error:
        raise OperatorError(f"{output}: {error.strerror}; name another place") from None
    say(f"{output}: written, profile {profile}")


@settings_commands.command()
def keys(is_json: AsJson = False) -> None:
    """Print every key with its default, its looser direction and its meaning.

    Example: keyturn settings keys
    """
    found = list(every_key())
    tell(
        is_json,
        lambda: {each.name: {"default": each.default, "looser": each.looser, "is": each.meaning} for each in found},
        (f"{each.name} = {each.default}  ({each.looser})  {each.meaning}" for each in found),
    )


def every_key() -> Iterator[Key]:
    """Yield every key, with the default of the micro profile."""
    from core.settings.changes import leaves
    from core.settings.directions import looser_of
    from core.settings.settings import PROFILES, Settings
    from state.settings_file import written

    terms = Settings.model_validate(PROFILES["micro"])
    for path, value in leaves(terms):
        meaning = meaning_of(terms, path)
        yield Key(".".join(path), written(value), looser_of(path).direction.value, meaning)


def meaning_of(table: BaseModel, path: tuple[str, ...]) -> str:
    """Return the description of a key; without one, that of its table."""
    for part in path[:-1]:
        table = getattr(table, part)
    description = type(table).model_fields[path[-1]].description
    return description or (type(table).__doc__ or "").partition("\n")[0]
