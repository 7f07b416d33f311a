"""What can be set, one class a section."""

from __future__ import annotations

import re
import stat
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AnyHttpUrl,
    Field,
    PositiveInt,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.settings.values import read_headers, read_keys

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
SHARES_NEEDED = "needs server ids with weights from 0.1 to 100, such as 123=2"
SHARE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")
DEFAULT_OLLAMA = "http://127.0.0.1:11434"


def _split(value: Any) -> Any:
    """Read `a, b` as a list; leave anything that is no string as it is."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


class Section(BaseSettings):
    """Settings of one prefix. An empty value is the same as none, as compose files write it."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)


class DiscordSettings(Section):
    """The bot's account and its connection."""

    model_config = SettingsConfigDict(env_prefix="DISCORD_")

    token: SecretStr | None = None
    """Bot token. Without it Troupe starts the playground only."""
    api_base: AnyHttpUrl | None = None
    """REST base such as http://127.0.0.1:3000/api/v10, for a proxy or a test server."""
    gateway_url: str | None = None
    """Gateway such as ws://127.0.0.1:7878/, for a proxy or a test server."""
    message_content_intent: bool = False
    """Ask for the privileged intent. Needed for channels in auto mode only."""
    shard_count: PositiveInt = 1
    """Shards of the whole bot."""
    shard_ids: Annotated[list[int], NoDecode] = Field(default_factory=lambda: [0])
    """Shards that this process runs, comma-separated. One connection each."""
    sync_commands: Literal["changed", "always", "never"] = "changed"
    """When to register slash commands: if they changed, at every start, or never."""

    @field_validator("shard_ids", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        parts = _split(value)
        # Pydantic drops leading zeros, and would read 0-3 as -3.
        if not all(str(part).isdecimal() for part in parts):
            raise ValueError("must name each shard by its number, such as 0,1,2,3")
        return parts

    @field_validator("token")
    @classmethod
    def _empty_token_is_none(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value().strip() if value else ""
        if not text.isascii() or any(char.isspace() for char in text):
            raise ValueError("is no bot token: copy it anew from the Developer Portal")
        return SecretStr(text) if text else None

    @field_validator("gateway_url")
    @classmethod
    def _gateway_is_websocket(cls, value: str | None) -> str | None:
        if value and not value.startswith(("ws://", "wss://")):
            raise ValueError("must start with ws:// or wss://")
        return value or None

    @model_validator(mode="after")
    def _ids_within_count(self) -> DiscordSettings:
        if not self.shard_ids or any(not 0 <= i < self.shard_count for i in self.shard_ids):
            raise ValueError("DISCORD_SHARD_IDS must lie between 0 and DISCORD_SHARD_COUNT - 1")
        if len(set(self.shard_ids)) < len(self.shard_ids):
            raise ValueError("DISCORD_SHARD_IDS names a shard twice")
        return self


class OllamaSettings(Section):
    """The hosts that talk, and how long we wait for them."""

    model_config = SettingsConfigDict(env_prefix="OLLAMA_")

    hosts: Annotated[list[AnyHttpUrl], NoDecode] = Field(
        default_factory=lambda: [AnyHttpUrl(DEFAULT_OLLAMA)]
    )
    """Backends, best first, comma-separated. More than one makes a pool. Their addresses are shown
    and logged, so that a login belongs into `headers`."""
    model: str = Field(default="llama3.2:3b", min_length=1, max_length=200)
    """Model for every persona that names no other."""
    embed_model: str | None = None
    """Embedding model for memories; without it memories are found by words alone."""
    guard_model: str | None = None
    """Guard model, such as llama-guard3:1b; without it the rules guard alone."""
    channel_models: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """Models that a server's admins may choose for a channel, beside `model`."""
    num_ctx: Annotated[int, Field(ge=1024, le=1_048_576)] = 8192
    """Context window in tokens. One value per model: a change reloads the model."""
    num_parallel: Annotated[int, Field(ge=1, le=256)] = 2
    """Requests at once per host; the same number as the host's OLLAMA_NUM_PARALLEL."""
    headers: SecretStr | None = None
    """Extra request headers as JSON, such as {"Authorization": "Bearer …"}."""
    first_token_timeout: Seconds = 120.0
    """Seconds to the first token: model load, queue and prompt."""
    token_timeout: Seconds = 20.0
    """Seconds between two tokens."""

    _split_hosts = field_validator("hosts", "channel_models", mode="before")(_split)

    @field_validator("channel_models")
    @classmethod
    def _named_models(cls, value: list[str]) -> list[str]:
        if len(value) > 24 or any(len(name) > 100 for name in value):
            raise ValueError("at most 24 models of 100 characters, so that a menu can hold them")
        return list(dict.fromkeys(value))

    @field_validator("hosts")
    @classmethod
    def _some_host(cls, value: list[AnyHttpUrl]) -> list[AnyHttpUrl]:
        if not value:
            raise ValueError("needs at least one URL")
        if any(host.username or host.password for host in value):
            raise ValueError("must hold no login: put it into OLLAMA_HEADERS, as Authorization")
        return value

    @field_validator("headers")
    @classmethod
    def _readable_headers(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_headers(value.get_secret_value())
        return value

    @property
    def header_values(self) -> dict[str, str]:
        """Return the extra headers by name."""
        return read_headers(self.headers.get_secret_value()) if self.headers else {}

    @property
    def hosts_configured(self) -> bool:
        """Whether the operator named hosts; the rehearsal stand-in never replaces those."""
        return "hosts" in self.model_fields_set

    @property
    def bases(self) -> list[str]:
        """Return the hosts' URLs without a trailing slash."""
        return [str(host).rstrip("/") for host in self.hosts]

    @property
    def wanted_models(self) -> dict[str, str]:
        """Return the models that every host should have, each with the setting that names it."""
        named = [
            (self.model, "OLLAMA_MODEL"),
            (self.embed_model, "OLLAMA_EMBED_MODEL"),
            (self.guard_model, "OLLAMA_GUARD_MODEL"),
            *((model, "OLLAMA_CHANNEL_MODELS") for model in self.channel_models),
        ]
        found: dict[str, str] = {}
        for model, setting in named:
            if model:
                found.setdefault(model, setting)
        return found


class RedisSettings(Section):
    """Where the state lives."""

    model_config = SettingsConfigDict(env_prefix="REDIS_")

    url: SecretStr | None = None
    """redis://, rediss://, unix://, redis+sentinel://h1:26379,h2:26379/NAME or
    redis+cluster://host. Without it Troupe starts a private server under DATA_DIR."""

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value().strip():
            return None
        schemes = ("redis://", "rediss://", "unix://", "redis+sentinel://", "redis+cluster://")
        if not value.get_secret_value().startswith(schemes):
            raise ValueError(f"must start with one of {', '.join(schemes)}")
        if any(char.isspace() for char in value.get_secret_value()):
            raise ValueError("must not hold spaces: write %20 in a password")
        return value

    @property
    def address(self) -> str | None:
        """Return the URL; None for the private server."""
        return self.url.get_secret_value() if self.url else None


class OpsSettings(Section):
    """The operations server: /metrics, /livez, /readyz."""

    model_config = SettingsConfigDict(env_prefix="OPS_")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 9464
    """Port; 0 takes a free one."""


class PlaySettings(Section):
    """The playground page."""

    model_config = SettingsConfigDict(env_prefix="PLAY_")

    host: str = "127.0.0.1"
    """Address to listen on. Any other than loopback needs PLAY_TOKEN."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port; 0 takes a free one."""
    token: SecretStr | None = None
    """Token that the page asks for; at least 16 characters."""

    @field_validator("token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 16:
            raise ValueError("needs at least 16 characters")
        return value

    @model_validator(mode="after")
    def _token_off_loopback(self) -> PlaySettings:
        if not _is_loopback(self.host) and self.token is None:
            raise ValueError("PLAY_HOST is not loopback: set PLAY_TOKEN")
        return self


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name: who knows where it leads
        return False


def _is_share(guild: str, weight: str) -> bool:
    return guild.isascii() and guild.isdigit() and SHARE.fullmatch(weight) is not None


class LimitSettings(Section):
    """How much one person or server may ask, and how long anybody waits."""

    model_config = SettingsConfigDict(env_prefix="LIMIT_")

    person: Annotated[float, Field(gt=0, le=6000)] = 30.0
    """Replies a minute for one person, over all servers."""
    guild: Annotated[float, Field(gt=0, le=600_000)] = 3000.0
    """Replies a minute for one server."""
    queue: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Questions that may wait for a model at once."""
    wait: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds that a question may wait before its author is told to come back."""
    weights: Annotated[dict[int, float], NoDecode] = Field(default_factory=dict)
    """Shares of servers in the queue, such as `81384788765712384=2`; 1 for all others."""

    @field_validator("weights", mode="before")
    @classmethod
    def _read_weights(cls, value: Any) -> Any:
        pairs = _split(value)
        if isinstance(pairs, list):
            parts = [str(pair).partition("=") for pair in pairs]
            if not all(_is_share(guild.strip(), weight.strip()) for guild, _, weight in parts):
                raise ValueError(SHARES_NEEDED)
            return {guild.strip(): weight.strip() for guild, _, weight in parts}
        return value

    @field_validator("weights")
    @classmethod
    def _weights_in_bounds(cls, value: dict[int, float]) -> dict[int, float]:
        if not all(guild > 0 and 0.1 <= weight <= 100 for guild, weight in value.items()):
            raise ValueError(SHARES_NEEDED)
        return value


class CoreSettings(Section):
    """Folders, logs and keys."""

    data_dir: Path = Path("data")
    """Folder for what Troupe itself keeps: the private Redis, the key file."""
    personas_dir: Path | None = None
    """Folder of cards, route profiles and the constitution. Without it: the shipped ones."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that is logged."""
    log_format: Literal["console", "json"] = "console"
    """How log lines look."""
    guard_level: Literal["normal", "strict"] = "normal"
    """The mildest level of the guardrails that a server may choose."""
    memory_default: Literal["ask", "off", "never"] = "ask"
    """Before a person decides on a memory: they are asked once; they are not asked, and
    `/memory on` starts one; nobody can have one."""
    memory_days: PositiveInt = 365
    """Days without any use after which a person's memory is deleted."""
    encryption_keys: SecretStr | None = None
    """`id:base64 of 32 bytes`, comma-separated, newest first. Without it: a key file made in
    DATA_DIR."""

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("data_dir", "personas_dir")
    @classmethod
    def _folder(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None:
            return None
        try:
            is_folder = stat.S_ISDIR(value.stat().st_mode)
        except FileNotFoundError:
            if info.field_name == "personas_dir":
                raise ValueError("is missing: copy the shipped personas folder there") from None
            return value
        except (OSError, ValueError) as error:  # no right to look, too long, a NUL
            reason = error.strerror if isinstance(error, OSError) else error
            raise ValueError(f"can't be used: {reason}") from error
        if not is_folder:
            raise ValueError("is no folder")
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _usable_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_keys(value.get_secret_value())
        return value

    @property
    def key_text(self) -> str | None:
        """Return the keys as they were given; None for the key file."""
        return self.encryption_keys.get_secret_value() if self.encryption_keys else None
