"""The shipped rules, read once for all tests beside this file."""

from __future__ import annotations

from bot.guardrails.matching.rule_files import SHIPPED, read_rules

RULES = read_rules([SHIPPED])
