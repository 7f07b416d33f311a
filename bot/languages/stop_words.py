"""Words that say nothing about a text's subject, by the stemmer's name of their language.

Written for this project, without accents, as `words.fold` leaves them. They also tell languages in
Latin letters apart, so that each list holds its language's most frequent words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_LISTS: Final[Mapping[str, str]] = {
    "english": """
        a about above after again against all am an and any are arent as at be because been before
        being below between both but by can cant could couldnt did didnt do does doesnt doing dont
        down during each few for from further had hadnt has hasnt have havent having he hed her
        here hers herself hes him himself his how i id if ill im in into is isnt it its itself ive
        just let lets me more most my myself no nor not now of off on once only or other our ours
        ourselves out over own really same she should shouldnt so some such than that thats the
        their theirs them themselves then there these they theyre theyve this those through to too
        under until up us very was wasnt we were werent weve what whats when where which while who
        whom why will with wont would wouldnt yes you youd youll your youre yours yourself youve
        also any anything something would might may must shall like get got""",
    "german": """
        aber alle als also am an auch auf aus bei bin bis bist da damals dann das dass dein deine
        dem den der des dich die dies diese diesem diesen dieser dieses dir doch du durch ein eine
        einem einen einer eines er es etwas euch fur gegen habe haben hast hat hatte hatten hier
        ich ihm ihn ihr ihre ihrem ihren im in ist ja jede jeder kann kein keine mal man mein meine
        meinem meinen meiner mich mir mit mochte nach nein nicht noch nur oder ohne schon sehr sein
        seine sich sie sind so soll uber um und uns unser vom von vor war waren warum was wann weil
        wenn wer werde werden wie wieder will wir wird wo wurde zu zum zur zwischen""",
    "french": """
        ai au aux avec c ce ces cet cette ceux chez comme d dans de des donc du elle elles en es est
        et etait etais etre eu fait il ils j je jai l la le les leur leurs lui m ma mais me meme
        mes moi
        mon n ne ni nos notre nous on ont ou par pas plus pour qu quand que quel quelle qui s
        sa sans se ses si son sont sur t ta te tes toi ton tout tres tu un une vos votre vous
        y cest""",
    "spanish": """
        a al algo como con cual cuando de del desde donde e el ella ellas ellos en entre era eres es
        esa ese eso esta estaba estan estar este esto estoy fue fui ha han has hay he la las le les
        lo los mas me mi mis mucho muy nada ni no nos nosotros o os para pero por porque que quien
        se ser si sin sobre solo son soy su sus tambien te tengo ti tiene todo tu tus un una uno y
        ya yo""",
    "portuguese": """
        a ao aos as ate com como da das de dela dele deles do dos e ela elas ele eles em entre era
        essa esse esta estou este eu foi foram ha isso isto ja lhe mais mas me mesmo meu meus minha
        minhas muito na nao nas nem no nos nossa nosso num numa o os ou para pela pelo por porque
        quando que quem sao se sem ser seu sua suas tambem te tem tenho teu tu tua um uma voce""",
    "italian": """
        a ad ai al alla alle anche c che chi ci come con cosa cui da dai dal dalla de degli dei del
        della delle di dove e ed era essere fa gli ha hai hanno ho i il in io l la le lei li lo loro
        lui ma mi mia mie miei mio molto ne nel nella noi non nostro o per perche piu quando quello
        questa questo se sei si sia sono sta su sua suo ti tra tu tua tuo un una uno vi voi""",
    "dutch": """
        aan al als altijd bij ben bent daar dan dat de deze die dit doch doen door dus een en er ge
        geen had heb hebben heeft hem het hier hij hoe hun ik in is ja je jij jouw kan kon maar me
        mee meer men met mij mijn moet na naar niet nog nu of om omdat onder ons ook op over te toch
        toen tot u uit uw van veel voor want waren was wat we wel werd wie wij wil worden zal ze
        zich zij zijn zo zonder zou""",
    "swedish": """
        alla att av blev bli da de dem den denna det dig din du efter ej eller en er ett for fran
        ha hade han har hon hur i icke inte jag kan man med men mig min mina mot mycket nar nu och
        om oss pa sa sedan sig sin ska skulle som till under upp ut vad var vara vi vid ar""",
    "danish": """
        af alle at blev da de dem den der deres det dig din dog du efter eller en end er et for fra
        ham han hans har havde hende her hos hun hvad hvis hvor i ikke ind jeg jer kan man med meget
        men mig min mine mod ned noget nu og om op os pa sig sin skal som til ud var vi vil""",
    "norwegian": """
        alle at av ble da de deg dem den denne der det din du eller en er et etter for fra ha hadde
        han har hennes her hun hva hvis hvor hvordan i ikke ja jeg kan man med meg men min mitt mot
        na nei noe og om opp oss pa sa seg selv si sin skal som til ut var vi vil""",
    "finnish": """
        ei en ette etta han hanen he ja joka jos kanssa kuin kun me mika mina minun minulla mita
        mutta myos ne niin nyt oli olen ole olet on ovat sanoi se sen siella sina sinun sitten tai
        tama tassa te vain voi""",
    "polish": """
        a ale bardzo bo by byc byl byla co czy dla do gdy gdzie i ich ja jak jako je jego jej jest
        jestem juz kiedy ktory lub ma mam mi mnie moj moja na nad nie o od po pod przez sa sie ta
        tak tam tego ten to tu ty tylko w we z za ze""",
    "romanian": """
        a ai al am ar are as au avea ca care ce cu cum da dar de din e ea el eram este eu fi fost
        iar in isi la le lui mai ma mea meu mi nu o pe pentru sa sau se si sunt te tu un una""",
    "hungarian": """
        a az be csak de egy el en es ez ezt hogy ha hol is itt jo kell ki le lehet ma meg mert mi
        mikor mint most nagyon nekem nem o ott s te ti van volt vagy vagyok""",
    "turkish": """
        ama bana ben beni benim bir biz bu cok da daha de degil diye en gibi icin ile ise kadar ki
        kim mi mu ne neden nerede o olan olarak ona onu onun sen senin siz su var ve veya ya yok""",
    "indonesian": """
        ada adalah aku anda apa atau bahwa banyak dalam dan dari dengan di dia ini itu jika juga
        kalau kami kamu karena kata ke kita lagi mereka oleh pada saya sebagai sudah tidak untuk
        yang""",
    "russian": """
        а без был была были было быть в вам вас во вот все всё вы где да даже для до его ее если
        есть ещё еще же за и из или им их к как когда кто ли мне меня мой моя моё мы на над не нет
        ни но ну о об он она они оно от по под при с со так там тебе тебя то тоже только ты у уже
        чего что чтобы это этот эта эти я""",
}

STOP_WORDS: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split()) for language, words in _LISTS.items()
}
