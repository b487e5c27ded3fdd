"""Fills the tables of docs/RISK.md from the checks, the protections and the settings that the program itself reads.

.venv/bin/python docs/risk.py          writes the page
.venv/bin/python docs/risk.py --check  exits 1 where the page is not what it would write

What a check measures is the sentence that its file opens with; what it shuts and how that ends is its class's own.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from core.risk import trading_status
from core.risk.checks import standard_gate
from core.risk.checks.protections import ProtectionCheck
from core.risk.gate import Check
from core.risk.protections.book import ProtectionBook
from core.risk.size_factors import ALL, BINDING
from core.settings.changes import OF_THE_SCREEN, OWN
from core.settings.changes import leaves as leaves_of
from core.settings.directions import NO_DIRECTION, STRICTER, ZERO_IS_NEVER, Direction, direction_of, name_of
from core.settings.protections import ProtectionsSettings
from core.settings.risk import RiskSettings
from core.settings.settings import PROFILES, Settings
from core.settings.types import AmountSettings, SettingsTable
from core.settings.user_strategies import UserStrategySettings
from docs.execution import plain_value
from docs.pages import Tables, filled, table, written

PAGE = Path(__file__).resolve().with_name("RISK.md")
BY_PROFILE: Mapping[str, Settings] = {
    name: Settings.model_validate({"profile": name, **values}) for name, values in PROFILES.items()
}
BOOK = ProtectionBook(ProtectionsSettings)
READ = re.compile(r"(?<!core\.)\b(risk|execution)\.([a-z_]+)")
"""How a check's file names a setting that it reads."""
SIZES = ("atr", "vix", "trend", "correlation", "throttle", "kelly")
"""Of `risk.sizing`, the part of each term, in the order of the terms."""


def checks() -> str:
    """The gate in its order: what each measures, what it reads, what it shuts, how that ends."""
    rows = []
    for number, check in enumerate(standard_gate().checks, 1):
        shuts, ends = deeds_of(owner_of(check))
        rows.append((str(number), check.name, measured_by(owner_of(check)), limits_of(check), shuts, ends))
    return table(("", "check", "what it measures", "limits", "shuts", "ends"), rows)


def protections() -> str:
    """Every figure of every protection, in each profile."""
    return by_profile("risk.protections", ProtectionsSettings())


def limits() -> str:
    """Every other limit of the account and of an order, in each profile."""
    settings = {name: found.risk for name, found in BY_PROFILE.items()}
    left = {name for name in RiskSettings.model_fields if name not in ("protections", "sizing", "sectors")}
    return table(_HEAD, rows_of("risk", settings, left))


def terms() -> str:
    """What sizes an order: each term, what it answers, and whether it binds everybody."""
    rows = []
    for scale, part in zip(ALL, SIZES, strict=True):
        sentence = _sentence(sys.modules[type(scale).__module__].__doc__)
        binds = "the limit too: over it an order is refused" if scale in BINDING else "the size alone: it refuses none"
        rows.append((scale.name, sentence, f"`risk.sizing.{part}`", binds))
    return table(("term", "what it does", "settings", "lowers"), rows)


def sizes() -> str:
    """Every figure of the terms, in each profile."""
    return by_profile("risk.sizing", BY_PROFILE["micro"].risk.sizing)


def passes() -> str:
    """The table of the docstring of `core/risk/trading_status.py`."""
    text = (trading_status.__doc__ or "").replace("\\\n", "")
    return "\n".join(line for line in text.splitlines() if line.startswith("|")) + "\n"


def directions() -> str:
    """Each setting: which way it is looser, and what a looser value needs; those of no direction by table."""
    keys = [path for path, _ in leaves_of(Settings())] + [(*OWN, key) for key in UserStrategySettings.model_fields]
    named = [(path, found) for path in keys if (found := direction_of(path)) is not Direction.NONE]
    rows = [(f"`{'.'.join(path)}`", _way(path, found), "the word LOOSEN") for path, found in named]
    left = [(f"`{name}`", f"no way: {reason}", _taken(name)) for name, reason in NO_DIRECTION.items()]
    return table(("setting", "looser is", "a looser value needs"), [*rows, *left])


def _way(path: tuple[str, ...], found: Direction) -> str:
    name = name_of(path)
    if found is Direction.CHOICE:
        return f"all but {plain_value(STRICTER[name])}"
    return f"{found.value.removesuffix(' is looser')}{', and 0 most' if name in ZERO_IS_NEVER else ''}"


def _taken(name: str) -> str:
    return "nothing: no order depends on it" if name in OF_THE_SCREEN else "a restart"


TABLES: Tables = {
    "directions": directions,
    "checks": checks,
    "protections": protections,
    "limits": limits,
    "passes": passes,
    "terms": terms,
    "sizes": sizes,
}
"""What stands between the markers of the same name."""


def page(text: str) -> str:
    """The page with every table made anew."""
    return filled(text, TABLES)


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_HEAD = ("setting", *PROFILES, "what it is")


def owner_of(check: Check) -> type:
    """The class that measures: the protection where the check only asks one."""
    return type(BOOK.by_name[check.protection]) if isinstance(check, ProtectionCheck) else type(check)


def measured_by(owner: type) -> str:
    return _sentence(sys.modules[owner.__module__].__doc__)


def deeds_of(owner: type) -> tuple[str, str]:
    """What it shuts and how that ends. Raises ValueError where the class does not say so."""
    found = re.match(r"Shuts (.+?); ends (.+?)\.(?= [A-Z]|$)", _sentence(owner.__doc__))
    if found is None:
        raise ValueError(f'{owner.__name__}: its docstring must begin with "Shuts …; ends …."')
    return found[1], found[2]


def limits_of(check: Check) -> str:
    """The settings that it reads with their defaults; a protection's have a table of their own."""
    if isinstance(check, ProtectionCheck):
        terms = {name: getattr(found.risk.protections, check.protection) for name, found in BY_PROFILE.items()}
        off = [name for name, found in terms.items() if not found.enabled]
        told = "" if not off else "; off in " + ", ".join(off) if len(off) < len(terms) else "; off"
        return f"`risk.protections.{check.protection}`{told}"
    source = inspect.getsource(sys.modules[type(check).__module__])
    read = dict.fromkeys(match.groups() for match in READ.finditer(source))
    return "<br>".join(told for part, name in read if _is_of(check, name) and (told := _inline(part, name)))


def _is_of(check: Check, name: str) -> bool:
    """One file may hold two checks: `daily_loss` is not the weekly one's."""
    return not name.endswith("_loss") or name == check.name.replace(" ", "_")


def _inline(part: str, name: str) -> str:
    """A setting with its value in each profile; nothing where it is none."""
    values = {profile: getattr(getattr(found, part), name, None) for profile, found in BY_PROFILE.items()}
    first = values["micro"]
    if first is None or (isinstance(first, SettingsTable) and not isinstance(first, AmountSettings)):
        return f"`{part}.{name}`" if first is not None else ""
    told = {profile: shown(name, value) for profile, value in values.items()}
    same = len(set(told.values())) == 1
    return f"`{part}.{name}` " + (told["micro"] if same else ", ".join(f"{p} {value}" for p, value in told.items()))


def by_profile(name: str, part: SettingsTable) -> str:
    path = name.split(".")[1:]
    found: dict[str, SettingsTable] = {}
    for profile, settings in BY_PROFILE.items():
        inner: SettingsTable = settings.risk
        for key in path:
            inner = getattr(inner, key)
        found[profile] = inner
    return table(_HEAD, rows_of(name, found, set(type(part).model_fields)))


def rows_of(name: str, parts: Mapping[str, SettingsTable], wanted: set[str]) -> Iterator[tuple[str, ...]]:
    """A row a setting; those of a part within it under its name."""
    kind = type(next(iter(parts.values())))
    for field, info in kind.model_fields.items():
        if field not in wanted:
            continue
        values = {profile: getattr(part, field) for profile, part in parts.items()}
        first = next(iter(values.values()))
        if isinstance(first, SettingsTable) and not isinstance(first, AmountSettings):
            yield from rows_of(f"{name}.{field}", values, set(type(first).model_fields))
        else:
            words = info.description or (_sentence(kind.__doc__) if field == "enabled" else "")
            yield f"`{name}.{field}`", *(shown(field, value) for value in values.values()), words


def shown(field: str, value: object) -> str:
    """A value with its unit, where its name has one."""
    if isinstance(value, AmountSettings) and value.of_equity is not None:
        return f"{(value.of_equity * 100).normalize():f} % of equity"
    if isinstance(value, bool):
        return "yes" if value else "no"
    unit = " s" if "seconds" in field else " min" if "minutes" in field and isinstance(value, (int, Decimal)) else ""
    return plain_value(value) + unit


def _sentence(doc: str | None) -> str:
    """The first paragraph, as one line."""
    return " ".join((doc or "").strip().partition("\n\n")[0].split())


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
