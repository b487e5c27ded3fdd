"""The immutable pictures of the state that the panes draw. Values only: no widget asks the engine anything.

Times are UTC; whoever draws them converts. A figure that is not known is None, and the screen says so.
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
