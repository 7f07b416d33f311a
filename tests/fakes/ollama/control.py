"""The control API of a fake that runs as its own process: `/_control/…`, JSON in and out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.ollama.faults import Fault
from tests.fakes.ollama.record import as_json

if TYPE_CHECKING:
    from tests.fakes.ollama.server import FakeOllama


def control_routes(fake: FakeOllama) -> list[web.RouteDef]:
    """Return the routes that read and steer `fake`."""
    control = _Control(fake)
    return [
        web.get("/_control/stats", control.stats),
        web.get("/_control/requests", control.requests),
        web.post("/_control/faults", control.faults),
        web.post("/_control/replies", control.replies),
        web.post("/_control/pace", control.pace),
        web.post("/_control/reset", control.reset),
    ]


class _Control:
    def __init__(self, fake: FakeOllama) -> None:
        self._fake = fake

    async def stats(self, _: web.Request) -> web.Response:
        fake = self._fake
        loaded = [runner.model.name for runner in fake.scheduler.runners.values()]
        more = {"loads": fake.loads, "aborted_loads": fake.scheduler.aborted_loads}
        return web.json_response(fake.log.sums() | more | {"loaded": loaded})

    async def requests(self, request: web.Request) -> web.Response:
        """`?bodies=0` leaves the bodies out, `?since=N` skips the first N kept requests."""
        bodies = request.query.get("bodies", "1") != "0"
        since = int(request.query.get("since", "0"))
        found = [as_json(record, bodies=bodies) for record in self._fake.requests[since:]]
        return web.json_response({"requests": found}, dumps=_dumps)

    async def faults(self, request: web.Request) -> web.Response:
        """A fault or a list of them, with the fields of `Fault`; `[]` clears."""
        given = await request.json()
        try:
            found = [Fault(**one) for one in (given if isinstance(given, list) else [given])]
        except TypeError as error:
            return web.json_response({"error": str(error)}, status=400)
        if not found:
            self._fake.faults.clear()
        for fault in found:
            self._fake.faults.add(fault)
        return web.json_response({"set": len(found)})

    async def replies(self, request: web.Request) -> web.Response:
        """`{"kind": "chat", "standing": "…", "next": ["…"], "tokens": 60}`."""
        given = await request.json()
        kind = given.get("kind", "chat")
        if "standing" in given:
            self._fake.reply_with(given["standing"], kind=kind)
        self._fake.reply_next(*given.get("next", []), kind=kind)
        if "tokens" in given:
            self._fake.scripts.default_tokens = int(given["tokens"])
        return web.json_response({})

    async def pace(self, request: web.Request) -> web.Response:
        """`{"rate": 40, "prompt_rate": null, "first_token": 0.1}`."""
        self._fake.set_pace(**await request.json())
        return web.json_response({})

    async def reset(self, _: web.Request) -> web.Response:
        self._fake.reset()
        return web.json_response({})


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
