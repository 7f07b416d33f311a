"""The rows of buttons under a reply, as Discord takes them. Their ids carry the turn alone."""

from __future__ import annotations

from typing import Any, Final

from bot.chat.turn import TurnId
from bot.languages import t
from bot.ports import Controls

PREFIX: Final = "reply"
_GREY: Final = 2
Rows = list[dict[str, Any]]


def control_id(action: str, turn: TurnId, number: int = 0) -> str:
    """Return the custom id of a button: at most 40 characters."""
    return f"{PREFIX}:{action}:{turn}:{number}"


def stop_row(turn: TurnId) -> Rows:
    """Return what stands under a reply while it is written. `turn` is the one under way."""
    return [_row(_button("stop", turn, emoji="⏹️", label=t("Stop")))]


def reply_rows(controls: Controls | None) -> Rows:
    """Return what stands under a reply that is complete; nothing without controls."""
    if controls is None:
        return []
    turn, shown, count = controls.turn, controls.shown, controls.variants
    flips = []
    if count > 1:
        at = _button("at", turn, label=f"{shown + 1}/{count}") | {"disabled": True}
        flips = [
            _button("back", turn, (shown - 1) % count, emoji="◀️"),
            at,
            _button("on", turn, (shown + 1) % count, emoji="▶️"),
        ]
    return [
        _row(
            _button("again", turn, count, emoji="🔄", label=t("Regenerate")),
            _button("more", turn, controls.size, emoji="⏩", label=t("Continue")),
            _button("up", turn, shown, emoji="👍"),
            _button("down", turn, shown, emoji="👎"),
        ),
        _row(
            *flips,
            _button("why", turn, emoji="❔", label=t("Why")),
            _button("delete", turn, emoji="🗑️"),
        ),
    ]


def _row(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(buttons)}


def _button(
    action: str, turn: TurnId, number: int = 0, *, emoji: str = "", label: str = ""
) -> dict[str, Any]:
    button: dict[str, Any] = {
        "type": 2,
        "style": _GREY,
        "custom_id": control_id(action, turn, number),
    }
    if emoji:
        button["emoji"] = {"name": emoji}
    return button | {"label": label} if label else button
