"""Files that come with a prompt in the request itself: decoded, checked and read, or refused."""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode

from bot.attachments import MOST_FILES, problems, refusal, to_name
from bot.errors import PromptError
from bot.messages import Attachment

MOST_BYTES = 14_000_000
"""Of all files of one prompt together."""
MOST_BODY_BYTES = 4 * MOST_BYTES // 3 + 2_000_000


async def read_uploads(given: object) -> tuple[Attachment, ...]:
    """The files of `[{"name", "type", "data": base64}]`; raises PromptError in words."""
    if not given:
        return ()
    if not isinstance(given, list) or len(given) > MOST_FILES:
        raise PromptError(f"`files` is a list of at most {MOST_FILES} files.")
    uploads = await asyncio.to_thread(lambda: [_decoded(each) for each in given])
    if sum(len(content) for _, content in uploads) > MOST_BYTES:
        raise PromptError(f"These files are larger than {MOST_BYTES // 1_000_000} MB together.")
    for file, _ in uploads:
        if reason := refusal(file):
            raise PromptError(f"I can't read {to_name(file)}: {reason}. Nothing was sent.")
    from adapters.files import with_content  # takes a while, and most prompts have no file

    read = [await with_content(file, content) for file, content in uploads]
    if told := problems(read):
        raise PromptError(" ".join((*told, "Nothing was sent.")))
    return tuple(read)


def _decoded(given: object) -> tuple[Attachment, bytes]:
    if not isinstance(given, dict):
        raise PromptError("Each of `files` is an object with `name`, `type` and `data`.")
    name, media_type, data = (given.get(key, "") for key in ("name", "type", "data"))
    if not all(isinstance(value, str) for value in (name, media_type, data)):
        raise PromptError("`name`, `type` and `data` of a file are texts.")
    try:
        content = b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PromptError("`data` of a file is its content in base64.") from error
    kind = media_type.partition(";")[0].strip()
    return Attachment(name=name, media_type=kind, size_bytes=len(content)), content
