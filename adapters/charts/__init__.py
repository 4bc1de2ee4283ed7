"""Pictures of spend: SVG drawn once, inline on the page and as PNG in the chats."""

from adapters.charts.card import to_svg
from adapters.charts.png import to_png

__all__ = ["to_png", "to_svg"]
