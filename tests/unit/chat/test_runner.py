"""What a failed turn leaves in the log: what kind of failure it was, never what anybody said."""

from __future__ import annotations

from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from bot.chat.accounts import Accounts
from bot.chat.place import ChannelId, MessageId, Place, UserId
from bot.chat.runner import TurnRunner
from bot.chat.running import Running
from bot.chat.turn import Message, Speaker, Trigger, Turn
from bot.errors import NotFound
from bot.observability import Metrics
from bot.observability.redaction import redact
from bot.ports import Face, Outcome

SAID = Message(
    MessageId(5), Place(ChannelId(1)), Speaker(UserId(9), "Ada"), "my diary is blue", 1.0
)


class Failing:
    """Parts of a turn that end with an error which quotes its person."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def perform(self, *_: Any, **__: Any) -> Outcome:
        raise self.error

    def open(self, *_: Any) -> Failing:
        return self

    async def notice(self, line: str) -> tuple[MessageId, ...]:
        return ()

    async def settle(self, *_: Any) -> None: ...

    def monotonic(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    "error",
    [
        ValueError("invalid literal for int() with base 10: 'my diary is blue'"),
        NotFound("There is no persona {name} here. See `/persona list`.", name="my diary"),
    ],
)
async def test_what_a_person_said_is_in_no_line_about_a_failed_turn(error: Exception) -> None:
    parts = cast("Any", Failing(error))
    runner = TurnRunner(
        pipeline=parts,
        journal=parts,
        conversations=parts,
        casting=parts,
        sinks=parts,
        accounts=Accounts(),
        metrics=Metrics("1"),
        clock=parts,
        own_face=Face("", "Troupe"),
    )
    with capture_logs() as lines:
        account = await runner.run(Running(Turn((SAID,), Trigger.MENTION), 0.0))
    assert account.outcome is Outcome.FAILED
    failed = [redact(None, "", line) for line in lines if line["event"] == "turn failed"]
    assert failed
    assert "diary" not in str([line for line in failed if "exc_info" not in line])
    assert any(type(error).__name__ in str(line.get("error")) for line in failed)
