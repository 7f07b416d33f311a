"""Who may generate next: a fair queue in front of the backends, and before it the pace of a
place. How often a person or server may ask is counted in the database, for all processes."""

from bot.scheduling.fair_queue import FairQueue, Slot
from bot.scheduling.line import Urgency

__all__ = ["FairQueue", "Slot", "Urgency"]
