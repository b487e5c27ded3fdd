"""Immutable views of the state for the panes. Values only: no widget queries the engine.

Times are UTC; the panes convert them. An unknown figure is None, and the screen shows that.
"""

from __future__ import annotations

from core.views.advice import *
from core.views.basket import *
from core.views.desk import *
from core.views.engine import *
from core.views.results import *
from core.views.rows import *
from core.views.standing import *
from core.views.ticket import *
from core.views.watch import *
