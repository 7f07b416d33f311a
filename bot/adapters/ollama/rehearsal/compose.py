"""Replies without a model: the persona's own phrases around the person's own words."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from bot.adapters.ollama.rehearsal.voice import Scene, words_of
from bot.routing.route import Route

NOTE = "\n-# rehearsal: no Ollama answered, so this is the stand-in"
"""Ends every reply; `-#` is Discord's small print."""

QUOTE_LENGTH = 80
_MARKUP = re.compile(r"[`*_~|<>@#\[\]()]+")

_MIDDLE: Mapping[Route, Sequence[str]] = {
    Route.FACTUAL: (
        "You ask: “{quote}” I can't look that up in rehearsal, and I won't guess at a figure.",
        """“{quote}” is a fair thing to ask. The true answer needs the model that is not on stage \
yet; until then, take nothing here as checked.""",
        """On “{one}” I have nothing verified to hand just now. Ask again once an Ollama is \
running, and you shall have a proper answer.""",
    ),
    Route.CREATIVE: (
        """Let me try: the {one} remembers every place it has been, and the {two} has been \
nowhere and tells the better stories.""",
        """Start with the {one}. Put it where nobody would look, behind the {two}, and let \
somebody find it on the wrong day. There is your first scene.""",
        """Three ways in: the {one} as a rumour; the {two} as a debt; the two of them as the only \
guests of an inn that closed years ago. I would take the third.""",
    ),
    Route.COMPANION: (
        "You said: “{quote}” What stays with me is “{one}”. How long has that been on your mind?",
        "“{One}”, then. I would rather hear the long version than the polite one.",
        "I heard you: “{quote}” Tell me which part of it matters most, and we begin there.",
    ),
}
_WORDLESS: Mapping[Route, str] = {
    Route.FACTUAL: "Ask me something, and I will tell you honestly that I am only rehearsing.",
    Route.CREATIVE: "Give me one word to begin with; anything you can see from where you sit.",
    Route.COMPANION: "I am here. Say as much or as little as you like.",
}


def compose(scene: Scene, seed: str) -> str:
    """Return a reply, without the note. Equal arguments give equal replies."""
    rng = random.Random(f"{seed}\0{scene.name}\0{scene.said}")
    parts = []
    if actions := scene.actions:
        parts.append(rng.choice(actions))
    sentences = _near_last(scene, rng)
    if sentences:
        parts.append(sentences.pop())
    parts.append(_middle(scene, rng))
    if sentences and scene.route is not Route.FACTUAL:
        parts.append(sentences.pop())
    return " ".join(parts)


def _near_last(scene: Scene, rng: random.Random) -> list[str]:
    """Return the persona's sentences in chance order, those with the person's words last."""
    sentences = scene.sentences
    rng.shuffle(sentences)
    topic = {word.lower() for word in scene.topic}
    return sorted(sentences, key=lambda s: len(topic & {word.lower() for word in words_of(s)}))


def _middle(scene: Scene, rng: random.Random) -> str:
    topic = scene.topic
    if not topic:
        return _WORDLESS[scene.route]
    # The longest words carry most; in the order in which they were said.
    heavy = sorted(sorted(topic, key=len)[-2:], key=topic.index)
    one, two = heavy[0], heavy[-1] if len(heavy) > 1 else "quiet after it"
    return rng.choice(_MIDDLE[scene.route]).format(
        quote=_quote(scene.said), one=one, two=two, One=one[:1].upper() + one[1:]
    )


def _quote(said: str) -> str:
    plain = " ".join(_MARKUP.sub(" ", said).split())
    if len(plain) <= QUOTE_LENGTH:
        return plain
    return plain[:QUOTE_LENGTH].rsplit(" ", 1)[0] + " …"
