"""The company that dreadful words keep: games, works of fiction, figures of speech, history,
ordinary strain.

"How do I rob a bank in Payday" and "steal the show" hold the words of a crime and ask for none.
XSTest (Röttger et al. 2024) names the kinds of such questions.
"""

from __future__ import annotations

import re

GAMES = re.compile(
    r"\b(?:in (?:the |this |that |a |our |my )?(?:\w+ )?(?:video ?|board ?|card ?)?games?"
    r"|which (?:perk|build|loadout|talent|quest)|side ?quests?|respawn\w*|npcs?|raid boss"
    r"|in (?:hitman|payday|fallout|battlefield|monopoly|doom|halo|hades|diablo|wow|cod|oblivion"
    r"|chess|risk|rust|stratego|catan|clue|cluedo|scrabble|cyberpunk|destiny|dishonored|among us)"
    r"|minecraft|fortnite|gta|grand theft auto|skyrim|elder scrolls|(?:the )?sims(?: \d)?|stardew"
    r"|dark souls|elden ring|bloodborne|sekiro|zelda|rimworld|valorant|call of duty"
    r"|counter-?strike|csgo|overwatch|apex legends|terraria|valheim|far cry|roblox|runescape"
    r"|world of warcraft|league of legends|dota|dnd|d&d|baldur'?s gate|crusader kings"
    r"|stellaris|project zomboid|schedule (?:i|1) the game|red dead|assassin'?s creed"
    r"|metal gear|hollow knight|dwarf fortress|kerbal|factorio|subnautica|resident evil"
    r"|silent hill|pokemon|mario kart|watch dogs|saints row|team fortress|genshin|palworld"
    r"|left 4 dead|just cause|sea of thieves|animal crossing|starcraft|warcraft|age of empires"
    r"|civilization|warzone|half-?life|bioshock|borderlands|deus ex|splinter cell|thief simulator"
    r"|cities skylines|plague inc|goose game|helldivers|warframe|dayz|arma 3|no man's sky"
    r"|dragon age|mass effect|the witcher|yakuza|final fantasy|monster hunter|garry'?s mod"
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
ENDURED = re.compile(
    r"\b(?:he|she|they|it|mum|mom|mama|mam|dad|papa|boss|coach|wife|husband|sister|brother|teacher"
    r"|my (?:\w+ ){0,2}\w+|the \w+)(?:'s|'re|'ll| is| are| will| would| might)? ?"
    r"(?:going to |gonna |gon |about to |literally |actually |so )*"
    r"(?:kill|murder|strangle|skin|slaughter|destroy|end)s?(?:ing)? (?:me|us)\b"
    r"|\b(?:me|nos) (?:va|van|vai|vao) a? ?(?:matar|asesinar|colgar)\b|\bme mata\b"
    r"|\bvai me (?:matar|esganar)\b|\b(?:va|vont|veut) (?:me|nous) (?:tuer|massacrer|buter)\b"
    r"|\b(?:bringt|bringen|killt|toten?) mich (?:um\b)?|\bmich um(?:bringen|bringt)\b"
    r"|\bmi (?:ammazza|ammazzano|uccide|uccidono|ammazzera|uccidera)\b"
    r"|\b(?:vermoordt|vermoorden|maakt) (?:me|mij)\b|\b(?:mnie|nas) (?:za)?(?:bije|bija|morduje)\b"
    r"|\b(?:zabije|ukatrupi|zamorduje) (?:mnie|nas)\b|\b(?:mujhe|mujhko) maa?r d\w+"
    r"|(?:меня|нас) (?:убь|приб|прикон)[её]т|(?:убь|приб)[её]т (?:меня|нас)"
    r"|に殺される|한테 죽(?:었|을|는)"
    r"|(?:要|会|得)(?:杀|殺|打|弄)(?:了|死)我|मुझे मार (?:डाल|दे)"
    r"|(?:رح |راح |ح|ب)?(?:ت|ي)(?:ذبح|قتل|موت)ني"
)
"""What somebody else will do to the speaker: dread, or a way to say it, and no threat."""
TOLD = re.compile(
    r"^(?:so |and |but )?(?:how|why) (?:did|was|were) (?!i\b|we\b|you\b|my\b)"
    r"|^how (?:does|do) (?:an? |the )?(?:nuclear|atom\w*|hydrogen) (?:bomb|weapon)s? work\b"
    r"|^(?:what|who) (?:is|was|were|are) (?:the )?(?:definition|meaning|history|difference)\b"
    r"|\bhow do (?:drug |real |most )?(?:cartels|criminals|thieves|hackers|scammers|burglars"
    r"|smugglers|dealers|gangs|fraudsters|forgers)\b"
    r"|\b(?:histor(?:y|ical(?:ly)?)|documentar(?:y|ies)|criminology)\b"
    r"|\bfor (?:a|my|an|our) (?:\w+ )?(?:class|essay|paper|law|thesis|course|school project)\b"
)
"""Questions about what others did, long ago or in a book; and what is studied."""
STUDIED = re.compile(
    r"^(?:(?:so|ok|hey|and|wait|quick question),? )*(?:what(?:'?s| is| are| does)|explain|define"
    r"|how (?:do|does|can)|why (?:do|does|is|are)|is|are)\b(?!.{0,60}\b(?:you|your|ur|yours)\b)"
    r".{0,40}\b(?:prompt injections?|jailbreak(?:s|ing)?|system prompts?)\b"
    r"|^(?:\w+ )?(?:was (?:ist|sind)|wat is|che cos'?e|cos'?e|que es|c'est quoi|o que e"
    r"|co to (?:jest|sa)?|vad ar) (?:(?:ein|eine|een|un|une|um|uma|en|ett|el|o) )?"
    r"(?:prompt|syste\w+|jailbreak)"
    r"|\b(?:system ?prompt\w*|sistem prompt\w*|prompt injection\w*|jailbreak)\b.{0,12}"
    r"(?:ne demek|nedir|kya (?:hota|hai)|क्या)|(?:وش|ايش|شو|ما) (?:يعني|هو|معنى) (?:\w+ )?"
    r"(?:system|prompt|jailbreak|البرومبت)|^что такое [^.!?]{0,20}(?:промпт|джейлбрейк)"
    r"|\b(?:mod (?:question|notice)|(?:our|(?:my|the) server'?s?) rules? (?:\d+|says?))\b"
    r"|プロンプト(?:って|とは)|프롬프트(?:가|란|이란)|提示词(?:是什么|是啥)|промпт-?инъекц"
)
"""Questions about attempts on a program's rules, and a moderator's about those of the server, which
are no attempt."""
STORY = re.compile(
    r"\b(?:(?:my|the|our) (?:\w+ )?(?:novel|story|book|script|screenplay|thriller|protagonist"
    r"|character|oc|villain|hero)|(?:a|the) (?:heist|crime|detective|murder) "
    r"(?:novel|story|scene|movie|film|mystery)|(?:in|from) (?:a|the|this|that) "
    r"(?:movie|film|show|series|episode))\b"
)
"""A story. It may tell of a crime; what can kill a crowd is not told even there."""
MEANT = re.compile(
    r"\b(?:irl|in real life|for real|like in|same as in|myself|my (?:own )?life|with household"
    r"|household|at home depot|actual(?:ly)?|real(?! (?:time|quick|fast|good|hard|madrid|estate"
    r"|talk|easy|bad|fun|slow|deal|housewives)\b)|really (?:build|make|do|work|steal|rob|cook"
    r"|hack|get|works|want to (?:build|make|do))|(?:that|which|it) (?:really |actually )?works?"
    r"|working (?:recipe|model|version|copy)|so i can|want to (?:copy|try|do) (?:it|this|that)"
    r"|(?:hardware|grocery|drug) ?store|supermarket|pharmacy|home depot|(?:at|from|in) (?:target"
    r"|walmart|ikea|tesco|aldi|costco|best buy|sephora|amazon)|honda|toyota|bmw|hyundai|tesla"
    r"|my (?:\w+ )?(?:neighbou?rs?|boss|girlfriend|boyfriend|wife|husband|ex|school|teacher"
    r"|landlord|coworker|roommate|classmates?|mom|mum|dad|parents)"
    r"|de verdad|de verdade|en casa|em casa|vraiment|chez moi|wirklich|zu hause|davvero|in casa"
    r"|echt|thuis|naprawde|w domu)\b|реально|на самом деле|本当に|現実|家で|진짜로|현실|真的|现实"
)
"""What shows that the play is a pretext."""
AT_HOME = re.compile(r"\bat home\b(?! (?:base|screen|page|plate|team|village|world|in ))")
SUBSTANCES = re.compile(
    r"\b(?:sarin|tatp|petn|ricin|anthrax|novichok|nerve (?:gas|agent)|castor beans?|ammonium"
    r" nitrate|acetone|peroxide|pseudoephedrine|methylamine|red phosphorus)\b"
)
"""What no game needs to be told about."""
MANUAL = re.compile(
    r"\b(?:exact(?:ly)? (?:\w+ )?(?:steps?|amounts?|how|reagents?|ratios?|recipe|ingredients?"
    r"|parts?|measurements?|temperatures?)|exact\w*|step by step|wire by wire|ratios?|reagents?"
    r"|ingredients?|measurements?|parts list|(?:full )?wiring|temperatures?|amounts?|today"
    r"|copy (?:it|him|them)|list the|do i (?:get|buy|need)|would i|could i|can i|replicate|recreate"
    r"|myself|blueprints?|precisely)\b"
)
"""What nobody needs who only wants to know what happened, or to read a story."""

PASTIME = re.compile(
    r"\b(?:beers?|barbecue\w*|bbq|grill\w*|fireworks|sunset|pill (?:box|organi[sz]er)"
    r"|with (?:the|my|our) (?:neighbou?rs|cousins)|(?:con los|com os) (?:vecinos|vizinhos)"
    r"|cervezas?|aniversario|barbacoa|desfile|pastillero|(?:de|para) la semana|rebajas|cervejas?"
    r"|churrasco|antena|caixinha|(?:da|pra) semana|etoiles|colis|apero|bieres?|pilulier"
    r"|pour la semaine|wegen der miete|biere?|sterne|fur die woche|apotheke|birr[ae]|grigliata"
    r"|fuochi|padrone di casa|portapillole|voor de buren|biertjes?|sterren|doosje|dla sasiad\w+"
    r"|gwiazd\w+|piw\w+|na caly tydzien|arbuz\w*|sernik\w*)\b|ビール|花火|布団|ふとん|焼肉|一週間分"
    r"|드라마|치킨|맥주|고기|일주일치|빨래|啤酒|星星|烧烤|这部剧|被子|一周的药|药盒|चाय|पतंग|सीरीज"
    r"|विटामिन|हफ्ते भर|شاي|للجيران|نشرب|التخفيضات|الهدي[هة]|الدش|للأسبوع|للزملاء"
)
"""What people do on a roof, with a letter or with pills: then no head is believed to have heard
need, alone or in everyday words; the trend still hears of a faint sorrow."""


def harmless_company(plain: str, *, crime: bool = False) -> bool:
    """Whether a normalised text uses words of harm for play, or of history.

    `crime`: nothing worse than a crime is asked about, so that a story excuses it, too.
    """
    if MEANT.search(plain) or AT_HOME.search(plain):
        return False
    if GAMES.search(plain) is not None:
        return SUBSTANCES.search(plain) is None
    told = TOLD.search(plain) is not None or (crime and STORY.search(plain) is not None)
    return told and MANUAL.search(plain) is None


def pretext(plain: str) -> bool:
    """Whether a normalised text names a game or a story, and means something else."""
    named = GAMES.search(plain) or STORY.search(plain)
    return named is not None and (MEANT.search(plain) or AT_HOME.search(plain)) is not None


def without_figures(plain: str) -> str:
    """Return a normalised text without its figures of speech, and without what others will do to
    the speaker; the rest may still ask for harm."""
    return ENDURED.sub(" ", TURNS.sub(" ", plain))
