"""What Discord shows beside the commands, in its users' languages.

The names of slash commands are the same everywhere, so that a team can tell one another what to
type; their descriptions and the menus on a message are not.
"""

from __future__ import annotations

from collections.abc import Mapping

import discord
from discord import app_commands

LANGUAGES = (
    discord.Locale.german,
    discord.Locale.french,
    discord.Locale.spain_spanish,
    discord.Locale.brazil_portuguese,
    discord.Locale.japanese,
)
_WORDS: Mapping[str, tuple[str, ...]] = {
    "ask": (
        "Eine Frage stellen",
        "Poser une question",
        "Hacer una pregunta",
        "Fazer uma pergunta",
        "質問する",
    ),
    "help": (
        "Was ich kann",
        "Ce que je sais faire",
        "Lo que sé hacer",
        "O que sei fazer",
        "できることの一覧",
    ),
    "models": (
        "Die eingeschalteten Modelle und ihre Preise",
        "Les modèles actifs et leurs prix",
        "Los modelos activos y sus precios",
        "Os modelos ativos e seus preços",
        "使えるモデルと料金",
    ),
    "tier": (
        "Die Stufe, die hier von nun an antwortet",
        "Le niveau qui répond ici désormais",
        "El nivel que responde aquí desde ahora",
        "O nível que responde aqui a partir de agora",
        "ここで今後答える階層を選ぶ",
    ),
    "debate": (
        "Ein Modell antwortet, ein anderes widerspricht, das erste überarbeitet",
        "Un modèle répond, un autre critique, le premier révise",
        "Un modelo responde, otro objeta, el primero corrige",
        "Um modelo responde, outro contesta, o primeiro revisa",
        "一つのモデルが答え、別のモデルが批判し、最初のモデルが直す",
    ),
    "ensemble": (
        "Mehrere Modelle antworten, daraus wird eine Antwort",
        "Plusieurs modèles répondent, et l'on en fait une seule réponse",
        "Varios modelos responden y de ellos sale una respuesta",
        "Vários modelos respondem, e disso sai uma resposta",
        "複数のモデルの答えを一つにまとめる",
    ),
    "spend": (
        "Was ausgegeben wurde",
        "Ce qui a été dépensé",
        "Lo que se ha gastado",
        "O que foi gasto",
        "使った金額",
    ),
    "budget": (
        "Die Obergrenzen hier und was davon übrig ist",
        "Les plafonds ici et ce qu'il en reste",
        "Los límites de gasto aquí y lo que queda",
        "Os limites de gasto aqui e o que resta",
        "ここでの上限額と残り",
    ),
    "settings": (
        "Was hier eingestellt ist",
        "Les réglages d'ici",
        "Los ajustes de aquí",
        "As configurações daqui",
        "ここでの設定",
    ),
    "stop": (
        "Beenden, was in diesem Thread gerade geschrieben wird",
        "Arrêter ce qui s'écrit dans ce fil",
        "Detener lo que se escribe en este hilo",
        "Parar o que está sendo escrito neste tópico",
        "このスレッドで書いている答えを止める",
    ),
    "forget": (
        "Dieses Gespräch löschen, oder alles, was du hier gefragt hast",
        "Effacer cette conversation, ou tout ce que tu as demandé ici",
        "Borrar esta conversación, o todo lo que preguntaste aquí",
        "Apagar esta conversa, ou tudo o que você perguntou aqui",
        "この会話、またはここでの自分の質問をすべて消す",
    ),
    "Ask Parley": (
        "Parley fragen",
        "Demander à Parley",
        "Preguntar a Parley",
        "Perguntar ao Parley",
        "Parley に聞く",
    ),
    "Ask heavier": (
        "Stärkeres Modell fragen",
        "Demander au plus fort",
        "Preguntar al más fuerte",
        "Perguntar ao mais forte",
        "強いモデルに聞く",
    ),
}
_DESCRIBED = app_commands.TranslationContextLocation.command_description
_NAMED = app_commands.TranslationContextLocation.command_name


class CommandTranslator(app_commands.Translator):
    """Tells discord.py the words of a language; None leaves the English ones."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """A command's description, or a menu's name."""
        command = context.data
        is_menu = isinstance(command, app_commands.ContextMenu)
        if locale not in LANGUAGES or context.location is not (_NAMED if is_menu else _DESCRIBED):
            return None
        if not isinstance(command, app_commands.Command | app_commands.ContextMenu):
            return None
        words = _WORDS.get(command.name)
        return words[LANGUAGES.index(locale)] if words else None
