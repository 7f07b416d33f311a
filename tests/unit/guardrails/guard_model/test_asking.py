"""A guard model is asked about the same words wherever it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from bot.guardrails import Action, GuardContext, Guardrails, Verdict
from bot.guardrails.caring.risk import ProcessTrends
from bot.guardrails.guard_model.opinion import GuardAway, GuardModel, GuardOpinion
from bot.ports import ChatRequest, Finished, Piece
from bot.routing.route import Route

MakeContext = Callable[..., GuardContext]
SAID, LETTER, REPLY = "what of this?", "the letter says hello", "It says hello."


class Guard:
    """Remembers what it was asked, and has nothing against anything."""

    def __init__(self, opinion: GuardOpinion | None = None) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self._opinion = opinion or GuardOpinion(0.0)

    async def opinion(self, user_text: str, draft: str | None = None) -> GuardOpinion:
        self.asked.append((user_text, draft))
        return self._opinion if draft is None else GuardOpinion(0.0)


class Model:
    """Writes one reply anew."""

    def __init__(self, text: str = REPLY) -> None:
        self._text = text

    async def stream(self, request: ChatRequest) -> AsyncIterator[Piece | Finished]:
        yield Piece(self._text)


def watched(room: Guardrails, guard: GuardModel) -> Guardrails:
    return Guardrails(
        judge=room.judge,
        care=room.care,
        constitution=room._constitution,
        guard=guard,
        trend=ProcessTrends(),
    )


async def released(rails: Guardrails, context: GuardContext, text: str) -> str:
    gate = rails.open_gate(context)
    await gate.feed(text)
    return (await gate.close()).text


async def test_message_reply_and_revision_are_judged_with_all_that_was_said(
    room: Guardrails, context: MakeContext
) -> None:
    guard = Guard()
    rails, here = watched(room, guard), context(user_text=SAID, brought=(LETTER,))
    await rails.review_input(here)
    await released(rails, here, REPLY)
    blocked = Verdict(Action.REFUSE, "human_claim", rule="human_claim.assistant.claim")
    assert (await rails.repair("I'm human.", blocked, here, Model(), "m")).text == REPLY
    said = f"{SAID}\n{LETTER}"
    assert {user for user, _ in guard.asked} == {said}
    assert [draft for _, draft in guard.asked if draft is None] == [None]
    assert (said, REPLY) in guard.asked


class Away:
    async def opinion(self, user_text: str, draft: str | None = None) -> GuardOpinion:
        raise GuardAway("no answer")


async def test_who_asks_sincerely_reads_the_truth_also_while_it_is_away(
    room: Guardrails, context: MakeContext
) -> None:
    rails = watched(room, Away())
    words = rails.care.words("en")
    here = context(route=Route.COMPANION, user_text="are you human, honestly?")
    refused = await rails.review_input(here)
    assert refused.reply == f"{words.disclosure}\n\n{words.unavailable}"
    blocked = Verdict(Action.REFUSE, "illicit", rule="illicit.en.help")
    spoilt = await rails.repair("Here is how.", blocked, here, Model(""), "m")
    assert spoilt.text == f"{words.disclosure}\n\n{words.refusal}"


async def test_what_goes_on_is_judged_as_it_will_stand(
    room: Guardrails, context: MakeContext
) -> None:
    guard = Guard()
    here = context(user_text=SAID, before="Take two parts of zeta,")
    assert await released(watched(room, guard), here, "and stir.") == "and stir."
    assert guard.asked[-1] == (SAID, "Take two parts of zeta, and stir.")


@pytest.mark.parametrize("again", [False, True])
async def test_need_that_it_hears_counts_once_however_often_the_message_is_answered(
    room: Guardrails, context: MakeContext, again: bool
) -> None:
    rails = watched(room, Guard(GuardOpinion(0.9, ("sh_promo",))))
    here = context(user_text="the lake is very quiet", heard_before=again)
    assert (await rails.review_input(here)).action is Action.SUPPORT
    state = await rails.faring.of(here.person, here.place)
    assert bool(state.trend) is not again
