"""Every way in which bytes become a letter that confirms, other than by its key: the table of OP-04.

Each way is what a terminal, a multiplexer, a link or a hand sends in one go for something that is not the plain key; it
holds the letter, or ends with it, or is cut so that the rest begins with it. Whole, cut anywhere and joined with
neighbours, none of them may act as the letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LETTERS = "BSHCRPOKFD"
"""Buy, sell, short, cover, replace, sign, go on, kill, flatten, do it."""

MODIFIERS = tuple(bits + 1 for bits in (2, 3, 4, 5, 6, 8, 16, 32, 34, 66, 130, 195))
"""Alt, Ctrl, Super, Hyper, Meta, some of them together, with Shift and with the locks: all that is more than Shift."""

RAW_C1 = (*range(0x84, 0x86), 0x88, *range(0x8D, 0x92), *range(0x96, 0xA0))
LEADS = (0x80, 0x83, 0xA4, 0xC2, 0xC3, 0xCB, 0xE2, 0xED, 0xF0, 0xF4, 0xFE, 0xFF)
"""Bytes that begin or go on with a character of UTF-8, or of another encoding whose second byte may be a letter."""


@dataclass(frozen=True, slots=True)
class Way:
    """Attributes: `kind`, what it is; `data`, its bytes."""

    kind: str
    data: bytes

    def __str__(self) -> str:
        return f"{self.kind}: {self.data!r}"


def ways(letter: str) -> Iterator[Way]:
    """All of them, for a letter that confirms."""
    for kind, texts in _texts(letter).items():
        for text in texts:
            yield Way(kind, text.encode())
    for kind, datas in _bytes(letter.encode()).items():
        for data in datas:
            yield Way(kind, data)


def _texts(x: str) -> dict[str, list[str]]:
    code, small, esc = ord(x), ord(x.lower()), "\x1b"
    control = [f"{esc}[{x}", f"{esc}[?1{x}", f"{esc}[>0{x}", f"{esc}[10;20{x}", f"{esc}[ {x}", f"{esc}[1$ {x}"]
    return {
        "Alt, or Esc and the letter": [f"{esc}{x}", f"{esc}{x.lower()}", f"{esc}{esc}{x}"],
        "CSI": [*control, *(f"{esc}[1;{number}{x}" for number in range(2, 17))],
        "CSI with a code before an arrow": [f"{esc}[{code};1{x}", f"{esc}[1;2;{code}{x}", f"{esc}[{code}{x}"],
        "Alt and an arrow, as rxvt sends it": [f"{esc}{esc}[{x}", f"{esc}{esc}O{x}"],
        "SS3, SS2, VT52": [f"{esc}O{x}", f"{esc}O2{x}", f"{esc}N{x}", f"{esc}?{x}"],
        "intermediates": [f"{esc}{sign}{x}" for sign in " !\"#$%&'()*+,-./"] + [f"{esc}#({x}"],
        "kitty": [
            *(f"{esc}[{number};{held}u" for held in MODIFIERS for number in (code, small)),
            *(f"{esc}[{small}:{code};{held}u" for held in MODIFIERS),
            *(f"{esc}[{small};{held};{code}u" for held in MODIFIERS),
            *(f"{esc}[{small};{held}:{event}u" for held in MODIFIERS[:4] for event in (1, 2, 3)),
            f"{esc}[{small};2:3;{code}u",
            *(f"{esc}[{number};{held}:2u" for number, held in ((small, 2), (code, 1), (small, 65), (small, 66))),
            f"{esc}[{small};2:2;{code}u",
        ],
        "modifyOtherKeys": [f"{esc}[27;{held};{number}~" for held in MODIFIERS for number in (code, small)],
        "a function key with a code": [f"{esc}[{code}~", f"{esc}[1;1;{code}~", f"{esc}[3;4;{code}~"],
        "OSC": [
            f"{esc}]0;{x}\x07",
            f"{esc}]0;{x}{esc}\\",
            f"{esc}]11;rgb:{x}{x}/CC/DD\x07",
            f"{esc}]52;c;Q{x}{esc}\\",
            f"{esc}]{x}",
            f"{esc}]4;1;{x}",
        ],
        "DCS": [
            f"{esc}P>|XTerm({x}){esc}\\",
            f"{esc}P1$r0{x}q{esc}\\",
            f"{esc}P!|{x}0000000{esc}\\",
            f"{esc}P1+r{x}4=1{esc}\\",
            f"{esc}P{x}",
            f"{esc}P0;{x}",
        ],
        "SOS, PM, APC": [
            *(f"{esc}{begins}{x}{ends}" for begins in "X^_" for ends in (f"{esc}\\", "\x07", "")),
            f"{esc}_G{x};OK{esc}\\",
        ],
        "mouse": [
            f"{esc}[M{x}{x}{x}",
            f"{esc}[M !{x}",
            f"{esc}[M{x}",
            *(f"{esc}[<{button};10;20{ends}" for button in (0, 35, 64) for ends in "Mm"),
            f"{esc}[<0;10;{x}",
            f"{esc}[<0;10;20{x}",
            f"{esc}[32;10;20M",
            f"{esc}[t{x}{x}",
            f"{esc}[T{x}{x}{x}{x}{x}{x}",
        ],
        "focus": [f"{esc}[I", f"{esc}[O"],
        "paste": [f"{esc}[200~{x}{esc}[201~", f"{esc}[200~{x}", f"{esc}[200~{x}{x}\r{esc}[201~", f"{esc}[200{x}"],
        "answers": [
            f"{esc}[?62;22c",
            f"{esc}[>1;10;0c",
            f"{esc}[0n",
            f"{esc}[12;40R",
            f"{esc}[?12;40;1R",
            f"{esc}[?2026;2$y",
            f"{esc}[?1u",
            f"{esc}[8;24;80t",
            f"{esc}[48;24;80;480;800t",
            f"{esc}[?{x}",
            f"{esc}[12;{x}",
        ],
        "C1 in UTF-8": [f"{chr(number)}{x}" for number in range(0x80, 0xA0)] + [f"\x9b1;4{x}", f"\x9d0;{x}\x07"],
        "an arrow without its escape": [f"[{x}", f"[1;5{x}"],
    }


def _bytes(x: bytes) -> dict[str, list[bytes]]:
    return {
        "C1, raw": [bytes((number,)) + x for number in RAW_C1] + [b"\x9b1;4" + x, b"\x90" + x + b"\x9c"],
        "Alt as the eighth bit": [bytes((x[0] | 0x80,)), bytes((x[0] | 0x80,)) + x],
        "a character cut, or of another encoding": [bytes((lead,)) + x for lead in LEADS] + [b"\xe2\x82" + x],
        "Alt and a character beyond ASCII": [b"\x1b\xc3" + x, b"\x1b\xff" + x, b"\x1b\x90" + x],
    }


BEGINNINGS = (
    *(f"\x1b{begins}".encode() for begins in "[OP]X^_N?#( !%+-./"),
    *(chr(number).encode() for number in range(0x80, 0xA0)),
    *(bytes((number,)) for number in (*RAW_C1, *LEADS)),
    b"\x1b[1;",
    b"\x1b[M",
    b"\x1b[M !",
    b"\x1b[<",
    b"\x1b[<0;10;",
    b"\x1b[<35;1",
    b"\x1b[32;10;",
    b"\x1b[27;4;6",
    b"\x1b[66;4",
    b"\x1b[200",
    b"\x1b[?62;2",
    b"\x1b]11;rgb:",
    b"\x1bP>|XTerm(",
    b"\x1b_G",
)
"""What begins something, and is not ended; a letter that comes behind it, however alone, may be its end."""
