"""`text`, `mediumtext` and `longtext`: texts of a bounded number of bytes."""

from services.data.domain.columns.kind import Kind, Value, fixed, no_options, octets


def _text(name: str, max_bytes: int, *, rejects: tuple[Value, ...] = ()) -> Kind:
    return Kind(
        name=name,
        wire_type=name,
        postgres="text",
        options=no_options,
        check=octets(max_bytes),
        width=fixed(20),
        index_width=fixed(max_bytes),
        is_text=True,
        examples=["", "a", "line\nline", "ü" * 1000, '{"json": "text"}'],
        rejects=[1, False, ["a"], "a\0", *rejects],
    )


TEXT = _text("text", 65_535, rejects=("x" * 65_536,))
MEDIUMTEXT = _text("mediumtext", 16_777_215)
LONGTEXT = _text("longtext", 2_147_483_647)
