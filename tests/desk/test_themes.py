"""Every theme can be read, in every terminal, and real money looks like nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, get_args

import pytest
from rich._palettes import EIGHT_BIT_PALETTE, STANDARD_PALETTE
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style

from console.commands.assembly.host import Host
from console.commands.assembly.settings import display_of
from console.desk import DeskApp
from console.display import FRAMES
from console.keymap import KEYS
from console.screens.new_order import NewOrderScreen
from console.themes import DEFAULT, PALETTES, theme_after, theme_file, theme_for
from core.model.account import Mode
from core.ports import OperatorError
from core.settings.service import DisplaySettings
from core.views import DeskView
from state.files import Home
from state.settings_file import load_settings
from tests.desk.hands import Disk
from tests.desk.still_house import (
    StillHouse,
    a_held_chart,
    a_position,
    a_protection,
    a_result,
    a_trade,
    a_view,
    an_exit,
    an_order,
    dollars,
    open_still,
)
from tests.kit.rows import each
from tests.kit.screen import lines_of
from widgets.lines import Background, Tone

NAMES = tuple(PALETTES)
TERMINALS = {"truecolor": {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "standard": {"TERM": "xterm-16color"}}
SYSTEMS = {"truecolor": (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT), "standard": (ColorSystem.STANDARD,)}
"""As what the desk of such a terminal is seen."""
FRAMES_OF_PANES = frozenset("─│┌┐└┘├┤═║╔╗╚╝╠╣━┃┏┓┗┛╭╮╰╯ ")
WIDE = (160, 45)

Pair = tuple[tuple[int, int, int], tuple[int, int, int]]
"""The colour of a text, and what is behind it."""


def least(name: str) -> float:
    """WCAG 2.2, success criteria 1.4.3 and 1.4.6."""
    return 7.0 if name == "high-contrast" else 4.5


def contrast(pair: Pair) -> float:
    light, dark = sorted((luminance(colour) for colour in pair), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: tuple[int, int, int]) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(colour: tuple[int, int, int]) -> list[float]:
    parts = [part / 255 for part in colour]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def pair_of(style: Style | None, system: ColorSystem = ColorSystem.TRUECOLOR) -> Pair:
    assert style is not None
    assert style.color is not None, style
    assert style.bgcolor is not None, style
    text, behind = (seen(colour, system) for colour in (style.color, style.bgcolor))
    return (behind, text) if style.reverse else (text, behind)


def seen(colour: Color, system: ColorSystem) -> tuple[int, int, int]:
    """As a terminal of that many colours shows it."""
    less = colour.downgrade(system)
    if less.number is None:
        return tuple(less.get_truecolor())  # type: ignore[return-value]
    palette = STANDARD_PALETTE if system is ColorSystem.STANDARD else EIGHT_BIT_PALETTE
    return tuple(palette[less.number])  # type: ignore[return-value]


def drawn(house: StillHouse) -> Iterator[Segment]:
    """Every text on the screen; the lines of frames are none."""
    for segment in chain.from_iterable(lines_of(house.desk)):
        if not FRAMES_OF_PANES.issuperset(segment.text):
            yield segment


def a_full_desk(**status: Any) -> DeskView:
    return a_view(
        status={"day_change": dollars("-12"), "entries_refused": "halted (key): by key", **status},
        proposals=(an_exit("AIG"), *a_view().proposals),
        positions=(a_position(), a_position("IBM", profit=dollars("-4"))),
        orders=(an_order(), an_order(2, marks=("in doubt",))),
        protections=(a_protection(), a_protection("Guard", "1", is_tripped=True)),
        trades=(a_trade(),),
        results=(a_result(),),
        chart=a_held_chart(),
    )


def use_terminal(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for name in ("COLORTERM", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in TERMINALS[kind].items():
        monkeypatch.setenv(name, value)


def themed(name: str) -> DisplaySettings:
    return DisplaySettings.model_validate({"theme": name})


async def test_every_colour_has_contrast(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-03: in every theme, with all colours, 256 and 16; under a dialog too, and what is not shown just now"""
    for kind, systems in SYSTEMS.items():
        use_terminal(monkeypatch, kind)
        async with open_still(a_full_desk(), (120, 40)) as house:
            assert house.desk.console.color_system == kind
            for name in NAMES:
                house.desk.action_wear(name)
                await house.is_drawn()
                styles = {segment.style for segment in drawn(house)}
                await house.press("2", "n")
                await house.until(lambda house=house: isinstance(house.desk.screen, NewOrderScreen))
                styles |= {segment.style for segment in drawn(house)}
                styles |= set(every_meaning(house))
                await house.press("escape")

                assert len(styles) > 8
                for system in systems:
                    poor = {style for style in styles if contrast(pair_of(style, system)) < least(name)}
                    assert (name, system, poor) == (name, system, set())


@each("name", NAMES)
def test_256_colours_are_drawn_as_all_are(name: str) -> None:
    assert theme_for(name, "256").variables == theme_for(name, "truecolor").variables


def every_meaning(house: StillHouse) -> Iterator[Style]:
    """Each tone on each background: rows, selected or not; status and last line; panes; dialogs."""
    form, board = house.desk.screen, house.desk.board
    assert isinstance(form, NewOrderScreen)
    for tone in get_args(Tone):
        yield from (board.positions.grid._style(tone, background) for background in get_args(Background))
        yield from (lines._style(tone) for lines in (board.status, board.line, board.chart, form.alive))


@pytest.mark.parametrize(("name", "kind"), [("light", "truecolor"), ("keyturn", "standard")])
async def test_without_colour_meanings_have_shapes(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESK: NO_COLOR"""
    use_terminal(monkeypatch, kind)
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_still(a_full_desk(), WIDE, display=themed(name)) as house:
        styles = {segment.style for segment in drawn(house)}
        assert all(len(set(pair_of(style)[0])) == 1 for style in styles)
        assert min(contrast(pair_of(style, system)) for style in styles for system in SYSTEMS[kind]) >= 4.5
        await house.sees("▸ ! SELL to close", "▹ SPY", "▲ +11.28", "▼ −4.00", "!  EXIT WAITS", "TRIPPED")
        urgent = next(segment for segment in drawn(house) if segment.text.strip() == "!")
        assert urgent.style is not None
        assert urgent.style.reverse


@each("name", ["colour-blind", "high-contrast"])
def test_gain_and_loss_differ_for_the_colour_blind(name: str) -> None:
    """Machado, Oliveira, Fernandes 2009, in full strength"""
    protan = ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052))
    deutan = ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969))
    palette = PALETTES[name]
    for eye in (protan, deutan):
        gain, loss = (
            [sum(weight * part for weight, part in zip(row, linear(rgb(colour)), strict=True)) for row in eye]
            for colour in (palette.gain, palette.loss)
        )
        assert sum((a - b) ** 2 for a, b in zip(gain, loss, strict=True)) ** 0.5 > 0.3


@each("name", ["keyturn", "light"])
def test_gain_is_green_and_loss_is_red(name: str) -> None:
    gain, loss = rgb(PALETTES[name].gain), rgb(PALETTES[name].loss)
    assert gain[1] > 1.25 * max(gain[0], gain[2])
    assert loss[0] > 1.25 * max(loss[1], loss[2])


def rgb(colour: str) -> tuple[int, int, int]:
    return tuple(Color.parse(colour).get_truecolor())  # type: ignore[return-value]


async def test_live_stands_out_and_paper_is_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESK: badge, border of every pane and dialog, title"""
    use_terminal(monkeypatch, "truecolor")
    async with open_still(a_full_desk(), (120, 40), display=themed("light")) as house:
        assert house.desk.theme == "light"
        assert house.desk.screen.styles.background.hex == PALETTES["light"].background
        await house.sees(" PAPER ", "┌─ 2 Positions")
        assert "╔" not in house.picture()
        assert house.desk.frames.title == "(2) Keyturn"

        await house.shows_next(status=a_full_desk(mode=Mode.LIVE).status)
        await house.sees("LIVE, REAL MONEY", "╔═ 2 Positions", "┏━ 1 Proposals")
        assert not house.shows("PAPER")
        assert "┌" not in house.picture()
        assert house.desk.frames.title.endswith("Keyturn LIVE")
        await house.press("n")
        await house.wait(0.1)
        await house.sees("╔═ New order")
        assert house.desk.screen.query_one(".form").styles.border_top[1].hex == PALETTES["light"].live


async def test_a_theme_changes_everywhere_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-08: each pane, the chart and a ticket that opens look as on a desk that began with it, and it is kept"""
    assert [key.id.partition(".")[2] for key in KEYS if key.id.startswith("theme.")] == [*NAMES]
    for kind, name in (("truecolor", "colour-blind"), ("standard", "light")):
        use_terminal(monkeypatch, kind)
        pictures: list[Any] = []
        disk = Disk()
        for display in (themed(name), themed(NAMES[NAMES.index(name) - 1])):
            async with open_still(a_full_desk(), WIDE, display=display, surroundings=disk) as house:
                await house.press("9", "2")
                await house.sees("[2 Positions 2]")
                if pictures:
                    await house.press("ctrl+t")
                    await house.until(lambda disk=disk: bool(disk.of_the_operator))
                await house.press("enter")
                await house.until(lambda house=house: len(house.desk.screen_stack) == 2)
                dialog = segments_of(house)
                await house.press("escape")
                await house.until(lambda house=house: len(house.desk.screen_stack) == 1)
                pictures.append((dialog, segments_of(house)))
        assert pictures[0] == pictures[1], (kind, name)
        assert disk.of_the_operator["display"] == {"theme.toml": f'theme = "{name}"\n'}
    assert [theme_after(name) for name in NAMES] == [*NAMES[1:], NAMES[0]]


def segments_of(house: StillHouse) -> list[list[tuple[str, Style | None]]]:
    """Every line with its styles, but the last line, which tells of the change."""
    return [[(segment.text, segment.style) for segment in line] for line in lines_of(house.desk)[:-1]]


@each("name", NAMES)
def test_sixteen_colours_are_the_terminals(name: str) -> None:
    """What is drawn is what was meant: no colour of the theme becomes another one"""
    theme = theme_for(name, "standard")
    for colour in theme.variables.values():
        triplet = Color.parse(colour).get_truecolor()
        assert tuple(STANDARD_PALETTE[STANDARD_PALETTE.match(triplet)]) == tuple(triplet)
    assert theme.variables["keyturn-selection"] != theme.variables["keyturn-background"]


def test_an_unknown_theme_is_refused(tmp_path: Any) -> None:
    """OP-10"""
    with pytest.raises(OperatorError) as error:
        load_settings(Home.of({"KEYTURN_HOME": str(tmp_path)}), {}, ("display.theme=purple",))

    assert "display.theme" in str(error.value)
    assert "purple" in str(error.value)
    assert all(name in str(error.value) for name in NAMES)


def test_what_nobody_set_is_what_the_settings_say() -> None:
    """The desk paints before the settings are read"""
    assert (DisplaySettings().theme, DisplaySettings().frames) == (DEFAULT, FRAMES)


@each(
    ("file", "variable", "option", "kept", "expected"),
    [
        ('[display]\ntheme = "light"\n', None, None, "", ("light", 10)),
        ("", "colour-blind", None, "light", ("colour-blind", 10)),
        (
            '[display]\ntheme = "light"\nframes = 2\n', None, "display.theme=high-contrast", "light",
            ("high-contrast", 2),
        ),
        ('[display]\ntheme = "light"\nframes = 2\n', None, None, "colour-blind", ("colour-blind", 2)),
        ("", None, None, "light", ("light", 10)), ("", None, None, "purple", None), ("", None, None, "", None),
    ],
)  # fmt: skip
def test_the_screen_is_set_before_it_is_painted(
    tmp_path: Any, file: str, variable: str | None, option: str | None, kept: str, expected: tuple[str, int] | None
) -> None:
    """OP-10, SY-08: by file, a choice at a desk, environment or option; where nobody did, nothing is waited for"""
    (tmp_path / "settings.toml").write_text(file)
    if kept:
        (tmp_path / "display").mkdir(exist_ok=True)
        (tmp_path / "display" / "theme.toml").write_text(theme_file(kept))
    environ = {"KEYTURN_HOME": str(tmp_path), "DISPLAY": ":0"}
    if variable is not None:
        environ["KEYTURN_DISPLAY__THEME"] = variable

    display = display_of(Host.of(environ), (option,) if option else ())

    assert (display and (display.theme, display.frames)) == expected


async def test_frames_are_as_many_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESK: display.frames"""
    asked: list[float] = []
    real = DeskApp.set_interval

    def note(self: DeskApp, interval: float, *arguments: Any, **terms: Any) -> Any:
        asked.append(interval)
        return real(self, interval, *arguments, **terms)

    monkeypatch.setattr(DeskApp, "set_interval", note)
    async with open_still(a_full_desk(), display=DisplaySettings(frames=4)):
        assert 1 / 4 in asked
