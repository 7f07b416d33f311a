"""What a prompt is made of, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.chat.conversation import Conversation
from bot.chat.turn import Turn, TurnId
from bot.personas import Persona
from bot.ports import ChatMessage
from bot.prompting.report import PromptReport
from bot.prompting.system import BASE_PROMPT
from bot.prompting.tokens import TokenEstimator
from bot.routing.profiles import RouteProfile


@dataclass(frozen=True, slots=True)
class PromptInput:
    """All that a prompt is made of. Times are unix seconds, sizes are tokens."""

    persona: Persona
    profile: RouteProfile
    conversation: Conversation
    turn: Turn
    estimator: TokenEstimator
    num_ctx: int
    reply_tokens: int
    model: str = ""
    safety_text: str = ""
    """Ours: the last words of the system message; no card can change them."""
    base_prompt: str = BASE_PROMPT
    """What a card's `system_prompt` replaces."""
    post_history: str = ""
    """What a card's `post_history_instructions` replace."""
    memories: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    """Memories that must hold whatever is asked, such as an allergy."""
    user_persona: str | None = None
    language: str = ""
    """In which language to reply, as an instruction; empty leaves it to the model."""
    guidance: tuple[str, ...] = ()
    """From the guardrails: the last words of the last message."""
    host_alone: bool = False
    """Care comes first: beside the system message the card adds nothing, neither instructions nor
    examples nor lore, and nobody is reminded of a role."""
    cast_names: tuple[str, ...] = ()
    """Names of the other personas of the place."""
    persona_names: Mapping[str, str] = field(default_factory=dict)
    """Names of personas by id, for replies in the history."""
    reminder: bool = False
    """Whether the persona is reminded of itself."""
    regenerate: bool = False
    continue_reply: bool = False
    """Go on with the turn's own stored reply."""
    pictures: bool = False
    """Whether the model takes pictures."""
    greeting: int | None = None
    """Which of the persona's greetings the conversation began with, from 0, if that is known."""
    run_scripts: bool = False
    """Whether the card's regex scripts for prompts run on the persona's own past replies."""
    seed: int = 0
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Prompt:
    """What goes to the model, and what is to be kept of the conversation afterwards."""

    messages: tuple[ChatMessage, ...]
    stop: tuple[str, ...]
    num_keep: int
    report: PromptReport
    state: Mapping[str, str]
    """To be merged into the conversation's state."""
    trim_to: TurnId | None
    """Where history begins from now on; None as long as all of it fits."""
    trim_next: TurnId | None = None
    """Where it will begin soon: it is nearly full, and a summary takes its time."""
