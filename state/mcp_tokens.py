"""The token of an agent's server over HTTP, kept over a restart in a file for the owner alone (SY-11)."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import NamedTuple

from core.files.regular_file import OddFileError, TooLargeError, bytes_of
from core.ports import OperatorError
from state.files import FILE_MODE, make_folder, mend_permissions, replace_file

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
RANDOM_BYTES = 32


class Token(NamedTuple):
    """A token; `is_new` if it was made now."""

    text: str
    is_new: bool


def kept_token(path: Path) -> Token:
    """Return the token of this file. Make one if there is none, or if others could read it. Raises `OperatorError`."""
    try:
        make_folder(path.parent)
        if path.exists() and mend_permissions(path, FILE_MODE) is None:
            found = bytes_of(path).decode(errors="replace").strip()
            if TOKEN.fullmatch(found):
                return Token(found, is_new=False)
        made = secrets.token_urlsafe(RANDOM_BYTES)
        replace_file(path, f"{made}\n".encode())
    except (OSError, OddFileError, TooLargeError) as error:
        raise OperatorError(f"the token cannot be kept in {path}: {error}; set KEYTURN_MCP_TOKEN") from None
    return Token(made, is_new=True)
