"""Which bytes are a key, which are Esc, which reach the kill port, and what is in doubt; the clock is an argument."""

from __future__ import annotations

import random

import pytest
from textual import events
from textual.message import Message

from console.arming import CUT_FOR, REDUCES_AFTER, Keyboard
from console.terminal.input_reader import AnotherScript, Dropped, GuardedParser, Reader
from console.terminal.keys import PlacedKey, asks_with_places
from console.terminal.scanner import AmbiguousBytes, ChordByte, EscapeKey, Scanner, Sequence, Typed
from tests.kit.key_sequences import LETTERS
from tests.unit.console.armed_screen import ArmedScreen

CHORDS = {
    "one byte": b"\x0b", "F10": b"\x1b[21~", "F10 with num lock, kitty": b"\x1b[21;129~", "kitty": b"\x1b[107;5u",
    "kitty with caps lock": b"\x1b[107;69u", "kitty with an event type": b"\x1b[107;5:1u",
    "xterm's modifyOtherKeys": b"\x1b[27;5;107~", "one byte after an unfinished sequence": b"\x1b[1;\x0b",
    "Alt held too": b"\x1b\x0b",
}  # fmt: skip
STRINGS = 600
ENDS_TEXTUAL = b"\x1b[107;5:2u"
"""Raises in the parser of Textual 8.2.8."""
BROKEN = (
    b"\x1b[106:;;B:B:u", b"\x1b[99999999999999999999u", b"\x1b[1;2;1114112u", b"\x1b[;:;u", b"\x1b[?1;FBSu",
    b"\x1b[" + b"1;" * 40 + b"B", b"\x1b[<1;2;3x", b"\x1b[MBSC", b"\x1b]11;rgb:BBBB/SSSS/CCCC\x07",
    b"\x1bPBSCFx\x1b\\", b"\x1b[0n", b"\xff\xfe\xc3",
)  # fmt: skip


class Typist:
    """Bytes at instants; the keys that came of them, and what was dropped."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.pastes: list[str] = []
        self.dropped: list[str] = []
        self.kills: list[str] = []
        self.scripts: list[bool] = []
        self.letters: list[str] = []
        """What a key of another script types in its layout."""
        self.reader = Reader(self, self._hear, lambda: None)

    def types(self, *parts: tuple[float, bytes]) -> list[str]:
        """Each at its instant, with a look in between at what a silence says."""
        for at, data in parts:
            self.reader.tick(at - 0.001)
            self.reader.feed(data, at)
        self.reader.tick(parts[-1][0] + 1.1)
        return self.keys

    @property
    def doubt(self) -> AmbiguousBytes | None:
        return self.reader._scanner.doubt

    def doubt_left(self, now: float) -> float:
        return self.reader._scanner.doubt_left(now)

    def _hear(self, message: Message) -> None:
        if isinstance(message, events.Key):
            self.keys.append(message.character or message.key)
            if isinstance(message, PlacedKey):
                self.letters.append(message.letter)
        elif isinstance(message, events.Paste):
            self.pastes.append(message.text)
        elif isinstance(message, AnotherScript):
            self.scripts.append(message.is_on)
        elif isinstance(message, Dropped) and message.words is not None:
            self.dropped.append(message.words)

    def press_kill(self) -> None:
        self.kills.append("chord")

    def press_kill_again(self) -> None:
        self.kills.append("K")

    def is_kill_open(self) -> bool:
        return bool(self.kills)


# ── keys and doubt


def acted_of_100(letter: str) -> int:
    """With Shift in a long form too, and with the terminal's answers around it."""
    code, small = ord(letter), ord(letter.lower())
    forms = [letter.encode(), b"\x1b[%d;2u" % small, b"\x1b[%d;2;%du" % (small, code), b"\x1b[27;2;%d~" % code]
    acted = 0
    for number in range(100):
        screen = ArmedScreen(letter)
        screen.receive(b"\x1b[0n")
        screen.wait(0.3 + number / 100)
        acted += screen.comes((forms[number % len(forms)], b"\x1b[0n"), (number / 200,))

    return acted


def test_the_plain_key_acts_in_100_of_100_tries() -> None:
    """OP-04"""
    assert {letter: acted_of_100(letter) for letter in LETTERS} == dict.fromkeys(LETTERS, 100)


def test_esc_and_a_letter_joined_are_esc() -> None:
    """OP-04: in one read, or within the time in which a terminal sends Alt"""
    assert Typist().types((1.0, b"\x1bB")) == ["\x1b"]
    assert Typist().types((1.0, b"\x1b"), (1.08, b"S")) == ["\x1b"]


def test_letters_and_keys_of_one_read_keep_their_order() -> None:
    """OP-04: a burst of a slow link; text before the chord was typed before it"""
    hand = Typist()
    assert hand.types((1.0, b"ab\x1b[Ac\x1b[3~d")) == ["a", "b", "up", "c", "delete", "d"]

    tokens = Scanner().feed(b"ab\x0bc", 1.0)
    assert tokens == [Typed("ab"), ChordByte(), Typed("c")]


def test_only_a_look_that_found_nothing_tells_a_silence() -> None:
    """OP-04: read half a second late by a process that had no turn, they may have come together"""
    hand = Typist()
    for at, data in ((1.0, b"\x1b"), (1.5, b"F")):
        hand.reader.feed(data, at)
    assert hand.keys == ["\x1b"]

    hand.reader.feed(b"F", 8.0)
    assert hand.keys == ["\x1b"]
    assert hand.types((14.0, b"F")) == ["\x1b", "F"]


def test_esc_and_a_letter_after_a_while_are_both_keys() -> None:
    assert Typist().types((1.0, b"\x1b"), (1.6, b"j"), (2.0, b"!")) == ["\x1b", "j", "!"]


def test_the_rest_of_a_cut_arrow_is_no_letter() -> None:
    """OP-04"""
    assert Typist().types((1.0, b"\x1b"), (1.6, b"["), (2.2, b"B"), (3.0, b"B")) == ["\x1b", "down"]
    assert Typist().types((1.0, b"\x1b"), (1.6, b"O"), (2.4, b"B")) == ["\x1b"]


def test_letters_are_dropped_for_five_silent_seconds() -> None:
    """OP-04: each one begins them anew"""
    hand = Typist()

    assert hand.types((1.0, b"\x1b["), (2.6, b"B"), (7.0, b"B"), (11.9, b"B")) == []
    assert hand.dropped
    assert (hand.doubt, hand.doubt_left(12.5)) == (AmbiguousBytes.CUT, pytest.approx(4.4))
    assert hand.reader.doubt(16.95) is None
    assert hand.types((17.0, b"B")) == ["B"]


def test_doubt_persists_after_an_unknown_sequence() -> None:
    """OP-04: the letter behind it, two seconds later, may be the end of it as well"""
    for beginning in (b"\x1b-", b"\x1b/", b"\x1bN", b"\x1b[<0;10;", b"\x1b[?62;2"):
        hand = Typist()

        assert hand.types((1.0, beginning), (1.03, b"B"), (3.5, b"B"), (6.0, b"B")) == [], beginning
        assert hand.types((12.0, b"B")) == ["B"], beginning


def test_the_terminals_own_answers_keep_no_doubt_alive() -> None:
    """OP-04: they come twice a second while a ticket is open"""
    answers = [(2.5 + number / 2, b"\x1b[0n") for number in range(8)]

    assert Typist().types((1.0, b"\x1b["), *answers, (6.6, b"B")) == ["B"]


def test_half_a_character_is_given_up_among_answers() -> None:
    """OP-04: Alt as the eighth bit of a terminal that knows no UTF-8"""
    hand = Typist()
    hand.types((1.0, b"\xd2"))
    hand.types(*((1.5 + number / 2, b"\x1b[0n") for number in range(6)))

    assert (hand.doubt, hand.doubt_left(5.2)) == (AmbiguousBytes.CUT, pytest.approx(0.8))
    assert hand.types((6.1, b"B")) == ["B"]


def test_esc_and_arrows_work_in_doubt() -> None:
    assert Typist().types((1.0, b"\x1bP0"), (3.0, b"\x1b"), (4.0, b"\x1b[A"), (4.5, b"q")) == ["\x1b", "up"]


def test_the_chord_is_never_in_doubt_and_its_k_kills() -> None:
    """OP-07: by one byte, by F10 behind half an answer, and by kitty's form"""
    for chord in (b"\x0b", b"\x1b[21~", b"\x1b[107;5u"):
        hand = Typist()
        hand.types((1.0, b"\x1b]11;rgb:"), (1.2, chord), (1.9, b"K"))
        assert hand.kills == ["chord", "K"], chord


def test_a_k_that_may_be_a_rest_does_not_kill() -> None:
    """OP-07: begun after the chord; and the chord again makes it a key"""
    hand = Typist()
    hand.types((1.0, b"\x0b"), (2.0, b"\x1b["), (3.5, b"K"), (4.0, b"\x1bK"), (4.5, b"\x1b[107;4u"))
    assert hand.kills == ["chord"]

    hand.types((6.0, b"\x0b"), (6.5, b"K"))
    assert hand.kills == ["chord", "chord", "K"]


def test_letters_behind_esc_are_unarmed_for_a_while() -> None:
    """OP-04: a link may have cut Alt+B behind its escape, and a dialog that Esc closed may lie over another ticket"""
    keyboard = Keyboard()
    keyboard.hear("\x1b", 10.0)
    assert keyboard.quiet_from("B", REDUCES_AFTER) == 10.0 + CUT_FOR

    keyboard.hear("j", 11.0)
    assert keyboard.quiet_from("B", REDUCES_AFTER) == 11.0 + REDUCES_AFTER

    keyboard.hear("escape", 12.0)  # kitty's own, whole
    assert keyboard.quiet_from("B", REDUCES_AFTER) == 12.0 + REDUCES_AFTER


def test_a_control_key_in_a_long_form_is_no_letter() -> None:
    """OP-04: Textual alone takes modifyOtherKeys for the bare letter"""
    for modified in (b"\x1b[27;5;112~", b"\x1b[112;5u"):
        assert Typist().types((1.0, modified)) == ["ctrl+p"], modified


def test_a_key_that_is_still_held_types_nothing() -> None:
    """OP-04: its press may have been swallowed, or lost on the link"""
    for repeated in (b"\x1b[98;2:2u", b"\x1b[66;1:2u", b"\x1b[98;2:2;66u"):
        assert Typist().types((1.0, repeated)) == [], repeated
        assert Typist().types((1.0, b"\x1b[98;2:1u"), (1.6, repeated)) == ["B"], repeated


@pytest.mark.parametrize("lock", ["", ";129", ";65", ";193", ";1:1"])
def test_the_keypad_types_its_characters(lock: str) -> None:
    """OP-04: one terminal names the lock, another does not; a price without its point is another price"""
    price = (*range(57400, 57410), 57399, *range(57410, 57414), 57415, 57416)
    hand = Typist()
    keys = hand.types(*((1.0 + n, f"\x1b[{code}{lock}u".encode()) for n, code in enumerate(price)))

    assert "".join(keys) == "123456789.0/*-+=,"


def test_keys_of_the_keypad_that_type_nothing() -> None:
    """Let go, held with Ctrl, moving the cursor, and its middle"""
    forms = [f"\x1b[{form}u".encode() for form in ("57400;1:3", "57409;5", "57417;129", "57414;129", "57427")]

    assert Typist().types(*((1.0 + n, form) for n, form in enumerate(forms))) == ["ctrl+decimal", "left", "enter"]


def test_textual_reads_the_usual_keys_the_same() -> None:
    cases = {
        b"\x1b": ["escape"], b"\x1bx": ["escape"], b"\x1b[A\x1bOB\x1b[3~": ["up", "down", "delete"],
        b"\x1b[[A\x1b[7$": ["f1", "shift+home"], "é€".encode(): ["é", "euro_sign"], b"\x1b[106;1;106u": ["j"],
    }  # fmt: skip
    for typed, keys in cases.items():
        scanner, parser, read = Scanner(), GuardedParser(), list[str]()
        for token in [*scanner.feed(typed, 1.0), *scanner.tick(1.2)]:
            match token:
                case Typed(text) | Sequence(text):
                    read += [event.key for event in parser.messages(text) if isinstance(event, events.Key)]
                case EscapeKey():
                    read.append("escape")
        assert read == keys, typed


# ── the kill chord


def test_every_form_of_the_chord_kills_and_is_no_key() -> None:
    """OP-07"""
    for name, chord in CHORDS.items():
        hand = Typist()
        hand.types((1.0, chord))
        hand.types((3.0, b"\x1b[107;2;75u"))
        assert hand.kills == ["chord", "K"], name
        assert not [key for key in hand.keys if "k" in key or "f10" in key], name


def test_a_chord_cut_in_two_by_the_link_counts() -> None:
    """OP-07"""
    hand = Typist()

    hand.types((1.0, b"\x1b[107"), (1.2, b";5u"))

    assert (hand.kills, hand.keys) == (["chord"], [])


def test_an_unfinished_paste_does_not_hide_the_chord() -> None:
    """OP-07, OP-04: pressed again and again it counts; what was pasted stays content and never becomes keys"""
    hand = Typist()
    hand.types((1.0, b"\x1b[200~abc"))

    at = 1.0
    while not hand.kills and at < 60:
        at += 0.1
        hand.types((at, b"\x0b"))
    hand.types((at + 0.5, b"K"))
    hand.types((at + 0.6, b"xFdK!\x1b[A rest of the paste"), (at + 0.7, b"\x1b[201~"))
    hand.types((at + 10, b"j"))

    assert at < 10
    assert hand.kills[:1] + hand.kills[-1:] == ["chord", "K"]
    assert hand.kills.count("K") == 1
    assert hand.keys == ["j"]


def test_a_whole_paste_with_the_chord_in_it_is_content() -> None:
    """OP-04"""
    hand = Typist()

    hand.types((1.0, b"\x1b[200~a\x0bK\x1b[21~\x1b[201~"))

    assert (hand.kills, hand.keys, len(hand.pastes)) == ([], [], 1)


# ── whatever else arrives


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


def test_no_random_bytes_end_the_reader_or_its_chord() -> None:
    """OP-07: the kill key outlives any input, and so does a plain key after it"""
    chance, hand, at = random.Random(20261120), Typist(), 1.0
    hand.types((at, ENDS_TEXTUAL))
    for _ in range(STRINGS):
        at += 0.02
        hand.reader.feed(garbage(chance), at)
        hand.reader.tick(at + 0.01)
    hand.types((at + 1, b"\x1b\\"), (at + 2, b"\x1b[201~"))
    known = len(hand.kills)

    hand.types((at + 3, b"\x0b"), (at + 12, b"j"))

    assert len(hand.kills) == known + 1
    assert hand.keys[-1] == "j"


def test_a_broken_sequence_types_no_letters() -> None:
    """OP-04: B, S, F and x are commands"""
    hand = Typist()

    for number, broken in enumerate(BROKEN):
        hand.types((1.0 + number / 50, broken))
    hand.types((20.0, b"j"))

    assert hand.keys == ["j"]


# ── layouts of other scripts ─────────────────────────────────────────────────────────────────────────────────────────

K_OF = {"ru": 0x43B, "uk": 0x43B, "el": 0x3BA, "he": 0x5DC, "ar": 0x646, "ka": 0x10D9}
"""The letter on the key of `k` in six layouts."""
B_OF = {"ru": 0x438, "uk": 0x438, "el": 0x3B2, "he": 0x5E0, "ar": 0x644, "ka": 0x10D1}


@pytest.mark.parametrize("layout", K_OF)
@pytest.mark.parametrize("modifiers", ["5", "5:1", "69", "133"])
def test_the_chord_halts_in_every_layout_that_is_named(layout: str, modifiers: str) -> None:
    """OP-07: kitty names the key in place of Ctrl and the layout's letter, also with a lock"""
    hand = Typist()
    hand.types((1.0, f"\x1b[{K_OF[layout]}::107;{modifiers}u".encode()))

    assert (hand.kills, hand.keys) == (["chord"], [])


@pytest.mark.parametrize("layout", B_OF)
def test_a_binding_is_the_key_in_its_place(layout: str) -> None:
    """SY-10: b, and with Shift B; the kill screen's K"""
    letter = B_OF[layout]
    forms = f"\x1b[{letter}::98;;{letter}u", f"\x1b[{letter}:{letter}:98;2;{letter}u"
    hand = Typist()
    assert hand.types(*((1.0 + n, form.encode()) for n, form in enumerate(forms))) == ["b", "B"]

    hand.types((4.0, f"\x1b[{K_OF[layout]}::107;5u".encode()), (6.0, f"\x1b[{K_OF[layout]}::107;2u".encode()))
    assert hand.kills == ["chord", "K"]


# A letter's code, its place, and the text of that key with AltGr.
LEVELS = {
    "Greek, euro": (0x3B5, "e", 0x20AC), "Greek, registered": (0x3C1, "r", 0xAE), "Ukrainian": (0x433, "u", 0x491),
    "Russian, ruble": (0x43A, "k", 0x20BD), "Hebrew, euro": (0x5E7, "e", 0x20AC), "accent": (0x3B1, "a", 0x3AC),
}  # fmt: skip


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("modifiers", ["", "2", "65"])
def test_a_key_with_altgr_is_its_text_and_no_binding(name: str, modifiers: str) -> None:
    """OP-04: no terminal reports AltGr, but the text is not the key's"""
    letter, place, text = LEVELS[name]
    hand = Typist()
    keys = hand.types((1.0, f"\x1b[{letter}::{ord(place)};{modifiers};{text}u".encode()))

    assert (keys, hand.scripts, hand.letters) == ([chr(text)], [], [])


@pytest.mark.parametrize("sequence", ["107::107;2;310", "107:75:107;2;310", "107;2;310", "954:922:107;2;8230"])
def test_a_capital_k_with_altgr_does_not_kill(sequence: str) -> None:
    """OP-07: the Latvian letter on the key of K, and Greek"""
    hand = Typist()
    hand.types((1.0, b"\x1b[21~"), (3.0, f"\x1b[{sequence}u".encode()), (5.0, b"\x1b[107:75:107;2;75u"))

    assert hand.kills == ["chord", "K"]


def test_a_key_by_its_place_brings_the_letter_of_its_layout() -> None:
    """SY-10: for a text; with Shift, with its text, and without"""
    hand = Typist()
    forms = b"1080::98;;1080", b"1080:1048:98;2;1048", b"1080::98;2", b"1080::98;65;1048", b"1078::59", b"1080::98;5"
    hand.types(*((1.0 + n, b"\x1b[%bu" % form) for n, form in enumerate(forms)), (9.0, b"\x1b[98;;98u"))

    assert hand.keys == ["b", "B", "B", "B", ";", "ctrl+b", "b"]
    assert "".join(hand.letters) == "\u0438\u0418\u0418\u0418\u0436"


def test_a_mark_on_a_letters_key_is_the_letter_in_another_script() -> None:
    """SY-10: Q is / in Hebrew and ; in Greek, and a quotation mark in Dvorak, whose letters are Latin"""
    hebrew, greek, dvorak, slash = b"\x1b[1513::97u", b"\x1b[945::97u", b"\x1b[111::115;;111u", b"\x1b[47::113;;47u"
    semicolon, quote, shifted = b"\x1b[59::113u", b"\x1b[39::113u", b"\x1b[59:58:113;2;58u"
    presses = hebrew, slash, b"1", slash, dvorak, quote, slash, greek, semicolon, shifted, b"q", quote
    hand = Typist()
    keys = hand.types(*((1.0 + number, press) for number, press in enumerate(presses)))

    assert keys == ["a", "q", "1", "q", "o", "'", "/", "a", "q", "Q", "q", "'"]
    assert hand.letters == ["\u05e9", "/", "/", "\u03b1", ";", ":"]


def test_marks_on_the_keys_of_letters() -> None:
    """SY-10: the Russian layout has letters where the US one has marks"""
    keys = {0x436: ";", 0x44D: "'", 0x445: "[", 0x44A: "]", 0x431: ",", 0x44E: ".", 0x451: "`"}
    hand = Typist()
    plain = [f"\x1b[{code}::{ord(mark)}u" for code, mark in keys.items()]
    assert hand.types(*((1.0 + n, form.encode()) for n, form in enumerate(plain))) == [*keys.values()]
    with_shift = Typist()
    forms = [f"\x1b[{code}::{ord(mark)};2u" for code, mark in keys.items()]
    assert with_shift.types(*((1.0 + n, form.encode()) for n, form in enumerate(forms))) == [*':"{}<>~']


@pytest.mark.parametrize(("sequence", "key"), [("98", "b"), ("98:66;2;66", "B"), ("228::39", "ä"), ("107::118", "k")])
def test_a_latin_layout_types_its_own_letters(sequence: str, key: str) -> None:
    """SY-10: German and Dvorak"""
    assert Typist().types((1.0, f"\x1b[{sequence}u".encode())) == [key]


@pytest.mark.parametrize("sign", ["\u00aa", "\u00ba", "\u00b5", "\u02c6"])
def test_signs_of_latin_layouts_are_no_other_script(sign: str) -> None:
    """SY-10: the Spanish layout has its ordinals where the US one has a grave accent"""
    hand = Typist()
    keys = hand.types((1.0, sign.encode()), (2.0, f"\x1b[{ord(sign)}::96;;{ord(sign)}u".encode()))

    assert (keys, hand.scripts) == ([sign, sign], [])


def test_digits_of_other_scripts_are_the_keys_in_their_places() -> None:
    """SY-10: the Persian and the Hindi layout"""
    assert Typist().types((1.0, b"\x1b[1777::49u"), (2.0, b"\x1b[2408::50;;2408u")) == ["1", "2"]


def test_a_chord_with_other_codes_is_the_chord() -> None:
    """Textual takes no codes beside that of the key."""
    assert Typist().types((1.0, b"\x1b[112:80;6u"), (2.0, b"\x1b[112::112;5u")) == ["ctrl+shift+p", "ctrl+p"]


@pytest.mark.parametrize("form", ["\u043b", "\x1b[1083;5u", "\x1b[1083;;1083u", "\x1b[27;5;1083~"])
def test_a_script_without_places_is_told_once(form: str) -> None:
    """OP-07: as its first letter comes; and again when Latin letters do"""
    hand = Typist()
    hand.types((1.0, form.encode()), (2.0, form.encode()), (3.0, b"1"), (4.0, b"b"), (5.0, b"\xc3\xa4"))

    assert hand.scripts == [True, False]


@pytest.mark.parametrize("key", ["\u041b", "\u039a", "K"])
def test_the_second_key_kills_in_cyrillic_and_greek(key: str) -> None:
    """OP-07: F10 halted, and the key of K types this"""
    hand = Typist()
    hand.types((1.0, b"\x1b[21~"), (3.0, key.encode()))

    assert hand.kills == ["chord", "K"]


def test_textual_asks_for_places_too() -> None:
    assert asks_with_places("\x1b[>25u") == "\x1b[>29u"
    assert asks_with_places("\x1b[<u") == "\x1b[<u"
