"""Keys read as paths; attachments know whether they are seen or read."""

from bot.messages import Attachment
from tests.fakes import PLACE, incoming


def test_a_key_reads_as_a_path() -> None:
    assert str(PLACE) == "test/w/c/t"


def test_an_image_is_one_by_its_media_type() -> None:
    assert Attachment(name="a", media_type="image/webp", size_bytes=1).is_image
    assert not Attachment(name="a.png", media_type="text/plain", size_bytes=1).is_image


def test_a_message_needs_nothing_of_its_platform_by_default() -> None:
    assert dict(incoming("hi").anchor) == {}
