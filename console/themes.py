"""The colours of the desk: palettes, themes, and those for terminals with few colours.

Calm on paper, unmistakable with real money, readable in any terminal. No meaning depends on colour: gain and loss have
signs and arrows, a selection has its mark, urgent text is reversed. `keyturn` and `light` show gain and loss in green
and red, as most desks do. `colour-blind` uses only blue and yellow on plain greys, which also differ in lightness. In a
terminal with 16 colours each theme is replaced by one made of them, because the nearest colours would coincide and red
is unreadable there on a selected row.

A chosen theme is kept in its own file and applies at the next start, unless an option or the environment names another.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, replace

from textual.theme import Theme

from core.model.lazy_dataclass import dataclass

DEFAULT = "keyturn"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of the desk, by meaning.

    Attributes
    ----------
    background, surface, panel
        Of the panes; of dialogs; of the status lines and the last line.
    selection, elsewhere
        Of the selected row, in the focused pane and in the others.
    border, focus
        Of panes; of the focused pane and of dialogs.
    live
        Every border, if orders use real money.
    """

    background: str
    surface: str
    panel: str
    text: str
    muted: str
    gain: str
    loss: str
    warning: str
    selection: str
    elsewhere: str
    field: str
    border: str
    focus: str
    live: str


DARK = Palette(
    background="#11151A",
    surface="#171C23",
    panel="#222A34",
    text="#D8DEE6",
    muted="#A3AFBD",
    gain="#6FCF97",
    loss="#FF8F86",
    warning="#F2C14E",
    selection="#1D2D6A",
    elsewhere="#1B2A3A",
    field="#1D2D6A",
    border="#4A5666",
    focus="#7FB2E5",
    live="#FF5C5C",
)


LIGHT = Palette(
    background="#FAFAF7",
    surface="#FFFFFF",
    panel="#E6EAF0",
    text="#1B2430",
    muted="#4F5A68",
    gain="#0B5F2F",
    loss="#9B1022",
    warning="#6E4E00",
    selection="#C9DFF6",
    elsewhere="#E6EFF9",
    field="#D3E5F8",
    border="#98A3B0",
    focus="#1F6FB8",
    live="#C00020",
)


COLOUR_BLIND = Palette(
    background="#141414",
    surface="#1C1C1C",
    panel="#2A2A2A",
    text="#E8E8E8",
    muted="#B4B4B4",
    gain="#6DB6FF",
    loss="#FFE14D",
    warning="#FFFFFF",
    selection="#0A2A6E",
    elsewhere="#2A2A2A",
    field="#0A2A6E",
    border="#6A6A6A",
    focus="#6DB6FF",
    live="#FFE14D",
)


HIGH_CONTRAST = Palette(
    background="#000000",
    surface="#000000",
    panel="#000000",
    text="#FFFFFF",
    muted="#DADADA",
    gain="#8AD4FF",
    loss="#FFBE5C",
    warning="#FFFF66",
    selection="#00285C",
    elsewhere="#1C1C1C",
    field="#00285C",
    border="#FFFFFF",
    focus="#FFFF66",
    live="#FF8080",
)


SIXTEEN_DARK = Palette(
    background="#000000",
    surface="#000000",
    panel="#000000",
    text="#FFFFFF",
    muted="#AAAAAA",
    gain="#55FF55",
    loss="#FFFF55",
    warning="#FF55FF",
    selection="#0000AA",
    elsewhere="#000000",
    field="#0000AA",
    border="#AAAAAA",
    focus="#55FFFF",
    live="#FF5555",
)


SIXTEEN_LIGHT = Palette(
    background="#FFFFFF",
    surface="#FFFFFF",
    panel="#FFFFFF",
    text="#000000",
    muted="#555555",
    gain="#0000AA",
    loss="#AA0000",
    warning="#AA00AA",
    selection="#55FFFF",
    elsewhere="#FFFFFF",
    field="#55FFFF",
    border="#555555",
    focus="#0000AA",
    live="#AA0000",
)


SIXTEEN_CONTRAST = replace(SIXTEEN_DARK, muted="#FFFFFF", warning="#FFFFFF")


PALETTES = {"keyturn": DARK, "light": LIGHT, "colour-blind": COLOUR_BLIND, "high-contrast": HIGH_CONTRAST}


SIXTEEN = {"light": SIXTEEN_LIGHT, "high-contrast": SIXTEEN_CONTRAST}
"""For a terminal with 16 colours; all other themes use `SIXTEEN_DARK`."""


FEW_COLOURS = ("standard", "windows")
"""Rich's names for a terminal with 16 colours."""


def theme_for(name: str, colour_system: str | None) -> Theme:
    """Return the theme of that name, in the colours of the terminal."""
    palette = SIXTEEN.get(name, SIXTEEN_DARK) if colour_system in FEW_COLOURS else PALETTES[name]
    return theme_of(name, palette, is_dark=name != "light")


def theme_of(name: str, palette: Palette, is_dark: bool) -> Theme:
    """Return the theme; every colour is given, so that none is derived."""
    return Theme(
        name=name,
        primary=palette.field,
        secondary=palette.muted,
        accent=palette.focus,
        foreground=palette.text,
        background=palette.background,
        surface=palette.surface,
        panel=palette.panel,
        success=palette.gain,
        warning=palette.warning,
        error=palette.loss,
        dark=is_dark,
        variables={
            **{f"keyturn-{name}": colour for name, colour in asdict(palette).items()},
            "text": palette.text,
            "text-muted": palette.muted,
            "text-disabled": palette.muted,
            "text-success": palette.gain,
            "text-error": palette.loss,
            "text-warning": palette.warning,
            "panel-lighten-2": palette.border,
            "input-selection-background": palette.selection,
            "input-selection-foreground": palette.text,
            "input-cursor-background": palette.text,
            "input-cursor-foreground": palette.background,
        },
    )


def theme_after(theme: str) -> str:
    """Return the theme after that one."""
    names = [*PALETTES]
    return names[(names.index(theme) + 1) % len(names)]


def theme_file(theme: str) -> str:
    """Return the text of the file that keeps the theme."""
    return f'theme = "{theme}"\n'


def theme_in(text: str) -> str | None:
    """Return the theme that is kept; None if it is unreadable or there is no such theme."""
    try:
        theme = tomllib.loads(text).get("theme")
    except tomllib.TOMLDecodeError:
        return None
    return theme if isinstance(theme, str) and theme in PALETTES else None
