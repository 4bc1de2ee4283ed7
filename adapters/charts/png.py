"""SVG as PNG, with the fonts that are shipped: the same picture on every machine."""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
ZOOM = 2.0


def to_png(svg: str, zoom: float = ZOOM) -> bytes:
    """Draw it, at twice its own size so that it is sharp on every screen.

    Takes a fifth of a second and holds the interpreter meanwhile.
    """
    import resvg_py  # megabytes of machine code that only pictures need

    # Without fonts resvg draws no text and says nothing; those of the machine differ.
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=zoom,
        skip_system_fonts=True,
        font_dirs=[str(FONTS)],
        font_family="Inter",
        sans_serif_family="Inter",
        text_rendering="geometric_precision",
        shape_rendering="geometric_precision",
        image_rendering="optimize_quality",
        languages=["en"],
    )
