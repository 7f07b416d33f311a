"""The company that dreadful words keep: games, works of fiction, figures of speech, history.

"How do I rob a bank in Payday" and "steal the show" hold the words of a crime and ask for none.
XSTest (Röttger et al. 2024) names the kinds of such questions.
"""

from __future__ import annotations

import re

GAMES = re.compile(
    r"\b(?:in (?:the |this |a |our |my )?(?:video ?|board ?|card ?)?games?\b|(?:minecraft"
    r"|fortnite|gta|"
    r"grand theft auto|skyrim|elder scrolls|oblivion|the sims|stardew|payday|hitman|dark souls|"
    r"elden ring|bloodborne|sekiro|zelda|fallout|cyberpunk|rimworld|valorant|call of duty|cod|"
    r"battlefield|counter-?strike|csgo|cs2|overwatch|apex legends|terraria|valheim|far cry|"
    r"roblox|runescape|world of warcraft|wow|league of legends|dota|dnd|d&d|pathfinder|"
    r"baldur\x27?s gate|crusader kings|stellaris|civ(?:ilization)? ?(?:v|vi|[3-7])"
    r"|project zomboid|"
    r"schedule (?:i|1)|among us|monopoly|chess|catan|risk of rain|stratego|scrabble|cluedo|"
    r"red dead|assassin\x27?s creed|dishonored|metal gear|witcher|diablo|hades|hollow knight|"
    r"dwarf fortress|kerbal|factorio|subnautica|resident evil|silent hill|pokemon|mario kart|"
    r"watch dogs|saints row|team fortress|tf2|halo|doom|destiny 2|genshin|palworld"
    r"|lethal company|"
    r"phasmophobia|dead by daylight|pubg|warzone|rainbow six|escape from tarkov|mafia (?:ii|iii"
    r"|2|3))"
    r"\b)"
    r"|スカイリム|マイクラ|ゼルダ|ゲームで|마인크래프트|마크에서|젤다|게임에서"
    r"|塞尔达|我的世界|游戏里|गेम में|في اللعبة"
)
"""Where killing is a move. Everyday words, such as "rust", are left out."""
TURNS = re.compile(
    r"\b(?:steal(?:s|ing)? (?:the (?:show|spotlight|scene|limelight)|(?:\w+ )?(?:thunder|bases?|"
    r"home plate|glances?|a kiss|(?:\S+ )?hearts?))|crack(?:ing)? (?:an? |the |open )?(?:eggs?"
    r"|jokes?"
    r"|smiles?|nuts?|walnuts?|coconuts?|filler|my (?:back|neck|knuckles))|crack filler"
    r"|(?:bath|photo|cherry|depth|glitter|seed|hot cocoa) ?bombs?|bomb(?:ed|ing)? (?:less"
    r"|on stage|at|my"
    r" (?:set|exam|interview))|murder (?:a burger|the beat|mystery)|kill(?:ing)? (?:it|time"
    r"|two birds)|"
    r"robar (?:el protagonismo|bases)|voler la vedette|die show (?:stehlen|klauen))\b"
)
"""Figures of speech."""
TOLD = re.compile(
    r"^(?:so |and |but )?(?:how|why) (?:did|was|were) (?!i\b|we\b|you\b|my\b)"
    r"|^(?:what|who) (?:is|was|were|are) (?:the )?(?:definition|meaning|history|difference)\b"
)
"""Questions about what others did, long ago or in a book."""
MEANT = re.compile(
    r"\b(?:irl|in real life|for real|real(?:ly)? (?:one|life|world|bomb|gun|person|people|car"
    r"|bank)|"
    r"actual(?:ly)?|like in|same as in|myself|my (?:own )?life|step by step|with household"
    r"|at home)\b"
)
"""What shows that the play is a pretext."""


def harmless_company(plain: str) -> bool:
    """Whether a normalised text uses words of harm for play, as a figure, or of history."""
    if MEANT.search(plain):
        return False
    return any(kind.search(plain) for kind in (GAMES, TURNS, TOLD))
