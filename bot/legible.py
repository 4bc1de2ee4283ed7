"""Text that every database, socket and screen takes, whatever came in."""

from __future__ import annotations


def to_legible(text: str) -> str:
    """The text as it is kept and shown: halves of a character joined or replaced, no NUL.

    JSON may hold half of an emoji, and so may a name cut off by a platform; nothing can write it.
    """
    text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def decoded(content: bytes) -> str | None:
    """The words in these bytes; None when they are no text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return None if "\0" in text else text
