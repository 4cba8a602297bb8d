"""The page's words in the languages of its readers, English behind them (RFC 9110 12.5.4)."""

from datetime import datetime
from typing import Final

from mmsc.domain.instant import Instant, to_datetime

ENGLISH: Final = {
    "message": "Message",
    "from": "From {sender}, {date}.",
    "anonymous": "{date}.",
    "until": "Kept until {day}.",
    "of": "{number} of {total}",
    "image": "Save picture",
    "audio": "Save sound",
    "video": "Save video",
    "text": "Save text",
    "all": "Save everything",
    "others": "Not shown here",
    "nothing": "There is nothing in this message that a browser can show.",
    "why": "You got this as a link because your phone did not take multimedia messages."
    " No sign-in, no cookies, nothing else is loaded.",
    "waiting": "A message is waiting",
    "show": "Show message",
    "unknown": "No message here.",
    "expired": "This message was kept until {day}.",
    "cancelled": "The sender has withdrawn this message.",
    "ended": "This message was collected and is not kept any longer.",
    "later": "The message cannot be shown just now. Open the link again in a minute.",
    "months": "January February March April May June July August September October November December",
    "day": "{day} {month}",
}
GERMAN: Final = {
    "message": "Nachricht",
    "from": "Von {sender}, {date}.",
    "anonymous": "{date}.",
    "until": "Aufbewahrt bis {day}.",
    "of": "{number} von {total}",
    "image": "Bild speichern",
    "audio": "Ton speichern",
    "video": "Video speichern",
    "text": "Text speichern",
    "all": "Alles speichern",
    "others": "Hier nicht gezeigt",
    "nothing": "In dieser Nachricht ist nichts, was ein Browser zeigen kann.",
    "why": "Sie erhalten dies als Link, weil Ihr Telefon keine Multimedianachrichten annimmt."
    " Keine Anmeldung, keine Cookies, sonst wird nichts geladen.",
    "waiting": "Eine Nachricht wartet",
    "show": "Nachricht zeigen",
    "unknown": "Hier ist keine Nachricht.",
    "expired": "Diese Nachricht wurde bis {day} aufbewahrt.",
    "cancelled": "Der Absender hat diese Nachricht zurückgezogen.",
    "ended": "Diese Nachricht wurde abgeholt und wird nicht mehr aufbewahrt.",
    "later": "Die Nachricht lässt sich gerade nicht zeigen. Öffnen Sie den Link in einer Minute noch einmal.",
    "months": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "day": "{day}. {month}",
}
FRENCH: Final = {
    "message": "Message",
    "from": "De {sender}, {date}.",
    "anonymous": "{date}.",
    "until": "Conservé jusqu'au {day}.",
    "of": "{number} sur {total}",
    "image": "Enregistrer l'image",
    "audio": "Enregistrer le son",
    "video": "Enregistrer la vidéo",
    "text": "Enregistrer le texte",
    "all": "Tout enregistrer",
    "others": "Non affiché ici",
    "nothing": "Ce message ne contient rien qu'un navigateur puisse afficher.",
    "why": "Vous recevez ce lien parce que votre téléphone n'accepte pas les messages multimédias."
    " Pas de compte, pas de cookies, rien d'autre n'est chargé.",
    "waiting": "Un message vous attend",
    "show": "Afficher le message",
    "unknown": "Aucun message ici.",
    "expired": "Ce message a été conservé jusqu'au {day}.",
    "cancelled": "L'expéditeur a retiré ce message.",
    "ended": "Ce message a été retiré et n'est plus conservé.",
    "later": "Le message ne peut pas être affiché pour l'instant. Rouvrez le lien dans une minute.",
    "months": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "day": "{day} {month}",
}
LANGUAGES: Final = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}
_LONGEST_HEADER: Final = 500


class Words:
    """One reader's language. Templates ask `words("of", number=1, total=2)`."""

    def __init__(self, accept_language: str) -> None:
        self.language = preferred(accept_language)
        self._words = LANGUAGES[self.language]

    def __call__(self, key: str, **values: object) -> str:
        return self._words[key].format(**values)

    def day(self, at: Instant) -> str:
        """A day as people say it."""
        return self._day(to_datetime(at))

    def date(self, at: Instant) -> str:
        """A day and its time."""
        when = to_datetime(at)
        return f"{self._day(when)}, {when:%H:%M} UTC"

    def _day(self, when: datetime) -> str:
        return self("day", day=when.day, month=self._words["months"].split()[when.month - 1])


def preferred(accept_language: str) -> str:
    """The language of ours with the highest weight, the earlier one of equals; English when there is none."""
    best, found = 0.0, "en"
    for one in accept_language[:_LONGEST_HEADER].split(","):
        tag, _, parameter = one.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter.strip())
        if language in LANGUAGES and weight > best:
            best, found = weight, language
    return found


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    digits = parameter.removeprefix("q=")
    weight = float(digits) if digits.replace(".", "", 1).isdecimal() and digits.isascii() else 0.0
    return weight if weight <= 1.0 else 0.0
