"""docs/SERVICE.md has the watchdog's own figures; Dockerfile and compose.yaml hold to what it says."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from state.service_units import LATEST_STOP, LIVES_SECONDS, MEMORY_MAX, unit_of
from state.watchdog.presence import MEGABYTE, Limits
from state.watchdog.watchdog import GAVE_UP
from tests.unit.state.test_service_units import PLAN

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "SERVICE.md").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
ENGINE = COMPOSE["services"]["engine"]
NOT_ON_THE_PAGE = {"holds_seconds", "cpu_share", "within_seconds", "dump_seconds", "look_seconds", "first_look_seconds"}
"""How it looks, and what stands within a row of another."""


def figures() -> dict[str, str]:
    """The figure of each row of the page that names a limit."""
    return dict(re.findall(r"^\|[^|]*?\(`(\w+)`[^|]*\| ([^|]*?) \|", PAGE, re.MULTILINE))


def test_page_has_the_watchdog_figures() -> None:
    """SY-02"""
    limits, found = Limits(), figures()

    assert found.keys() == {field.name for field in fields(Limits)} - NOT_ON_THE_PAGE
    for name, figure in found.items():
        value = getattr(limits, name)
        number = value // MEGABYTE if "bytes" in name else value
        assert figure.split()[0] == f"{number:g}", name
    assert f"`within_seconds`: {limits.within_seconds:g}" in PAGE
    assert f"for {limits.holds_seconds:g} s" in PAGE
    assert f"over {limits.cpu_share:.0%} of a core".replace("%", " %") in PAGE
    assert f"exit code {GAVE_UP}" in PAGE
    assert f"`WatchdogSec={LIVES_SECONDS}`" in PAGE


def test_unit_has_the_directives_of_the_page() -> None:
    """SY-02"""
    table = PAGE.split("| directive | why |")[1].split("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    named = [word for row in rows for word in re.findall(r"`([A-Z]\w+=?[^`]*)`", row)]
    unit = unit_of(PLAN)

    denied = {word for row in rows if row.startswith(" not ") for word in re.findall(r"`([A-Z]\w+)`", row)}
    assert len(named) > 20
    assert [word for word in named if word not in denied and word not in unit] == []
    assert [word for word in denied if f"\n{word}=" in unit] == []


# ── the container ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_image_is_not_root_and_pins_its_base() -> None:
    """SY-02"""
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base) for base in bases)
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == [ENGINE["user"]] == ["10001:10001"]
    assert "--require-hashes" in DOCKERFILE
    assert not re.search(r"APCA|SECRET|KEYTURN_ALLOW_LIVE", DOCKERFILE)


def test_image_gets_the_program_and_nothing_else() -> None:
    """SY-02, SY-06: a key or a journal beside the clone never reaches the image."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        word.removesuffix("/")
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for word in line.split()
    }
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]

    assert next(line for line in ignored if line and not line.startswith("#")) == "*"
    assert sent == copied
    assert {name for name in packages if "*" not in name} | {"app.py", "requirements.lock"} <= copied
    assert [path for path in sorted(sent) if not (ROOT / path).exists()] == []


def test_container_has_least_privileges() -> None:
    """SY-02"""
    assert (ENGINE["read_only"], ENGINE["cap_drop"], ENGINE["init"]) == (True, ["ALL"], True)
    assert ENGINE["security_opt"] == ["no-new-privileges:true"]
    assert ENGINE["volumes"] == ["state:/data"]
    assert "state" in COMPOSE["volumes"]
    assert ENGINE["stop_grace_period"] == f"{LATEST_STOP}s"
    assert ENGINE["mem_limit"] == MEMORY_MAX.lower()
    assert "privileged" not in ENGINE
    assert "ports" not in ENGINE
    assert ENGINE["restart"] == f"on-failure:{Limits().restarts}"


def test_image_and_compose_share_a_health_check() -> None:
    """SY-02: a start may take as long as the watchdog lets it."""
    for name in ("interval", "timeout", "start-period", "retries"):
        asked = re.search(rf"^HEALTHCHECK .*--{name}=(\w+)", DOCKERFILE, re.MULTILINE)
        assert asked is not None, name
        assert str(ENGINE["healthcheck"][name.replace("-", "_")]) == asked[1]
    assert int(ENGINE["healthcheck"]["start_period"][:-1]) > Limits().starting_seconds
    assert ENGINE["healthcheck"]["test"] == ["CMD", "keyturn", "status"]
