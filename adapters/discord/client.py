"""The client: Discord's events in, the core's verbs out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from yarl import URL

from adapters.discord import inbound
from adapters.discord.catchup import Gaps, read_on
from adapters.discord.commands import (
    add_commands,
    interaction_anchor,
    may_post,
    sync_commands,
    take_form,
)
from adapters.discord.delivery import DiscordDelivery
from adapters.discord.earlier import read_earlier
from adapters.discord.forms import SettingSelect
from adapters.discord.inbound import PLATFORM, Spot
from adapters.discord.sharing import ShardShares
from adapters.discord.threads import invite_url
from adapters.discord.views import ActionButton, guarded, tell
from adapters.files import FileReader
from adapters.parts import Parts
from bot.errors import BotError
from bot.messages import ConversationKey, IncomingMessage
from bot.presses import Press, act
from bot.replies import Action
from bot.responder import APOLOGY

FILE_HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
SAID_IN_THE_THREAD = frozenset((Action.STOP, Action.AGAIN, Action.HEAVIER))
"""Buttons that say nothing to who pressed them, unless they come too late."""
MARKS = {"👍": 1, "👎": -1}
logger = logging.getLogger(__name__)
# We have no use for voice, so nobody needs to hear that its libraries are absent.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False


def intents(*, content: bool = True) -> discord.Intents:
    """What we ask to be told; message content is privileged and switched on in the portal."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.messages = wanted.reactions = True
    wanted.message_content = content
    return wanted


class ParleyClient(discord.AutoShardedClient):
    """Hears people and passes on what they want."""

    def __init__(
        self,
        parts: Parts,
        *,
        content: bool = True,
        shares: ShardShares,
        hears: bool = True,
        on_login: Callable[[], None],
    ) -> None:
        super().__init__(
            intents=intents(content=content),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            http_trace=parts.http_trace(PLATFORM),
        )
        self.parts = parts
        self.delivery = DiscordDelivery(self, parts.store, parts.clock)
        self.has_content = content
        self.tree = discord.app_commands.CommandTree(self)
        self._hears = hears
        self._on_login = on_login
        self._session: aiohttp.ClientSession | None = None
        self._files: FileReader
        self.shares = shares
        self._sharing: asyncio.Task[None] | None = None
        self.gaps = Gaps()
        self._hearing: set[int] = set()
        self.add_dynamic_items(ActionButton, SettingSelect)

    async def setup_hook(self) -> None:
        """Logged in, not connected yet: read what is known, register the commands."""
        if self.parts.settings.discord_api_base:
            # discord.py asks for the gateway's address only sometimes; else it takes this one.
            _, url, _ = await self.http.get_bot_gateway()
            DiscordWebSocket.DEFAULT_GATEWAY = URL(url)
        self._session = aiohttp.ClientSession()
        self._files = FileReader(self._session, self._is_discords)
        if self._hears:
            await self.gaps.load(self.parts.store)
            add_commands(self)
            await sync_commands(self)
        self._on_login()
        logger.info("Discord: invite the bot with this link", extra={"link": self.invite_url})

    @property
    def is_hearing(self) -> bool:
        """Whether every shard of this process hears Discord; others may serve them all.

        discord.py's `is_ready` waits for all shards, those of other processes included.
        """
        return self.shares.is_settled and self.shares.mine <= self._hearing and not self.is_closed()

    async def stay(self, token: str) -> None:
        """Hear what Discord tells; without ears, only be able to write there."""
        if self._hears:
            await self.start(token)
        else:
            await self.login(token)
            await asyncio.Event().wait()

    async def close(self) -> None:
        """Disconnect, then leave the shards to others."""
        if self._sharing is not None:
            self._sharing.cancel()
            await asyncio.wait({self._sharing})
        if self._session is not None:
            await self._session.close()
        await super().close()
        await self.shares.close()

    def _is_discords(self, url: str) -> bool:
        """Whether a file is kept at Discord, or where a test's Discord is."""
        parts = urlsplit(url)
        own_base = self.parts.settings.discord_api_base
        if own_base and parts.hostname == urlsplit(own_base).hostname:
            return True
        return parts.scheme == "https" and parts.hostname in FILE_HOSTS

    async def launch_shards(self) -> None:
        """Serve this process's shards, whichever they are, for as long as the client is open."""
        recommended, url, limits = await self.http.get_bot_gateway()
        count = await self.shares.join(recommended, limits["max_concurrency"])
        self.shard_count = self._connection.shard_count = count
        self._connection.shard_ids = range(count)

        async def begin(shard_id: int) -> None:
            if self.shares.is_settled:
                self.gaps.note_taken(shard_id)
            await self.shares.may_identify(shard_id)
            await self.launch_shard(URL(url), shard_id, initial=True)

        self._sharing = asyncio.create_task(self.shares.keep(begin, self._let_go))

    async def _let_go(self, shard_id: int) -> None:
        """Another process has this shard now: hear and know no more of it."""
        shard = self.get_shard(shard_id)
        if shard is not None:
            await shard.disconnect()
        for guild in [guild for guild in self.guilds if guild.shard_id == shard_id]:
            self._connection._remove_guild(guild)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait for leave to identify; a shard that is taken has waited before it connected."""
        if not initial:
            await self.shares.may_identify(shard_id or 0)

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote something."""
        await self._guarded(self.hear(message), message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Somebody changed what they had written, or Discord added a preview to it."""
        message = event.message
        if inbound.is_from_person(message) and message.edited_at is not None:
            text = inbound.to_text(message, self.me)
            await self._guarded(self.parts.inbox.amend(PLATFORM, str(message.id), text))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A message was deleted."""
        await self._withdraw(event.message_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Many messages were deleted."""
        for message_id in event.message_ids:
            await self._withdraw(message_id)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """A thumb under one of our answers is an opinion."""
        mark = MARKS.get(event.emoji.name)
        if mark is None or event.user_id == self.me.id or event.message_author_id != self.me.id:
            return
        await self._guarded(self._mark(event, mark))

    async def _mark(self, event: discord.RawReactionActionEvent, mark: int) -> None:
        turn_id = await self.parts.store.turn_of_post(PLATFORM, str(event.message_id))
        if turn_id is not None:
            await self.parts.inbox.feedback(turn_id, str(event.user_id), mark)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A form was sent in: read by what its id says, so that it may be of an earlier run."""
        if interaction.type is discord.InteractionType.modal_submit:
            await guarded(interaction, take_form(self, interaction))

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """From now on a shard hears nothing."""
        self._hearing.discard(shard_id)
        self.gaps.begin(shard_id)

    async def on_shard_connect(self, shard_id: int) -> None:
        """A shard has begun a session."""
        self._hearing.add(shard_id)
        self.gaps.note_connect(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """What a shard has missed was sent again."""
        self._hearing.add(shard_id)
        self.gaps.resume(shard_id)

    async def on_shard_ready(self, shard_id: int) -> None:
        """A shard began anew: what came before is lost, so read on from what is known."""
        logger.info("Discord is connected", extra={"bot": str(self.user), "shard_id": shard_id})
        await self._guarded(read_on(self, shard_id))

    @property
    def me(self) -> discord.ClientUser:
        """The bot's own account."""
        assert self.user is not None
        return self.user

    @property
    def invite_url(self) -> str:
        """The link that puts the bot into a server."""
        return invite_url(self.application_id or 0)

    async def hear(self, message: discord.Message) -> None:
        """Take a message in: answer it, keep it as context, or let it pass."""
        if not inbound.is_from_person(message):
            return
        await self._know_channel(message)
        key = inbound.to_key(message)
        is_post = await self._is_open_post(message, key)
        takes_part = is_post or await self.takes_part(message.channel, key)
        heard = inbound.to_heard(message, self.me, takes_part=takes_part)
        if not heard.names_bot and not (message.content or message.attachments):
            # A sticker; or any message, where the content intent is off.
            return
        is_addressed = inbound.is_addressed(heard)
        if not is_addressed and (heard.spot is not Spot.THREAD or not takes_part):
            return
        anchor: Mapping[str, str] = inbound.to_anchor(message, in_thread=True)
        if heard.spot is Spot.CHANNEL:
            key, anchor = await self._in_channel(message, key)
        elif not takes_part and isinstance(message.channel, discord.Thread):
            await read_earlier(self, message.channel, before=message)
        await self.accept(
            inbound.to_incoming(message, self.me, key=key, anchor=anchor, is_addressed=is_addressed)
        )

    async def accept(self, incoming: IncomingMessage) -> None:
        """Pass a message on, its files read."""
        if incoming.attachments:
            files = await self._files.read(incoming.attachments)
            incoming = replace(incoming, attachments=files)
        if await self.parts.inbox.accept(incoming) is not None:
            self.delivery.note_accepted(incoming)

    async def _know_channel(self, message: discord.Message) -> None:
        """A thread that was in the archive is not known until it is asked for."""
        if isinstance(message.channel, discord.PartialMessageable) and message.guild is not None:
            found = await self.fetch_channel(message.channel.id)
            if isinstance(found, discord.abc.Messageable):
                message.channel = found

    async def takes_part(self, channel: object, key: ConversationKey) -> bool:
        """Whether a thread is ours: begun or answered by us."""
        if not isinstance(channel, discord.Thread):
            return False
        return channel.owner_id == self.me.id or await self.parts.store.takes_part(key)

    async def _is_open_post(self, message: discord.Message, key: ConversationKey) -> bool:
        """Whether a message begins a forum post, in a forum where each new one is answered."""
        if not inbound.begins_post(message):
            return False
        return (await self.parts.store.settings(key)).forums

    async def _in_channel(
        self, message: discord.Message, key: ConversationKey
    ) -> tuple[ConversationKey, Mapping[str, str]]:
        """A new thread, or where threads are off, a reply in the conversation it belongs to."""
        settings = await self.parts.store.settings(key)
        anchor = inbound.to_anchor(message, in_thread=settings.threads)
        replied_id = message.reference.message_id if message.reference else None
        if settings.threads or replied_id is None:
            return key, anchor
        turn_id = await self.parts.store.turn_of_post(PLATFORM, str(replied_id))
        turn = await self.parts.store.turn(turn_id) if turn_id else None
        return (turn.key if turn else key), anchor

    async def press(self, interaction: discord.Interaction, action: Action, turn_id: str) -> None:
        """Do what a button under an answer says."""
        if action in SAID_IN_THE_THREAD:
            await interaction.response.defer()
        press = Press(
            action=action,
            turn_id=turn_id,
            event_id=str(interaction.id),
            user_id=str(interaction.user.id),
            role_ids=inbound.role_ids(interaction.user),
            anchor=None if may_post(interaction) else interaction_anchor(interaction),
        )
        told = await act(press, self.parts.inbox, self.parts.store)
        if told:
            await tell(interaction, told[:2000])

    async def _withdraw(self, message_id: int) -> None:
        self.delivery.withdraw(str(message_id))
        await self._guarded(self.parts.inbox.withdraw(PLATFORM, str(message_id)))

    async def _guarded(self, work: Awaitable[None], message: discord.Message | None = None) -> None:
        """The edge of an event: whatever goes wrong is noted, and told to whoever asked."""
        try:
            await work
        except BotError as error:
            await self._tell(message, str(error))
        except Exception:
            logger.exception("an event failed")
            await self._tell(message, APOLOGY)

    async def _tell(self, message: discord.Message | None, text: str) -> None:
        if message is None:
            return
        try:
            await message.reply(text, mention_author=False)
        except discord.HTTPException:
            logger.warning("an apology could not be posted", exc_info=True)
