"""The router: from a message to the route that answers it, in a tenth of a millisecond."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.errors import SettingsRejected
from bot.recent import Recent
from bot.routing import reasons
from bot.routing.fusion import fused
from bot.routing.policy import certain, circumstances, decide, live
from bot.routing.previous import PreviousRoute, after
from bot.routing.reasons import because
from bot.routing.route import Route, RouteDecision
from bot.routing.scene import Told, open_after
from bot.routing.table import LABELS, RouteTable, Scores, read_table
from bot.routing.text import has_words
from bot.routing.wording import asks_back

READ = 256
"""Messages whose scores are remembered until they are routed."""
SHIPPED = Path(__file__).parent / "data" / "route.table"
"""The model that comes with the package."""


class Router:
    """Routes messages. Pure and quick: it never waits, and no message makes it raise."""

    def __init__(self, table: RouteTable | None, problem: str | None = None) -> None:
        self._table = table
        self._read = Recent[int, Scores](READ)
        """By hash, not by text: what a person deletes must not live on here."""
        self.problem = problem
        """Why there is no table, for the doctor and the log; None when all is well."""

    @classmethod
    def load(cls, path: Path | None = None) -> Router:
        """Return a router with the model of a file, or the shipped one.

        A file that is missing, damaged or of another version gives a router without a table:
        `problem` says why, and every decision then has the source `default`.
        """
        file = path or SHIPPED
        try:
            return cls(read_table(file))
        except OSError as error:
            return cls(None, f"{file.name}: {error.strerror or type(error).__name__}")
        except SettingsRejected as error:
            return cls(None, error.problems[0])

    def adopt(self, table: RouteTable) -> None:
        """Serve with another table from the next message on; one assignment, so no turn sees half.

        Check the table first with `bot.routing.promotion.checked_router`.
        """
        self._table = table
        self._read.clear()
        self.problem = None

    @property
    def table(self) -> RouteTable | None:
        """Return the table in use."""
        return self._table

    @property
    def threshold(self) -> float:
        """Return the probability below which a decision is uncertain; without a table each is."""
        return self._table.header.threshold if self._table else 1.0

    def read(self, message: str) -> None:
        """Score a message before it can be routed."""
        if self._table is not None:
            self._read[hash((message, len(message)))] = self._table.scores(message)

    def route(
        self,
        message: str,
        *,
        previous: PreviousRoute | None,
        history: Sequence[tuple[str, str]] = (),
        pin: Route | None = None,
        distress: bool = False,
        in_scene: bool = False,
        opinion: Scores | None = None,
        now: float,
    ) -> RouteDecision:
        """Return the route of a message.

        Args:
            message: any text, of any length; the beginning and the end of a long one are read.
            previous: the last turn of this person in this place; ignored after 15 minutes.
            history: the last exchanges as (role, text) pairs, oldest first: what a scene is about,
                and, when `previous` is None, what the last turn was.
            pin: a route that a person or a moderator fixed.
            distress: the safety layer saw a sign of distress; nothing outranks it.
            in_scene: a role-play scene is running here.
            opinion: the accurate stage's scores of the message, to be joined with the table's.
            now: unix seconds.
        """
        if distress:
            return certain(Route.COMPANION, "safety", reasons.DISTRESS)
        if pin is not None:
            return certain(pin, "pin", because(reasons.PINNED, route=pin))
        table = self._table
        if table is None:
            return self._default()
        if previous is None and history:
            previous = self.resolve(history, now=now)
        previous = live(previous, now)
        if not has_words(message):
            return self._wordless(previous)
        known = self._read.get(hash((message, len(message))))
        scores, source = known or table.scores(message), "table"
        if opinion is not None:
            scores, source = fused(scores, opinion), "accurate"
        spoken = [text for _, text in history]
        answers = bool(history) and history[-1][0] == "assistant" and asks_back(history[-1][1])
        around = circumstances(
            message, previous, scores, in_scene=in_scene, spoken=spoken, answers=answers
        )
        return decide(scores, around, threshold=table.header.threshold, source=source)

    def scores(self, message: str) -> Scores | None:
        """Return the table's bare opinion of a message, without any history."""
        return self._table.scores(message) if self._table else None

    def resolve(
        self, history: Sequence[tuple[str, str]], *, last: Route | None = None, now: float
    ) -> PreviousRoute | None:
        """Return what the last turns of a history were, oldest turn first.

        `last` is the route of the last one, where it is known.
        """
        previous: PreviousRoute | None = None
        said, recent = "", history[-6:]
        turns: list[Told] = []
        for at, (role, text) in enumerate(recent):
            reply = role == "assistant"
            if reply and previous is not None and at > 0 and recent[at - 1][0] != "assistant":
                route = previous.route
                turns.pop()
            else:
                said = "" if reply else text
                route = self.route(text, previous=previous, history=recent[:at], now=now).route
            turns.append(Told(said, route, text if reply else ""))
            previous = _after(turns, now)
        if last is None or not turns:
            return previous
        turns[-1] = turns[-1]._replace(route=last)
        return _after(turns, now)

    def _wordless(self, previous: PreviousRoute | None) -> RouteDecision:
        if previous is None:
            return certain(Route.COMPANION, "table", reasons.ONLY_SIGNS)
        stays = because(reasons.SIGNS_STAY, route=previous.route)
        decision = certain(previous.route, "table", stays)
        return RouteDecision(
            decision.route, decision.probabilities, False, "table", 1.0, decision.reasons
        )

    def _default(self) -> RouteDecision:
        third = 1.0 / len(LABELS)
        probabilities = dict.fromkeys(LABELS, third)
        reason = self.problem or reasons.NO_TABLE
        return RouteDecision(Route.COMPANION, probabilities, True, "default", 0.0, (reason,))


def _after(turns: Sequence[Told], now: float) -> PreviousRoute:
    return after([each.route for each in turns], now, scene=open_after(reversed(turns)))
