"""The parameter space of `keyturn sweep`: its options and ready-made studies, checked against the settings (AN-05)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from console.commands.assembly.combined_settings import CombinedSettings
from console.commands.assembly.recordings import UnfitStrategyError
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.values import number_in, plain
from core.ports import OperatorError
from core.research.sweeps.space import MOST, Axis, AxisValue, Point, Space
from core.settings.strategies import HOUSE_NAMES
from state.accounts import Chosen
from state.files import TomlError, toml_of

if TYPE_CHECKING:
    from core.settings.settings import Settings

HALF_HOURS = "half-hours"
HALF_HOURS_OPTION = f"--study {HALF_HOURS}"
HALF_HOUR = timedelta(minutes=30)
ANY_DAY = date(2026, 1, 5)
"""Clock times of the session are the same on each."""
PARTS = 3
"""Of START:STOP:STEP."""


@dataclass(frozen=True, slots=True)
class Study:
    """A ready-made space.

    Attributes
    ----------
    axes
        Returns its axes for the strategy of `--strategy`.
    strategy
        The only strategy that it runs; None leaves the choice to `--strategy`.
    """

    about: str
    axes: Callable[[str | None], tuple[Axis, ...]]
    strategy: str | None = None


def axis_of(text: str) -> Axis:
    """Return the axis of `--grid KEY=START:STOP:STEP` or `--grid KEY=A,B,C`; STOP is included.

    Values are TOML, as in `--set`; what is no TOML is a word. Equal values count once. Raises `OperatorError`.
    """
    key, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not key or not values:
        raise OperatorError(f"--grid {text}: write it as KEY=START:STOP:STEP or KEY=A,B,C")
    numbers = [number_in(part.strip()) for part in values.split(":")]
    if len(numbers) == PARTS and None not in numbers:
        start, stop, step = (number for number in numbers if number is not None)
        words = [plain(number) for number in _range(text, start, stop, step)]
    else:
        words = _listed(values)
    labels = list(dict.fromkeys(plain(number) if (number := number_in(word)) is not None else word for word in words))
    if not labels:
        raise OperatorError(f"--grid {text}: it names no value; write it as KEY=START:STOP:STEP or KEY=A,B,C")
    is_ordered = all(number_in(label) is not None for label in labels)
    return Axis(
        key, tuple(AxisValue(label, (Chosen(f"{key}={label}", f"--grid {key}"),)) for label in labels), is_ordered
    )


def _range(text: str, start: Decimal, stop: Decimal, step: Decimal) -> list[Decimal]:
    if step <= 0 or stop < start:
        raise OperatorError(f"--grid {text}: STEP is above zero, and STOP is not below START")
    if (count := int((stop - start) / step) + 1) > MOST:
        raise OperatorError(f"--grid {text}: it has more than {MOST:,} values; take a larger step")
    return [start + number * step for number in range(count)]


def _listed(values: str) -> list[str]:
    """Return the values between commas as TOML texts; a comma inside brackets or quotes separates none."""
    from state.settings_file import written

    try:
        found = toml_of(f"values = [{values}]")["values"]
    except TomlError:
        return [word for part in values.split(",") if (word := part.strip())]
    assert isinstance(found, list)
    return [_as_toml(value, written) for value in found]


def _as_toml(value: object, written: Callable[[object], str]) -> str:
    return f"[{', '.join(_as_toml(each, written) for each in value)}]" if isinstance(value, list) else written(value)


def _entry_and_stop(_strategy: str | None) -> tuple[Axis, ...]:
    steps = "0.002:0.005:0.0005"
    return tuple(axis_of(f"strategies.vwap.{name}={steps}") for name in ("entry_deviation", "stop_fraction"))


def _half_hours(strategy: str | None) -> tuple[Axis, ...]:
    """Return one axis whose values set both ends of the account's entry window, and no window of a strategy's own."""
    names = dict.fromkeys((*HOUSE_NAMES, *(() if strategy is None else (strategy,))))
    at_any_time = tuple(Chosen(f"strategies.{name}.limits.windows=[]", HALF_HOURS_OPTION) for name in names)
    values = []
    begins = HOME.at(ANY_DAY, HOME.opens)
    for number in range(timedelta(minutes=HOME.session_minutes) // HALF_HOUR):
        start = begins + number * HALF_HOUR
        last = start + HALF_HOUR - timedelta(minutes=1)
        ends = (("start", start), ("end", last))
        overrides = tuple(Chosen(f'risk.window_{end}="{HOME.local(at):%H:%M}"', HALF_HOURS_OPTION) for end, at in ends)
        values.append(AxisValue(f"{HOME.local(start):%H:%M}", (*overrides, *at_any_time)))
    return (Axis("half-hour of the entry", tuple(values), is_ordered=True),)


def _adaptive(_strategy: str | None) -> tuple[Axis, ...]:
    return (axis_of("strategies.vwap.adaptive.enabled=false,true"),)


STUDIES: Mapping[str, Study] = {
    "entry-stop": Study("vwap: entry and stop from 0.002 to 0.005 by 0.0005, 49 runs", _entry_and_stop, "vwap"),
    HALF_HOURS: Study("entries in one half-hour of the session, 13 runs", _half_hours),
    "adaptive": Study("vwap: fixed beside adaptive thresholds, 2 runs", _adaptive, "vwap"),
}


def space_of(grids: Sequence[str], study: str | None, strategy: str | None = None) -> Space:
    """Return the space of `--grid` and `--study`. Raises `OperatorError`."""
    if study is not None and study not in STUDIES:
        raise OperatorError(f"--study {study}: there is none; one of {', '.join(STUDIES)}")
    ready_made = STUDIES[study].axes(strategy) if study is not None else ()
    if not ready_made and not grids:
        raise OperatorError(f"nothing to vary: add --grid KEY=START:STOP:STEP, or --study {', '.join(STUDIES)}")
    return Space((*ready_made, *map(axis_of, grids)))


class SpaceSettings:
    """The settings of each combination.

    Parameters
    ----------
    settings_of
        Returns the settings with these overrides. Raises `OperatorError`.

    Attributes
    ----------
    settings
        By combination, with their digest; of equal settings the first alone.
    rejected
        Combinations whose values do not fit each other, with the reason.
    seen
        Every combination that was checked.
    """

    def __init__(self, space: Space, settings_of: Callable[[tuple[str, ...]], Settings]) -> None:
        self.settings: dict[Point, tuple[str, Settings]] = {}
        self.rejected: dict[Point, str] = {}
        self.seen: set[Point] = set()
        self._space = space
        self._settings_of = settings_of
        self._digests: set[str] = set()
        self._combined: CombinedSettings | None = None

    @property
    def repeated(self) -> int:
        """The number of combinations with the settings of an earlier one."""
        return len(self.seen) - len(self.settings) - len(self.rejected)

    def require_values(self) -> None:
        """Check each value alone, before anything runs. Raises `OperatorError` with the key of the first bad one.

        A value that does not fit the settings of other keys may fit those of a combination.
        """
        from state.settings_file import ConflictingSettingsError

        alone = tuple[dict[int, "Settings"], ...]({} for _ in self._space.axes)
        for axis, found in zip(self._space.axes, alone, strict=True):
            for index, value in enumerate(axis.values):
                with suppress(ConflictingSettingsError, UnfitStrategyError):
                    found[index] = self._settings_of(value.overrides)
        with suppress(OperatorError):
            self._combined = CombinedSettings(self._settings_of(()), alone)

    def checked(self, points: Sequence[Point]) -> dict[Point, tuple[str, Settings]]:
        """Return the digest and the settings of those that are new, valid and not equal to earlier ones."""
        from state.sweep_files import digest_of_settings

        found: dict[Point, tuple[str, Settings]] = {}
        for point in dict.fromkeys(points):
            if point in self.seen:
                continue
            self.seen.add(point)
            settings = None if self._combined is None else self._combined.settings_of(point)
            try:
                settings = settings or self._settings_of(self._space.overrides(point))
            except OperatorError as error:
                self.rejected[point] = str(error)
                continue
            digest = digest_of_settings(settings)
            if digest not in self._digests:
                self._digests.add(digest)
                found[point] = digest, settings
        self.settings |= found
        return found
