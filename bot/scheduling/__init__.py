"""Who may generate next: a fair queue in front of the backends."""

from bot.scheduling.fair_queue import FairQueue, Slot

__all__ = ["FairQueue", "Slot"]
