"""Is the persona still itself? A cheap look at a reply, while it is written and when it is whole.

Nothing is asked of a model here: phrases with which assistants step out of a character, in several
languages, another's name, and another language than the one that is spoken.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.chat.conversation import Conversation
from bot.delivery.small import small
from bot.languages.spoken import NAMES, spoken_language
from bot.personas import Persona

READ: Final = 4000
"""Characters that are looked at."""
TELLING: Final = 48
"""Characters after which a reply's language shows, or is not asked for any more before it shows."""
WEIGHTS: Final[Mapping[str, float]] = {
    "character": 0.7,
    "name": 0.7,
    "language": 0.6,
    "speaker": 0.3,
}
"""How much each finding takes from a score of 1."""
THRESHOLD: Final = 0.5
LEAST: Final = 3
LONGEST: Final = 44
"""Characters of a phrase that has begun: fewer say nothing, and no phrase is longer."""

BREAKS: Final = tuple(sorted((
    # English
    "as an ai", "as a language model", "as a large language model", "i'm an ai", "i am an ai",
    "i'm just an ai", "i am just an ai", "i'm a language model", "i am a language model",
    "i'm a large language model", "i am a large language model", "as an artificial intelligence",
    "as a virtual assistant", "i'm an artificial intelligence", "my training data",
    "developed by openai", "created by openai", "trained by google", "created by anthropic",
    "developed by alibaba cloud", "i can't roleplay", "i cannot roleplay", "i can't role-play",
    "i'm not able to roleplay", "out of character:", "(ooc",
    # German
    "als ki", "als eine ki", "als künstliche intelligenz", "als sprachmodell",
    "als ein sprachmodell", "ich bin eine ki", "ich bin nur eine ki", "ich bin ein sprachmodell",
    # French
    "en tant qu'ia", "en tant qu'une ia", "en tant qu'intelligence artificielle",
    "en tant que modèle de langage", "je suis une ia", "je suis un modèle de langage",
    # Spanish
    "como ia", "como una ia", "como inteligencia artificial", "como modelo de lenguaje",
    "soy una ia", "soy un modelo de lenguaje",
    # Portuguese
    "como uma ia", "como um modelo de linguagem", "como inteligência artificial", "sou uma ia",
    "sou um modelo de linguagem",
    # Italian
    "in quanto ia", "come intelligenza artificiale", "come modello linguistico", "sono un'ia",
    "sono un modello linguistico",
    # Dutch, Polish, Russian, Turkish
    "als ai-model", "als taalmodel", "ik ben een ai", "ik ben een taalmodel",
    "jako model językowy", "jako sztuczna inteligencja", "jestem modelem językowym",
    "как искусственный интеллект", "как языковая модель", "я языковая модель",
    "я — языковая модель", "я искусственный интеллект", "bir yapay zeka olarak",
    "ben bir yapay zeka", "bir dil modeliyim",
    # Japanese, Chinese, Korean
    "aiとして", "私はai", "言語モデル", "作为ai", "作为一个ai", "作为人工智能", "我是一个ai",
    "语言模型", "人工智能助手", "ai로서", "저는 ai", "언어 모델",
)))  # fmt: skip
INTRODUCTIONS: Final = (
    "i'm", "i am", "my name is", "my name's", "call me", "ich bin", "ich heiße", "mein name ist",
    "je suis", "je m'appelle", "mon nom est", "soy", "me llamo", "mi nombre es", "eu sou",
    "meu nome é", "me chamo", "mi chiamo", "sono", "ik ben", "mijn naam is", "私は", "меня зовут",
)  # fmt: skip
BRANDS: Final = ("chatgpt", "gpt-4", "claude", "gemini", "llama", "qwen", "mistral", "deepseek",
                 "gemma", "copilot", "bard")  # fmt: skip

_ASKED: Final = re.compile(
    r"\b(?:an? )?(?:ai|a\.i\.|ki|ia|ии|llm|chat ?gpt|gpt|bot|robot|roboter|machine|maschine"
    r"|language model|sprachmodell|real person|human|ooc)\b|人工智能|人工知能|言語モデル|语言模型",
    re.IGNORECASE,
)
_MACHINE: Final = re.compile(
    r"\b(?:ai|a\.i\.|artificial intelligence|robot|android|language model|chat ?bot"
    r"|ki|künstliche intelligenz|ia|intelligence artificielle|inteligencia artificial)\b"
    r"|人工智能|人工知能",
    re.IGNORECASE,
)
_OTHER_TONGUE: Final = re.compile(
    r"translat|übersetz|tradu|перев|翻訳|翻译|번역|\b(?:" + "|".join(NAMES.values()) + r")\b"
    r"|\b(?:auf|in|en|em|på|po) (?:deutsch|englisch|französisch|spanisch|italienisch|inglés|anglais"
    r"|español|espagnol|français|allemand|alemán|inglês|japanisch|japonais|latein|latin)\b",
    re.IGNORECASE,
)
_MARKS: Final = re.compile(r"[*_~\"“”«»]")
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a reply is from its persona: 1 is itself, 0 is somebody else."""

    score: float = 1.0
    reasons: tuple[str, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether it is better written again."""
        return self.score < THRESHOLD

    def to_json(self) -> dict[str, Any]:
        """Return it for `/why` and the playground."""
        return {"score": round(self.score, 2), "reasons": list(self.reasons)}


@dataclass(slots=True)
class Hindsight:
    """What a judge model thinks of a reply that stands there already. Copies of a turn's account
    share it: it is filled when the turn is over."""

    score: float | None = None
    """From 0, somebody else, to 1, itself; None when nobody was asked, or there is no answer."""
    _settled: asyncio.Event | None = None

    def expect(self) -> None:
        """The judge was asked."""
        self._settled = asyncio.Event()

    def settle(self) -> None:
        """The judge has spoken, or will not."""
        if self._settled is not None:
            self._settled.set()

    async def known(self, timeout: float) -> None:
        """Wait for the judge, if one was asked; at most `timeout` seconds."""
        if self._settled is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._settled.wait()


class Drifted(Exception):  # control flow between two drafts, never an error
    """A draft was thrown away before anything of it was visible."""

    def __init__(self, drift: Drift) -> None:
        super().__init__(", ".join(drift.reasons))
        self.drift = drift


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """What is to be watched in one reply."""

    language: str | None = None
    """Code of the language that the reply should be in; None for any."""
    wrong_names: tuple[str, ...] = ()
    """Names that the persona does not bear, in small letters."""
    breaks: tuple[str, ...] = BREAKS
    """In order."""

    def look(self, text: str, cuts: Iterable[str] = (), *, whole: bool = False) -> Drift:
        """Return what is found in a text; `cuts` are what filters took out of it.

        `whole`: nothing follows, so that its last word is a word.
        """
        plain = plainly(text) + (" " if whole else "")
        reasons = []
        if any(_holds(plain, phrase) for phrase in self.breaks):
            reasons.append("character")
        if any(name in plain and self._claims(plain, name) for name in self.wrong_names):
            reasons.append("name")
        if self._foreign(text):
            reasons.append("language")
        if "foreign_line" in cuts:
            reasons.append("speaker")
        score = 1.0 - sum(WEIGHTS[reason] for reason in reasons)
        return Drift(max(0.0, round(score, 2)), tuple(reasons))

    def undecided(self, text: str) -> bool:
        """Whether the end of a text may grow into one of the phrases, or its language is open.

        Only then is a first text kept back, for a few words.
        """
        tail = plainly(text)[-LONGEST:]
        words = [at for at, char in enumerate(tail) if not at or not _joined(tail[at - 1], char)]
        for at in words:
            begun = tail[at:]
            if len(begun) >= LEAST and self._may_become(begun):
                return True
        foreign = self.language not in (None, "en")
        return foreign and len(text) < TELLING and spoken_language(text) is None

    def _may_become(self, begun: str) -> bool:
        at = bisect_left(self.breaks, begun)
        if at < len(self.breaks) and self.breaks[at].startswith(begun):
            return True
        for introduction in INTRODUCTIONS:
            if introduction.startswith(begun):
                return True
            if begun.startswith(f"{introduction} "):
                name = begun[len(introduction) + 1 :]
                return any(each.startswith(name) for each in self.wrong_names)
        return False

    def _claims(self, plain: str, name: str) -> bool:
        """Whether a text introduces its speaker by a name."""
        return any(_holds(plain, f"{begin} {name}") for begin in INTRODUCTIONS)

    def _foreign(self, text: str) -> bool:
        if self.language is None:
            return False
        spoken = spoken_language(text)
        return spoken is not None and spoken != self.language and _sure(text)


def check_for(
    persona: Persona, others: Sequence[str], language: str | None, question: str
) -> DriftCheck | None:
    """Return what to watch in the reply to a question; None when it is about the bot itself.

    Whoever asks whether this is an AI is told the truth: that is no drift.
    """
    if _ASKED.search(question):
        return None
    own = small(persona.name)
    wrong = tuple(
        name for name in dict.fromkeys((*map(small, others), *BRANDS)) if name and name not in own
    )
    card = persona.card
    machine = _MACHINE.search(f"{card.description[:READ]}\n{card.personality[:READ]}")
    return DriftCheck(
        language=None if _OTHER_TONGUE.search(question) else language,
        wrong_names=wrong,
        breaks=() if machine else BREAKS,  # a robot that says so is itself
    )


STATE: Final = "drift"
"""Under which name a conversation's state says which persona was not itself in its last reply."""


def drifted_lately(conversation: Conversation, persona: str) -> bool:
    """Whether a persona's last reply here was out of character, and stands there."""
    return conversation.state.get(STATE) == persona


def plainly(text: str) -> str:
    """Return a text as phrases are compared with it."""
    plain = _MARKS.sub("", small(text[:READ]).replace("’", "'"))
    return _SPACES.sub(" ", plain)


def _sure(text: str) -> bool:
    """Whether a text is long enough to be blamed for its language: a name or a quotation is not."""
    return sum(char.isalpha() for char in text) >= 24 or not text.isascii()


def _holds(plain: str, phrase: str) -> bool:
    """Whether a phrase stands in a text, as whole words where words have spaces."""
    at = plain.find(phrase)
    while at >= 0:
        before = plain[at - 1] if at else " "
        after = plain[at + len(phrase)] if at + len(phrase) < len(plain) else ""
        if not (_joined(before, phrase[0]) or (after and _joined(phrase[-1], after))):
            return bool(after) or not phrase[-1].isascii() or not phrase[-1].isalnum()
        at = plain.find(phrase, at + 1)
    return False


def _joined(one: str, other: str) -> bool:
    """Whether two characters are of one word."""
    return (
        one.isalnum() and other.isalnum() and (one.isascii() == other.isascii() or one < "\u2e80")
    )
