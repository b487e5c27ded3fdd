"""Read a TOML file of the operator, or refuse it in one line that names it."""

from __future__ import annotations

from pathlib import Path

from core.files.regular_file import OddFileError, TooLargeError, bytes_of
from core.ports import OperatorError
from state.toml_text import LARGEST, TomlError, toml_of


def tables_of(path: Path, what: str, error: type[OperatorError]) -> dict[str, object]:
    """Return the tables of the file, empty without a file; `what` is its subject in messages. Raises `error`."""
    try:
        return toml_of(bytes_of(path, LARGEST).decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OddFileError, TooLargeError) as odd:
        raise error(f"{path}: {odd.strerror}") from None
    except IsADirectoryError:
        raise error(f"{path} is a folder; move it away, and write the {what} into a file") from None
    except OSError as failed:
        raise error(f"{path} cannot be read: {failed.strerror}; check its permissions") from failed
    except UnicodeDecodeError as odd:
        raise error(f"{path.name}: byte {odd.start} is no UTF-8 text; save the file as UTF-8") from None
    except TomlError as odd:
        raise error(f"{path.name}: {odd}") from None
