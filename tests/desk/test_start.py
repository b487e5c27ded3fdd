"""A start without options is not parsed: it does what the parsed command does."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO, TextIOWrapper

import pytest

import app
from console.commands import demo, program
from console.commands.assembly.desks import COMPLETION, PAINTS_A_SECOND, open_plainly
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions
from tests.kit.rows import each


class Asked:
    """What a start would have opened."""

    def __init__(self) -> None:
        self.of: list[str] = []

    @property
    def opens(self) -> dict[tuple[str, ...], Callable[[], None]]:
        return {(): lambda: self.of.append("desk"), ("demo",): lambda: self.of.append("demo")}


@pytest.fixture(autouse=True)
def in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    yield
    gc.enable()


def parsed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked = Asked()
    monkeypatch.setattr(program, "open_desk", lambda _host, _destination: asked.of.append("desk"))

    def opens(_host: Host, options: DemoOptions, *, is_stress: bool) -> None:
        assert (options, is_stress) == (DemoOptions(), False)
        asked.of.append("demo")

    monkeypatch.setattr(demo, "open_demo", opens)
    program.build(Host.of({}))(words, standalone_mode=False)
    return asked.of


@pytest.mark.parametrize("words", [[], ["demo"]])
def test_a_start_without_options_is_the_default(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-03"""
    asked = Asked()

    assert open_plainly(words, {}, asked.opens)
    assert asked.of == parsed(words, monkeypatch)
    assert len(asked.of) == 1


@each("words", [["--version"], ["demo", "--seed", "7"], ["demo", "--help"], ["replay"], ["Demo"]])
def test_what_has_options_is_parsed(words: list[str]) -> None:
    """OP-03"""
    asked = Asked()

    assert not open_plainly(words, {}, asked.opens)
    assert asked.of == []


def test_a_sign_that_the_output_lacks_ends_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-03"""
    written = BytesIO()
    output = TextIOWrapper(written, encoding="latin-1", write_through=True)
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "argv", ["keyturn", "--version"])

    with pytest.raises(SystemExit):
        app.main()
    output.write("2016\N{EN DASH}2017")

    assert written.getvalue().endswith(b"2016?2017")


def test_completion_opens_no_desk() -> None:
    """OP-03"""
    asked = Asked()

    assert not open_plainly([], {COMPLETION: "complete_bash"}, asked.opens)
    assert asked.of == []


def test_textual_paints_at_the_asked_rate() -> None:
    """OP-03: it reads the number once, when it is loaded; a desk that loads it earlier would wait for its paints."""
    program = (
        "import app, sys; from console.commands.assembly import desks as start; loaded = 'textual' in sys.modules; "
        "start.need_a_terminal = lambda: None; start.prepare(); "
        "from console import desk; from textual import constants; print(loaded, constants.MAX_FPS)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["False", PAINTS_A_SECOND]
