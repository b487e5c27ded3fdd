"""Remove secrets from logged text (SY-06): the adapters' keys by value, and others by the name of their field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import SecretStr

from core.io.redaction import HIDDEN, Redaction

NAMES = (
    r"secret|token|authori[sz]ation|passw(?:or)?d|passphrase|credential|cookie|private[-_ ]?key|api[-_ ]?key|key[-_]?id"
)
SECRET_NAME = re.compile(rf"(?i)(?:{NAMES}|^key$|^auth$)")
"""Names of fields or environment variables with secret values."""
DEEPEST = 6
"""The maximum nesting depth; deeper values are converted to text."""

# Every repetition is bounded, or ends where the next could begin, so that the cost is linear in untrusted text.
_NAMED = re.compile(
    rf"""(?ix)
    (?P<name> (?-x:{NAMES}) [\w-]{{0,40}} ['"]? \s{{0,3}} [:=] \s{{0,3}}
        | \b key ['"]? \s{{0,3}} = \s{{0,3}} )
    (?: SecretStr \( )?
    (?P<value> (?: (?:bearer|basic) \s{{1,3}} )? (?: "[^"]*" | '[^']*' | [^\s,;&)\]}}'"]+ ) )
    """
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s{1,3}[A-Za-z0-9._~+/=-]{8,}")
_OF_A_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")


class Hiding:
    """Replaces secrets in texts and in containers of texts.

    Parameters
    ----------
    secrets
        The secrets given to adapters.
    environ
        Values of variables with a secret's name are hidden too.
    """

    def __init__(self, secrets: Iterable[SecretStr] = (), environ: Mapping[str, str] | None = None) -> None:
        named = [SecretStr(value) for name, value in (environ or {}).items() if SECRET_NAME.search(name)]
        self._values = Redaction(*secrets, *named)

    def text(self, text: str) -> str:
        text = _NAMED.sub(lambda found: f"{found['name']}{HIDDEN}", self._values(text))
        return _OF_A_URL.sub(HIDDEN, _BEARER.sub(rf"\1 {HIDDEN}", text))

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """Return the value with every secret hidden, as plain data; other types are converted to text."""
        match value:
            case None | bool() | int() | float():
                return value
            case SecretStr():
                return HIDDEN
            case str():
                return self.text(value)
            case Mapping() if depth < DEEPEST:
                return {
                    self.text(str(name)): HIDDEN if SECRET_NAME.search(str(name)) else self(inner, depth + 1)
                    for name, inner in value.items()
                }
            case list() | tuple() | set() | frozenset() if depth < DEEPEST:
                return [self(inner, depth + 1) for inner in value]
        return self.text(str(value))
