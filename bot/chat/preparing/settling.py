"""What is settled about a turn before anything is generated: route, verdict, persona."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from bot.chat.account import TurnAccount
from bot.chat.character.plain_voice import PLAIN_VOICE, unseen
from bot.chat.conversation import Conversation
from bot.chat.parts import Parts
from bot.chat.preparing.asking import ask_of
from bot.chat.preparing.caring import asked_with_care, heard_as, needs_care
from bot.chat.preparing.just_said import just_said
from bot.chat.preparing.ordering import as_said, furnished, ordered_route
from bot.chat.preparing.scene_turns import speakers
from bot.chat.preparing.speech import reply_language
from bot.chat.turn import Turn
from bot.guardrails import GuardContext
from bot.guardrails.material import brought
from bot.guardrails.outgoing.leak import fresh_canary
from bot.guardrails.verdict import ALLOWED, Action, Verdict
from bot.personas import Persona
from bot.personas.binding import ResolvedBinding
from bot.personas.casting import check_place
from bot.routing.dispatch import Ask
from bot.routing.profiles import RouteProfile
from bot.routing.reasons import SCENE_GOES_ON
from bot.routing.route import Route, RouteDecision
from bot.scheduling.afterwards import afterwards


@dataclass(slots=True)
class Settled:
    """What is settled about a turn before it is generated."""

    turn: Turn
    binding: ResolvedBinding
    conversation: Conversation
    decision: RouteDecision
    profile: RouteProfile
    """How the route is spoken; the same for the whole turn, also when the file changes."""
    persona: Persona
    context: GuardContext
    verdict: Verdict
    scene: tuple[Persona, ...] = ()
    """The personas that share the place, if several do."""
    planned: tuple[str, ...] = ()
    """Who of them is to speak after this one."""
    language: str | None = None
    """ISO 639-1 code of the language to reply in; None leaves it to the model."""


async def settle(
    parts: Parts,
    turn: Turn,
    conversation: Conversation,
    binding: ResolvedBinding,
    account: TurnAccount,
    named: str | None,
    *,
    heard_before: bool = False,
) -> Settled | None:
    """Route, judge the input, and pick the persona. None: whose turn it was has left the scene.

    `heard_before`: the message was answered already, and is answered once more.

    Raises:
        NotAllowed: the persona may not play here.
        NotFound: there is no persona called `named`.
    """
    turn = furnished(turn)
    alone = named is not None or turn.order is not None
    scene = () if alone else parts.casting.scene(binding, turn.place)
    ask = ask_of(turn, conversation, shared=bool(scene), now=parts.clock.now())
    if turn.cue is None and turn.order is None:
        needed_at = await parts.guardrails.faring.needed_at(turn.speaker.id, turn.place)
        ask = replace(ask, distress_at=needed_at)
    decision, context, verdict = await _judge(
        parts, turn, conversation, ask, heard_before=heard_before
    )
    grounded = verdict.plain_voice and not verdict.unseen
    if grounded or named == PLAIN_VOICE.id:
        players, scene = [PLAIN_VOICE], ()
    else:
        # Where care is needed one voice is enough.
        sharing = () if turn.cue is None and needs_care(verdict) else scene
        players = _players(parts, turn, conversation, binding, decision.route, named, sharing)
    if not players:
        return None
    player, *others = players
    check_place(player, turn.place)
    if verdict.unseen:
        player, scene = unseen(player), ()
    context = replace(
        context,
        route=decision.route,
        persona_name=player.name,
        adult_card=player.adult,
        in_need=verdict.action is Action.SUPPORT or grounded,
    )
    account.decision, account.persona = decision, player
    if turn.order is None:  # a tool's route is no decision of the router
        afterwards(partial(parts.dispatcher.observe, ask, decision))
    planned = tuple(each.id for each in others) if verdict.action is Action.ALLOW else ()
    language = reply_language(turn, conversation, player)
    return Settled(
        turn,
        binding,
        conversation,
        decision,
        parts.profiles[decision.route],
        player,
        context,
        verdict,
        scene,
        planned,
        language,
    )


async def _judge(
    parts: Parts, turn: Turn, conversation: Conversation, ask: Ask, *, heard_before: bool
) -> tuple[RouteDecision, GuardContext, Verdict]:
    if turn.cue is not None and (standing := _standing_route(conversation)) is not None:
        decision = standing
    elif turn.order is not None:
        decision = ordered_route()
    else:
        decision = await parts.dispatcher.route(ask)
    said = as_said(turn)
    context = GuardContext(
        route=heard_as(ask, decision),
        place=turn.place,
        person=turn.speaker.id,
        persona_name="",
        adult_card=False,
        protected="",
        user_text=said.text,
        brought=brought(said),
        locale=turn.speaker.locale,
        canary=fresh_canary(),
        strict=parts.profiles[decision.route].guard == "strict" or await parts.strict(turn.place),
        just_said=just_said(turn, conversation),
        heard_before=heard_before,
        now=ask.now,
    )
    if turn.cue is not None:
        return decision, context, ALLOWED  # the person's words were judged with their own turn
    began = parts.clock.monotonic()
    verdict = await parts.guardrails.judge_input(said, context)
    parts.metrics.guard.took("input", parts.clock.monotonic() - began)
    if (again := asked_with_care(ask, decision, verdict)) is not None:
        decision = await parts.dispatcher.route(again)
        if again.distress:
            await parts.guardrails.faring.in_need(turn.speaker.id, turn.place, ask.now)
    return decision, context, verdict


def _players(
    parts: Parts,
    turn: Turn,
    conversation: Conversation,
    binding: ResolvedBinding,
    route: Route,
    named: str | None,
    scene: tuple[Persona, ...],
) -> list[Persona]:
    """Return who speaks now, and who is to speak after that; nobody if all have left the scene."""
    if turn.cue is not None or scene:
        return in_scene(parts, turn, scene, conversation)
    if named is None:
        return [parts.casting.player(binding, route, turn.place.guild)]
    return [parts.casting.persona(named, turn.place.guild)]


def in_scene(
    parts: Parts, turn: Turn, scene: tuple[Persona, ...], conversation: Conversation
) -> list[Persona]:
    """Return who speaks now, and who is to speak after that."""
    by_id = {persona.id: persona for persona in scene}
    if turn.cue is not None:
        order = turn.cue.speakers
    else:
        order = speakers(turn, scene, conversation, parts.scene_limits)
    return [by_id[each] for each in order if each in by_id]


def _standing_route(conversation: Conversation) -> RouteDecision | None:
    """Return the route of the last reply: a cue stays on it."""
    for exchange in reversed(conversation.exchanges):
        if exchange.reply is not None:
            route = exchange.reply.route
            shares = {each: 1.0 if each is route else 0.0 for each in Route}
            return RouteDecision(
                route=route,
                probabilities=shares,
                uncertain=False,
                source="scene",
                continuation=1.0,
                reasons=(SCENE_GOES_ON,),
            )
    return None
