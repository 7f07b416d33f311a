"""`python -m bot`, and the command `troupe`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the program. A signal ends it well from its first moment on: until it serves, nothing is
    begun that would have to be finished."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    from bot.cli import main as run  # takes a second or two

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the commands look for
    return run()


if __name__ == "__main__":
    sys.exit(main())
