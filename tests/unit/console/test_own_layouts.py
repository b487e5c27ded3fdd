"""Layouts of the operator's own, as their files say them."""

from __future__ import annotations

from dataclasses import replace

from console.desk_commands import layout_file_of, layouts_in
from console.display import REVIEW, TRADE, WATCH, DeskLayout, layout_fault
from tests.kit.rows import table

SOUND = 'one = ["watch", "chart"]\n[[two]]\npanes = ["watch", "orders"]\nwidth = 64\n[[two]]\npanes = ["chart"]\n'
THREE = '[[three]]\npanes = ["watch"]\n'


@table("layout", TRADE, WATCH, REVIEW)
def test_what_is_written_is_read_again(layout: DeskLayout) -> None:
    own = layouts_in({"mine.toml": layout_file_of(replace(layout, name="mine"))})
    assert own.faults == ()
    assert own.each["mine"] == replace(layout, name="mine", gives_way=layout.two[0].panes[-1])


def test_a_file_by_hand_is_read() -> None:
    layout = layouts_in({"desk-2.toml": SOUND + THREE}).each["desk-2"]
    assert (layout.one, layout.two[0].width, layout.three[0].panes) == (("watch", "chart"), 64, ("watch",))


@table(
    "file text fault",
    ("trade.toml", SOUND + THREE, "trade is shipped; call yours otherwise"),
    ("My desk.toml", SOUND + THREE, "is called by 1 to 16 small letters"),
    ("a.toml", None, "cannot be read"),
    ("a.toml", "one = ", "Invalid value"),
    ("a.toml", SOUND, "three: one to 3 columns"),
    ("a.toml", SOUND + THREE + "x = 1", "a column has panes, and perhaps a width"),
    ("a.toml", "y = 1\n" + SOUND + THREE, "there is no y; it has one, two and three"),
    ("a.toml", SOUND.replace('"chart"]\n[[', '"chart", "log"]\n[['), "one: there is no pane 'log'"),
    ("a.toml", SOUND.replace('"chart"]\n[[', '"chart", "orders"]\n[[') + THREE, "one: two panes"),
    ("a.toml", SOUND.replace("64", "640") + THREE, "two: a width is 30 to 120 cells"),
    ("a.toml", SOUND.replace("64", "true") + THREE, "two: a width is 30 to 120 cells"),
    ("a.toml", SOUND.replace('panes = ["chart"]', 'panes = ["chart"]\nwidth = 40') + THREE, "takes what is left"),
    ("a.toml", SOUND.replace('panes = ["chart"]', 'panes = ["orders"]') + THREE, "two: orders stands there twice"),
    ("a.toml", SOUND + THREE.replace('["watch"]', "[]"), "three: a list of panes"),
)
def test_a_wrong_layout_is_named_and_others_load(file: str, text: str | None, fault: str) -> None:
    own = layouts_in({file: text, "sound.toml": SOUND + THREE})
    assert [*own.each] == ["sound"]
    (said,) = own.faults
    assert said.startswith(f"layouts/{file}: ")
    assert fault in said


def test_names() -> None:
    assert layout_fault("mine") == ""
    assert "shipped" in layout_fault("watch")
    assert "small letters" in layout_fault("")
