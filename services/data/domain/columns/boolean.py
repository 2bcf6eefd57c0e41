"""`boolean`: true or false, and nothing that only looks like it."""

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, fixed, no_options


def check(value: Value, _: Options) -> bool:
    """Return a JSON boolean."""
    if not isinstance(value, bool):
        raise ValueInvalid("it must be true or false")
    return value


KIND = Kind(
    name="boolean",
    wire_type="boolean",
    postgres="boolean",
    options=no_options,
    check=check,
    width=fixed(1),
    index_width=fixed(1),
    examples=[True, False],
    rejects=[1, 0, "true", "", [True]],
)
