"""Who may generate next: a fair queue in front of the backends, and before it who may ask at
a place, when, and how often."""

from bot.scheduling.fair_queue import FairQueue, Slot
from bot.scheduling.line import Urgency

__all__ = ["FairQueue", "Slot", "Urgency"]
