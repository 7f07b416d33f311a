"""How a message tells: inside a story or out of it, of long ago or of now."""

from __future__ import annotations

import re

FICTION = re.compile(
    r"\b(?:the (?:character|protagonist|villain)|my (?:character|oc|protagonist|villain|hero|novel"
    r"|story|book|script"
    r"|screenplay|campaign)|"
    r"(?:in|for) (?:a|my|the|our) (?:story|novel|book|game|campaign|film|movie|play"
    r"|song|poem|rp|roleplay|scene)"
    r"|write (?:me )?an? (?:\w+ ){0,3}(?:story|poem|scene|song|tale|chapter|haiku"
    r"|dialogue)|fan ?fic\w*|"
    r"meu personagem|mi personaje|mon personnage|mein charakter|il mio personaggio"
    r"|mijn personage|moja postac)\b"
    r"|小説|キャラ|物語|소설|캐릭터|角色|故事|小说|कहानी|किरदार|قصة|رواية|شخصية"
)
REAL = re.compile(
    r"\b(?:ooc|out of character|irl|in real life|for real|honestly|seriously|"
    r"actually me|is me|it\x27?s me|about me|that was me|was me talking|me too"
    r"|i \w+ (?:\w+ ){0,3}too,|by my house|in my (?:own )?life|i mean me|no joke"
    r"|not (?:for )?(?:a|the|my|any|in a) (?:story|game|novel|book|character|joke|rp|scene)"
    r"|(?:no es|nao e|non e|c\x27est pas|pas|nicht|niet|nie) (?:para|pra|per|pour|fur|voor|do|dla) "
    r"(?:\w+ )?(?:novela|historia|cuento|roman|histoire|racconto|romanzo|geschichte|verhaal"
    r"|opowiadania)|not (?:really )?talking about \w+ any ?more"
    r"|that (?:last )?(?:line|part|bit) (?:wasn\x27?t|isn\x27?t) (?:hers|his|theirs|fiction)|"
    r"my own (?:stuff|story)|i know where too|soy yo|sou eu|c\x27est moi|das bin ich|sono io|"
    r"fuera de(?:l)? personaje|en serio|hors (?:rp|personnage)|pour de vrai|wirklich|im ernst|"
    r"fora do personagem|de verdade|sul serio|fuori dal personaggio|echt waar|naprawde|na serio)\b"
    r"|\(\(|^\([^)]*\b(?:i|me|my)\b|\bnot the \w+, me\b"
    r"|本当に|リアルで|自分の話|ほんとは自分|(?:小説|物語)(?:とか)?(?:じゃ|では)な"
    r"|내 얘기|(?:소설|이야기)(?:이|가)? ?(?:말고|아니)"
    r"|我自己的事|说的是我|不是(?:写|在写)?(?:小说|故事)"
    r"|진짜로|真的|现实|सच में|कहानी (?:के लिए )?नहीं|حقا|بجد|(?:مو|مش|ليست) (?:ل)?قصة"
)
LONG_AGO = re.compile(
    r"\b(?:(?:years?|months) ago (?:today )?i (?:\w+ ){0,3}(?:wanted to die|didn\x27?t want to"
    r"|had the letter|was (?:at my|suicidal|in hospital)|tried to|nearly|almost|hit rock|attempted)"
    r"|(?:wanted to die|kill myself|was suicidal|self-? ?harm\w*|cut(?:ting)?(?: myself)?|end it)\b"
    r".{0,40}\b(?:years ago|as a (?:teen\w*|kid|student)|back then|in school)"
    r"|when i was (?:\w+ ){1,3}i (?:\w+ ){0,2}(?:wanted to (?:die|kill)|tried to (?:die|kill|end))"
    r"|used to (?:self-? ?harm|cut\b|hurt myself|hate myself|want to die|be (?:suicidal|depressed))"
    r"|(?:days?|weeks?|months?|years?) (?:clean|sober|free of|without (?:cutting|drinking|harming))"
    r"|clean (?:for|since|today)|in recovery"
    r"|years? since (?:my|the|i) (?:\w+ ){0,2}(?:attempt|tried|cut)"
    r"|(?:dad|mom|mum|nan|gran\w*|brother|sister|son|daughter|his|her)\x27?s? anniversary"
    r"|(?:a|\w+|\d+) (?:years?|yrs) since (?:\w+ ){0,3}(?:died|passed)"
    r"|(?:glad|happy) (?:that )?i(?:\x27m| am) (?:still )?(?:here|alive)"
    r"|(?:hace|ha) (?:\w+ ){1,2}(?:anos|meses)|il y a (?:\w+ ){1,2}ans|anni fa|jaar geleden"
    r"|vor (?:\w+ ){1,2}(?:jahren|monaten)|lat temu|saal pehle|ar se(?:n|dan)|(?:yil|sene|ay) once"
    r"|(?:anos?|dias|meses|anni|giorni|mesi|ans|jours|mois|jahre?n?|tage|monate|jaar|dagen|maanden"
    r"|lat|lata|dni|miesiec\w*|ar|dagar|manader) (?:\w+ )?(?:limp[oa]|sobri[oa]|pulit[oa]"
    r"|sobre|clean|trocken|nuchtern|nuchter|trzezw\w*|nykter|drogfri"
    r"|(?:sin|sem|senza|sans|ohne|zonder|bez|utan) (?:\w+ ){0,3}(?:beber|fumar|cortarme|me cortar"
    r"|alcohol|alcool|alkohol\w*|gratta|drog\w*|jugar|jogar|apostar|trink\w*|drink\w*|picia"
    r"|spelen|ritzen|autolesion\w*|boire|fumer)))\b"
    r"|年前|昔は|년 전|예전엔|साल पहले|去年の今ごろ|断酒|禁酒\d|금주 ?\d"
    r"|戒(?:酒|赌|毒).{0,6}(?:年|天|个月)|साल.{0,8}(?:शराब|नशा|दारू) छोड़"
    r"|(?:год|года|лет|месяц[а-я]*) (?:назад|без (?:алкоголя|наркотик|сигарет|порезов|срыв))"
    r"|قبل (?:\S+ )?سن(?:ين|وات|ة)|سن(?:ين|ة|وات) (?:من غير|بدون) (?:تدخين|شرب|مخدرات)"
)
"""What is told of a danger that is over."""
STILL = re.compile(
    r"\b(?:again|tonight|right now|rn|relaps\w+|is back|coming back|urges?"
    r"|still (?!here|alive|say|love|miss|laugh|remember|text|set|hear)"
    r"|itch\w*|slipped|ruined|sitting on my hands|last night|almost (?:cut|did)|weighed myself"
    r"|but (?:now|lately|today)"
    r"|otra vez|de novo|encore|wieder|di nuovo|weer|znowu|esta noche|ce soir|heute nacht|hoje (?:a noite|nao|de novo|quero|to|estou)"
    r"|todavia|ainda|toujours|immer noch|ancora|nog steeds|wciaz)\b"
    r"|また|まだ|今夜|또|아직|다시|又|还|फिर|مرة اخرى|الليلة|ما زلت"
)
"""What makes a danger of long ago one of today."""
PLAYED = re.compile(
    r"\*[^*\n]{2,}\*|[\"“«「][^\"”»」\n]{2,}[\"”»」]|(?i:\b(?:write|continue|describe|tell|scene|"
    r"chapter|poem|verse|story|lyrics|narrat\w+|dialogue|villain|hero|knight|queen|king|wizard|"
    r"elf|orc|he|she|they|his|her) )"
)
"""Marks of a story: actions between asterisks, speech, the third person, a task to write."""
