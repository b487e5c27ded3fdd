"""No module imports another that imports it in turn, at any distance: imports of types and inside functions count.

Nobody imports `app`, which is no package (a contract says so): no cycle goes through it.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

PACKAGES = ("console", "core", "state", "widgets")


def test_modules_import_without_cycles() -> None:
    """SP-07, SY-07"""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)

    try:
        TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(reversed(error.args[1])))
