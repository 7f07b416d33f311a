"""The operations server: /metrics for Prometheus, /livez and /readyz for whoever restarts us.

It reads only, and holds nothing private: no token, and no text of anybody.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.observability import Health, HealthReport, Metrics


def ops_app(metrics: Metrics, health: Health) -> web.Application:
    """Return the application that a `WebServer` serves."""

    async def exposition(_request: web.Request) -> web.Response:
        # In a thread: a page of some thousand series takes milliseconds.
        page = await asyncio.to_thread(metrics.exposition)
        return web.Response(
            body=page, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    async def live(_request: web.Request) -> web.Response:
        return _answer(health.live())

    async def ready(_request: web.Request) -> web.Response:
        return _answer(health.ready())

    app = web.Application(client_max_size=1024)
    app.router.add_get("/metrics", exposition)
    app.router.add_get("/livez", live)
    app.router.add_get("/readyz", ready)
    return app


def _answer(report: HealthReport) -> web.Response:
    return web.json_response(
        report.to_json(),
        status=200 if report.ok else 503,
        headers={"Cache-Control": "no-store"},
    )
