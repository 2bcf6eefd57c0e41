"""`string`: text of at most `size` characters."""

from services.data.domain.columns.kind import Kind, Options, characters, sized

LONGEST_IN_ROW = 16_383
"""A longer one is reckoned to lie outside its row."""

KIND = Kind(
    name="string",
    wire_type="string",
    postgres="text",
    options=sized(1, 1_073_741_824),
    check=characters,
    width=lambda options: 20 if (options.size or 0) > LONGEST_IN_ROW else (options.size or 0) * 4 + 2,
    index_width=lambda options: options.size or 0,
    is_text=True,
    declared=Options(size=8),
    examples=["", "a", "Ünïcode!", "'; --", "日本語日本語日本", "%_\\", '"\n\t'],
    rejects=["123456789", 1, True, ["a"], {"a": 1}, "a\0b"],
)
