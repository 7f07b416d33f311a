"""The budget of one prompt: what each part costs, and what is left."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.errors import CardRejected
from bot.prompting.report import Part
from bot.prompting.tokens import PER_MESSAGE, PER_PROMPT, TokenEstimator


@dataclass(slots=True)
class Ledger:
    """Spends tokens on named parts. `limit` is the context less the reply and the margin."""

    estimator: TokenEstimator
    model: str
    limit: int
    spent: int = 0
    parts: list[Part] = field(default_factory=list)

    @classmethod
    def open(cls, estimator: TokenEstimator, model: str, num_ctx: int, reply_tokens: int) -> Ledger:
        """Return a ledger for a context of `num_ctx` tokens."""
        limit = int((num_ctx - reply_tokens) / estimator.margin(model)) - PER_PROMPT
        return cls(estimator, model, max(0, limit))

    @property
    def left(self) -> int:
        return max(0, self.limit - self.spent)

    def cost(self, text: str) -> int:
        """Return the tokens of a text."""
        return self.estimator.estimate(text, self.model)

    def message_cost(self, text: str) -> int:
        """Return the tokens of a text as a message of its own."""
        return self.cost(text) + PER_MESSAGE

    def must(self, name: str, text: str, *, extra: int = 0) -> None:
        """Spend on a part that can't be left out.

        Raises:
            CardRejected: it does not fit, and neither would anything else.
        """
        if not text and not extra:
            return
        tokens = self.cost(text) + extra
        self.note(name, tokens)
        if self.spent > self.limit:
            raise CardRejected(
                "The {name} does not fit: {needed} tokens are needed before the "
                "conversation even begins, and the model takes {limit}. Use a "
                "shorter card or a shorter message, or ask the operator for a "
                "larger OLLAMA_NUM_CTX.",
                name=name,
                needed=f"{self.spent:,}",
                limit=f"{self.limit:,}",
            )

    def try_to(self, name: str, text: str, *, within: int | None = None) -> bool:
        """Spend on a part if it fits; note it as cut if it does not."""
        tokens = self.cost(text)
        fits = tokens <= (self.left if within is None else min(within, self.left))
        if fits:
            self.note(name, tokens)
        else:
            self.cut(name, tokens, "no room left")
        return fits

    def note(self, name: str, tokens: int) -> None:
        """Spend tokens that were counted already."""
        self.spent += tokens
        self.parts.append(Part(name, tokens))

    def cut(self, name: str, tokens: int, why: str) -> None:
        """Note a part that was left out."""
        self.parts.append(Part(name, tokens, kept=False, note=why))
