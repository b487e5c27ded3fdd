"""All facts. Only a fact changes state, and the journal holds nothing else.

Each is frozen, named in the past tense, and carries the data of its decision. The decorators over the classes list them
(`registry`); write a new fact in the file of its subject, and nowhere else.
"""

from __future__ import annotations

from core.facts.activities import *
from core.facts.agents import *
from core.facts.engine import *
from core.facts.notifications import *
from core.facts.orders import *
from core.facts.registry import BY_TYPE
from core.facts.registry import Fact as Fact
from core.facts.risk import *
from core.facts.staging import *
from core.facts.strategies import *

RELEARNED = tuple(made for made, kind in BY_TYPE.items() if kind.is_heard_again)
"""Facts that need no sync of their own: if lost in a crash, the source sends them again."""
