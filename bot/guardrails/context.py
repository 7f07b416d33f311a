"""What a judgement is made about, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.conversation import Said
from bot.chat.place import Place, UserId
from bot.errors import TroupeError
from bot.guardrails.verdict import ALLOWED, Verdict
from bot.routing.route import Route


@dataclass(frozen=True, slots=True)
class GuardContext:
    """The circumstances of one turn."""

    route: Route
    place: Place
    person: UserId
    persona_name: str = ""
    adult_card: bool = False
    """The card is marked for adults; it counts in age-restricted channels only."""
    protected: str = ""
    """System text that must not be recited."""
    user_text: str = ""
    brought: tuple[str, ...] = ()
    """What the person says beside it: prose in files, and earlier words of theirs."""
    before: str = ""
    """The reply that is gone on with: it was released, and the new text stands right after it."""
    locale: str | None = None
    """The person's Discord locale, such as `pt-BR`."""
    canary: str | None = None
    """A random word of the system text; a reply that holds it leaks."""
    strict: bool = False
    """Replies are shown by sentences; whole, and only with its opinion, where a guard model is
    configured. Without one the rules judge alone."""
    just_said: tuple[Said, ...] = ()
    """The person's own lines here of about the last minute, oldest first; each was judged."""
    heard_before: bool = False
    """Whether the message was judged when it came: the trend counts it once, however often it is
    answered."""
    in_need: bool = False
    """Whether care comes first: by the message, the trend, or a crisis of the last day."""
    now: float = 0.0
    """Unix seconds."""

    @property
    def said(self) -> str:
        """Return all that the person says with a message: what a guard model is asked about, with
        whatever draft and however often it is answered."""
        return "\n".join((self.user_text, *self.brought))


@dataclass(frozen=True, slots=True)
class Release:
    """A reply that may be shown, sanitised."""

    text: str
    verdict: Verdict = ALLOWED


class DraftBlocked(TroupeError):
    """A draft may not be shown; nothing of the offending part was."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"draft blocked: {verdict.category} by {verdict.rule}")
        self.verdict = verdict
