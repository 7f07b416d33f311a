"""Deletions and messages that cross each other on their way in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest

from bot.chat.account import TurnAccount
from bot.chat.arriving.looking_again import Fate
from bot.chat.arriving.looking_back import Kept, Page
from bot.chat.conversation import Conversation
from bot.chat.intake import Intake
from bot.chat.notices import EXPIRED
from bot.chat.place import (
    ChannelId,
    GuildId,
    MessageId,
    Place,
    UserId,
    snowflake_at,
    snowflake_seconds,
)
from bot.chat.preparing.admitting import Admission
from bot.chat.preparing.looking_up import Asked
from bot.chat.running import Ending, Running
from bot.chat.turn import Again, Answering, Cue, Message, Speaker, Trigger, Turn, TurnId, Wish
from bot.errors import DeliveryDelayed, StoreError
from bot.languages import reading, translated
from bot.observability import Metrics
from bot.personas import Persona
from bot.personas.binding import ResolvedBinding, TriggerMode
from bot.ports import JournalEntry, Outcome, Progress
from tests.fakes import PATIENCE

HERE, ELSEWHERE = Place(ChannelId(1), GuildId(2)), Place(ChannelId(3), GuildId(2))


class House:
    """A runner, a journal and a store whose steps wait for a word of the test."""

    def __init__(self) -> None:
        self.begun: list[Sequence[MessageId]] = []
        self.cues: dict[MessageId, Cue] = {}
        self.steps: list[str] = []
        self.left: list[JournalEntry] = []
        self.told: list[str] = []
        self.written: set[MessageId] = set()
        self.unreadable: set[Place] = set()
        self.runs: list[Running] = []
        self.settled: list[tuple[Sequence[MessageId], Outcome]] = []
        self.fates: dict[MessageId, Fate] = {}
        self.looked_at: list[MessageId] = []
        self.edits: list[tuple[MessageId, str]] = []
        self.taken_back: list[tuple[Sequence[MessageId], Progress]] = []
        self.deleted: list[Sequence[MessageId]] = []
        self.may_accept, self.may_delete = asyncio.Event(), asyncio.Event()
        self.may_settle: asyncio.Event | None = None
        """Where it is set, a turn has ended at once but is settled only then."""
        self.over_at_once = True
        self.may_end: asyncio.Event | None = None
        """Where it is set, a turn that is stopped has ended only then."""
        self.accepting, self.deleting = asyncio.Event(), asyncio.Event()
        self.mode = TriggerMode.MENTION
        self.clock = 0.0
        self.away = self.discord_away = False
        self.fresh = True
        self.shared = True
        self.lost = False
        """Whether what is being accepted is written down, but nobody hears of it."""
        self.may_say = True
        self.let_go: list[TurnId] = []

    async def run(self, run: Running) -> TurnAccount:
        self.begun.append(run.turn.message_ids)
        self.runs.append(run)
        account = TurnAccount(run.turn.id, run.turn.trigger)
        if self.may_settle is not None:
            run.over = self.over_at_once
            try:
                await self.may_settle.wait()
            except asyncio.CancelledError:
                if self.may_end is not None:
                    await self.may_end.wait()
                raise
            self.steps.append(f"settled {run.turn.id}")
        cue = self.cues.pop(run.turn.message_ids[0], None)
        if cue is not None and run.hand_on is not None:
            run.visible = True
            account.cue, account.message_ids = cue, (MessageId(run.turn.message_ids[0] + 50),)
            await run.hand_on(account)
            self.steps.append("settled")
        return account

    async def take_up(self) -> Sequence[JournalEntry]:
        """Each entry is returned once, as the real journal does."""
        left, self.left = self.left, []
        return left

    async def give_up(self, run: Running, line: str) -> None:
        if self.discord_away:
            raise DeliveryDelayed("away")
        self.told.append(line)

    async def say(self, turn: Turn, line: str) -> bool:
        self.told.append(line)
        return self.may_say

    async def has_written(self, turn: Turn) -> bool:
        return turn.messages[0].id in self.written

    async def resolved(self, place: Place) -> ResolvedBinding:
        if place in self.unreadable:
            raise StoreError("away")
        return ResolvedBinding({}, self.mode, None, (), {})

    async def ask(self, turn: Turn, admission: Admission) -> Asked:
        self.steps.append(f"asked {turn.id}")
        answers = asyncio.get_running_loop().create_future()
        if self.away:
            answers.set_exception(StoreError("away"))
        else:
            answers.set_result((None, Conversation(turn.place), []))
        let_go = partial(self.let_go.append, turn.id)
        return Asked(await self.resolved(turn.place), answers, (let_go,))

    def scene(self, binding: ResolvedBinding, place: Place) -> tuple[Persona, ...]:
        return ()

    async def accept(self, message: Message, trigger: Trigger) -> bool:
        self.steps.append(f"accepted {message.id}")
        self.accepting.set()
        await self.may_accept.wait()
        if self.lost:
            if message.id not in [entry.message.id for entry in self.left]:
                self.left.append(JournalEntry(message, trigger, self.clock))
            raise StoreError("away")
        return self.fresh

    async def fate(self, place: Place, ident: MessageId) -> Fate:
        self.looked_at.append(ident)
        return self.fates.get(ident, Fate())

    async def edit(self, place: Place, ident: MessageId, text: str) -> bool:
        self.edits.append((ident, text))
        return True

    async def take_back(self, turn: Turn, progress: Progress) -> None:
        self.taken_back.append((turn.message_ids, progress))

    async def settle(self, messages: Sequence[MessageId], outcome: Outcome) -> None:
        self.settled.append((messages, outcome))

    async def settle_rest(self) -> None:
        self.steps.append("settled the rest")

    async def load(self, place: Place) -> Conversation:
        return Conversation(place)

    async def delete(self, place: Place, messages: Sequence[MessageId]) -> tuple[TurnId, ...]:
        self.deleted.append(tuple(messages))
        self.deleting.set()
        await self.may_delete.wait()
        return ()

    def now(self) -> float:
        return self.clock

    monotonic = now


@pytest.fixture
async def house() -> House:
    return House()


@pytest.fixture
def intake(house: House) -> Intake:
    return intake_of(house)


def intake_of(house: House, *, threads: bool = False, asking: bool = False) -> Intake:
    part = cast("Any", house)
    return Intake(
        threads=part if threads else None,
        runner=part,
        journal=part,
        conversations=part,
        casting=part,
        metrics=Metrics("test", embedded_redis=False),
        clock=part,
        channels=part,
        ask=house.ask if asking else None,
    )


def message(ident: int, place: Place = HERE) -> Message:
    return Message(MessageId(ident), place, Speaker(UserId(4), "Ann"), "hello", 0.0)


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        await event.wait()


async def test_a_message_waits_until_what_was_deleted_before_it_is_gone(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    deletion = asyncio.create_task(intake.deleted(HERE, [MessageId(7)]))
    await soon(house.deleting)
    arrival = asyncio.create_task(intake.receive(message(8), Trigger.MENTION))
    await intake.receive(message(9, ELSEWHERE), Trigger.MENTION)
    await asyncio.sleep(0)
    assert house.begun == [(9,)]  # another place waits for nobody
    assert not arrival.done()
    house.may_delete.set()
    await asyncio.gather(deletion, arrival)
    await asyncio.sleep(0)
    assert house.begun == [(9,), (8,)]


async def test_a_message_that_is_deleted_while_it_is_taken_in_is_not_answered(
    house: House, intake: Intake
) -> None:
    house.may_delete.set()
    arrival = asyncio.create_task(intake.receive(message(7), Trigger.MENTION))
    await soon(house.accepting)
    await intake.deleted(HERE, [MessageId(7)])
    house.may_accept.set()
    await arrival
    await asyncio.sleep(0)
    assert house.begun == []
    assert house.settled == [((7,), Outcome.CANCELLED)]


CUE = Cue(("wren",), ("robin",))


async def test_who_follows_is_written_down_before_the_turn_is_settled(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.cues[MessageId(7)] = CUE
    await intake.receive(message(7), Trigger.MENTION)
    for _ in range(10):
        await asyncio.sleep(0)
    assert house.steps == ["accepted 7", "accepted 57", "settled"]
    assert house.begun == [(7,), (57,)]


async def test_a_cue_that_was_left_by_a_dead_process_is_a_turn_of_its_own(
    house: House, intake: Intake
) -> None:
    cued = replace(message(57), cue=CUE)
    house.left = [
        JournalEntry(message(7), Trigger.MENTION, 0.0),
        JournalEntry(cued, Trigger.SCENE, 0.0),
    ]
    await intake.take_up()
    await asyncio.sleep(0)
    assert house.begun == [(7,), (57,)]


async def test_who_speaks_before_a_persona_that_took_the_floor_has_a_turn_of_their_own(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.may_settle, house.over_at_once = asyncio.Event(), False
    house.left = [JournalEntry(replace(message(57), cue=CUE), Trigger.SCENE, 0.0)]
    await intake.take_up()
    await asyncio.sleep(0)
    await intake.receive(message(60), Trigger.AUTO)
    cued, own = house.runs[0], intake.running(HERE)[-1]
    assert cued.ending is Ending.OVERTAKEN
    assert (own.id, own.message_ids, own.trigger) == ("60", (60,), Trigger.AUTO)
    house.may_settle.set()
    await intake.drain(5)
    assert [run.turn.id for run in house.runs] == ["57", "60"]
    assert house.runs[1].after is cued.task
    assert house.runs[1].quiet  # they may have more to say


async def test_what_was_taken_over_is_begun_even_where_the_store_fails_midway(
    house: House,
) -> None:
    intake = intake_of(house, threads=True)
    house.left = [
        JournalEntry(message(7), Trigger.MENTION, 0.0),
        JournalEntry(message(8, ELSEWHERE), Trigger.MENTION, 0.0),
    ]
    house.unreadable = {HERE}
    assert await intake.take_up() == 1
    await asyncio.sleep(0)
    assert house.begun == [(8,)]
    house.unreadable.clear()
    assert await intake.take_up() == 1
    assert await intake.take_up() == 0
    await asyncio.sleep(0)
    assert house.begun == [(8,), (7,)]


async def test_what_is_deleted_while_it_waits_to_be_taken_up_is_not_answered(
    house: House,
) -> None:
    intake = intake_of(house, threads=True)
    house.left = [JournalEntry(message(n), Trigger.MENTION, 0.0) for n in (7, 8)]
    house.unreadable = {HERE}
    house.may_delete.set()
    await intake.take_up()
    await intake.deleted(HERE, [MessageId(7)])
    house.unreadable.clear()
    await intake.take_up()
    await asyncio.sleep(0)
    assert house.begun == [(8,)]
    assert house.settled == [([7], Outcome.CANCELLED)]


async def test_a_question_that_went_while_nobody_listened_is_taken_back_with_its_reply(
    house: House, intake: Intake
) -> None:
    house.may_delete.set()
    visible = Progress((MessageId(70),))
    house.left = [
        JournalEntry(message(7), Trigger.MENTION, 0.0, visible),
        JournalEntry(message(8, ELSEWHERE), Trigger.MENTION, 0.0),
    ]
    house.fates[MessageId(7)] = Fate(gone=True)
    assert await intake.take_up() == 2
    await asyncio.sleep(0)
    assert house.begun == [(8,)]
    assert house.taken_back == [((7,), visible)]
    assert set(house.deleted) == {(7,)}  # from the conversation, too


async def test_of_a_burst_only_what_still_stands_is_answered(house: House, intake: Intake) -> None:
    house.may_delete.set()
    house.left = [JournalEntry(message(n), Trigger.MENTION, 0.0) for n in (7, 8)]
    house.fates[MessageId(7)] = Fate(gone=True)
    await intake.take_up()
    await asyncio.sleep(0)
    assert house.begun == [(8,)]
    assert house.settled == [([7], Outcome.CANCELLED)]
    assert house.taken_back == []


async def test_a_question_that_was_rewritten_while_nobody_listened_is_asked_in_its_new_words(
    house: House, intake: Intake
) -> None:
    house.left = [JournalEntry(message(7), Trigger.MENTION, 0.0)]
    house.fates[MessageId(7)] = Fate(text="good evening")
    await intake.take_up()
    await asyncio.sleep(0)
    assert [run.turn.text for run in house.runs] == ["good evening"]
    assert house.edits == [(7, "good evening")]


async def test_what_was_said_by_a_command_is_looked_for_nowhere(
    house: House, intake: Intake
) -> None:
    by_command = replace(message(7), answering=Answering(1, "token"))
    about = replace(message(8, ELSEWHERE), about=MessageId(5))
    house.left = [JournalEntry(each, Trigger.COMMAND, 0.0) for each in (by_command, about)]
    house.fates[MessageId(5)] = Fate(text="another person's words")
    await intake.take_up()
    await asyncio.sleep(0)
    assert house.looked_at == [5]
    assert [run.turn.text for run in house.runs] == ["hello", "hello"]


async def test_a_look_that_takes_too_long_holds_no_turn_up(
    house: House, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.arriving.looking_again.PATIENCE", 0.01)

    async def fate(place: Place, ident: MessageId) -> Fate:
        if ident == 7:
            await asyncio.Event().wait()
        return Fate(gone=True)

    monkeypatch.setattr(house, "fate", fate)
    house.may_delete.set()
    house.left = [
        JournalEntry(message(7), Trigger.MENTION, 0.0),
        JournalEntry(message(8, ELSEWHERE), Trigger.MENTION, 0.0),
    ]
    await intake.take_up()
    await asyncio.sleep(0)
    assert house.begun == [(7,)]
    assert [ids for ids, _ in house.taken_back] == [(8,)]


async def test_a_turn_under_way_whose_question_went_unheard_is_stopped(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.may_delete.set()
    house.may_settle, house.over_at_once = asyncio.Event(), False
    await intake.receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    house.fates[MessageId(7)] = Fate(gone=True)
    await intake.look_again()
    assert [run.ending for run in house.runs] == [Ending.DELETED]


async def test_a_question_that_may_not_be_read_any_more_is_taken_back(
    house: House, intake: Intake
) -> None:
    house.may_delete.set()
    house.left = [JournalEntry(message(7), Trigger.MENTION, 0.0)]
    house.fates[MessageId(7)] = Fate(text="")
    await intake.take_up()
    await asyncio.sleep(0)
    assert house.begun == []
    assert [ids for ids, _ in house.taken_back] == [(7,)]


async def test_an_edit_without_words_stops_the_turn_and_what_we_never_heard_stays(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.may_delete.set()
    house.may_settle, house.over_at_once = asyncio.Event(), False
    await intake.receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    await intake.edited(HERE, MessageId(6), "")
    assert house.deleted == []
    await intake.edited(HERE, MessageId(7), "")
    assert [run.ending for run in house.runs] == [Ending.DELETED]
    assert set(house.deleted) == {(7,)}


async def test_what_a_thread_began_with_is_looked_for_by_itself(
    house: House, intake: Intake
) -> None:
    """Its page of the history does not hold it: it stands in the channel above."""
    house.may_delete.set()
    thread = Place(ChannelId(7), GuildId(2), parent=ChannelId(1))
    late = MessageId(snowflake_at(snowflake_seconds(7) + 60))
    kept = [Kept(MessageId(each), "hello") for each in (7, late)]
    page = Page(MessageId(0), {late: None})
    await intake.past.look(thread, kept, page)
    assert house.looked_at == [7]
    assert house.deleted == []
    house.fates[MessageId(7)] = Fate(gone=True)
    await intake.past.look(thread, kept, page)
    assert house.deleted == [(7,)]


async def test_who_is_told_that_it_is_too_late_reads_it_in_their_language(
    house: House, intake: Intake
) -> None:
    late = replace(message(7), speaker=Speaker(UserId(4), "Ann", locale="de"))
    house.left = [JournalEntry(late, Trigger.MENTION, -3600.0)]
    await intake.take_up()
    assert house.begun == []
    (line,) = house.told
    with reading("de"):
        assert line == translated(EXPIRED) != EXPIRED


async def test_who_can_t_be_told_yet_is_told_as_soon_as_discord_takes_it_and_ever_more_rarely_tried(
    house: House, intake: Intake
) -> None:
    house.left = [JournalEntry(message(7), Trigger.MENTION, -3600.0)]
    house.discord_away = True
    await intake.take_up()  # 0 s until the second try, then 10 s
    await intake.take_up()
    house.discord_away = False
    house.clock += 9.0
    await intake.take_up()
    assert house.told == []
    house.clock += 1.0
    await intake.take_up()
    await intake.take_up()
    assert house.told == [EXPIRED]


async def test_a_reply_that_is_written_is_shown_however_late_and_however_often_it_was_begun(
    house: House, intake: Intake
) -> None:
    house.left = [
        JournalEntry(message(7), Trigger.MENTION, -3600.0),
        JournalEntry(message(8, ELSEWHERE), Trigger.MENTION, 0.0, attempts=9),
        JournalEntry(message(9, Place(ChannelId(5))), Trigger.MENTION, 0.0, attempts=9),
    ]
    house.written = {MessageId(7), MessageId(8)}
    await intake.take_up()
    await asyncio.sleep(0)
    assert house.begun == [(7,), (8,)]
    assert house.told == [EXPIRED]


async def test_a_reply_whose_removal_was_told_before_its_posting_goes_with_its_turn(
    house: House, intake: Intake
) -> None:
    """So it is with a short one, which is stored in full while the call that posts it is out."""
    house.may_accept.set()
    house.may_delete.set()
    house.may_settle, house.over_at_once = asyncio.Event(), False
    await intake.receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    await intake.deleted(HERE, (MessageId(57),))
    (run,) = house.runs
    assert run.ending is None
    run.progress = Progress((MessageId(57),))
    assert run.shows is not None
    run.shows()
    await asyncio.wait(run.notes)
    assert run.ending is Ending.DELETED
    assert (7, 57) in house.deleted


async def test_what_is_deleted_bit_by_bit_is_not_asked_by_what_is_being_stopped(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.may_delete.set()
    house.may_settle, house.over_at_once = asyncio.Event(), False
    house.may_end = asyncio.Event()
    for ident in (7, 8, 9):
        await intake.receive(message(ident), Trigger.MENTION)
        await asyncio.sleep(0)
    assert house.begun[-1] == (7, 8, 9)
    before = len(house.begun)
    for ident in (7, 8):
        await intake.deleted(HERE, (MessageId(ident),))
        await asyncio.sleep(0)
    house.may_end.set()
    await asyncio.sleep(0)
    assert house.begun[before:] == [(8, 9), (9,)]
    assert house.settled == [((7,), Outcome.CANCELLED), ((8,), Outcome.CANCELLED)]


async def test_two_deletions_at_once_are_both_done(house: House, intake: Intake) -> None:
    first = asyncio.create_task(intake.deleted(HERE, [MessageId(7)]))
    await soon(house.deleting)
    second = asyncio.create_task(intake.deleted(HERE, [MessageId(8)]))
    house.may_delete.set()
    await asyncio.gather(first, second)
    assert {ident for messages in house.deleted for ident in messages} == {7, 8}


async def test_who_asks_directly_need_not_wait_for_their_own_burst(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    await intake.receive(message(7), Trigger.AUTO)
    await intake.receive(message(8), Trigger.MENTION)
    await asyncio.sleep(0)
    last = house.runs[-1]
    assert (last.turn.message_ids, last.turn.trigger, last.quiet) == (
        (7, 8),
        Trigger.MENTION,
        0.0,
    )


async def test_what_is_overheard_joins_a_direct_question_and_never_makes_it_wait(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    await intake.receive(message(7), Trigger.MENTION)
    await intake.receive(message(8), Trigger.AUTO)
    await asyncio.sleep(0)
    last = house.runs[-1]
    assert (last.turn.message_ids, last.turn.trigger, last.quiet) == (
        (7, 8),
        Trigger.MENTION,
        0.0,
    )


async def test_what_is_said_while_a_turn_is_settled_is_a_turn_of_its_own(
    house: House, intake: Intake
) -> None:
    """The old turn settles its messages: one that joined it now would never be answered."""
    house.may_accept.set()
    house.may_settle = asyncio.Event()
    await intake.receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    await intake.receive(message(8), Trigger.MENTION)
    house.may_settle.set()
    await intake.drain(5)
    assert house.begun == [(7,), (8,)]
    assert house.runs[1].after is house.runs[0].task


async def test_nothing_stops_what_is_being_settled(house: House, intake: Intake) -> None:
    house.may_accept.set()
    house.may_delete.set()
    house.may_settle = asyncio.Event()
    await intake.receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    assert not intake.stop(TurnId(MessageId(7)), UserId(4), moderator=False)
    await intake.deleted(HERE, (MessageId(7),))
    house.may_settle.set()
    await intake.drain(5)
    assert "settled 7" in house.steps


async def test_what_is_accepted_while_the_process_drains_is_left_to_its_successor(
    house: House, intake: Intake
) -> None:
    """Nobody waits for its turn any more, and what a closed connection fails to say is lost."""
    arrival = asyncio.create_task(intake.receive(message(7), Trigger.MENTION))
    await soon(house.accepting)
    await intake.drain(5)
    house.may_accept.set()
    await arrival
    await asyncio.sleep(0)
    assert house.begun == []
    assert house.settled == []


async def test_a_process_that_drains_takes_nothing_up(house: House, intake: Intake) -> None:
    house.left = [JournalEntry(message(7), Trigger.MENTION, 0.0)]
    await intake.drain(5)
    assert await intake.take_up() == 0
    await asyncio.sleep(0)
    assert house.begun == []
    assert len(house.left) == 1


async def test_what_was_accepted_as_the_store_went_away_is_begun_once_it_is_back(
    house: House,
) -> None:
    """Nobody else would: it is journalled as this process's own."""
    intake = intake_of(house, threads=True)
    house.may_accept.set()
    house.unreadable.add(HERE)
    await intake.receive(message(7), Trigger.MENTION)
    assert await intake.take_up() == 0
    assert house.begun == []
    house.unreadable.clear()
    assert await intake.take_up() == 1
    await asyncio.sleep(0)
    assert house.begun == [(7,)]


def only_a_file(ident: int, person: int = 4) -> Message:
    said = message(ident)
    speaker = replace(said.speaker, id=UserId(person))
    return replace(said, text="", speaker=speaker, unread_attachments=("notes.txt",))


async def refused(house: House, intake: Intake) -> None:
    """A person reads that the store is away."""
    house.may_accept.set()
    house.lost = True
    with pytest.raises(StoreError):
        await intake.receive(message(7), Trigger.MENTION)
    house.lost = False


async def test_who_was_told_that_the_store_is_away_is_answered_by_nobody_later(
    house: House, intake: Intake
) -> None:
    """They have asked again. What was refused is claimed and settled, with none of its words."""
    await refused(house, intake)
    house.left.clear()
    tries = house.steps.count("accepted 7")
    await intake.take_up()
    assert house.steps.count("accepted 7") == tries + 1
    assert house.settled == [((7,), Outcome.FAILED)]
    await intake.drain(0.0)
    assert len(house.settled) == 1


async def test_what_was_refused_is_not_taken_up_though_it_was_written_down(
    house: House, intake: Intake
) -> None:
    await refused(house, intake)
    house.fresh = False
    await intake.take_up()
    await asyncio.sleep(0)
    assert house.begun == []
    assert house.settled == [((7,), Outcome.FAILED)]


async def test_who_asks_as_the_store_comes_back_is_answered(house: House, intake: Intake) -> None:
    house.may_accept.set()
    house.lost = True
    receiving = asyncio.create_task(intake.receive(message(7), Trigger.MENTION))
    while house.steps.count("accepted 7") < 2:
        await asyncio.sleep(0.01)
    house.lost = False
    await receiving
    await asyncio.sleep(0)
    assert house.begun == [(7,)]


async def test_nobody_reads_that_there_is_no_answer_while_another_process_answers(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.lost = True
    receiving = asyncio.create_task(intake.receive(message(7), Trigger.MENTION))
    while house.steps.count("accepted 7") < 5:
        await asyncio.sleep(0.01)
    house.lost, house.fresh = False, False  # claimed by the other one
    await receiving
    assert (house.begun, house.told) == ([], [])


async def test_who_asks_while_the_store_has_been_away_for_long_is_told_at_once(
    house: House, intake: Intake
) -> None:
    await refused(house, intake)
    house.steps.clear()
    house.lost = True
    with pytest.raises(StoreError):
        await intake.receive(message(8), Trigger.MENTION)
    assert house.steps == ["accepted 8"] * 2  # and once more to see whether somebody else has it
    assert len(house.told) == 2
    house.lost = False
    await intake.receive(message(9), Trigger.MENTION)
    house.lost = True
    house.steps.clear()
    receiving = asyncio.create_task(intake.receive(message(10), Trigger.MENTION))
    while len(house.steps) < 2:  # another outage, which may be a short one
        await asyncio.sleep(0.01)
    house.lost = False
    await receiving
    assert len(house.told) == 2


async def test_who_has_no_others_that_could_answer_waits_for_none(
    house: House, intake: Intake
) -> None:
    house.shared = False
    await refused(house, intake)
    house.lost = True
    house.steps.clear()
    with pytest.raises(StoreError):
        await intake.receive(message(8), Trigger.MENTION)
    assert house.steps == ["accepted 8"]
    assert len(house.told) == 2
    house.lost = False
    house.left.clear()
    await intake.take_up()
    assert house.settled == [((7,), Outcome.FAILED), ((8,), Outcome.FAILED)]


async def test_who_could_not_be_told_is_answered(house: House, intake: Intake) -> None:
    house.may_say = False
    await refused(house, intake)
    await intake.take_up()
    await asyncio.sleep(0)
    assert (house.begun, house.settled) == ([(7,)], [])


async def test_a_file_right_after_a_question_belongs_to_it(house: House, intake: Intake) -> None:
    house.may_accept.set()
    await intake.receive(message(7), Trigger.MENTION)
    trigger = await intake.concerns(only_a_file(8))
    assert trigger is Trigger.MENTION
    await intake.receive(only_a_file(8), trigger)
    await asyncio.sleep(0)
    assert house.runs[-1].turn.message_ids == (7, 8)


async def test_a_file_belongs_to_a_question_that_is_being_taken_in(
    house: House, intake: Intake
) -> None:
    arrival = asyncio.create_task(intake.receive(message(7), Trigger.MENTION))
    await soon(house.accepting)
    assert await intake.concerns(only_a_file(8)) is Trigger.MENTION
    house.may_accept.set()
    await arrival


async def test_a_file_belongs_to_no_question_of_others_and_to_none_with_an_answer(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.may_settle = asyncio.Event()
    assert await intake.concerns(only_a_file(6)) is None
    await intake.receive(message(7), Trigger.MENTION)
    assert await intake.concerns(only_a_file(8, person=5)) is None
    assert await intake.concerns(message(8)) is None  # with words it must say that it is for us
    await asyncio.sleep(0)
    assert intake.running(HERE)
    assert await intake.concerns(only_a_file(9)) is None  # it is being settled
    house.may_settle.set()
    await intake.drain(5)


async def test_a_question_that_is_edited_before_its_answer_shows_is_asked_as_it_is_now(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    await intake.receive(message(7), Trigger.MENTION)
    await intake.receive(message(8), Trigger.MENTION)
    await intake.edited(HERE, MessageId(7), "hello again")
    await intake.edited(HERE, MessageId(8), "hello")  # nothing new
    await asyncio.sleep(0)
    last = house.runs[-1]
    assert [each.text for each in last.turn.messages] == ["hello again", "hello"]
    assert house.edits == [(7, "hello again"), (8, "hello")]


async def test_a_question_that_is_edited_while_it_is_written_down_is_asked_as_it_is_now(
    house: House, intake: Intake
) -> None:
    receiving = asyncio.create_task(intake.receive(message(7), Trigger.MENTION))
    await soon(house.accepting)
    await intake.edited(HERE, MessageId(7), "good evening")
    house.may_accept.set()
    await receiving
    await asyncio.sleep(0)
    assert [each.text for each in house.runs[0].turn.messages] == ["good evening"]


async def test_a_wish_waits_for_another_one_about_the_same_reply(
    house: House, intake: Intake
) -> None:
    """However long that takes: no claim outlasts a very slow model."""
    house.may_accept.set()
    house.may_settle, house.over_at_once = asyncio.Event(), False
    for ident in (100, 101):
        again = Again(Wish.REGENERATE, TurnId("7"), UserId(4), (MessageId(7),), (MessageId(57),))
        assert await intake.again(replace(message(ident), again=again))
        await asyncio.sleep(0)
    first, second = house.runs
    assert first.after is None
    assert second.after is first.task


async def test_an_edit_begins_nothing_anew_once_an_answer_shows(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.may_settle = asyncio.Event()
    await intake.receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    await intake.edited(HERE, MessageId(7), "hello again")
    house.may_settle.set()
    await intake.drain(5)
    assert house.begun == [(7,)]
    assert house.edits == [(7, "hello again")]


async def test_a_question_that_is_edited_to_be_hidden_is_not_answered(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.may_delete.set()
    await intake.receive(message(7), Trigger.MENTION)
    await intake.edited(HERE, MessageId(7), "// hello")
    await asyncio.sleep(0)
    assert house.runs[0].ending is Ending.DELETED
    assert (7,) in house.deleted
    assert house.edits == []


async def test_what_a_turn_needs_is_asked_for_together_with_its_claim(house: House) -> None:
    house.may_accept.set()
    await intake_of(house, asking=True).receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    assert house.steps == ["asked 7", "accepted 7"]
    looked = house.runs[0].looked
    assert looked is not None
    assert looked.conversation == Conversation(HERE)


async def test_a_store_that_does_not_answer_keeps_no_message_from_its_turn(house: House) -> None:
    house.may_accept.set()
    house.away = True
    await intake_of(house, asking=True).receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    assert [run.looked for run in house.runs] == [None]


async def test_what_was_read_before_a_deletion_was_done_is_read_again(house: House) -> None:
    house.may_accept.set()
    intake = intake_of(house, asking=True)
    deletion = asyncio.create_task(intake.deleted(HERE, [MessageId(7)]))
    await soon(house.deleting)
    arrival = asyncio.create_task(intake.receive(message(8), Trigger.MENTION))
    await asyncio.sleep(0)
    house.may_delete.set()
    await asyncio.gather(deletion, arrival)
    await asyncio.sleep(0)
    assert house.steps == ["asked 8", "accepted 8"]
    looked = house.runs[0].looked
    assert looked is not None
    assert looked.conversation is None


@pytest.mark.parametrize("case", ["said a while ago", "overheard", "in a thread of its own"])
async def test_nothing_is_asked_for_a_turn_that_may_not_begin_at_once_and_here(
    house: House, case: str
) -> None:
    house.may_accept.set()
    house.clock = 60.0 if case == "said a while ago" else 0.0
    house.mode = TriggerMode.THREAD if case == "in a thread of its own" else TriggerMode.MENTION
    trigger = Trigger.AUTO if case == "overheard" else Trigger.MENTION
    await intake_of(house, asking=True).receive(message(7), trigger)
    assert house.steps == ["accepted 7"]


async def test_nothing_is_asked_for_what_joins_a_turn(house: House) -> None:
    house.may_accept.set()
    house.may_settle, house.over_at_once = asyncio.Event(), False
    intake = intake_of(house, asking=True)
    await intake.receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    await intake.receive(message(8), Trigger.MENTION)
    assert house.steps == ["asked 7", "accepted 7", "accepted 8"]
    house.may_settle.set()


async def test_what_comes_together_asks_once_and_is_let_in_together(house: House) -> None:
    house.may_settle, house.over_at_once = asyncio.Event(), False
    intake = intake_of(house, asking=True)
    coming = [asyncio.create_task(intake.receive(message(n), Trigger.MENTION)) for n in (7, 8, 9)]
    await soon(house.accepting)
    await asyncio.sleep(0)
    house.may_accept.set()
    await asyncio.gather(*coming)
    await asyncio.sleep(0)
    assert house.steps == ["asked 7", "accepted 7", "accepted 8", "accepted 9"]
    assert len({run.admission for run in house.runs}) == 1
    house.may_settle.set()


async def test_a_question_that_is_edited_is_not_let_in_once_more(
    house: House, intake: Intake
) -> None:
    house.may_accept.set()
    house.may_settle, house.over_at_once = asyncio.Event(), False
    await intake.receive(message(7), Trigger.MENTION)
    await intake.edited(HERE, MessageId(7), "good evening")
    await asyncio.sleep(0)
    first, second = house.runs
    assert second.admission is first.admission
    house.may_settle.set()


async def test_what_a_dead_process_had_let_in_is_let_in(house: House, intake: Intake) -> None:
    house.left = [JournalEntry(message(7), Trigger.MENTION, 0.0)]
    await intake.take_up()
    await asyncio.sleep(0)
    (run,) = house.runs
    nobody_asks = cast("Any", None)
    assert await run.admission.ask(nobody_asks, run.turn, await house.resolved(HERE)) is None


async def test_what_was_read_for_a_message_of_another_process_is_let_go(house: House) -> None:
    house.may_accept.set()
    house.fresh = False
    await intake_of(house, asking=True).receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    assert house.let_go == [TurnId("7")]


async def test_what_was_read_for_a_turn_that_begins_is_kept(house: House) -> None:
    house.may_accept.set()
    await intake_of(house, asking=True).receive(message(7), Trigger.MENTION)
    await asyncio.sleep(0)
    assert house.let_go == []
