"""Where the mouse is asked for: not where a multiplexer would then hold Esc back."""

from __future__ import annotations

from console.terminal.driver import may_ask_for_mouse


def test_the_mouse_is_asked_for_where_escape_arrives() -> None:
    for may, environ in (
        (True, {"TERM": "xterm-256color"}),
        (False, {"TERM": "screen.xterm-256color", "STY": "1.pts-0"}),
        (False, {"TERM": "screen"}),
        (True, {"TERM": "screen-256color", "TMUX": "/tmp/tmux"}),
        (True, {"TERM": "tmux-256color"}),
    ):
        assert may_ask_for_mouse(environ) is may, environ
