"""The connection: one function for every kind of server, one place that translates errors."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bot.adapters.redis.together import Together
from bot.errors import StoreError

Client: TypeAlias = "Redis | RedisCluster"

POOL_SIZE = 64
"""Connections at once; a caller waits for a free one for at most `POOL_WAIT` seconds."""
POOL_WAIT = 20.0
SOCKET_TIMEOUT = 2.0
"""Seconds for one answer. Never retried: a server that hangs is told apart from one away."""
CONNECT_TIMEOUT = 2.0
RETRIES = 3
"""Tries after a lost connection, 0.05 to 0.4 s apart: enough for a server that restarts."""
DRIVER = DriverInfo()
"""Made once: otherwise every connection reads the library's version from the disk."""

_FAILURES = (RedisError, RedisClusterException, OSError, TimeoutError)
"""What redis-py raises; a cluster that can't be reached is no `RedisError` to it."""

_observers: weakref.WeakKeyDictionary[Client, Callable[[str], None]] = weakref.WeakKeyDictionary()


async def open_redis(url: str, *, on_error: Callable[[str], None] | None = None) -> Client:
    """Connect to `url` and ping it.

    Args:
        url: redis://, rediss://, unix://, redis+sentinel://h1:26379,h2:26379/NAME[/DB] or
            redis+cluster://host:port. Sentinel takes `password`, `username` and
            `sentinel_password` as query values.
        on_error: told the kind of every failed command: `connection`, `timeout`, `response`.

    Raises:
        StoreError: the URL can't be read, or the server does not answer in time.
    """
    try:
        client = _client(url)
    except (ValueError, TypeError, RedisError, RedisClusterException) as error:
        raise StoreError(f"REDIS_URL can't be used: {type(error).__name__}") from error
    if on_error is not None:
        _observers[client] = on_error
    try:
        with store_errors(client):
            await client.ping()
    except TypeError as error:  # an option of the URL that no connection takes
        await client.aclose()
        raise StoreError("REDIS_URL can't be used: it holds an option that is none") from error
    except BaseException:  # also when it is cancelled: nobody else knows of the client
        await client.aclose()
        raise
    return client


def store_errors(client: Client) -> AbstractContextManager[None]:
    """Turn what redis-py raises into `StoreError`, and tell the client's observer.

    The text names the kind only: redis-py's own messages may quote a command's arguments.

    A cancellation that came meanwhile is raised here if it got lost: redis-py sends within
    `asyncio.wait_for`, which up to Python 3.11 forgets a cancellation that arrives when the
    awaited future is done already (https://github.com/python/cpython/issues/86296).
    """
    return _StoreErrors(client)


class _StoreErrors(AbstractContextManager[None]):
    """A class, not a generator: a turn enters it some forty times."""

    __slots__ = ("_cancelled_before", "_client", "_task")

    def __init__(self, client: Client) -> None:
        self._client = client

    def __enter__(self) -> None:
        self._task = task = asyncio.current_task()
        self._cancelled_before = task.cancelling() if task else 0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, _FAILURES):
            return
        _raise_lost_cancellation(self._task, self._cancelled_before)
        if error is None:
            return
        what = _kind(error)
        if (observer := _observers.get(self._client)) is not None:
            observer(what)
        raise StoreError(f"Redis: {what} error ({type(error).__name__})") from error


def _raise_lost_cancellation(task: asyncio.Task[Any] | None, cancelled_before: int) -> None:
    if task is not None and task.cancelling() > cancelled_before:
        raise asyncio.CancelledError


def _kind(error: BaseException) -> str:
    if isinstance(error, (RedisTimeoutError, TimeoutError)):
        return "timeout"
    if isinstance(error, (RedisConnectionError, RedisClusterException, OSError)):
        return "connection"
    return "response"


def _options() -> dict[str, Any]:
    """Return what every connection has. RESP2: the stores need nothing of RESP3."""
    return {
        "protocol": 2,
        "socket_timeout": SOCKET_TIMEOUT,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "health_check_interval": 30,
        "driver_info": DRIVER,
        "retry": Retry(
            ExponentialWithJitterBackoff(base=0.1, cap=0.4), RETRIES, (RedisConnectionError,)
        ),
    }


def _client(url: str) -> Client:
    scheme, _, rest = url.partition("://")
    if scheme == "redis+sentinel":
        return _sentinel(rest)
    if scheme == "redis+cluster":
        cluster: RedisCluster = RedisCluster.from_url(
            f"redis://{rest}", max_connections=POOL_SIZE, **_options()
        )
        return cluster
    pool = BlockingConnectionPool.from_url(
        url, max_connections=POOL_SIZE, timeout=POOL_WAIT, **_options()
    )
    return Together.from_pool(pool)


class _Master(Together):
    """A client of Sentinel's master that closes its connections to the Sentinels as well.

    It keeps none to the master: the pool lets idle ones go when there is another master.
    """

    most_kept = 0

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        pool = cast("SentinelConnectionPool", self.connection_pool)
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def _sentinel(rest: str) -> Redis:
    """Read `[user:password@]h1:26379,h2:26379/NAME[/DB][?…]`."""
    parts = urlsplit(f"//{rest}")
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    name, _, database = parts.path.strip("/").partition("/")
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    addresses = [_address(host) for host in hosts.split(",") if host]
    if not addresses or not name:
        raise ValueError("a Sentinel URL needs hosts and the name of the master")
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py gives no types
        addresses,
        sentinel_kwargs={
            "socket_timeout": SOCKET_TIMEOUT,
            "socket_connect_timeout": CONNECT_TIMEOUT,
            "protocol": 2,
            "password": query.get("sentinel_password"),
            "retry": Retry(NoBackoff(), 0),  # the next Sentinel is asked instead
        },
    )
    master: Redis = sentinel.master_for(
        unquote(name),
        redis_class=_Master,
        db=int(database or query.get("db", "0")),
        username=query.get("username") or unquote(username) or None,
        password=query.get("password") or unquote(password) or None,
        max_connections=POOL_SIZE * 4,
        **_options(),
    )
    return master


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError("a Sentinel URL needs hosts")
    return parts.hostname, parts.port or 26379
