"""A model to compile, as it is told to the process that does it."""

import msgspec


class CompileOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A file with that hash, to be read as `form`; the result is kept under `home`. `features` are the names of its
    columns, `profile` and `rows` files beside it, where they are there."""

    file: str
    sha256: str
    form: str
    home: str
    features: list[str] | None = None
    profile: str = ""
    rows: str = ""
