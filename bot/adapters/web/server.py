"""A small web server with an owner: it starts, says where it listens, and stops in time."""

from __future__ import annotations

import ipaddress

from aiohttp import web

STOP_SECONDS = 5.0
"""How long requests under way may go on after `stop`."""


class WebServer:
    """Serves an application on one address. Port 0 takes a free one."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        # A reader who leaves cancels the handler, and with it the generation on the GPU.
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=STOP_SECONDS
        )
        self._host = host
        self._port = port

    async def start(self) -> str:
        """Listen, and return the URL.

        Raises:
            OSError: the address is taken or is not ours.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        return self.url

    @property
    def url(self) -> str:
        """Return `http://host:port` as bound."""
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening; requests under way end within `STOP_SECONDS`."""
        await self._runner.cleanup()


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
