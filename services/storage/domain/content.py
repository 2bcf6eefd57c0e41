"""What kind of content a file has, told by its first bytes, and what of it a browser may show."""

import re
from pathlib import PurePath

import puremagic

UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
ZIP = "application/zip"

_ZIP_MAGIC = b"PK\x03\x04"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_ZIPPED = {
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".epub": "application/epub+zip",
}
"""What is a ZIP archive inside, and is known by its name alone."""

_SVG = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]", re.DOTALL)
_HTML = re.compile(
    r"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|script|iframe|title|table|div|p|a)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(r"\s*<\?xml\b")
_JSON = re.compile(r"\s*[\[{]")

VIEWABLE = frozenset(
    {
        "image/jpeg", "image/gif", "image/png", "image/webp", "image/heic", "image/heif", "image/avif", "image/bmp",
        "image/x-icon", "image/vnd.microsoft.icon", "image/tiff", "video/mp4", "video/mpeg", "video/ogg", "video/webm",
        "video/quicktime", "video/x-msvideo", "video/x-matroska", "audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg",
        "audio/wav", "audio/x-wav", "audio/webm", "audio/flac", "application/pdf", "application/msword",
        "application/vnd.ms-excel", "application/vnd.ms-powerpoint", *_ZIPPED.values(), TEXT,
    }
)  # fmt: skip
"""The types that are shown as what they are. SVG and HTML run scripts, and are shown as plain text."""


def mime_type(head: bytes, name: str) -> str:
    """Return the MIME type of a file by its first bytes; its name decides only between kinds of one format."""
    extension = PurePath(name).suffix.lower()
    if head.startswith(_ZIP_MAGIC):
        return _ZIPPED.get(extension, ZIP)
    if (text := _as_text(head)) is not None:
        return _text_type(text)
    try:
        matches = puremagic.magic_string(head, extension or None)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    return next((match.mime_type for match in matches if match.mime_type), UNKNOWN)


def shown_type(mime: str) -> str:
    """Return the type as which a browser may show a file."""
    return mime if mime in VIEWABLE else TEXT


def _as_text(head: bytes) -> str | None:
    """Return the head as text; None where it is none. It may end inside a character."""
    if b"\0" in head:
        return None
    for cut in range(4):
        try:
            return head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
    return None


def _text_type(text: str) -> str:
    if text.startswith("%PDF-"):
        return "application/pdf"
    if _SVG.match(text):
        return "image/svg+xml"
    if _HTML.match(text):
        return "text/html"
    if _XML.match(text):
        return "text/xml"
    if _JSON.match(text) and text.rstrip().endswith(("}", "]")):
        return "application/json"
    return TEXT
