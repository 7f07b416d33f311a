"""A diagnosis agrees with Discord's own computation, and names the overwrite that decides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.discord.allowed.diagnosis import VIEW_CHANNEL, Cause, Missing, Overwrite, diagnose
from tests.fakes.discord import permissions
from tests.fakes.discord.state import TEXT, Channel, Guild, Member, Role, User
from tests.fakes.discord.state import Overwrite as Recorded

GUILD, ME, ROLE, OTHER, STRANGER = 1, 2, 3, 4, 5
SEND, EMBED = permissions.BITS["send_messages"], permissions.BITS["embed_links"]
WANTED = (VIEW_CHANNEL, SEND, EMBED)

bits = st.integers(0, 7).map(lambda n: sum(bit for i, bit in enumerate(WANTED) if n >> i & 1))
overwrites = st.dictionaries(
    st.sampled_from([GUILD, ME, ROLE, OTHER, STRANGER]), st.builds(Overwrite, bits, bits)
)


def found(roles: dict[int, int], channel: dict[int, Overwrite]) -> dict[int, Missing]:
    missing = diagnose(WANTED, everyone=GUILD, roles=roles, overwrites=channel, me=ME)
    return {each.bit: each for each in missing}


@given(bits, bits, bits, overwrites)
def test_it_finds_what_discord_denies(
    everyone: int, first: int, second: int, channel: dict[int, Overwrite]
) -> None:
    bot = User(ME, "troupe", "troupe", True)
    guild = Guild(GUILD, "home", 99)
    permitted = {GUILD: everyone, ROLE: first, OTHER: second}
    for ident, value in permitted.items():
        guild.roles[ident] = Role(ident, str(ident), value)
    guild.members[ME] = Member(bot, {ROLE, OTHER})
    place = Channel(7, TEXT, "general", guild)
    place.overwrites = {i: Recorded(0, o.allow, o.deny) for i, o in channel.items()}
    allowed = permissions.in_channel(place, bot)
    missing = found(permitted, channel)
    assert set(missing) == {bit for bit in WANTED if not allowed & bit}


def test_each_step_is_named() -> None:
    everything = sum(WANTED)
    assert found({GUILD: VIEW_CHANNEL}, {})[SEND].cause is Cause.NO_ROLE
    roles = {GUILD: everything, ROLE: 0}
    assert found(roles, {GUILD: Overwrite(0, SEND)})[SEND].cause is Cause.EVERYONE
    by_role = found(roles, {ROLE: Overwrite(0, SEND)})[SEND]
    assert (by_role.cause, by_role.target) == (Cause.ROLE, ROLE)
    assert found(roles, {ME: Overwrite(0, SEND)})[SEND].cause is Cause.MEMBER
    unseen = found(roles, {GUILD: Overwrite(0, VIEW_CHANNEL)})
    assert unseen[VIEW_CHANNEL].cause is Cause.EVERYONE
    assert unseen[SEND].cause is Cause.UNSEEN
    assert found({GUILD: 0, ROLE: permissions.BITS["administrator"]}, {}) == {}
