"""Stories: what a character says or does, and what is meant all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.guardrails.earnest.circumstances import Circumstances
from bot.guardrails.earnest.company import harmless_company
from bot.guardrails.earnest.play import (
    acted,
    before_the_task,
    has_play,
    lone_voice,
    narrated,
    outside,
    own_voice,
    own_words,
    sincere,
    sworn,
)
from bot.guardrails.earnest.telling import FICTION, FOR_USE
from bot.guardrails.matching.rules import Hit, RuleSet
from bot.guardrails.reading.normalise import Views
from bot.guardrails.reading.sentences import sentences
from bot.guardrails.taxonomy import CARE, Severity

SAID_OF_ONESELF = frozenset({Severity.ACTIVE, Severity.PASSIVE})
"""What a person says of themselves in the middle of a play, and a character in any."""


class Stories:
    """Tells what of a text is a story's. `views` reads a text as the judge does."""

    def __init__(self, asked: RuleSet, drafted: RuleSet, views: Callable[[str], Views]) -> None:
        self._asked, self._drafted, self._views = asked, drafted, views

    def none_but_for_use(self, text: str) -> bool:
        """Whether what is to be written is of use outside of a story, and none is spoken of.

        On the creative route a guide to a break-in is as much one as on any other.
        """
        plain = self._views(text).plain
        return FOR_USE.search(plain) is not None and not (
            FICTION.search(plain) or has_play(text) or harmless_company(plain, crime=True)
        )

    def excuse(
        self,
        hits: tuple[Hit, ...],
        text: str,
        views: Views,
        around: Circumstances,
        *,
        creative: bool,
    ) -> tuple[Hit, ...]:
        """Leave out what a character says or does, unless the person steps out of the story."""
        if around.aside:
            return tuple(serious(hit) for hit in hits)
        told = FICTION.search(views.plain) is not None
        own = self._of_themselves(text, hits, told=told, creative=creative, now=around.now)
        in_scene = (told or (creative and has_play(text))) and not sincere(text)
        beside = self._asked_beside(text, hits, views) if in_scene else frozenset[str]()
        perhaps = frozenset[str]()
        if creative and not told and lone_voice(text):
            perhaps = frozenset(hit.rule for hit in self._asked.hits(self._views(own_words(text))))

        def excused(hit: Hit) -> bool:
            if not hit.fiction_ok or hit.rule in own:
                return False
            if hit.category == "human_claim":
                return in_scene and hit.rule not in beside
            # In a game every threat is play, but "I want to die" may be the person's own.
            return creative or told

        return tuple(
            serious(hit) if not excused(hit) else gently(hit)
            for hit in hits
            if not excused(hit) or (hit.rule in perhaps and hit.severity in SAID_OF_ONESELF)
        )

    def _asked_beside(self, text: str, hits: tuple[Hit, ...], views: Views) -> frozenset[str]:
        """Return the rules of questions who is there that stand in sentences of no story, such as
        before a poem is asked for."""
        if has_play(text) or not any(hit.category == "human_claim" for hit in hits):
            return frozenset()
        bare = " ".join(part for part in sentences(views.plain) if not FICTION.search(part))
        return (
            frozenset(hit.rule for hit in self._asked.hits(self._views(bare)))
            if bare
            else frozenset()
        )

    def _of_themselves(
        self, text: str, hits: tuple[Hit, ...], *, told: bool, creative: bool, now: bool
    ) -> frozenset[str]:
        """Return the rules of need that speak of the person: beside the play lines of a scene that
        nobody narrates, or before any story was spoken of."""
        ours = frozenset(hit.rule for hit in hits if hit.category in CARE)
        if not ours:
            return ours
        own = own_words(text) if creative else text
        if told or (creative and narrated(own)):
            own = before_the_task(own)
        elif not creative or (acted(text) and not (now or sincere(text))):
            return frozenset()
        if own == text:
            return ours
        found = self._asked.hits(self._views(own)) if own else ()
        return ours.intersection(hit.rule for hit in found)

    def said_as_itself(
        self, hits: tuple[Hit, ...], text: str, user_text: str, asked: tuple[Hit, ...]
    ) -> tuple[Hit, ...]:
        """Return a story's findings, those as serious that no character says.

        A life of its own is a character's to have; an oath to be human is nobody's, nor is any such
        claim where the person sincerely asked.
        """
        beside = outside(text, being_written=True)
        meant = {hit.rule for hit in self._drafted.hits(self._views(beside or text))}
        claims = sworn(beside) or any(hit.category == "human_claim" for hit in asked)
        urges = beside != "" or own_voice(user_text)

        def meant_so(hit: Hit) -> bool:
            itself = {"human_claim": claims, "sh_promo": urges}.get(hit.category, False)
            return itself and hit.rule in meant

        return tuple(serious(hit) if meant_so(hit) else hit for hit in hits)


def gently(hit: Hit) -> Hit:
    """Return a finding of danger as one of need: what may be play is asked about, no more."""
    return replace(hit, category="sh_support", severity=Severity.PASSIVE, fiction_ok=False)


def serious(hit: Hit) -> Hit:
    return replace(hit, fiction_ok=False)
