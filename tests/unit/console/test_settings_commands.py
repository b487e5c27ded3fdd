"""`keyturn settings`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.scenarios.backtests import Keyturn, keyturn  # noqa: F401


def test_the_printed_example_is_the_written_one(keyturn: Keyturn, tmp_path: Path) -> None:  # noqa: F811
    """OP-10: line by line, and it can be read"""
    path = tmp_path / "settings.toml"
    printed = keyturn("settings", "example", "--profile", "swing")
    written = keyturn("settings", "example", "--profile", "swing", "--output", str(path))

    assert (printed.code, written.code) == (0, 0)
    assert printed.out == path.read_text()
    assert tomllib.loads(printed.out)["profile"] == "swing"
