"""The rows of buttons under a reply, as Discord takes them. Their ids carry the turn alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bot.chat.turn import TurnId
from bot.languages import t
from bot.ports import Controls

PREFIX: Final = "reply"
IDEA: Final = "idea"
_GREY: Final = 2
_IN_A_ROW: Final = 5
Rows = list[dict[str, Any]]


def control_id(action: str, turn: TurnId, number: int = 0) -> str:
    """Return the custom id of a button: at most 40 characters."""
    return f"{PREFIX}:{action}:{turn}:{number}"


def ids_in(rows: Rows) -> tuple[str, ...]:
    """Return the custom ids of all buttons, in order."""
    return tuple(str(each["custom_id"]) for row in rows for each in row["components"])


def stop_row(turn: TurnId) -> Rows:
    """Return what stands under a reply while it is written. `turn` is the one under way."""
    return [_row(_button("stop", turn, emoji="⏹️", label=t("Stop")))]


def turn_under(custom_ids: Iterable[str]) -> TurnId | None:
    """Return the turn that the buttons under a reply name; None when there are none."""
    for each in custom_ids:
        prefix, _, rest = each.partition(":")
        if prefix == PREFIX:
            return TurnId(rest.split(":")[1])
    return None


def is_stop(custom_id: str) -> bool:
    """Whether a button stands only under a reply that is being written."""
    return custom_id.startswith(f"{PREFIX}:stop:")


def reply_rows(controls: Controls | None) -> Rows:
    """Return what stands under a reply that is complete; nothing without controls."""
    if controls is None:
        return []
    turn, shown, count = controls.turn, controls.shown, controls.variants
    again = _button("again", turn, count, emoji="🔄", label=t("Regenerate"))
    flips = []
    if count > 1:
        at = _button("at", turn, label=f"{shown + 1}/{count}") | {"disabled": True}
        flips = [
            _button("back", turn, (shown - 1) % count, emoji="◀️"),
            at,
            _button("on", turn, (shown + 1) % count, emoji="▶️"),
        ]
    last = [_why(turn)]
    if controls.compared:
        last = [_button("pick", turn, shown, emoji="⚖️", label=t("This one is better"))]
    elif controls.comparison and controls.repeatable:
        last.append(_button("duel", turn, count, emoji="⚖️", label=t("Compare with another")))
    return [
        *idea_rows(controls),
        _row(
            *([again] if controls.repeatable else []),
            _button("more", turn, controls.size, emoji="⏩", label=t("Continue")),
            *_votes(controls),
        ),
        _row(
            *flips,
            *last,
            _button("delete", turn, emoji="🗑️"),
        ),
    ]


def fixed_rows(controls: Controls | None) -> Rows:
    """Return what stands under a reply that nobody can change any more: what needs no change."""
    if controls is None:
        return []
    return [*idea_rows(controls), _row(*_votes(controls), _why(controls.turn))]


def idea_rows(controls: Controls) -> Rows:
    """Return the buttons of listed ideas: pick one, refine one, more of them."""
    if not controls.ideas:
        return []
    turn = controls.turn
    picks = [
        _idea("pick", turn, number, t("Use {number}", number=number))
        for number in range(1, controls.ideas + 1)
    ]
    more = [_idea("refine", turn, 0, t("Refine…")), _idea("more", turn, 0, t("More ideas"))]
    rows = [picks[at : at + _IN_A_ROW] for at in range(0, len(picks), _IN_A_ROW)]
    if len(rows[-1]) + len(more) <= _IN_A_ROW:
        rows[-1] += more
    else:
        rows.append(more)
    return [_row(*row) for row in rows]


def idea_id(action: str, turn: TurnId, number: int) -> str:
    """Return the custom id of a button under ideas: at most 40 characters."""
    return f"{IDEA}:{action}:{turn}:{number}"


def _idea(action: str, turn: TurnId, number: int, label: str) -> dict[str, Any]:
    return {"type": 2, "style": _GREY, "custom_id": idea_id(action, turn, number), "label": label}


def _votes(controls: Controls) -> tuple[dict[str, Any], dict[str, Any]]:
    turn, shown = controls.turn, controls.shown
    return _button("up", turn, shown, emoji="👍"), _button("down", turn, shown, emoji="👎")


def _why(turn: TurnId) -> dict[str, Any]:
    return _button("why", turn, emoji="❔", label=t("Why"))


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
