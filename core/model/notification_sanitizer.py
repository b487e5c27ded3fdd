"""Sanitise external text for phones: no links, calls, commands or order ids (SY-03, SY-06).

A broker's text may contain anything, and a phone makes addresses and numbers tappable. Actionable parts are removed;
prices, times, dates, quantities and symbols stay.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from ipaddress import ip_address

from core.model.text_sanitizer import HARMFUL

LONGEST = 300
"""Characters of one notice."""
MOST_READ = 1_000
"""Characters of the input that are read."""
NO_LINK, NO_NAME, NO_NUMBER = "(link removed)", "(name removed)", "(number removed)"

_ACTING = "mailto|tel|telprompt|callto|sms|smsto|mms|mmsto|sips?|facetime|facetime-audio|javascript|vbscript|data"
_LINK = re.compile(
    rf"(?i)(?<!\w)(?:(?:{_ACTING}):\S+|[a-z][a-z0-9+.-]*:(?![\d.,%+-]+[)\]]?(?!\S))/*(?=\S*[/@.?&=])\S+|www\.\S+)"
)
"""A scheme that a phone acts on, and any scheme before something like an address; `qty:1.5` is none."""
_SCHEME = re.compile(r"(?i)(?<!\w)([a-z][a-z0-9+.-]*):(?=\S)")
"""Remaining `word:word`. A blank after the colon prevents a link."""
_DOT = re.compile(r"(?<=\w)[.\u3002](?=[^\W\d_]{2})")
_MENTION = re.compile(r"(?<!\w)[/@#]+(?=\w)")
_ORDER = re.compile(
    r"(?i)(?<![0-9a-z])(?=[0-9a-f-]*\d)(?:[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-z])"
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)(?::\d+)?(?:/\S*)?")
_IPV6 = re.compile(
    r"(?i)(?<![\w:.])\[?([0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*[0-9a-f:])(?:%\w+)?(?:\](?::\d+)?)?(?:/\S*)?(?!\w)"
)

_DATE = r"(?:\d{4}-\d\d-\d\d|\d\d?-\d\d?-\d{4})(?!\d)"
_PHONE = re.compile(
    rf"""(?<![\w.,$])(?<!\d:)(?:
      \+\s?(?!\d+\.\d\d?(?![\d.]|[ -]?\d{{5}}))(?:\(?(?!{_DATE})\d[()\s./-]{{0,3}}){{6,14}}\d   # +1 555 123 4567
    | 0\d{{1,4}}[ /-]\d{{4,10}}(?:[ -]\d{{3,5}})*                                               # 030/1234567
    | \d{{3}}[ .]?\d{{3}}-\d{{4}} | \d{{3}}-\d{{4}}                                            # 555-1234
    | [2-9]\d{{9}} | 0\d{{6,14}} | \d{{11,15}}                                                  # 5551234567
    | 1-\d{{3}}-[A-Z\d][A-Z\d-]{{5,}}                                                          # 1-800-FLOWERS
    | \*[\d*\#]+\#                                                                             # *100#
    | (?P<grouped>
        \(\d{{2,5}}\)[ .-]?\d{{3,9}}(?:[ .-]?\d{{2,5}})*                                       # (555) 123-4567
      | (?:1[ .-])?\d{{2,5}}([.-])\d{{2,5}}(?:\2\d{{2,5}})+                                    # 555.123.4567
      | (?!{_DATE})\d{{1,5}}(?:[ ](?!{_DATE})\d{{2,5}}(?:-\d{{2,5}})*){{2,}}                   # 555 123 4567
      )
    )(?![\w:%]|[.,]\d)""",
    re.VERBOSE,
)
"""Forms of phone numbers; not +1234.50, nor a date."""
FEWEST = 9
"""Digits of a number in groups; fewer may be a date."""


def harmless(text: str) -> str:
    """Return one line without control characters and without parts that a phone would make a link, a
    command or a call.
    """
    read = unicodedata.normalize("NFKC", text[:MOST_READ])
    words = "".join(" " if unicodedata.category(c) in HARMFUL else c for c in read)
    for pattern, put in _STEPS * TIMES:
        words = pattern.sub(put, words)
    line = " ".join(words.replace("<", "‹").replace(">", "›").split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _without_address(found: re.Match[str]) -> str:
    """Keep a time of day, which has colons too."""
    with suppress(ValueError):
        ip_address(found[1])
        return NO_LINK
    return found[0]


def _without_number(found: re.Match[str]) -> str:
    grouped = found["grouped"]
    is_date = grouped is not None and sum(map(str.isdigit, grouped)) < FEWEST
    return found[0] if is_date else NO_NUMBER


_STEPS = (
    (_LINK, NO_LINK),
    (_ORDER, NO_NAME),
    (_MENTION, ""),
    (_IPV4, NO_LINK),
    (_IPV6, _without_address),
    (_DOT, " "),
    (_SCHEME, r"\1: "),
    (_PHONE, _without_number),
)
TIMES = 3
"""A removal may join two halves into a new match; after this many passes nothing is left to remove."""
