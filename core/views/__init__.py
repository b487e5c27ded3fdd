"""Immutable views of the state for the panes. Values only: no widget queries the engine.

Times are UTC; the panes convert them. An unknown figure is None, and the screen shows that.
"""

from __future__ import annotations

from core.views.desk import *
from core.views.desk_status import *
from core.views.drafts import *
from core.views.results import *
from core.views.rows import *
from core.views.tickets import *
