"""`longtext`: text of at most 2_147_483_647 bytes."""

from services.data.domain.columns.kind import Kind, Options, fixed, no_options, octets

MOST_BYTES = 2_147_483_647

KIND = Kind(
    name="longtext",
    wire_type="longtext",
    postgres="text",
    options=no_options,
    check=octets(MOST_BYTES),
    width=fixed(20),
    index_width=fixed(MOST_BYTES),
    is_text=True,
)
OPTIONS = Options()
EXAMPLES = ["", "a", "line\nline", "ü" * 1000, '{"json": "text"}']
REJECTS = [1, False, ["a"], "a\0"]
