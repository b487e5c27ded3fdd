"""What is a key, what is Esc, and what is in doubt: the rules of `console.terminal.scanner`, by the test's clock."""

from __future__ import annotations

import pytest
from textual import events
from textual.message import Message

from console.arming import CUT_FOR, REDUCES_AFTER, Keyboard
from console.terminal.input_reader import Dropped, Reader
from tests.kit.key_sequences import LETTERS
from tests.unit.console.armed_screen import ArmedScreen


class Typist:
    """Bytes at instants; the keys that came of them, and what was dropped."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.dropped: list[str] = []
        self.kills: list[str] = []
        self.reader = Reader(self, self._hear, lambda: None)

    def types(self, *parts: tuple[float, bytes]) -> list[str]:
        """Each at its instant, with a look in between at what a silence says."""
        for at, data in parts:
            self.reader.tick(at - 0.001)
            self.reader.feed(data, at)
        self.reader.tick(parts[-1][0] + 1.1)
        return self.keys

    def _hear(self, message: Message) -> None:
        if isinstance(message, events.Key):
            self.keys.append(message.character or message.key)
        elif isinstance(message, Dropped) and message.words is not None:
            self.dropped.append(message.words)

    def press_kill(self) -> None:
        self.kills.append("chord")

    def press_kill_again(self) -> None:
        self.kills.append("K")

    def is_kill_open(self) -> bool:
        return bool(self.kills)


@pytest.mark.parametrize("letter", LETTERS)
def test_the_plain_key_acts_in_100_of_100_tries(letter: str) -> None:
    """OP-04: a dead desk sends nothing either; with Shift in a long form too, and the terminal's answers around it"""
    code, small = ord(letter), ord(letter.lower())
    forms = [letter.encode(), b"\x1b[%d;2u" % small, b"\x1b[%d;2;%du" % (small, code), b"\x1b[27;2;%d~" % code]
    acted = 0
    for number in range(100):
        screen = ArmedScreen(letter)
        screen.receive(b"\x1b[0n")
        screen.wait(0.3 + number / 100)
        acted += screen.comes((forms[number % len(forms)], b"\x1b[0n"), (number / 200,))

    assert acted == 100


def test_esc_and_a_letter_joined_are_esc() -> None:
    """OP-04: in one read, or within the time in which a terminal sends Alt"""
    assert Typist().types((1.0, b"\x1bB")) == ["\x1b"]
    assert Typist().types((1.0, b"\x1b"), (1.08, b"S")) == ["\x1b"]


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


def test_an_arrow_whose_escape_was_taken_for_esc_is_still_no_letters() -> None:
    """OP-04"""
    assert Typist().types((1.0, b"\x1b"), (1.6, b"["), (2.2, b"B"), (3.0, b"B")) == ["\x1b", "down"]
    assert Typist().types((1.0, b"\x1b"), (1.6, b"O"), (2.4, b"B")) == ["\x1b"]


def test_letters_are_dropped_for_five_silent_seconds_and_said_so() -> None:
    """OP-04: each one begins them anew"""
    hand = Typist()

    assert hand.types((1.0, b"\x1b["), (2.6, b"B"), (7.0, b"B"), (11.9, b"B")) == []
    assert hand.dropped[-1] == "dropped: a key came cut, and this may be its rest; type nothing for 5 s"
    assert hand.reader.doubt(12.5) == "a key came cut; all is dropped for 5 s"
    assert hand.reader.doubt(16.95) is None
    assert hand.types((17.0, b"B")) == ["B"]


@pytest.mark.parametrize("beginning", [b"\x1b-", b"\x1b/", b"\x1bN", b"\x1b[<0;10;", b"\x1b[?62;2"])
def test_a_letter_that_ended_what_nobody_sends_is_no_end_of_the_doubt(beginning: bytes) -> None:
    """OP-04: the letter behind it, two seconds later, may be the end of it as well"""
    hand = Typist()

    assert hand.types((1.0, beginning), (1.03, b"B"), (3.5, b"B"), (6.0, b"B")) == []
    assert hand.types((12.0, b"B")) == ["B"]


def test_the_terminals_own_answers_keep_no_doubt_alive() -> None:
    """OP-04: they come twice a second while a ticket is open"""
    answers = [(2.5 + number / 2, b"\x1b[0n") for number in range(8)]

    assert Typist().types((1.0, b"\x1b["), *answers, (6.6, b"B")) == ["B"]


def test_half_a_character_is_given_up_although_the_answers_go_on() -> None:
    """OP-04: Alt as the eighth bit of a terminal that knows no UTF-8"""
    hand = Typist()
    hand.types((1.0, b"\xd2"))
    hand.types(*((1.5 + number / 2, b"\x1b[0n") for number in range(6)))

    assert hand.reader.doubt(5.2) == "a key came cut; all is dropped for 1 s"
    assert hand.types((6.1, b"B")) == ["B"]


def test_esc_and_arrows_work_in_doubt_so_that_nobody_is_locked_in() -> None:
    assert Typist().types((1.0, b"\x1bP0"), (3.0, b"\x1b"), (4.0, b"\x1b[A"), (4.5, b"q")) == ["\x1b", "up"]


def test_the_chord_is_never_in_doubt_and_its_k_kills() -> None:
    """OP-07: by one byte, by F10 behind half an answer, and by kitty's form"""
    for chord in (b"\x0b", b"\x1b[21~", b"\x1b[107;5u"):
        hand = Typist()
        hand.types((1.0, b"\x1b]11;rgb:"), (1.2, chord), (1.9, b"K"))
        assert hand.kills == ["chord", "K"], chord


def test_a_k_that_may_be_the_rest_of_something_does_not_kill() -> None:
    """OP-07: begun after the chord; and the chord again makes it a key"""
    hand = Typist()
    hand.types((1.0, b"\x0b"), (2.0, b"\x1b["), (3.5, b"K"), (4.0, b"\x1bK"), (4.5, b"\x1b[107;4u"))
    assert hand.kills == ["chord"]

    hand.types((6.0, b"\x0b"), (6.5, b"K"))
    assert hand.kills == ["chord", "chord", "K"]


def test_a_bare_escape_leaves_the_letters_behind_it_unarmed_for_a_while() -> None:
    """OP-04: a link may have cut Alt+B behind its escape, and a dialog that Esc closed may lie over another ticket"""
    keyboard = Keyboard()
    keyboard.hear("\x1b", 10.0)
    assert keyboard.quiet_from("B", REDUCES_AFTER) == 10.0 + CUT_FOR

    keyboard.hear("j", 11.0)
    assert keyboard.quiet_from("B", REDUCES_AFTER) == 11.0 + REDUCES_AFTER

    keyboard.hear("escape", 12.0)  # kitty's own, whole
    assert keyboard.quiet_from("B", REDUCES_AFTER) == 12.0 + REDUCES_AFTER


@pytest.mark.parametrize("modified", [b"\x1b[27;5;112~", b"\x1b[112;5u"])
def test_a_control_key_in_its_long_forms_is_that_key_and_no_letter(modified: bytes) -> None:
    """OP-04: Textual alone takes modifyOtherKeys for the bare letter"""
    assert Typist().types((1.0, modified)) == ["ctrl+p"]


@pytest.mark.parametrize("repeated", [b"\x1b[98;2:2u", b"\x1b[66;1:2u", b"\x1b[98;2:2;66u"])
def test_a_key_that_a_terminal_says_is_still_held_types_nothing(repeated: bytes) -> None:
    """OP-04: its press may have been swallowed, or lost on the link"""
    assert Typist().types((1.0, repeated)) == []
    assert Typist().types((1.0, b"\x1b[98;2:1u"), (1.6, repeated)) == ["B"]
