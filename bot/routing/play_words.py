"""Words of role-play in many languages: to set one up, to play, to step out of it, to end it.

All patterns read a text as `bot.routing.text.fold` leaves it: small letters, no accents.
"""

from __future__ import annotations

import re

from bot.routing.text import any_of

SETS_UP = re.compile(
    r"\b(?:role ?-?play|rp\b|rpg\b|jdr\b|gdr\b|rollenspiel|gioc\w+ di ruolo|jeu de role"
    r"|rol (?:yap|oyna)|jugu?e\w* (?:al? )?rol\b|hacer rol\b|main peran|ролев\w+"
    r"|отыгр\w+"
    r"|pretend (?:that |like )?(?:you|to be|we|im|this is)|lets (?:pretend|play out|act out)"
    r"|play out a\b|be my (?:dm|gm|dungeon master|game ?master)\b|your character\b"
    r"|start (?:a|an|the|our) (?:\w+ )?(?:scene|adventure|campaign)\b"
    r"|^be (?:a|an|the|my) |we(?:re| are) .{2,60}(?:,| and) you(?:re| are)\b"
    r"|my character (?:\w+s|is)\b|you(?:ll)? (?:play|be) (?:the|a|an|my)\b"
    r"|(?:embody|embrace|assume|adopt|take on|step into|slip into) (?:the |a )?"
    r"(?:role|persona|part|character|shoes)\b|impersonate\b|text ?-?adventure\b"
    r"|(?:throughout|in all) (?:this|our|the)(?: following| whole)? conversations?\b"
    r"|on joue\b|incarne[rz]?\b|dans la peau d|wir spielen\b|schlupf\w* in die rolle"
    r"|jugamos a\b|en el papel de\b|no papel d[eo]\b|nei panni d|wciel sie\b|в роли\b"
    r"|tu so als|stell dir vor,? du|finge que|haz de cuenta|fais comme si"
    r"|imagine que tu"
    r"|finja que|faz de conta|fa(?:i|cciamo) finta|представь,? что ты|udawaj|doe alsof"
    r"|pura-pura"
    r"|(?:you(?:re| are| r)|du bist|jij bent|je bent|tu es|eres|voce e|tu sei|sei|jestes|ты|sen"
    r"|kamu (?:jadi|adalah)?) .{2,60}(?:,| and| und| en| et| y| e| i| а| ben| dan) ?"
    r"(?:im|i|ich|ik|je|moi|yo|eu|io|ja|я|ben|aku)\b"
    r")|ロールプレイ|なりきり|ごっこ|角色扮演|跑团|역할극|상황극|롤플|تقمص|لعب [اأ]دوار|रोल ?प्ले"
    r"|你是.{1,20}我是|你当.{1,20}我当|(?:あなた|君|お前)は.{1,30}(?:私|僕|俺)[はが]|너는.{1,30}나는"
    r"|[اأ]نت .{2,40} و[اأ]نا|तुम .{2,40} और मैं"
)
"""Two parts are handed out, or a play is named."""

HANDS_A_PART = re.compile(
    r"^(?:(?:ok|so|lets play|we play)[:, ]+)?(?:you(?:re| are)|du bist|tu es|t es|tu eres|eres|sei"
    r"|tu sei|voce e|jestes|jij bent|ты) \w"
)
"""One part is handed out. Read where the reply speaks as somebody: else it may only be praise."""
_ACTS_FIRST = any_of(
    "abro saco empujo lanzo corro entro agarro disparo ataco reviso subo bajo susurro levanto",
    "enciendo golpeo apro estraggo spingo lancio entro afferro tiro attacco salgo scendo sussurro",
    "alzo accendo puxo empurro lanco pego atiro acendo otwieram wyciagam popycham rzucam biegne",
    "wchodze biore lapie strzelam atakuje przeszukuje skacze szepcze podnosze zapalam chowam",
    "открываю достаю толкаю бросаю бегу вхожу захожу хватаю стреляю атакую обыскиваю прыгаю шепчу",
    "поднимаю зажигаю",
)
"""What is done in a play, where the verb alone says who."""
_ACTS_LAST = any_of(
    r"\b(?:ac[iı]|cek|it|f[iı]rlat[iı]|kosu|gir|sald[iı]r[iı]|kald[iı]r[iı])i?yorum",
    "[をに](?:開ける|抜く|蹴破る|調べる|放つ|投げる|取る|掴む|つかむ|振る|構える|覗く|押す|入る|近づく)",
    "연다 뽑는다 들어간다 던진다 쏜다 민다 살핀다 다가간다",
)
"""The same where the verb stands last."""
TOLD_AS_I = re.compile(
    r"^(?:(?:and|then|so|ok|well|und|y|et|e|и)[, ]+)?(?:"
    r"(?:i|we) (?!want|need|would|wish|like|love|have|had|was|am|feel|think|just|got|hope)"
    r"|ich (?!brauche|will|mochte|suche|hatte|habe|bin|finde|glaube)"
    r"|je (?!veux|voudrais|cherche|dois|suis|pense|trouve)"
    r"|(?:yo|me) (?!quiero|necesito|gusta|siento|busco)"
    r"|eu (?!quero|preciso|gosto|acho|estou)|io (?!voglio|cerco|sono|penso|vorrei)"
    r"|я (?!хочу|ищу|думаю|люблю|сегодня|вчера)|ik (?!wil|zoek|ben|vind|denk|heb)"
    r"|(?:aku|saya) (?!mau|ingin|butuh|cari|suka)|मैं )\w"
    r"|^我(?!想|要|需要|觉得|喜欢|今天)|^(?:나는|내가) "
    rf"|^(?:{_ACTS_FIRST})(?!\w)|.*(?:{_ACTS_LAST})[^\w]*$"
)
"""What the one who writes does in a play. Only what is already taken for creative is read so."""

ASIDE = re.compile(
    r"^\s*(?:\(\(|\[+ ?ooc|\( ?ooc|//|\{\{|\([^()]{2,}\)\s*$)|\booc\b"
    r"|\bout of character\b"
)
"""Brackets that leave a play for one message."""

_GAME = (
    r"(?:the|this|our|that|das|dieses|el|este|le|ce|la|o|esse|il|questo)?\s?"
    r"(?:game|rp|role ?-?play\w*|scene|story|act|spiel|juego|jeu|jogo|gioco|rol)\b"
)
ENDS_PLAY = re.compile(
    rf"\b(?:(?:stop(?:ping)?|paus(?:e|ing)|quit|end(?:ing)?|leav(?:e|ing)|exit|no more|"
    rf"enough (?:of|with)|not part of|stoppe?|beende|unterbrich|para|"
    rf"parem?|deja|termina|arrete|ferma|basta|fim d[eo])\s{_GAME}"
    r"|(?:stop|quit) (?:playing|pretending|acting)\b|break(?:ing)? character\b|safe ?word\b"
    r"|hor auf (?:mit dem spiel|zu spielen)|хватит играть\b|стоп,? игра\b|останови игру\b"
    r"|koniec gry\b|przerwij gre\b|oyunu (?:durdur|bitir|birak)|berhenti main\b"
    r")|停止游戏|别玩了|不玩了|出戏|ロールプレイ(?:を|は)?(?:やめ|終)|ゲームをやめ"
    r"|게임 ?그만|역할극 ?그만|اوقف اللعبة|खेल बंद"
)
"""Words that end a play for good."""

STEPS_OUT = re.compile(
    r"\b(?:not (?:a|the|in the|part of the) (?:game|rp|roleplay|scene|story)\b|irl\b|brb\b|afk\b"
    r"|gtg\b|g2g\b|(?<!you )\bfor real\b|real[- ]life\b|my real (?:dog|cat|m[ou]m|dad|wife"
    r"|husband|boyfriend|girlfriend|friends?|boss|sister|brother|son|daughter|kids?|job|teacher)\b"
    r"|(?:actually|genuinely|seriously) (?:asking|though)\b|(?:real|serious|actual) question\b"
    r"|^(?:btw|by the way|unrelated|off topic|side note|quick(?: \w+)? question|random question)\b"
    r"|im echten leben\b|nicht im spiel\b|(?:mal|kurz) was anderes\b"
    r"|en la vida real\b|fuera de personaje\b|duda aparte\b|cambiando de tema\b"
    r"|dans la vraie vie\b|hors (?:rp|jeu|personnage)\b|rien a voir\b"
    r"|na vida real\b|fora d[eo] personagem\b|mudando de assunto\b"
    r"|nella vita reale\b|fuori dal (?:gioco|personaggio)\b|cambiando argomento\b"
    r"|в реальнои жизни\b|(?:вне|не в) игр[ые]\b|кстати\b|не по теме\b"
    r"|w prawdziwym zyciu\b|a propos\b|gercek hayatta\b|bu arada\b|konu disi\b"
    r"|di dunia nyata\b|ngomong-ngomong\b|echte leven\b|iets anders\b"
    r")|现实生活|现实中|顺便问|说正经的|現実で|ところで|関係ないけど|현실에서|그건 그렇고|딴 얘기"
    r"|الحياة الحقيقية|بالمناسبة|असल जिंदगी|वैसे एक सवाल"
)
"""Words that leave a play for what is said now: real life, or another subject."""

WANTS_HELP = re.compile(
    r"\bhelp me (?:with|on) my\b|\bhelp with my\b"
    r"|^(?=.*(?:\bhelp|\b(?:hilf|helf)|\bayuda|\baide|\bajuda|\baiut|помо|\bpomo|\byardim|\bbantu"
    r"|帮|手伝|도와|ساعد|मदद))"
    r".*(?:\bhomework\b|\bhausaufgabe|\bdeberes\b|\btarea\b|\bdevoirs\b|\bdever\b|\bcompiti\b|домашк"
    r"|\bpraca domowa\b|\bprac\w+ domow|\bodev|\bhuiswerk\b|\bpr\b|作业|宿題|숙제|واجب|होमवर्क)"
)
"""A plain wish for help with one's own work."""

OTHERS = re.compile(
    r"\b(?:"
    + any_of(
        "your youre ur he him his she her hers hes shes them their they we our us this that",
        "these those here du dich dir dein\\w* er ihn ihm ihr wir uns hier dies\\w* te toi ton",
        "ta tes vous votre vos elle elles nous ici cet cette ces lui ti tuyo ella ellos ellas",
        "aqui esta este estos estas ese esa esos esas alli usted\\w* voce tua teu ele ela eles",
        "isto isso ali lei loro noi qui qua questo questa questi quello quella tuo ты тебя тебе",
        "вы вас вам твои твоя ваш\\w* он она они его ее их ему еи мы нас нам здесь тут тот та",
        "эта эти этот этои туда cie ciebie pan pani ona oni jego jej ich nas tutaj ten tam mi",
        "sen seni sana senin onu onlar biz burada bu su orada jij jou jouw uw hij zij hem haar",
        "wij ons deze dit die kamu kau mu dia mereka kita kami ini itu sini هو هي هم هذا هذه",
        "هنا انت तुम आप वह वे हम यहाँ यह इस उस",
    )
    + r")(?!\w)"
    # "Fix this error" is about no thing of the scene, and "how do you spell" asks nobody there.
    r"(?! (?:code|python|regex|error|script|function|query|sentence|paragraph|essay|e-?mail))"
    r"|\b(?:(?<!how )do|can|could|will|would|are|did|were|have|what|who|where|why)"
    r" (?:do |did |are )?you\b|\b(?:does|did|has|will|can) it\b"
    r"|\b(?:did|am|had|was) i\b|\bdo i (?:have|see|hear|look|feel)\b"
    r"|[你您她他]|这|那里|あなた|君|彼|ここ|この|その|あの|これ|それ|あれ|너|당신|여기|이거|저"
)
"""Somebody or something of the scene is meant."""

THINGS = re.compile(
    r"\bthe\s(?:\w+\s)?(?:"
    + any_of(
        "doors? gate counter stairs? cellar bridge forest woods cave tunnel tower castle tavern",
        "inn village road path guards? chest key map horses? ship captain innkeeper ruins altar",
        "sword potion torch lantern camp throne dungeon lock trap rope",
    )
    + r")(?!\w| of )"
    r"|\b(?:der|die|das|den|dem|zum|zur|el|la|los|las|al|le|les|du|au|il|lo|l|o|a|os|as"
    r"|do|da|no|na|pro|pra|alla|del|della)\s(?:\w+\s)?(?:"
    + any_of(
        "tor tur theke treppe keller brucke wald hohle turm burg schenke dorf weg wache truhe",
        "schlussel karte pferd schiff kapitan wirt schwert trank fackel laterne puerta escalera",
        "sotano puente bosque cueva torre castillo posada taberna pueblo camino guardias? cofre",
        "llave mapa caballo barco capitan espada pocion antorcha porte escalier pont foret",
        "grotte tour chateau auberge taverne chemin gardes? coffre cle carte cheval navire",
        "capitaine epee torche lanterne porta escada porao ponte floresta caverna castelo",
        "aldeia guarda bau chave cavalo navio capitao pocao tocha scala cantina foresta grotta",
        "castello locanda villaggio sentiero guardia forziere chiave mappa cavallo nave",
        "capitano spada torcia",
    )
    + r")(?!\w| d[aeiou]\w* )"
)
"""What a place of a play has, told of as if both knew it: "how much for the map"."""

COMMON = frozenset(
    any_of(
        "the and for you are was how why who can did has had not but his her him she its out",
        "any all one two get got let may now our own say see too use way yet off per day der",
        "die das und ist wie wer von mit auf ein den dem des ich les est qui que une los las",
        "del por con una che non chi gli het een van hoe wat met jak ile kto czy nie как что",
        "кто где это для или what when where which there about have does this that with from",
        "your they them will would could should some much many long time people know tell",
        "please into over just like good very year years make made been were name more most",
        "than then each ever still also only even right left back come came take took give gave",
        "want need help work thing things something quanto quanti quanta quale dove perche",
        "quando sono hanno della delle cosa cuanto cuantos cuanta como donde cuando quien cual",
        "tiene para pour dans quel quelle quels combien comment sont avec onde qual quantos",
        "quantas welche wieviel viele wann warum kann habe haben sein eine einen einem einer",
        "sind nicht oder kolik jest sie gdzie kiedy sollte сколько какая какои какие когда",
        "почему этот есть berapa apakah dimana kapan bagaimana hoeveel waar wanneer heeft zijn",
        "nasil nerede kadar hangi 什么 多少 怎么 我们 你们 一个 可以 是什 何人 얼마 어디 무엇 누구",
        "언제 어떻",
    ).split("|")
)
"""Longer words, and pairs of signs, that say nothing of what a text is about."""
