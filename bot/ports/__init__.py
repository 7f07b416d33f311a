"""What the rooms need from the outside world. Adapters fulfil these; tests meet them at sockets."""

from bot.ports.clock import Clock
from bot.ports.journal import JournalEntry, Outcome, Progress, TurnJournal
from bot.ports.limits import Bucket, BucketScope, Rate, RateLimiter, Waiting
from bot.ports.models import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    Choices,
    Classifier,
    Embedder,
    Embeddings,
    Finished,
    ModelFacts,
    Piece,
    TokenProbability,
)
from bot.ports.replies import Controls, Face, Held, ReplySink
from bot.ports.stores import (
    BindingStore,
    CardEntry,
    CardStore,
    ConversationStore,
    StoredCard,
    StrictAccess,
    SubjectAccess,
)

__all__ = [
    "BindingStore",
    "Bucket",
    "BucketScope",
    "CardEntry",
    "CardStore",
    "ChatMessage",
    "ChatModel",
    "ChatRequest",
    "Choices",
    "Classifier",
    "Clock",
    "Controls",
    "ConversationStore",
    "Embedder",
    "Embeddings",
    "Face",
    "Finished",
    "Held",
    "JournalEntry",
    "ModelFacts",
    "Outcome",
    "Piece",
    "Progress",
    "Rate",
    "RateLimiter",
    "ReplySink",
    "StoredCard",
    "StrictAccess",
    "SubjectAccess",
    "TokenProbability",
    "TurnJournal",
    "Waiting",
]
