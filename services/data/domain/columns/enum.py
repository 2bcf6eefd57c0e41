"""`enum`: one of the texts that the column names."""

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, fixed, text
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

SIZE = 255
MAX_ELEMENTS = 100


def options(requested: Options) -> Options:
    """Return the elements; raises `Refusal(COLUMN_VALUE_INVALID)` where there is none."""
    if not requested.elements:
        raise Refusal(ErrorType.COLUMN_VALUE_INVALID, "Enum elements must not be empty.")
    if len(requested.elements) > MAX_ELEMENTS or not all(
        0 < len(one) <= SIZE and "\0" not in one for one in requested.elements
    ):
        raise ArgumentInvalid("elements", f"at most {MAX_ELEMENTS} texts of 1 to {SIZE} characters")
    return Options(size=SIZE, elements=requested.elements)


def check(value: Value, options: Options) -> str:
    """Return a member, letter by letter."""
    element = text(value)
    if element not in options.elements:
        raise ValueInvalid(f"it must be one of ({', '.join(options.elements)})")
    return element


KIND = Kind(
    name="enum",
    wire_type="string",
    format="enum",
    postgres="text",
    options=options,
    check=check,
    width=fixed(SIZE * 4 + 2),
    index_width=fixed(SIZE),
    is_text=True,
    declared=Options(elements=("red", "green", "Blue")),
    examples=["red", "green", "Blue"],
    rejects=["blue", "", "RED", 1, ["red"]],
)
