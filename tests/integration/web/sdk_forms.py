"""A form with the file `a.txt`, its id and two permissions, as each of Appwrite's official SDKs writes it.

Those of Node, PHP, Ruby and Go were recorded from the SDKs; those of the others follow their sources and the
HTTP libraries that they use. Of React Native there are two: its network layer differs between Android and iOS.
"""

PERMISSIONS = ('read("any")', 'update("users")')
FORM = "multipart/form-data; boundary="


def form(boundary: str, *parts: tuple[str, str]) -> bytes:
    """Put parts, each its headers and its content, between boundaries."""
    written = (f"--{boundary}\r\n{head}\r\n\r\n{content}\r\n" for head, content in parts)
    return ("".join(written) + f"--{boundary}--\r\n").encode()


def field(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"'


def small(head: str) -> str:
    """Return the headers of a part with their names in lower case."""
    return head.replace("Content-", "content-").replace("Disposition", "disposition").replace("Type:", "type:")


def file(content_type: str = "") -> str:
    return field("file") + '; filename="a.txt"' + (f"\r\nContent-Type: {content_type}" if content_type else "")


def sized(head: str, length: int) -> str:
    return f"{head}\r\nContent-Length: {length}"


READ, UPDATE = PERMISSIONS
WEB = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
UNDICI = "----formdata-undici-057491801201"
PYTHON = "0f1c8a4a6f0c4b6f"
PHP = "------------------------590a0b60d2330cf2"
RUBY = "----A30#3ad1"
GO = "cb98a42203d3a1118026c0c2b0638226fd6943ac3908a6cf6793f9bd868d"
UUID = "5c2f7f3e-0f0a-4c5f-9d55-2f6a1c8f0f10"
DART = "dart-http-boundary-lQ+w.k0Yw4Qn9XcO3vTtN8cG1yXbYkZ9HkJdPqRsTuVwXyZ"
SWIFT = "a8b7c6d5e4f3g2h1"
TEXT = "Content-Type: text/plain; charset=utf-8\r\n"

SDK_FORMS: dict[str, tuple[str, bytes]] = {
    "web": (
        FORM + WEB,
        form(
            WEB,
            (field("fileId"), "f1"),
            (file("text/plain"), "hello"),
            (field("permissions[]"), READ),
            (field("permissions[]"), UPDATE),
        ),
    ),
    "node, deno": (
        FORM + UNDICI,
        form(
            UNDICI,
            (field("fileId"), "f1"),
            (file("application/octet-stream"), "hello"),
            (field("permissions[]"), READ),
            (field("permissions[]"), UPDATE),
        ),
    ),
    "react native on android": (
        FORM + UUID,
        form(
            UUID,
            (sized(small(field("fileId")), 2), "f1"),
            (sized(small(file("text/plain")), 5), "hello"),
            (sized(small(field("permissions[]")), len(READ)), READ),
            (sized(small(field("permissions[]")), len(UPDATE)), UPDATE),
        ),
    ),
    "react native on ios": (
        f'{FORM}"{SWIFT}"',
        form(
            SWIFT,
            (small(field("fileId")), "f1"),
            (
                'content-type: text/plain\r\ncontent-disposition: form-data; name="file"; filename="a.txt";'
                " filename*=utf-8''a.txt",
                "hello",
            ),
            (small(field("permissions[]")), READ),
            (small(field("permissions[]")), UPDATE),
        ),
    ),
    "python": (
        FORM + PYTHON,
        form(
            PYTHON,
            (field("fileId"), "f1"),
            (field("permissions[0]"), READ),
            (field("permissions[1]"), UPDATE),
            (file(), "hello"),
        ),
    ),
    "php": (
        FORM + PHP,
        form(
            PHP,
            (field("bucketId"), "b1"),
            (field("fileId"), "f1"),
            (file("text/plain"), "hello"),
            (field("permissions[0]"), READ),
            (field("permissions[1]"), UPDATE),
        ),
    ),
    "ruby": (
        FORM + RUBY,
        form(
            RUBY,
            (field("fileId"), "f1"),
            (file("text/plain"), "hello"),
            (field("permissions[]"), READ),
            (field("permissions[]"), UPDATE),
        ),
    ),
    "go": (
        FORM + GO,
        form(
            GO,
            (file("application/octet-stream"), "hello"),
            (field("permissions[1]"), UPDATE),
            (field("fileId"), "f1"),
            (field("permissions[0]"), READ),
        ),
    ),
    ".net": (
        f'{FORM}"{UUID}"',
        form(
            UUID,
            (TEXT + "Content-Disposition: form-data; name=fileId", "f1"),
            ("Content-Disposition: form-data; name=file; filename=a.txt; filename*=utf-8''a.txt", "hello"),
            (TEXT + 'Content-Disposition: form-data; name="permissions[0]"', READ),
            (TEXT + 'Content-Disposition: form-data; name="permissions[1]"', UPDATE),
        ),
    ),
    "dart, flutter": (
        FORM + DART,
        form(
            DART,
            (small(field("fileId")), "f1"),
            (small(field("permissions[0]")), READ),
            (small(field("permissions[1]")), UPDATE),
            (
                "content-type: application/octet-stream\r\n"
                'content-disposition: form-data; name="file"; filename="a.txt"',
                "hello",
            ),
        ),
    ),
    "swift, apple": (
        f'multipart/form-data;boundary="{SWIFT}"',
        form(
            SWIFT,
            (sized(field("permissions[]"), len(READ)), READ),
            (sized(field("permissions[]"), len(UPDATE)), UPDATE),
            (sized(file(), 229), "hello"),
            (sized(field("fileId"), 2), "f1"),
        ),
    ),
    "kotlin, android": (
        FORM + UUID,
        form(
            UUID,
            (sized(field("fileId"), 2), "f1"),
            (sized(file("text/plain"), 5), "hello"),
            (sized(field("permissions[]"), len(READ)), READ),
            (sized(field("permissions[]"), len(UPDATE)), UPDATE),
        ),
    ),
}
