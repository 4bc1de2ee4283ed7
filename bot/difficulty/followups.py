"""What the conversation adds: thanks and "shorter" stay low, a re-ask or a thumb down goes up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final

from bot.catalog import Tier
from bot.difficulty.estimate import HistoryTurn


class FollowUp(Enum):
    """How a prompt relates to the one before it."""

    NEW = "a new question"
    THANKS = "thanks or a greeting"
    EDIT = "a small change to the last answer"
    CONTINUE = "continues the last question"
    DOUBT = "doubts the last answer"
    REPEAT = "asks the same again"


OF_THE_LAST: Final = (FollowUp.CONTINUE, FollowUp.DOUBT, FollowUp.REPEAT)
"""Few words of its own: such a prompt is as hard as the one before it."""
SHORT_CHARS: Final = 80
DISCONTENT: Final = 0.35
"""What is left of a tier's probability once its answer was doubted or voted down."""
_WORD: Final = re.compile(r"\w+")
_DOUBT: Final = (
    "are you sure", "that's wrong", "thats wrong", "that is wrong", "is wrong", "not correct",
    "incorrect", "not what i", "try again", "doesn't work", "does not work", "didn't work",
    "still not", "still wrong", "still doesn't", "you misunderstood", "wrong answer", "that's not",
    "bist du sicher", "das stimmt nicht", "das ist falsch", "nochmal", "funktioniert nicht",
    "tu es sûr", "es-tu sûr", "c'est faux", "ce n'est pas", "ne marche pas", "réessaie",
    "estás seguro", "está mal", "no es correcto", "no funciona", "inténtalo de nuevo",
    "tem certeza", "está errado", "não funciona", "tente de novo",
    "sei sicuro", "è sbagliato", "non funziona", "riprova", "weet je het zeker", "klopt niet",
    "na pewno", "nie działa", "to źle", "ты уверен", "вы уверены", "неверно", "неправильно",
    "не работает", "попробуй ещё", "emin misin", "yanlış", "kamu yakin", "salah",
    "你确定", "不对", "错了", "不正确", "再试", "本当に", "間違", "違います", "やり直し",
    "확실해", "틀렸", "다시 해", "هل أنت متأكد", "هذا خطأ", "غير صحيح", "क्या आप निश्चित",
    "गलत है", "แน่ใจ", "ไม่ถูก",
)  # fmt: skip
_EDIT: Final = (
    "shorter", "longer", "simpler", "more formal", "less formal", "more casual", "rephrase",
    "reword", "translate", "summarize", "summarise", "tl;dr", "tldr", "bullet", "as a table",
    "in a table", "as a list", "in french", "in german", "in spanish", "in english", "in italian",
    "in japanese", "in chinese", "in portuguese", "in russian", "in arabic", "in hindi", "emoji",
    "friendlier", "polite", "fix the typo", "make it",
    "kürzer", "länger", "einfacher", "förmlicher", "auf deutsch", "auf englisch", "übersetze",
    "plus court", "plus long", "plus simple", "en français", "en anglais", "traduis", "résume",
    "más corto", "más largo", "más simple", "en español", "en inglés", "traduce", "resume",
    "mais curto", "em português", "em inglês", "più corto", "più breve", "in inglese",
    "korter", "in het engels", "krócej", "po angielsku", "короче", "проще", "на английском",
    "по-английски", "переведи", "daha kısa", "ingilizce", "lebih singkat", "ngắn hơn",
    "短一点", "简短", "翻译", "用英文", "用中文", "もっと短く", "短くして", "英語で", "翻訳",
    "더 짧게",
    "영어로", "번역", "أقصر", "بالإنجليزية", "ترجم", "छोटा", "अंग्रेज़ी में", "สั้นกว่า", "แปล",
)  # fmt: skip
_CONTINUE: Final = (
    "continue", "go on", "keep going", "more", "next", "why", "why?", "how so", "and then",
    "what about", "how about", "elaborate", "explain", "example", "another one", "again", "and",
    "weiter", "mehr", "warum", "und", "continue", "pourquoi", "et", "sigue", "más", "por qué", "y",
    "продолжай", "почему", "ещё", "а", "继续", "为什么", "还有", "続けて", "なぜ", "계속", "왜",
    "أكمل", "لماذا", "जारी", "क्यों",
)  # fmt: skip
_THANKS: Final = (
    "thanks", "thank", "thx", "ty", "cheers", "great", "perfect", "nice", "cool", "ok", "okay",
    "awesome", "lol", "haha", "bye", "hello", "hi", "good", "wow", "got", "danke", "super", "merci",
    "gracias", "vale", "obrigado", "obrigada", "valeu", "grazie", "dank", "bedankt", "dzięki",
    "спасибо", "ок", "teşekkürler", "makasih", "谢谢", "多谢", "好的", "ありがとう", "了解",
    "고마워", "감사합니다", "شكرا", "धन्यवाद", "शुक्रिया", "ขอบคุณ",
)  # fmt: skip
_THANKS_WORDS: Final = frozenset(_THANKS)
_CONTINUE_WORDS: Final = frozenset(_CONTINUE)
_UNSPACED: Final = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3\u0e00-\u0e7f]")


def classify(prompt: str, history: Sequence[HistoryTurn]) -> FollowUp:
    """Say how `prompt` relates to the conversation; without one it is always new."""
    if not history:
        return FollowUp.NEW
    text = prompt[:400].lower().replace("’", "'").strip()
    if len(prompt) <= 3 * SHORT_CHARS and _repeats(text, history):
        return FollowUp.REPEAT
    if len(prompt) > SHORT_CHARS:
        return FollowUp.NEW
    return _classify_short(text, _WORD.findall(text))


def _classify_short(text: str, words: list[str]) -> FollowUp:
    if any(phrase in text for phrase in _DOUBT):
        return FollowUp.DOUBT
    if len(words) <= 10 and any(phrase in text for phrase in _EDIT):
        return FollowUp.EDIT
    if len(words) <= 4 and "?" not in text and _begins(text, words, _THANKS_WORDS):
        return FollowUp.THANKS
    if not words or (len(words) <= 4 and _begins(text, words, _CONTINUE_WORDS)):
        return FollowUp.CONTINUE
    return FollowUp.NEW


def _begins(text: str, words: list[str], known: frozenset[str]) -> bool:
    if not words or words[0] in known:
        return bool(words)
    if _UNSPACED.match(text):
        return len(text) <= 12 and any(text.startswith(w) for w in known if not w.isascii())
    return any(text.startswith(phrase) for phrase in known if " " in phrase)


def to_failed_tier(follow_up: FollowUp, history: Sequence[HistoryTurn]) -> Tier | None:
    """Return the highest tier whose answer the person was not content with, if any.

    Thanks ask for nothing, so nothing has failed them.
    """
    if follow_up is FollowUp.THANKS:
        return None
    recent = history[-3:]
    failed = [t.tier for t in recent if t.tier is not None and (t.feedback or 0) < 0]
    last = history[-1].tier if history else None
    if follow_up in (FollowUp.DOUBT, FollowUp.REPEAT) and last is not None:
        failed.append(last)
    return max(failed, default=None)


def discount(chances: Sequence[float], failed: Tier) -> list[float]:
    """Believe less in `failed` and every tier below it; the order of tiers is kept.

    The full tier is always believed: nothing better follows it, so it must not lose its lead.
    """
    last = min(failed, Tier.CHEAP)
    return [p * DISCONTENT if tier <= last else p for tier, p in zip(Tier, chances, strict=True)]


def _repeats(text: str, history: Sequence[HistoryTurn]) -> bool:
    words = set(_WORD.findall(text))
    if len(words) < 4:
        return len(text) >= 6 and any(text == t.prompt[:400].lower().strip() for t in history[-2:])
    for turn in history[-2:]:
        before = set(_WORD.findall(turn.prompt[:400].lower()))
        if len(words & before) >= 0.7 * len(words | before):
            return True
    return False
