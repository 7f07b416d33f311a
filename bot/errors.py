"""Everything that can go wrong, as one tree.

TroupeError
├── SettingsRejected        one clear line for each wrong or unknown setting
│   └── InputRejected       what a command was given can't be used
├── UserFacing              `text` is for the person and says what to do
│   ├── CardRejected        the file, the field, the reason
│   │   └── LorebookGiven       it is a lorebook, which is wanted elsewhere
│   ├── NotFound            what was asked for by name does not exist here
│   ├── NotAllowed          the missing permission, by its Discord name
│   ├── InvalidChoice       an option out of its bounds, with the bounds
│   └── Busy                place in the queue, when to try again
├── BackendError            an Ollama host failed; `retryable` before the first token only
│   ├── BackendUnavailable  5xx, breaker open, no slot, no healthy host
│   │   ├── BackendUnreachable  no connection, or it broke before an answer
│   │   ├── AnswerBroken        it answered, but with nothing that begins a reply
│   │   └── NotOffered          the host has no such route: an older server
│   ├── ModelMissing        the host does not have the model; pull it
│   ├── BackendStalled      no first token, or no next token, in time
│   ├── ContextOverflow     our own budget was wrong: a bug, never retried
│   ├── RequestRejected     4xx: our request was wrong: a bug, never retried
│   ├── StreamBroken        no `done`, or an error line after tokens
│   └── EmptyReply          the stream ended well and said nothing
├── StoreError              Redis is away, or refused
│   ├── ConsentRequired     a write to a memory whose owner has not agreed
│   ├── RecordCorrupt       a stored record can't be decrypted or read
│   ├── OwnershipLost       another process has taken the turn over; stop, it will answer
│   └── MigrationError      the database and the program do not fit
└── DeliveryError           Discord would not take the reply
    ├── DeliveryDelayed     it can't be reached, or asks to wait: later it may
    ├── PermissionMissing   which permission, in which channel
    ├── TargetGone          the channel or the message no longer exists
    └── ThreadClosed        the thread is locked
"""

from __future__ import annotations

from bot.languages.catalogue import filled
from bot.languages.reader import translated


class TroupeError(Exception):
    """Root of the tree."""


class SettingsRejected(TroupeError):
    """Settings that can't be used. `problems` holds one line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class InputRejected(SettingsRejected):
    """What a command was given, such as a file, can't be used."""


class UserFacing(TroupeError):
    """An error whose text may be shown to the person who caused it.

    `source` is a literal in plain English that says what to do, and the key of its
    translations; `values` fill its `{name}` fields. `text` is the whole in English; as it may quote
    the person, a log line takes the error itself, of which only `source` is written.
    """

    def __init__(self, source: str, /, **values: object) -> None:
        self.text = filled(source, values)
        super().__init__(self.text)
        self.source = source
        self.values = values

    @property
    def translated(self) -> str:
        """Return the text in the reader's language."""
        return translated(self.source, **self.values)


class CardRejected(UserFacing):
    """A card or lorebook file that can't be used."""


class LorebookGiven(CardRejected):
    """A file that is no card but a standalone lorebook."""


class NotFound(UserFacing):
    """What was asked for by name does not exist here."""


class NotAllowed(UserFacing):
    """The person or the bot lacks a permission."""


class InvalidChoice(UserFacing):
    """An option out of its bounds."""


class Busy(UserFacing):
    """Too much to do. `place` is the place in the queue, from 1; `retry_after` is in seconds."""

    def __init__(
        self,
        source: str,
        /,
        *,
        place: int | None = None,
        retry_after: float | None = None,
        **values: object,
    ) -> None:
        super().__init__(source, place=place, **values)
        self.place = place
        self.retry_after = retry_after


class BackendError(TroupeError):
    """An Ollama host failed. `retryable`: another host may be tried (never after a token)."""

    retryable = False

    def __init__(self, message: str, *, backend: str | None = None) -> None:
        super().__init__(message)
        self.backend = backend


class BackendUnavailable(BackendError):
    """No connection, a 5xx before the first token, an open breaker, or no healthy host."""

    retryable = True


class BackendUnreachable(BackendUnavailable):
    """No connection to the host, or it broke before an answer."""


class AnswerBroken(BackendUnavailable):
    """The host answered, but with no stream, or with one that ended before it had begun."""


class NotOffered(BackendUnavailable):
    """The host answers but has no such route: an older server, or something else's."""


class ModelMissing(BackendError):
    """The host answers but does not have the model."""

    retryable = True


class BackendStalled(BackendError):
    """No first token, or no next token, within its timeout."""


class ContextOverflow(BackendError):
    """The prompt did not fit the context: our own budget was wrong."""


class RequestRejected(BackendError):
    """The host refused the request (4xx, or a 5xx that blames an option)."""


class StreamBroken(BackendError):
    """The stream ended without `done`, or with an error line, after it had begun."""


class EmptyReply(BackendError):
    """The stream ended well but held no visible text."""


class StoreError(TroupeError):
    """Redis is away or refused the command."""


class ConsentRequired(StoreError):
    """A write to the memory of a person who has not agreed to one."""


class RecordCorrupt(StoreError):
    """A stored record can't be decrypted or parsed."""


class OwnershipLost(StoreError):
    """The turn was settled, or taken over, by another process: say nothing more."""


class MigrationError(StoreError):
    """The database's schema and the program do not fit; the text says what to run."""


class DeliveryError(TroupeError):
    """Discord would not take the reply."""


class DeliveryDelayed(DeliveryError):
    """Discord can't be reached, or asks to wait: it may take the reply later."""


class PermissionMissing(DeliveryError):
    """The bot lacks `permission` (Discord's name) in the channel."""

    def __init__(self, message: str, *, permission: str) -> None:
        super().__init__(message)
        self.permission = permission


class TargetGone(DeliveryError):
    """The channel, or the message to answer, no longer exists."""


class ThreadClosed(DeliveryError):
    """The thread is locked, or archived for good: nothing in it can be said or changed."""
