"""A Sphinx extension: every image has its size, so that pages are laid out before it loads."""

import re
from pathlib import Path

from PIL import Image

_IMAGE = re.compile(r'<img (?![^>]*\bwidth=)(?=[^>]*\bsrc="[^"]*?([^"/]+)")')
_VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def size_of(path):
    """Return the width and height of an image file in pixels."""
    if path.suffix == ".svg":
        width, height = _VIEW.search(path.read_text(encoding="utf-8")).groups()
        return round(float(width)), round(float(height))
    with Image.open(path) as image:
        return image.size


def add_sizes(app, pagename, templatename, context, doctree):
    """Write the sizes into a page; the style sheet keeps their ratio where they are too wide."""
    files = {Path(name).name: Path(app.srcdir, path) for path, name in app.builder.images.items()}

    def with_size(match):
        if match[1] not in files:
            return match[0]
        width, height = size_of(files[match[1]])
        return f'<img width="{width}" height="{height}" '

    context["body"] = _IMAGE.sub(with_size, context.get("body", ""))


def setup(app):
    """Register the hook."""
    app.connect("html-page-context", add_sizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
