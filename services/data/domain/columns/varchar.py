"""`varchar`: text of at most `size` characters."""

from services.data.domain.columns.kind import Kind, Options, characters, sized

KIND = Kind(
    name="varchar",
    wire_type="varchar",
    postgres="text",
    options=sized(1, 16_381),
    check=characters,
    width=lambda options: (options.size or 0) * 4 + 2,
    index_width=lambda options: options.size or 0,
    is_text=True,
    declared=Options(size=8),
    examples=["", "a", "Ünïcode!", "'; --", "日本語日本語日本", "%_\\", '"\n\t'],
    rejects=["123456789", 1, True, ["a"], {"a": 1}, "a\0b"],
)
