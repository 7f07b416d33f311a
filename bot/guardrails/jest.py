"""What is said of one's own death in jest: "kms lol, my teacher read my text out".

Laughter is also a mask: "kms tonight lol, dad's gun is here" is a cry for help.
"""

from __future__ import annotations

import re

LAUGHING = re.compile(
    r"\b(?:lo+l+|lmf?ao+|rofl|ha(?:ha)+h?|hehe\w*|xd+|jaja\w*|jeje\w*|kkk+\w*|rsrs\w*|mdr+|ptdr"
    r"|hihi\w*|ahah\w*|hahah\w*)\b|[😂🤣😹😅🙈😆🫠]|\u110f\u110f|\u1112\u1112|w{2,}(?![a-z.])|\(笑\)|笑$"
    r"|[あ-ん]w(?:$| )|草$|哈哈|呵呵|हाहा|ههه"
)
"""With it, what is said of dying is a figure of speech, unless something shows that it is meant."""
JOKING = re.compile(
    r"\b(?:jk|j/k|just kidding|(?:i'm|im|i am|only) (?:kidding|joking)|it's a joke|figuratively"
    r"|es broma|bromita|de broma|brincadeira|brinks|to brincando|je (?:rigole|plaisante)"
    r"|c'est une blague|(?:nur |nen |ein |war ein )(?:spass|scherz|witz)|scherzo|sto scherzando"
    r"|grapje|geintje|zart(?:uje|owal\w*)|mazaa?k)\b|冗談|嘘です|농담|장난이야|开玩笑|開玩笑"
    r"|मज़?ाक|امزح|بمزح"
)
EARNEST = re.compile(
    r"\b(?:tonight|again|for real|fr|no cap|serious\w*|not (?:joking|kidding|a joke)|irl"
    r"|actually (?:want|going|gonna|do)|pills?|meds|rope|noose|gun|pistol|blade|razor|knife"
    r"|bleed\w*|blood|tracks|note|goodbye|letters?|plan|planned|attempt\w*|hospital"
    r"|every (?:day|night)|alone|any ?more|can't|cant|hate my life|so tired|nobody|no one"
    r"|don't care|help|for (?:weeks|months|years)|not as in|cut(?:ting)?"
    r"|cort(?:e|o|ei|ando)|coupee?|geritzt|geschnitten|tagliat\w+|gesneden|pociel\w+|pocial\w+"
    r"|esta noche|en serio|enserio|pastillas|soga|cuchilla|cada (?:dia|noche)|ya no|nadie|carta"
    r"|hoje|serio|remedios?|comprimidos|corda|gilete|todo dia|nao aguento|ninguem"
    r"|ce soir|cette nuit|serieux|pour de vrai|cachets|corde|lame|chaque (?:jour|nuit)|personne"
    r"|heute (?:nacht|abend)|ernst\w*|echt jetzt|tabletten|strick|klinge|jede nacht|niemand"
    r"|stanotte|stasera|sul serio|davvero|pastiglie|lametta|ogni (?:giorno|notte)|nessuno"
    r"|vannacht|vanavond|serieus|pillen|touw|mesje|elke (?:dag|nacht)|brief"
    r"|dzis|naprawde|na serio|tabletki|sznur|zyletk\w*|codziennie|nikt"
    r"|sach me|sach mein|goli\w*|rassi|aaj raat|roz"
    r"|no es (?:una )?broma|nao (?:e|eh|to) (?:de )?brinca\w+|pas une blague"
    r"|kein (?:witz|scherz|spass)"
    r"|non (?:sto )?scherz\w+|geen grap\w*|nie zart\w+|mazaa?k nahi)\b"
    r"|冗談(?:じゃ|では)な|농담(?:이)? ?아니|장난(?:이)? ?아니"
    r"|(?:不是|没|沒)(?:在)?(?:开玩笑|開玩笑)"
    r"|मज़?ाक नहीं|(?:مو|مش|ليس|ليست|ما) ?ا?مزح"
    r"|今夜|本気|薬|毎日|ロープ|カッター"
    r"|진짜로|진심|오늘 ?밤|매일|약을|칼로|割|切|그었|자해|काट|جرح|今晚|真的想|认真|每天"
    r"|药|刀|绳"
    r"|सच में|आज रात|गोलि|रस्सी|الليلة|جد|حبوب|حبل|كل يوم"
)
"""What shows that laughter is a mask."""
TRIFLE = re.compile(
    r"^(?:so |ok |bro )?(?:if|si|se|wenn|falls|als|jak|jesli|gdy)\b|면 |たら|ば、|(?:要是|如果)"
)
"""A condition, such as a failed test: then even a deed is a figure of speech to who laughs."""
CITED = re.compile(
    r"\b(?:song|lyrics?|chorus|track|album|letra|cancion|musica|chanson|paroles|songtext|lied"
    r"|canzone|testo|liedje|songtekst|piosenk\w*|slowa|gaana|gaane)\b.{0,60}[\"'*]\w"
    r"|(?:歌詞|曲|가사|노래|歌词|歌里|गाने|اغنية).{0,12}[\"「『]"
)
"""Words of a song, quoted."""


def in_jest(plain: str, *, deed: bool) -> bool:
    """Whether a normalised text speaks of one's own death in jest, or in the words of a song.

    `deed`: it names how, which laughter alone does not make a jest.
    """
    if EARNEST.search(plain):
        return False
    if JOKING.search(plain):
        return True
    if LAUGHING.search(plain):
        return not deed or TRIFLE.search(plain) is not None
    return not deed and CITED.search(plain) is not None
