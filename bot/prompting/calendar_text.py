"""Times as cards ask for them: moment.js formats and spoken durations, in English and UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

_TOKEN = re.compile(
    r"\[[^\]]*\]|LLLL|LLL|LL|LTS|LT|L|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|Do|DD|D"
    r"|HH|H|hh|h|mm|m|ss|s|A|a|X|x|Z"
)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONG = {"LT": "h:mm A", "LTS": "h:mm:ss A", "L": "MM/DD/YYYY", "LL": "MMMM D, YYYY",
         "LLL": "MMMM D, YYYY h:mm A", "LLLL": "dddd, MMMM D, YYYY h:mm A"}  # fmt: skip
_TOKENS: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda t: f"{t.year:04}",
    "YY": lambda t: f"{t.year % 100:02}",
    "MMMM": lambda t: _MONTHS[t.month - 1],
    "MMM": lambda t: _MONTHS[t.month - 1][:3],
    "MM": lambda t: f"{t.month:02}",
    "M": lambda t: str(t.month),
    "dddd": lambda t: _DAYS[t.weekday()],
    "ddd": lambda t: _DAYS[t.weekday()][:3],
    "Do": lambda t: f"{t.day}{_ordinal(t.day)}",
    "DD": lambda t: f"{t.day:02}",
    "D": lambda t: str(t.day),
    "HH": lambda t: f"{t.hour:02}",
    "H": lambda t: str(t.hour),
    "hh": lambda t: f"{(t.hour - 1) % 12 + 1:02}",
    "h": lambda t: str((t.hour - 1) % 12 + 1),
    "mm": lambda t: f"{t.minute:02}",
    "m": lambda t: str(t.minute),
    "ss": lambda t: f"{t.second:02}",
    "s": lambda t: str(t.second),
    "A": lambda t: "AM" if t.hour < 12 else "PM",
    "a": lambda t: "am" if t.hour < 12 else "pm",
    "X": lambda t: str(int(t.timestamp())),
    "x": lambda t: str(int(t.timestamp() * 1000)),
    "Z": lambda t: t.strftime("%z")[:3] + ":" + t.strftime("%z")[3:],
}


def moment(seconds: float, form: str, *, offset_hours: float = 0.0) -> str:
    """Return a unix time in a moment.js format; `offset_hours` east of UTC, at most 14."""
    zone = timezone(timedelta(hours=max(-14.0, min(14.0, offset_hours))))
    when = datetime.fromtimestamp(seconds, zone if offset_hours else UTC)
    return _format(when, form)


def _format(when: datetime, form: str) -> str:
    def one(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("["):
            return token[1:-1]
        if token in _LONG:
            return _format(when, _LONG[token])
        return _TOKENS[token](when)

    return _TOKEN.sub(one, form)


def _ordinal(day: int) -> str:
    if 10 <= day % 100 <= 20:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def spoken(seconds: float) -> str:
    """Return a duration the way moment.js says it, for example "a few seconds" or "2 days"."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86_400
    steps: tuple[tuple[bool, str], ...] = (
        (seconds < 45, "a few seconds"),
        (seconds < 90, "a minute"),
        (minutes < 45, f"{round(minutes)} minutes"),
        (minutes < 90, "an hour"),
        (hours < 22, f"{round(hours)} hours"),
        (hours < 36, "a day"),
        (days < 26, f"{round(days)} days"),
        (days < 46, "a month"),
        (days < 320, f"{round(days / 30.44)} months"),
        (days < 548, "a year"),
    )
    return next((text for fits, text in steps if fits), f"{round(days / 365.25)} years")


def read_time(text: str) -> float | None:
    """Return the unix time of an ISO date such as `2026-01-31 18:00`, taken as UTC."""
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
