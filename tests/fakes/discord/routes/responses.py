"""What a bot answers to interactions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.fakes.discord import payloads
from tests.fakes.discord.call import Call, routes
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.interactions import (
    AUTOCOMPLETE,
    CHOICES,
    COMPONENT,
    DEFERRED,
    DEFERRED_UPDATE,
    MODAL,
    REPLY,
    SHOW_MODAL,
    UPDATE,
    Interaction,
)
from tests.fakes.discord.state import EPHEMERAL, LOADING, Message
from tests.fakes.discord.validation import check_message

if TYPE_CHECKING:
    from tests.fakes.discord.rest import Rest


@routes.route("POST", "/interactions/{interaction}/{token}/callback", token=False, exempt=True)
def callback(rest: Rest, call: Call) -> Any:
    interaction = rest.interactions.find(call.params["token"])
    if interaction is None or interaction.id != call.id("interaction"):
        raise ApiError(404, 10062)
    if interaction.callback is not None:
        raise ApiError(400, 40060)
    waited = time.monotonic() - interaction.created_at
    if waited > interaction.deadline:
        interaction.late = True
        rest.world.changed()
        raise ApiError(404, 10062)
    kind = call.json.get("type")
    data = call.json.get("data") or {}
    answer = _ANSWERS.get(kind) if isinstance(kind, int) else None
    if answer is None or (kind == CHOICES) != (interaction.kind == AUTOCOMPLETE):
        raise invalid("type", "BASE_TYPE_CHOICES", "Not a callback of this interaction.")
    answer(rest, call, interaction, data)
    interaction.callback, interaction.waited = kind, waited
    rest.world.changed()
    wants = call.query.get("with_response", "").lower() in ("true", "1")
    return _described(interaction) if wants else None


def _described(interaction: Interaction) -> dict[str, Any]:
    original = interaction.original
    about: dict[str, Any] = {"id": str(interaction.id), "type": interaction.kind}
    body: dict[str, Any] = {"interaction": about}
    if original is not None:
        about |= {
            "response_message_id": str(original.id),
            "response_message_loading": original.loading,
            "response_message_ephemeral": original.ephemeral,
        }
    if original is not None and interaction.callback in (REPLY, DEFERRED, UPDATE):
        resource = {"type": interaction.callback, "message": payloads.message(original)}
        body["resource"] = resource
    elif interaction.callback is not None:
        body["resource"] = {"type": interaction.callback}
    return body


def _post(
    rest: Rest, call: Call, interaction: Interaction, data: dict[str, Any], special: int
) -> Message:
    return rest.posting.create(
        interaction.channel,
        rest.world.bot,
        {key: value for key, value in data.items() if key != "message_reference"},
        files=call.files,
        special_flags=special,
        kind=20,
        webhook_id=rest.world.application_id,
        application_id=rest.world.application_id,
        interaction_metadata=rest.interactions.metadata(interaction),
    )


def _reply(rest: Rest, call: Call, interaction: Interaction, data: dict[str, Any]) -> None:
    check_message(data, files=len(call.files))
    hidden = int(data.get("flags") or 0) & EPHEMERAL
    interaction.original = _post(rest, call, interaction, data, hidden)


def _defer(rest: Rest, call: Call, interaction: Interaction, data: dict[str, Any]) -> None:
    hidden = int(data.get("flags") or 0) & EPHEMERAL
    interaction.original = _post(rest, call, interaction, {}, hidden | LOADING)


def _source(interaction: Interaction) -> Message:
    if interaction.kind not in (COMPONENT, MODAL) or interaction.message is None:
        raise invalid("type", "BASE_TYPE_CHOICES", "There is no message to update.")
    return interaction.message


def _defer_update(rest: Rest, call: Call, interaction: Interaction, data: dict[str, Any]) -> None:
    interaction.original = _source(interaction)


def _update(rest: Rest, call: Call, interaction: Interaction, data: dict[str, Any]) -> None:
    message = _source(interaction)
    check_message(data, files=len(call.files), edit=True, flags=message.flags)
    rest.posting.edit(message, data, call.files)
    interaction.original = message


def _choices(rest: Rest, call: Call, interaction: Interaction, data: dict[str, Any]) -> None:
    choices = data.get("choices") or []
    if len(choices) > 25:
        raise invalid("choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for choice in choices:
        value = choice.get("value")
        if not 1 <= len(choice.get("name") or "") <= 100 or len(str(value)) > 100:
            raise invalid("choices", "BASE_TYPE_BAD_LENGTH", "Must be 1 to 100 in length.")
    interaction.choices = choices


def _modal(rest: Rest, call: Call, interaction: Interaction, data: dict[str, Any]) -> None:
    title, ident = data.get("title") or "", data.get("custom_id") or ""
    if interaction.kind == MODAL:
        raise invalid("type", "BASE_TYPE_CHOICES", "A modal cannot open a modal.")
    if not 1 <= len(title) <= 45 or not 1 <= len(ident) <= 100:
        raise invalid("title", "BASE_TYPE_BAD_LENGTH", "title 1 to 45, custom_id 1 to 100.")
    if not 1 <= len(data.get("components") or []) <= 5:
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", "Must be 1 to 5 in length.")
    interaction.modal = data


_ANSWERS = {
    REPLY: _reply,
    DEFERRED: _defer,
    DEFERRED_UPDATE: _defer_update,
    UPDATE: _update,
    CHOICES: _choices,
    SHOW_MODAL: _modal,
}

# The interaction's own webhook, reached through the routes of webhooks.


def is_follow_up(rest: Rest, call: Call) -> bool:
    """Whether a webhook call belongs to an interaction of this application."""
    return call.params["webhook"] == str(rest.world.application_id)


def _open(rest: Rest, call: Call) -> Interaction:
    interaction = rest.interactions.find(call.params["token"])
    if interaction is None or interaction.callback is None:
        raise ApiError(404, 10015)
    if interaction.expired:
        raise ApiError(401, 50027)
    return interaction


def follow_up(rest: Rest, call: Call) -> Any:
    """Post a follow-up; the first one after a deferral takes the deferred message's place."""
    interaction = _open(rest, call)
    data = call.json
    check_message(data, files=len(call.files))
    original = interaction.original
    if original is not None and interaction.announced:
        rest.posting.edit(original, data, call.files)
        return payloads.message(original)
    hidden = int(data.get("flags") or 0) & EPHEMERAL
    message = _post(rest, call, interaction, data, hidden)
    interaction.followups.append(message)
    rest.world.changed()
    return payloads.message(message)


def _answered(rest: Rest, call: Call) -> tuple[Interaction, Message]:
    interaction = _open(rest, call)
    if call.params["message"] == "@original":
        found = interaction.original
    else:
        ident = call.id("message")
        mine = [interaction.original, *interaction.followups]
        found = next((message for message in mine if message and message.id == ident), None)
    if found is None or found.deleted_at is not None:
        raise ApiError(404, 10008)
    return interaction, found


def get(rest: Rest, call: Call) -> Any:
    """Return the original answer or a follow-up."""
    return payloads.message(_answered(rest, call)[1])


def edit(rest: Rest, call: Call) -> Any:
    """Edit the original answer or a follow-up."""
    _, message = _answered(rest, call)
    check_message(call.json, files=len(call.files), edit=True, flags=message.flags)
    rest.posting.edit(message, call.json, call.files)
    return payloads.message(message)


def delete(rest: Rest, call: Call) -> None:
    """Delete the original answer or a follow-up."""
    rest.posting.delete(_answered(rest, call)[1])
