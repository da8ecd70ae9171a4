"""Does an answer refuse? Only its start tells, and only in the words that models refuse with."""

from __future__ import annotations

import re

_START_CHARACTERS = 300
_MOST_CHARACTERS = 1_200
"""A longer answer that begins like a refusal goes on to help."""
_MARKUP = " \t\r\n*_#>-"

_ENGLISH_CANNOT = (
    r"(?:can(?:no|')t|can not|am unable to|'m unable to|am not able to|'m not able to|won't|will not|must decline to"
    r"|have to decline to)"
)
_ENGLISH = (
    (
        rf"(?:unfortunately,? |sorry,? (?:but )?|(?:no|hello|hi)[,.!] )?i {_ENGLISH_CANNOT} (?:help(?: you)?"
        r"(?= (?:with|you)\b|[.,!]|$)|assist|answer (?:that|this|your)|provide (?!(?:an? )?exact)|fulfil|comply|do that"
        r"|create (?:that|this|any|such|content)|generate (?:that|this|any|such|content)|engage in|participate in"
        r"|complete (?:that|this|your)|discuss (?:that|this))"
    ),
    (
        rf"(?:i(?:'m| am) (?:very |so |really |truly )?(?:sorry|afraid)(?! (?:to hear|for your|that you|about|of|you))"
        rf"|sorry[,.]|(?:my )?apologies|i apologi[sz]e|unfortunately)[^\n]{{0,120}}?\b(?:i {_ENGLISH_CANNOT}"
        r"|i(?:'m| am) (?:not (?:able|comfortable|allowed|permitted|programmed)|unable)"
        r"|i (?:do not|don't) (?:have (?:access|the ability|the capability|real-time|enough information)"
        r"|feel comfortable)|i (?:must|have to) (?:decline|refuse))\b"
    ),
    (
        r"as an? (?:ai|artificial intelligence|(?:large )?language model)\b[^\n.]{0,60}?, i(?:'m| am)? (?:can(?:no|')t"
        r"|can not|unable|not able|not (?:programmed|designed|allowed|permitted)|(?:do not|don't) have (?:access"
        r"|the ability|the capability|real-time))"
    ),
    r"i (?:do not|don't) (?:have (?:access to|the ability to)|feel comfortable)",
    r"(?:i(?:'m| am)|it is|it's) not (?:comfortable|appropriate for me)",
    r"i (?:must|have to) (?:respectfully )?(?:decline|refuse)",
)
_OTHERS = (
    r"(?:es )?tut mir (?:sehr )?leid[^\n]{0,80}?\bich (?:kann|darf|werde|bin)\b[^\n.]{0,100}?\b(?:nicht|keine?n?)\b",
    (
        r"(?:leider|entschuldigung,?)[^\n.]{0,20}? (?:kann|darf) ich\b[^\n.]{0,60}?\bnicht (?:helfen|weiterhelfen"
        r"|beantworten|erfüllen|unterstützen)"
    ),
    r"ich kann (?:ihnen|dir|euch)?[^\n.]{0,40}?\bnicht (?:helfen|weiterhelfen|behilflich)",
    r"(?:je suis (?:vraiment )?)?désolée?\b[^\n]{0,60}?\bje ne (?:peux|suis) pas",
    r"je ne (?:peux|suis) pas (?:en mesure (?:de|d')|vous aider|t'aider|répondre à cette|fournir)",
    r"(?:lo siento|lamento|disculpa|perdón)\b[^\n]{0,60}?\bno (?:puedo|me es posible|estoy)",
    r"no puedo (?:ayudarte|ayudarle|ayudar|cumplir|responder a esa)",
    r"mi dispiace\b[^\n]{0,60}?\bnon (?:posso|sono in grado)",
    r"non posso (?:aiutarti|aiutarla|aiutare|rispondere a questa)",
    r"(?:desculpe|sinto muito|lamento)\b[^\n]{0,60}?\bnão (?:posso|consigo)",
    r"não posso (?:ajudar|responder a ess)",
    r"(?:het spijt me|sorry,)[^\n]{0,60}?\bik (?:kan|mag)\b[^\n.]{0,60}?\bniet\b",
    r"(?:przepraszam|przykro mi|niestety)\b[^\n]{0,60}?\bnie mogę",
    r"(?:извините|простите|к сожалению|сожалею|мне жаль)[^\n]{0,60}?\bя не (?:могу|смогу)",
    r"я не могу (?:помочь|ответить на этот|выполнить)",
    r"(?:很|非常)?(?:抱歉|对不起|對不起|遗憾|遺憾)[^\n]{0,30}?(?:我|本)?(?:无法|無法|不能|没有办法)",
    r"我(?:无法|無法|不能)(?:帮助|提供|回答|协助|满足|完成|幫助|協助)",
    r"(?:大変)?(?:申し訳(?:あり|ござい)ません|すみません|恐れ入りますが)[^\n]{0,80}?(?:できません|できかね|お答えでき|お手伝いでき)",
    r"죄송(?:합니다|하지만|해요)[^\n]{0,80}?(?:수 없|어렵습니다|못합니다)",
    r"(?:عذر|آسف|أعتذر|للأسف)[^\n]{0,60}?(?:لا أستطيع|لا يمكنني)",
    r"(?:क्षमा करें|मुझे खेद है|माफ़ करें)[^\n]{0,80}?नहीं (?:कर|दे|बता)",
)
_REFUSES = re.compile("|".join((*_ENGLISH, *_OTHERS)), re.IGNORECASE)
_WANTED = re.compile(
    r"apolog|sorry|refus|declin|reject|translat|repeat|respond with|excus|lyrics|poem|story|dialog|monolog|role-?play"
    r"|screenplay|übersetz|entschuldig|ablehn|absage|tradu|traduc|désol|siento|scusa|vertaal|перев|извин|отказ|翻译|翻譯"
    r"|道歉|拒绝|翻訳|謝罪|断り|번역|사과|거절",
    re.IGNORECASE,
)
_MESSAGE = re.compile(
    r"\b(?:reply|respond|answer (?:to )?(?:him|her|them)|message|text|e?-?mail|letter|note|slack|sms|invit|cancel"
    r"|schreib|antwort|nachricht|écri|réponds|réponse|escrib|mensaje|scrivi|messaggio|rispond|schrijf|bericht|escrev"
    r"|mensagem|напиши|ответь|сообщени)|写|回复|消息|短信|書いて|返信|メッセージ|써|답장|메시지",
    re.IGNORECASE,
)
"""Who writes to somebody may be sorry, and unable to come."""
_OF_AN_ASSISTANT = re.compile(
    r"assist|help (?:you )?with|your request|that request|this request|as an ai|language model|fulfil|comply"
    r"|weiterhelfen|dabei .{0,12}helfen|aider|ayudar|aiutar|ajudar|помочь|帮助|帮忙|お手伝い|도와",
    re.IGNORECASE,
)


def refuses(wish: str, text: str) -> bool:
    """Whether the answer is a refusal, and the wish for none: a letter of apology, a translation, a story may be."""
    if len(text) > _MOST_CHARACTERS:
        return False
    start = text[:_START_CHARACTERS].lstrip(_MARKUP).replace("\u2019", "'")
    if _REFUSES.match(start) is None or _WANTED.search(wish) is not None:
        return False
    return _MESSAGE.search(wish) is None or _OF_AN_ASSISTANT.search(start) is not None
