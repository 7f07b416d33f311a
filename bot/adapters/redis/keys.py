"""The one key schema.

Every key starts with `troupe:` and carries a hash tag, so that all keys of one script lie in one
Cluster slot. Times are unix seconds, ids are decimal.

A place's conversation, all with the place's lifetime save where noted:

    troupe:{c:<channel>}:meta     HASH  ver, trimmed_to, taken_back, summary (sealed),
                                        s:<state name> (sealed)
    troupe:{c:<channel>}:rows     HASH  turn → which messages and variants it holds (ids only)
    troupe:{c:<channel>}:lines    HASH  a<line> → about (sealed), t<line> → text (sealed)
    troupe:{c:<channel>}:order    ZSET  turn ids padded to 20 digits, all with score 0
    troupe:{c:<channel>}:index    HASH  message id → <turn>, or <turn>.<variant>
    troupe:{c:<channel>}:gone     ZSET  tombstones: message id, u<user> → when; a day
    troupe:{c:<channel>}:notes    HASH  message id → its edited text (sealed); an hour
    troupe:{c:<channel>}:noted    ZSET  message id → when it was edited; an hour

Beside it, of the replies that people can press buttons under:

    troupe:{c:<channel>}:latest   HASH  t turn, m message, w webhook of the latest reply
    troupe:{c:<channel>}:accounts HASH  turn → what `/why` shows (sealed); the last ones only
    troupe:{c:<channel>}:claim:<turn> STRING id of the wish that is being fulfilled; 3 minutes

Accepted messages, in 8 partitions by message id (never by shard: a journal must outlive a change
of the shard count, and a claim must lie at the same place for every process):

    troupe:{j:<partition>}:claim:<message>  STRING  token of the accept; a day
    troupe:{j:<partition>}:turns            STREAM  m message id, k shard key, d entry (sealed);
                                                    group `turns`, consumer = process
    troupe:{j:<partition>}:open             HASH    message id → stream id
    troupe:{j:<partition>}:progress         HASH    message id → what is visible (JSON of ids)
    troupe:{j:<partition>}:leases           HASH    process → "<since> <until>" in milliseconds

People and guilds:

    troupe:{u:<user>}:places      SET   <guild or 0>:<channel> where the person's text is stored
    troupe:{g:<guild>}:places     SET   channels with a conversation
    troupe:{g:<guild>}:bindings   HASH  <level>:<id> → binding (JSON); `dm<channel>` for a DM
    troupe:{bindings}:changes     ZSET  guild → sequence number of its last change
    troupe:{bindings}:sequence    STRING counter
    troupe:{g:<guild>}:cards      HASH  card id → who imported it, when, size, digest (sealed)
    troupe:{g:<guild>}:card:<id>  STRING the card's file (sealed)
    troupe:{g:<guild>}:draft:<user> STRING a card before its importer decided (sealed); an hour
    troupe:{g:<guild>}:scripts    SET   ids of personas whose regex scripts may run
    troupe:{u:<user>}:cards       SET   <guild>:<card id> that the person imported
    troupe:{g:<guild>}:guard      HASH  strictness, modlog, crisis_notices, language as chosen
    troupe:{g:<guild>}:audit      STREAM decisions, with an HMAC of the text; 30 days
    troupe:{g:<guild>}:reports    STREAM d report (sealed); 90 days; guild 0 for DMs
    troupe:{g:<guild>}:mistakes   SET   HMACs of what was refused by mistake; 30 days
    troupe:{u:<user>}:reports     SET   <guild or 0>:<stream id> of the person's reports; 90 days
    troupe:{u:<user>}:trends      HASH  <guild>, or `dm` → numbers of care (sealed); a week
    troupe:{g:<guild>}:trends     SET   people with such numbers
    troupe:{u:<user>}:telling:<guild, or `dm`> STRING turn that is about to tell the person that
                                        this is an AI; ten seconds
    troupe:{cards}:changes        ZSET  as for bindings
    troupe:{cards}:sequence       STRING

The operator's hand on the router. An owner is a guild id, or `dm<channel>`:

    troupe:{g:<owner>}:routes     HASH  u<user>, c<channel> → pinned route; `text` → 1 where texts
                                        of corrections are kept
    troupe:{g:<owner>}:fixes      ZSET  correction id → when it ends; 90 days
    troupe:{g:<owner>}:fix:<id>   STRING a correction (sealed); 90 days
    troupe:{g:<guild>}:routed:<hour> HASH counts of decisions; the hour is unix time / 3600; a day
    troupe:{u:<user>}:pins        SET   owners with a pin of the person
    troupe:{u:<user>}:fixes       ZSET  <owner>:<correction id> about the person → when it ends
    troupe:{routes}:changes       ZSET  as for bindings, by owner
    troupe:{routes}:sequence      STRING

What a person lets us remember, all with the memory's lifetime; `forget-all` leaves none of it:

    troupe:{u:<user>}:memory            HASH  state, at, epoch, dek (sealed), ver, writes, day,
                                              learned, v:<value name>
    troupe:{u:<user>}:memory:items      HASH  item id → record (sealed with the person's key)
    troupe:{u:<user>}:memory:<kind>     ZSET  item id → what it is worth keeping; a letter a kind
    troupe:{u:<user>}:memory:places     SET   <guild or 0>:<channel> where it was learned
    troupe:{u:<user>}:memory:pack       STRING all records as one (sealed); gone with each change
    troupe:{u:<user>}:memory:offered    STRING that a memory was offered, so that it is once only
    troupe:{c:<channel>}:sources        HASH  message id → the person whose memory came from it
    troupe:{g:<guild>}:memory           SET   people with memories learned in the guild
    troupe:{memory}:no:<hmac>           STRING that somebody wants no memory, so that they are not
                                        asked again; the HMAC is of their id, and all there is
    troupe:{memory}:due                 ZSET  person → when their new messages are to be read

Token buckets, in one slot, so that a turn takes from all of its buckets in one step. They go by
themselves as soon as they are full:

    troupe:{limits}:t<turn>       STRING a turn that was let in just now: it costs once
    troupe:{limits}:u<user>       HASH  tokens, at: the person's, over all guilds
    troupe:{limits}:g<guild>      HASH  the guild's
    troupe:{limits}:g<guild>:<id>:<whom> HASH what its admins set for the server, a channel …:
                                        `u<user>`, `r<role>`, `all`

The rest:

    troupe:{s}:<name>             STRING small JSON values by name
    troupe:{schema}:applied       HASH  migration number → name, checksum, time (JSON)
    troupe:{schema}:lock          STRING token of the running migration
"""

from __future__ import annotations

from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId

PREFIX = "troupe:"

JOURNAL_PARTITIONS = 8
"""Never change this: claims would be looked for in the wrong place."""

BINDING_CHANGES = f"{PREFIX}{{bindings}}:changes"
BINDING_SEQUENCE = f"{PREFIX}{{bindings}}:sequence"
CARD_CHANGES = f"{PREFIX}{{cards}}:changes"
CARD_SEQUENCE = f"{PREFIX}{{cards}}:sequence"
ROUTE_CHANGES = f"{PREFIX}{{routes}}:changes"
ROUTE_SEQUENCE = f"{PREFIX}{{routes}}:sequence"
SCHEMA_APPLIED = f"{PREFIX}{{schema}}:applied"
SCHEMA_LOCK = f"{PREFIX}{{schema}}:lock"

CONVERSATION_PARTS = ("meta", "rows", "lines", "order", "index", "gone", "notes", "noted")


EVERY_SERVER = f"{PREFIX}{{g:*}}:*"
"""A pattern of SCAN."""
EVERY_MEMORY = f"{PREFIX}{{u:*}}:memory"
"""A pattern of SCAN."""
MEMORY_DUE = f"{PREFIX}{{memory}}:due"
MEMORY_KINDS = tuple(f"memory:{kind}" for kind in "pcrfetux")
MEMORY_PARTS = ("memory", "memory:items", *MEMORY_KINDS, "memory:places", "memory:pack")


def conversation(channel: ChannelId) -> tuple[str, ...]:
    """Return a place's keys, in the order of `CONVERSATION_PARTS`; scripts rely on it."""
    return tuple(f"{PREFIX}{{c:{channel}}}:{part}" for part in CONVERSATION_PARTS)


def place(channel: ChannelId, part: str) -> str:
    """Return a place's `latest`, `accounts` or `claim:<turn>`."""
    return f"{PREFIX}{{c:{channel}}}:{part}"


def partition_of(message: MessageId) -> int:
    """Return a message's journal partition, by Fibonacci hashing (Knuth, TAOCP 3, 6.4): ids of a
    quiet and of a busy channel are spread alike."""
    return (message * 0x9E37_79B9_7F4A_7C15 & (1 << 64) - 1) * JOURNAL_PARTITIONS >> 64


def claim(message: MessageId) -> str:
    """Return the key that says a message was accepted."""
    return f"{PREFIX}{{j:{partition_of(message)}}}:claim:{message}"


def journal(partition: int, part: str) -> str:
    """Return a partition's `turns`, `open`, `progress` or `leases`."""
    return f"{PREFIX}{{j:{partition}}}:{part}"


def person(user: UserId, part: str) -> str:
    """Return a person's key of that part."""
    return f"{PREFIX}{{u:{user}}}:{part}"


def telling(user: UserId, where: str) -> str:
    """Return the key of the turn that is about to tell a person in a place what speaks to them."""
    return person(user, f"telling:{where}")


def memory(user: UserId) -> tuple[str, ...]:
    """Return a person's memory keys, in the order of `MEMORY_PARTS`; scripts rely on it."""
    return tuple(person(user, part) for part in MEMORY_PARTS)


def memory_no(name: str) -> str:
    """Return the key that says that somebody wants no memory."""
    return f"{PREFIX}{{memory}}:no:{name}"


def sources(channel: ChannelId) -> str:
    """Return the key that says whose memory came from a channel's messages."""
    return f"{PREFIX}{{c:{channel}}}:sources"


def limit(name: str) -> str:
    """Return the key of a token bucket."""
    return f"{PREFIX}{{limits}}:{name}"


def guild(ident: GuildId, part: str) -> str:
    """Return a guild's key of that part."""
    return owned(str(ident), part)


def bindings(owner: str) -> str:
    """Return the bindings of a guild id, or of `dm<channel>`."""
    return owned(owner, "bindings")


def owner_of(name: str) -> str:
    """Return whose bindings a key holds."""
    return name.partition("{g:")[2].partition("}")[0]


def owner(guild: GuildId | None, channel: int) -> str:
    """Return who owns what is set: a guild's id, or `dm<channel>` outside of guilds."""
    return f"dm{channel}" if guild is None else str(guild)


def owned(owner: str, part: str) -> str:
    """Return an owner's key of that part."""
    return f"{PREFIX}{{g:{owner}}}:{part}"


def state(name: str) -> str:
    """Return the key of a small value."""
    return f"{PREFIX}{{s}}:{name}"


def place_member(place: Place) -> str:
    """Return a place as a member of a person's `places`."""
    return f"{place.guild or 0}:{place.channel}"
