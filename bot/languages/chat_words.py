"""Words of chats that show a language: `stop_words` were made for longer texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CHAT_WORDS: Final[Mapping[str, str]] = {
    "en": """hello thanks thank please sorry good morning night yes yeah nope want
        need know think going gonna wanna write tell make help does dont cant im ive youre
        whats hows explain best people love feel really about there theres work time is are
        the first one two new old who everyone today tomorrow yesterday never always maybe
        actually pretty nice day life man guy guys anyone could should would made""",
    "de": """hallo danke bitte moin servus tschuss guten morgen abend nacht gut heute morgen
        gestern jetzt gern gerne schreib schreibe erklar erklare sag mach gibt geht brauche
        weiss leute wirklich vielleicht einfach wieso viel viele mehr immer mag machen gehen
        niemand jemand leben alles nichts etwas andere neue neuer wohl schnell bisschen
        kannst konnen konnte mussen muss sollte wurde neu""",
    "es": """hola gracias buenos buenas dias noches favor ahora hoy manana ayer quiero puedes
        puedo necesito escribe dime explica hacer tiene hace vale bien jaja cuanto cuanta
        cuantos cuales cuando quien nunca siempre amigo amiga nada hago cosa cosas otra otro
        voy vas vamos quiere puede alguien algun alguna nuevo nueva mejor hermano hermana
        vida siento anos aqui alla entonces eso esa ese tal vez""",
    "fr": """bonjour salut merci bonsoir oui non stp svp aujourdhui demain hier maintenant veux
        peux peut peuxtu ecris raconte explique combien pourquoi comment cest jai jsuis
        jaime quest quel quelle bien tres trop faire faut suis etre sais vraiment toujours
        jamais rien chose choses autre autres quoi ca va vais vas peu jour vie nouveau alors
        aussi deja encore gens mec sert moi toi""",
    "it": """ciao grazie buongiorno buonasera prego oggi domani ieri adesso voglio puoi posso
        scrivi dimmi spiega fare fammi quanto quanta quanti quali perche bene molto sempre
        mai anche cosi qual pero sto stai vuoi cosa cose faccio vorrei siamo altro altra
        tutto tutti niente nulla ancora solo fa va vita mi sento bella bello dove come sono
        casa qui poi quindi tipo""",
    "pt": """oi ola obrigado obrigada bom boa dia noite tarde hoje amanha ontem agora quero pode
        posso preciso escreve escreva diga explica explique fazer tem tudo bem qual quais
        quanto quantos nunca sempre gente vc voces muito tambem entao estou nada faz sinto
        isso esse essa fui vou vai coisa coisas pra pro vez novo nova ano ainda acho algum
        alguma vale pena onde meu minha voce seria foi ela ele""",
    "nl": """hallo hoi even helpen dank dankje bedankt graag goedemorgen goedenavond vandaag
        morgen gisteren schrijf vertel leg uit hoeveel waarom wanneer welke
        wil kun kunt heel erg leuk maak
        altijd nooit eens gewoon ga gaat vind denk weet leven mag niemand iemand jou jullie
        wij waar zat steeds alles iets niets ander andere mensen dag nieuw nieuwe hebt
        kunnen moeten""",
    "pl": """czesc hej dzieki dziekuje prosze dzien dobry dobranoc dzis dzisiaj jutro wczoraj
        teraz chce moge mozesz potrzebuje napisz powiedz opowiedz wyjasnij ile dlaczego jaki
        jaka jakie nigdy zawsze zeby albo bardzo dobrze sobie nikt ktos zycie wszystko nic
        cos inny nowy nowa ludzie moze trzeba byc mam masz ma""",
    "tr": """merhaba selam tesekkurler tesekkur ederim lutfen gunaydin bugun yarin dun simdi
        istiyorum yaz anlat acikla nasil nasilsin kac hangi zaman iyi hic her cunku benim
        seni misin musun midir evet hayir yap olur oldu bende sende senin bunu sunu olan
        yeni gun insan hayat bile hem artik""",
    "id": """halo hai terima kasih tolong selamat pagi malam hari besok kemarin sekarang mau bisa
        tulis tuliskan ceritakan jelaskan gimana bagaimana kenapa mengapa berapa kapan nggak
        gak banget dong sih aja udah belum bikin buat buatkan kok lagi siapa mana saya aku
        kamu nya cara orang hidup sangat sekali hanya akan telah adalah punya tanpa baru""",
    "sv": """hej tack snalla god morgon kvall idag imorgon igar vill kan du skriv beratta varfor
        mycket bra inte nagot ocksa""",
    "da": """hej tak venligst godmorgen idag imorgen igar vil kan skriv fortael hvorfor meget godt
        noget ogsaa""",
    "no": """hei takk vennligst morgen idag imorgen vil kan skriv fortell hvorfor veldig bra noe
        ogsa""",
    "fi": """hei moi kiitos huomenta tanaan huomenna eilen haluan voit kirjoita kerro miksi paljon
        hyva kuinka missa""",
    "ro": """buna salut multumesc rog azi maine ieri acum vreau poti scrie spune explica cat foarte
        bine unde cand""",
    "hu": """szia koszonom kerlek reggelt este holnap tegnap most akarok tudsz irj mondd miert
        hogyan jo nagyon""",
    "hi-latn": """hai hain kya kaise kyu kyun mera meri mere nahi nahin karo karu kar gaya gayi bhai
        yaar tum aap mujhe raha rahi kahani sunao accha acha thik matlab bahut""",
    "vi": """xin chao cam on toi ban la khong co gi nhu the nao cho mot nhung cua va de duoc""",
}
"""By ISO 639-1 code, and `hi-latn` for Hindi in Latin letters: small letters without marks."""
