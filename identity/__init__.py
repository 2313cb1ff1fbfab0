"""Resolution of customers of all sources to parties (DESIGN decisions 7 and 8).

The one step with memory: what it decides is appended to ``identity.event`` and is input to core, like raw.
"""

from identity.resolution import IdentityReport, resolve
from identity.steward import StewardRefused

__all__ = ["IdentityReport", "StewardRefused", "resolve"]
