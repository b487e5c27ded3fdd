"""Times without a zone, read in the zone that the operator names for a file (MD-08).

Nothing is guessed: a time that a change of the clocks leaves out, or that it repeats, is refused with its line.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.files.csv_files import FIRST_ROW, FileFault, Table, TableError, shown
from core.market.file_shape import Shape, instant_in
from core.model.session import HOME
from core.ports import OperatorError


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of a name of the IANA database. Raises `OperatorError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise OperatorError(f"--zone {name}: there is no such time zone; write it as {HOME.zone.key}, or UTC") from None


def zoned(table: Table, shape: Shape, zone: ZoneInfo) -> Shape:
    """Write the UTC of each row's time into its column, and return the shape of the table then.

    A time that cannot be read stays as it is. Raises `TableError`.
    """
    for index, row in enumerate(table.rows):
        if max(*shape.columns, shape.clock or 0) >= len(row):
            continue
        text = row[shape.when].strip()
        if shape.clock is not None:
            text = f"{text} {row[shape.clock].strip()}"
        if (time := instant_in(text)) is None:
            continue
        place = f"{table.path}:{index + FIRST_ROW}: time {shown(text)}"
        if time.tzinfo is not None:
            raise TableError(f"{place} has its zone already; leave out --zone {zone.key}", FileFault.ZONE)
        # The only instant of a local time. Raises `TableError`.
        instants = {time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        if all(each.astimezone(zone).replace(tzinfo=None) != time for each in instants):
            raise TableError(
                f"{place} does not exist in {zone.key}: the clocks went forward; write UTC", FileFault.ZONE
            )
        if len(instants) > 1:
            raise TableError(f"{place} happens twice in {zone.key}: the clocks went back; write UTC", FileFault.ZONE)
        row[shape.when] = instants.pop().isoformat()
    return replace(shape, clock=None)
