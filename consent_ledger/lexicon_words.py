"""The default lexicon's words: data only, read by `lexicon.py` (rulebook section 6).

Any spelling will do, case and accents do not matter: all of it is normalised by R-K1. Phrases
are separated by a slash or a line's end.
"""

from typing import Final


def _phrases(text: str) -> tuple[str, ...]:
    lines = text.replace("/", "\n").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


# 47 CFR 64.1200(a)(10): reasonable per se, so no account may stop honouring them.
FCC_SEVEN: Final = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")

# R-K2: the providers' words, each honoured by at least one of them.
PROVIDERS_STOP: Final = _phrases(
    """
    stopall / stop all / remove / unsub / arret / alto / baja / parar / cancelar
    """
)

START: Final = ("start", "unstop")
HELP: Final = ("help", "info")
CONSENT: Final = ("consent", "i consent", "i agree")
DECLINE: Final = ("decline", "i decline")
# A YES may consent or reopen, so nothing is read as one that could be meant otherwise: 'si' is
# also 'if', 'ok' is also 'I have read it'.
YES: Final = ("yes", "y")
NO: Final = ("no", "n", "nope")

# Words that ask, thank or hurry: around a word of a list they change nothing (R-K3).
POLITE: Final = _phrases(
    """
    please / pls / plz / plse / kindly / thanks / thank you / thank u / thx / tks
    thank you so much / thank you very much / many thanks / ty / sorry / sir / madam / maam / hi
    hello / hey / ok / okay / now / right now / right away / immediately / asap / just
    por favor / gracias / merci / svp / s'il vous plait
    """
)

# What may follow an opt-out word, if one of the anchors among it says that texts are meant.
OBJECTS: Final = _phrases(
    """
    me / us / my / this / these / those / that / the / your / any / all / more / further
    future / other / such / to / from / phone / cell / number / and / promotional / marketing
    spam / unwanted / automated
    """
)
ANCHORS: Final = _phrases(
    """
    text / texts / txt / txts / sms / mms / message / messages / msg / msgs / texting / txting
    messaging / contacting / sending / spamming / notifications / alerts / reminders
    """
)

# Ways to say STOP that are on no list but leave no doubt; from 'stop quit' on they echo an
# instruction such as 'reply STOP to end'.
STOP_PHRASES: Final = _phrases(
    """
    opt me out / i opt out / unsubscribe me / unsub me / stop quit / stop to quit / stop2quit
    stop 2 quit / stop to end / stop2end / stop 2 end / stop to stop / stop to cancel
    stop to opt out / stop to unsubscribe / text stop / reply stop
    """
)

# Opt-out words that mean little else: a sentence of its own in a longer text is then suspicious.
# 'Cancel.' or 'End.' there is more often about an appointment.
PLAIN: Final = ("stop", "stopall", "stop all", "unsubscribe", "unsub", "opt out", "arret")

# R-K4, anywhere in a text.
SUSPECTED: Final = _phrases(
    """
    off your list / off your lists / off of your list / off your mailing list
    take me off the list / take me off this list / take my name off / take my number off
    lose my number / lose this number / forget my number / delete my number / remove my number
    remove this number / erase my number / remove my name / remove me from your
    remove me from the list / remove me from this / remove me from all / delete me from your
    block me from your / do not contact me / do not contact us / do not contact this
    dont contact me / dont contact us / never contact me / quit contacting / stop contacting
    not ever contact me / not to contact me / not to text me / not ever text me / dont ever text me
    do not text me / do not text this / do not txt me / dont text me / dont text this
    dont txt me / never text me / quit texting / stop texting / stop txting / do not message me
    dont message me / never message me / stop messaging / quit messaging / stop bothering me
    stop harassing / stop spamming / stop bugging me / stop calling me / stop sending me
    stop sending texts / stop sending messages / stop sending sms / stop sending these
    stop sending this / stop sending your / quit sending me / stop all of / stop the texts
    stop the messages / stop these texts / stop these messages / stop all texts
    stop all messages / no more texts / no more messages / no more text messages
    no longer wish to receive / no longer want to receive / do not want to receive
    dont want to receive / do not wish to receive / do not want these / dont want these texts
    dont want these messages / dont want your texts / dont want your messages
    dont want any more texts / dont want any more messages / dont want texts
    do not send me any / dont send me any / do not send me texts / dont send me texts
    do not send me messages / dont send me messages / cease and desist / leave me alone
    unsubscribe / opt me out / want to opt out / wish to opt out / like to opt out
    wanna opt out / i opt out / how do i opt out / how to opt out / let me opt out / i revoke
    revoke my consent / revoke consent / withdraw my consent / withdraw consent
    i do not consent / i dont consent / i did not consent / never consented
    never signed up for this / never signed up for these / i said stop / told you to stop
    asked you to stop / want you to stop / have the wrong number / got the wrong number
    is the wrong number / have the wrong person / got the wrong person / not my number
    dejen de enviar / no me escriban / no me envien / no mas mensajes / numero equivocado
    """
)

# R-K4, where a text begins with it; further in, it is about something else.
SUSPECTED_AT_START: Final = _phrases(
    """
    wrong number / wrong person / stop wrong number / stop wrong person / stop i / fuck off
    piss off / do not reply
    """
)

# R-K4, where nothing but politeness follows: 'remove me from Tuesday' is about a diary.
SUSPECTED_AT_END: Final = ("remove me", "take me off", "delete me")

# R-K4, as the whole text but for politeness; the last are slips of the thumb.
SUSPECTED_WHOLE: Final = _phrases(
    """
    stop it / stop this / stop that / stop these / stop already / no more / go away
    do not contact / dont contact / do not text / dont text / do not disturb / remove from list
    remove number / delete number / cease / unsubscribed / stopp / stoppp / sotp / stpo / stp
    unsubcribe / unsuscribe / unsubscibe
    """
)

# 'Do not stop texting me' is no revocation; glue may stand between the negation and the phrase.
NEGATIONS: Final = _phrases(
    """
    not / dont / never / cant / cannot / wont / didnt / doesnt / wouldnt
    """
)
GLUE: Final = _phrases(
    """
    to / want / wish / ever / you / need / have / please
    """
)
