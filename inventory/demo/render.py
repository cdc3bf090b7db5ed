"""Render the demo catalogue's SVG drawings to WebP: ``python -m inventory.demo.render``.

The drawings are the source; the WebP files beside them are kept in the repository, so that seeding the demo
catalogue needs Pillow only and the renderer stays a development dependency.
"""

import io
from pathlib import Path

import resvg_py
from PIL import Image

PICTURES = Path(__file__).parent / "pictures"
WIDTH, HEIGHT = 1200, 1500
QUALITY = 90


def to_webp(svg: str) -> bytes:
    """Draw one SVG as a WebP. The same drawing always gives the same bytes."""
    # No fonts and no resources: a drawing that needed either would look different on another machine.
    png = resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH, height=HEIGHT, skip_system_fonts=True)
    image = Image.open(io.BytesIO(png)).convert("RGB")
    if image.size != (WIDTH, HEIGHT):
        raise ValueError(f"A picture is {WIDTH} × {HEIGHT}, this one is {image.width} × {image.height}.")
    webp = io.BytesIO()
    image.save(webp, "WEBP", quality=QUALITY, method=6)
    return webp.getvalue()


def render(drawing: Path) -> bool:
    """Write the WebP beside its drawing, unless it is up to date. Says whether it wrote."""
    target = drawing.with_suffix(".webp")
    webp = to_webp(drawing.read_text(encoding="utf-8"))
    if target.exists() and target.read_bytes() == webp:
        return False
    target.write_bytes(webp)
    return True


def main() -> None:
    drawings = sorted(PICTURES.glob("*.svg"))
    written = [drawing.stem for drawing in drawings if render(drawing)]
    print(f"{len(drawings)} drawings, {len(written)} pictures written: {', '.join(written) or 'none'}")


if __name__ == "__main__":
    main()
