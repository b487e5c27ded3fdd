"""Whatever arrives, the desk stays, and no broken sequence turns into commands."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

Open = Callable[[str], Any]

SEED = 20261120
STRINGS = 600
ENDS_TEXTUAL = b"\x1b[107;5:2u"
"""Raises in the parser of Textual 8.2.8: the app ends with status 0."""

BROKEN = [
    b"\x1b[106:;;B:B:u",
    b"\x1b[99999999999999999999u",
    b"\x1b[1;2;1114112u",
    b"\x1b[;:;u",
    b"\x1b[?1;FBSu",
    b"\x1b[" + b"1;" * 40 + b"B",
    b"\x1b[<1;2;3x",
    b"\x1b[MBSC",
    b"\x1b]11;rgb:BBBB/SSSS/CCCC\x07",
    b"\x1bPBSCFx\x1b\\",
    b"\x1b[0n",
    b"\xff\xfe\xc3",
]


def garbage(chance: random.Random) -> bytes:
    digits = "".join(chance.choice("0123456789;:?<>=$ ") for _ in range(chance.randrange(40)))
    kind = chance.randrange(5)
    if kind == 0:
        return f"\x1b[{digits}{chance.choice('uu~ABCDRMmtnyIO')}".encode()
    if kind == 1:
        return f"\x1b[{chance.randrange(10**7)};{chance.randrange(300)}:{chance.randrange(9)}u".encode()
    if kind == 2:
        return b"\x1b" + bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40)))
    if kind == 3:
        return f"\x1b{chance.choice('[O]P_^X')}{digits}".encode()
    return bytes(chance.randrange(256) for _ in range(chance.randrange(1, 60)))


def test_random_bytes_do_not_end_the_desk(terminal: Open, measured: Callable[[str, str], None]) -> None:
    """OP-07: the desk and its kill key outlive any input"""
    chance = random.Random(SEED)
    desk = terminal("idle")

    desk.type(ENDS_TEXTUAL)
    for number in range(STRINGS):
        desk.type(garbage(chance))
        if number % 20 == 0:
            desk.read_for(0.02)
    desk.type(b"\x1b\\", b"\x1b[201~")
    desk.read_for(0.3)
    known = len(desk.facts("kill"))
    pressed_at = desk.type(b"\x0b")
    desk.until(lambda: len(desk.facts("kill")) > known)
    desk.read_for(5.2)  # the silence that ends whatever paste a random string may have begun
    desk.type(b"j")
    desk.until(lambda: desk.keys_read()[-1] == "j")

    assert desk.is_alive()
    measured("chord after the garbage", f"{(desk.facts('kill')[known].at - pressed_at) * 1000:.2f} ms")
    desk.read_for(0.6)
    dropped = desk.facts("loop")[-1].rest.split()[3]
    measured(f"sequences dropped of {STRINGS} random strings (seed {SEED})", dropped)


def test_a_broken_sequence_types_no_letters(terminal: Open) -> None:
    """OP-04: B, S, F and x are commands"""
    desk = terminal("idle")

    for broken in BROKEN:
        desk.type(broken)
        desk.read_for(0.02)
    desk.read_for(5.2)
    desk.type(b"j")
    desk.until(lambda: "j" in desk.keys_read())

    assert desk.keys_read() == ["j"]


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"\x1b", ["escape"]),
        (b"\x1bx", ["escape"]),
        (b"\x1b[A\x1bOB\x1b[3~", ["up", "down", "delete"]),
        (b"\x1b[[A\x1b[7$", ["f1", "shift+home"]),
        ("é€".encode(), ["é", "euro_sign"]),
        (b"\x1b[106;1;106u", ["j"]),
    ],
)
def test_what_textual_reads_still_reads_the_same(typed: bytes, keys: list[str]) -> None:
    from textual import events

    from console.terminal.input_reader import GuardedParser
    from console.terminal.scanner import EscapeKey, Scanner, Sequence, Typed

    scanner, parser, read = Scanner(), GuardedParser(), []
    for token in [*scanner.feed(typed, 1.0), *scanner.tick(1.2)]:
        match token:
            case Typed(text) | Sequence(text):
                read += [event.key for event in parser.messages(text) if isinstance(event, events.Key)]
            case EscapeKey():
                read.append("escape")

    assert read == keys
