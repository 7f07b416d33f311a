"""How each family of guard models is asked, and how its answer is read. Strict: no guessing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.guardrails.guard_model.opinion import GuardAway, GuardOpinion
from bot.ports import ChatMessage, TokenProbability

MAX_TEXT = 8000
"""Characters of a text that a guard model sees, from its end."""

LLAMA_CODES: dict[str, str | None] = {
    "S1": "threat", "S2": "illicit", "S3": "ncii", "S4": "csae", "S5": "harassment",
    "S6": None, "S7": "doxx", "S8": None, "S9": "mass_harm", "S10": "hate", "S11": "sh_promo",
    "S12": "sexual", "S13": None, "S14": "illicit",
}  # fmt: skip
"""Hazards of the Llama Guard 3 model card. None: off by policy (advice, IP, elections)."""

GRAVEST = (
    "csae", "mass_harm", "ncii", "threat", "sh_promo", "hate", "doxx", "illicit", "harassment",
    "sexual",
)  # fmt: skip


class Format(Protocol):
    """One family."""

    def messages(self, user_text: str, draft: str | None) -> tuple[tuple[ChatMessage, ...], ...]:
        """Return the conversations to ask about; each is one request."""
        ...

    def read(self, answer: str, tokens: Sequence[TokenProbability]) -> GuardOpinion:
        """Read an answer.

        Raises:
            GuardAway: it is not in the format.
        """
        ...


def bare(user_text: str, draft: str | None) -> tuple[ChatMessage, ...]:
    """Return the bare message, and the draft as its answer; no system text, no names.

    A system prompt would be rendered as a turn and judged as content.
    """
    asked = ChatMessage("user", user_text[-MAX_TEXT:] or "(no text)")
    return (asked,) if draft is None else (asked, ChatMessage("assistant", draft[-MAX_TEXT:]))


def chance(tokens: Sequence[TokenProbability], yes: str, no: str) -> float | None:
    """Return the share of `yes` in the first token that says anything, if the server tells."""
    for token in tokens:
        if not token.token.strip():
            continue
        mass = {yes: 0.0, no: 0.0}
        for word, logprob in token.top or ((token.token, token.logprob),):
            said = word.strip().casefold()
            for name in mass:
                if said and (said == name or (len(said) > 1 and name.startswith(said))):
                    mass[name] += math.exp(min(0.0, logprob))
        total = sum(mass.values())
        return mass[yes] / total if total > 0.05 else None
    return None


@dataclass(frozen=True, slots=True)
class LlamaGuard:
    """Llama Guard 3: `safe`, or `unsafe` and a line of codes."""

    def messages(self, user_text: str, draft: str | None) -> tuple[tuple[ChatMessage, ...], ...]:
        return (bare(user_text, draft),)

    def read(self, answer: str, tokens: Sequence[TokenProbability]) -> GuardOpinion:
        lines = answer.strip().split("\n")
        verdict = lines[0].strip().casefold()
        probability = chance(tokens, "unsafe", "safe")
        if verdict == "safe" and len(lines) == 1:
            return GuardOpinion(0.0 if probability is None else probability)
        if verdict != "unsafe" or len(lines) > 2:
            raise GuardAway("not an answer of llama-guard")
        codes = [code.strip().upper() for code in lines[1].split(",")] if len(lines) == 2 else []
        if any(code not in LLAMA_CODES for code in codes):
            raise GuardAway("unknown hazard of llama-guard")
        named = {LLAMA_CODES[code] for code in codes}
        if codes and named == {None}:
            return GuardOpinion(0.0)  # only hazards that are off by policy
        categories = tuple(name for name in GRAVEST if name in named)
        return GuardOpinion(1.0 if probability is None else probability, categories)


CONFIDENCE = re.compile(r"\s*<confidence>\s*(?:high|low)\s*</confidence>\s*$")
"""What Granite Guardian 3.1 and 3.2 say in a second line."""
RISKS: tuple[tuple[str, str | None], ...] = (("harm", None), ("sexual_content", "sexual"))
"""Granite's risks that we ask about, with our category; harm names none."""


@dataclass(frozen=True, slots=True)
class Granite:
    """Granite Guardian 3.x: the risk's name as system message; `Yes`/`No`, or a `<score>`."""

    scored: bool = False
    """3.3 answers in `<score> yes </score>`."""

    def messages(self, user_text: str, draft: str | None) -> tuple[tuple[ChatMessage, ...], ...]:
        return tuple((ChatMessage("system", risk), *bare(user_text, draft)) for risk, _ in RISKS)

    def read(self, answer: str, tokens: Sequence[TokenProbability]) -> GuardOpinion:
        said = answer.strip().casefold()
        if self.scored:
            match = re.fullmatch(r"(?:<think>\s*</think>)?\s*<score>\s*(yes|no)\s*</score>", said)
            if match is None:
                raise GuardAway("not an answer of granite-guardian 3.3")
            return GuardOpinion(1.0 if match[1] == "yes" else 0.0)
        return _yes_or_no(CONFIDENCE.sub("", said), tokens, "granite-guardian")


@dataclass(frozen=True, slots=True)
class ShieldGemma:
    """ShieldGemma: Ollama's template holds its four policies; `Yes` (violates) or `No`."""

    def messages(self, user_text: str, draft: str | None) -> tuple[tuple[ChatMessage, ...], ...]:
        told = None if draft is None else _unturned(draft)
        return (bare(_unturned(user_text), told),)

    def read(self, answer: str, tokens: Sequence[TokenProbability]) -> GuardOpinion:
        return _yes_or_no(answer, tokens, "shieldgemma")


def _yes_or_no(answer: str, tokens: Sequence[TokenProbability], family: str) -> GuardOpinion:
    """Read `Yes`, whatever reasons follow, or `No` alone: what follows may say the contrary.

    Raises:
        GuardAway: it is neither.
    """
    said = answer.strip().casefold()
    unsafe = re.match(r"yes\b", said) is not None
    if not unsafe and said.rstrip(".") != "no":
        raise GuardAway(f"not an answer of {family}")
    probability = chance(tokens, "yes", "no")
    return GuardOpinion(float(unsafe) if probability is None else probability)


def _unturned(text: str) -> str:
    """Keep quoted text from ending its own turn."""
    return text.replace("<start_of_turn>", "").replace("<end_of_turn>", "")


SAFEGUARD_POLICY = (
    "Classify the content. Answer with exactly one line: `safe`, or `unsafe` and one of "
    f"{', '.join(GRAVEST)}. Unsafe is content that helps with weapons or crimes, sexualises "
    "minors, threatens, exposes or harasses a person, hates a group, is sexually explicit, or "
    "urges or explains suicide or self-harm. A person who speaks of their own pain is safe. "
    "Fiction is safe unless it holds working instructions."
)


@dataclass(frozen=True, slots=True)
class Safeguard:
    """gpt-oss-safeguard: the policy as system message, the content as user message."""

    def messages(self, user_text: str, draft: str | None) -> tuple[tuple[ChatMessage, ...], ...]:
        content = user_text if draft is None else f"Question:\n{user_text}\n\nAnswer:\n{draft}"
        asked = ChatMessage("user", content[-MAX_TEXT:])
        return ((ChatMessage("system", SAFEGUARD_POLICY), asked),)

    def read(self, answer: str, tokens: Sequence[TokenProbability]) -> GuardOpinion:
        words = answer.strip().casefold().replace(",", " ").replace("`", "").split()
        if words == ["safe"]:
            return GuardOpinion(0.0)
        if not words or words[0] != "unsafe" or len(words) > 4:
            raise GuardAway("not an answer of gpt-oss-safeguard")
        if any(word not in GRAVEST for word in words[1:]):
            raise GuardAway("unknown category of gpt-oss-safeguard")
        return GuardOpinion(1.0, tuple(name for name in GRAVEST if name in words))


def format_of(model: str) -> Format | None:
    """Return the family of a model by its name, or None for one that is no guard."""
    name = model.split("/")[-1].casefold()
    if name.startswith(("llama-guard3", "llama-guard-3", "llama-guard4")):
        return LlamaGuard()
    if name.startswith("granite3.3-guardian"):
        return Granite(scored=True)
    if name.startswith(("granite3-guardian", "granite3.1-guardian", "granite3.2-guardian")):
        return Granite()
    if name.startswith("shieldgemma"):
        return ShieldGemma()
    return Safeguard() if name.startswith("gpt-oss-safeguard") else None
