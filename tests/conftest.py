"""For every test: processes keep what they compile, also where the environment says not to.

The suite starts some seventy bots; without that, each compiles the whole package anew.
"""

from __future__ import annotations

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
