"""For every test: processes keep what they compile, also where the environment says not to.

The suite starts some seventy bots; without that, each compiles the whole package anew. And no
property is held against the clock, which on a busy machine says nothing.
"""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, settings

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
