"""The company that dreadful words keep: games, works of fiction, figures of speech, history.

"How do I rob a bank in Payday" and "steal the show" hold the words of a crime and ask for none.
XSTest (Röttger et al. 2024) names the kinds of such questions.
"""

from __future__ import annotations

import re

GAMES = re.compile(
    r"\b(?:in (?:the |this |a |our |my )?(?:video ?|board ?|card ?)?games?"
    r"|in (?:hitman|payday|fallout|battlefield|monopoly|doom|halo|hades|diablo|wow|cod|oblivion"
    r"|chess|risk|stratego|catan|clue|cluedo|scrabble|cyberpunk|destiny|dishonored|among us)"
    r"|minecraft|fortnite|gta|grand theft auto|skyrim|elder scrolls|the sims|stardew"
    r"|dark souls|elden ring|bloodborne|sekiro|zelda|rimworld|valorant|call of duty"
    r"|counter-?strike|csgo|overwatch|apex legends|terraria|valheim|far cry|roblox|runescape"
    r"|world of warcraft|league of legends|dota|dnd|d&d|baldur\x27?s gate|crusader kings"
    r"|stellaris|project zomboid|schedule (?:i|1) the game|red dead|assassin\x27?s creed"
    r"|metal gear|hollow knight|dwarf fortress|kerbal|factorio|subnautica|resident evil"
    r"|silent hill|pokemon|mario kart|watch dogs|saints row|team fortress|genshin|palworld"
    r"|lethal company|phasmophobia|dead by daylight|pubg|rainbow six|escape from tarkov)\b"
    r"|スカイリム|マイクラ|ゼルダ|ゲームで|마인크래프트|마크에서|젤다|게임에서"
    r"|塞尔达|我的世界|游戏里|गेम में|في اللعبة"
)
"""Where killing is a move. A name that is an everyday word counts only after "in"."""
TURNS = re.compile(
    r"\b(?:steal(?:s|ing)? (?:the (?:show|spotlight|scene|limelight)|(?:\w+ )?(?:thunder|bases?|"
    r"home plate|glances?|a kiss|(?:\S+ )?hearts?))|crack(?:ing)? (?:an? |the |open )?(?:eggs?"
    r"|jokes?"
    r"|smiles?|nuts?|walnuts?|coconuts?|filler|my (?:back|neck|knuckles))|crack filler"
    r"|rob(?:bing)? peter|(?:bath|photo|smoke|cherry|depth|glitter|seed|hot cocoa) ?bombs?"
    r"|bomb(?:ed|ing)? (?:less"
    r"|on stage|at stand-?up|at open mic|at the box office|my"
    r" (?:set|exam|interview))|murder (?:a burger|the beat|mystery)|kill(?:ing)? (?:it|time"
    r"|two birds)|"
    r"robar (?:el protagonismo|bases)|voler la vedette|die show (?:stehlen|klauen))\b"
)
"""Figures of speech."""
TOLD = re.compile(
    r"^(?:so |and |but )?(?:how|why) (?:did|was|were) (?!i\b|we\b|you\b|my\b)"
    r"|^how (?:does|do) (?:an? |the )?(?:nuclear|atom\w*|hydrogen) (?:bomb|weapon)s? work\b"
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
    """Whether a normalised text uses words of harm for play, or of history."""
    if MEANT.search(plain):
        return False
    return GAMES.search(plain) is not None or TOLD.search(plain) is not None


def without_figures(plain: str) -> str:
    """Return a normalised text without its figures of speech; the rest may still ask for harm."""
    return TURNS.sub(" ", plain)
