"""Reading settings: environment variables into one frozen dataclass, once, at start.

A field `redis_url` is read from `DAYPASS_REDIS_URL`. A field whose type is `Secret` may instead be read from the
file that `DAYPASS_<FIELD>_FILE` names, as containers hand secrets over, and is hidden from every repr.
"""

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path

PREFIX = "DAYPASS_"
SHORTEST_KEY = 32


class SettingsError(Exception):
    """A setting is missing, or does not hold what it must; the service does not start."""


class Secret(str):
    """A text that neither prints nor logs itself; `reveal` gives it out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, spec: str) -> str:
        return "…"

    def reveal(self) -> str:
        """Return the text itself."""
        return str.__str__(self)


def key_texts(keys: Secret) -> list[str]:
    """Return the keys of a setting that holds several, between commas or white space: the first one encrypts.

    Raises ValueError where one is too short, or there is none.
    """
    texts = keys.reveal().replace(",", " ").split()
    if not texts or min(map(len, texts)) < SHORTEST_KEY:
        raise ValueError(f"a key has at least {SHORTEST_KEY} random characters")
    return texts


S = typing.TypeVar("S")


def read_settings(kind: type[S], environ: Mapping[str, str], **overrides: object) -> S:
    """Make a settings dataclass of type `kind` from the environment; values in `overrides` take precedence.

    Raises `SettingsError`, which names every variable at fault and never a value.
    """
    hints = typing.get_type_hints(kind)
    values: dict[str, object] = dict(overrides)
    faults: list[str] = []
    for field in dataclasses.fields(kind):  # type: ignore[arg-type] # a dataclass, by contract
        name = PREFIX + field.name.upper()
        if field.name in values:
            continue
        try:
            text = _text(name, environ, secret=hints[field.name] is Secret)
            if text is not None:
                values[field.name] = _convert(text, hints[field.name])
            elif _is_mandatory(field):
                faults.append(f"{name} is not set")
        except (OSError, ValueError) as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise SettingsError("; ".join(faults))
    return kind(**values)


def _is_mandatory(field: "dataclasses.Field[object]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _text(name: str, environ: Mapping[str, str], *, secret: bool) -> str | None:
    if secret and (path := environ.get(name + "_FILE")):
        if name in environ:
            raise ValueError(f"set it or {name}_FILE, not both")
        return Path(path).read_text(encoding="utf-8").strip()
    return environ.get(name)


def _convert(text: str, kind: object) -> object:
    if kind is bool:
        if text.lower() not in {"true", "false", "on", "off", "1", "0"}:
            raise ValueError("must be on or off")
        return text.lower() in {"true", "on", "1"}
    if kind in {int, float, Secret, Path, str}:
        return kind(text)
    if typing.get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if typing.get_origin(kind) is typing.Literal:
        if text not in typing.get_args(kind):
            raise ValueError(f"must be one of {', '.join(typing.get_args(kind))}")
        return text
    raise ValueError(f"settings of type {kind} are not supported")
