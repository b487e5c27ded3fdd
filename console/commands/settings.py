"""`keyturn settings`: print an example file, and every key with its default and its looser direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.shared import AsJson, say, tell
from core.ports import OperatorError

if TYPE_CHECKING:
    from pydantic import BaseModel

commands = typer.Typer(
    help="Print an example of the settings file, or every key.", no_args_is_help=True, rich_markup_mode=None
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the settings: its default, its looser direction and its meaning."""

    name: str
    default: str
    looser: str
    meaning: str


@commands.callback()
def settings() -> None:
    """The settings: an example of the file, and every key."""


@commands.command()
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
        say(text.rstrip("\n"))
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OperatorError(f"{output} exists already; name another file") from None
    except OSError as error:
        raise OperatorError(f"{output}: {error.strerror}; name another place") from None
    say(f"{output}: written, profile {profile}")


@commands.command()
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
    from core.settings.directions import direction_of
    from core.settings.settings import PROFILES, Settings
    from state.settings_file import written

    terms = Settings.model_validate(PROFILES["micro"])
    for path, value in leaves(terms):
        meaning = meaning_of(terms, path)
        yield Key(".".join(path), written(value), direction_of(path).value, meaning)


def meaning_of(table: BaseModel, path: tuple[str, ...]) -> str:
    """Return the description of a key; without one, that of its table."""
    for part in path[:-1]:
        table = getattr(table, part)
    description = type(table).model_fields[path[-1]].description
    return description or (type(table).__doc__ or "").partition("\n")[0]
