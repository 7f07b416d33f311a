"""What admins set for a place beside its cast: checked, and stored with the binding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.chat.place import Place
from bot.errors import InvalidChoice
from bot.personas.binding import Binding, BindingLevel, QuietHours, TriggerMode
from bot.personas.casting import Casting
from bot.scheduling.admission import MAX_WHOM, checked_limit, checked_whom

INHERITED: Final[dict[str, Any]] = {
    "mode": None,
    "model": None,
    "words": (),
    "allowed": None,
    "barred": None,
    "quiet": None,
    "limits": {},
}
"""The value of each rule that stands for "as it is further out"."""


class HouseRules:
    """Changes rules at a level of a place; the nearest level by default."""

    def __init__(self, casting: Casting, models: Sequence[str], *, auto_allowed: bool) -> None:
        """`models`: what the operator lets admins choose, the default first.

        `auto_allowed`: the bot sees messages that do not mention it.
        """
        self._casting = casting
        self.models = tuple(dict.fromkeys(models))
        self.auto_allowed = auto_allowed

    async def set_mode(
        self, place: Place, mode: TriggerMode, *, level: BindingLevel | None = None
    ) -> None:
        """Set when the bot answers.

        Raises:
            InvalidChoice: the mode needs messages that the bot does not get.
        """
        self.check_mode(mode)
        await self._casting.set_mode(place, mode, level=level)

    def check_mode(self, mode: TriggerMode) -> None:
        """Make sure that the bot gets the messages that a mode needs.

        Raises:
            InvalidChoice: it does not.
        """
        if mode is TriggerMode.AUTO and not self.auto_allowed:
            raise InvalidChoice(
                "Auto mode needs the message content intent. Ask the bot's operator to switch it "
                "on (DISCORD_MESSAGE_CONTENT_INTENT), or use mention mode."
            )

    async def set_model(
        self, place: Place, model: str, *, level: BindingLevel | None = None
    ) -> None:
        """Set the model.

        Raises:
            InvalidChoice: the operator does not offer it.
        """
        if model not in self.models:
            raise InvalidChoice("The bot's operator does not offer that model here.")
        await self._casting.set_model(place, model, level=level)

    async def set_allowed(
        self, place: Place, whom: Sequence[str], *, level: BindingLevel | None = None
    ) -> None:
        """Set who alone may talk to the bot; nobody named: everybody may."""
        await self._casting.change(place, level, allowed=checked_whom(whom))

    async def set_barred(
        self, place: Place, whom: Sequence[str], *, level: BindingLevel | None = None
    ) -> None:
        """Set who may not talk to the bot."""
        await self._casting.change(place, level, barred=checked_whom(whom))

    async def set_quiet(
        self, place: Place, hours: QuietHours, *, level: BindingLevel | None = None
    ) -> None:
        """Set when the bot stays silent; equal times end hours that would be inherited."""
        await self._casting.change(place, level, quiet=hours)

    async def set_limits(
        self, place: Place, limits: Mapping[str, int | None], *, level: BindingLevel | None = None
    ) -> None:
        """Set, or with None lift, limits at a level: all of them, or none.

        `limits` are replies a minute by whom they are for; see `bot.scheduling.admission`.

        Raises:
            InvalidChoice: one is out of bounds, or there would be too many.
        """
        for whom, per_minute in limits.items():
            if per_minute is not None:
                checked_limit(whom, per_minute)

        def limited(now: Binding) -> Binding:
            held = {**now.limits, **limits}
            left = {whom: count for whom, count in held.items() if count is not None}
            if len(left) > MAX_WHOM:
                raise InvalidChoice("At most {most} limits can be set.", most=MAX_WHOM)
            return replace(now, limits=left)

        await self._casting.edit(place, level, limited)

    async def inherit(self, place: Place, rule: str, *, level: BindingLevel | None = None) -> None:
        """Let a rule be inherited again; `cast` means who plays, scenes included."""
        if rule == "cast":
            await self._casting.reset_cast(place, level=level)
        else:
            await self._casting.change(place, level, **{rule: INHERITED[rule]})
