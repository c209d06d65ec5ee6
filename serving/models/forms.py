"""The forms in which models lie on disk: told by what a file begins with, and read."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from serving.errors import LoadError

from .base import Model

# How a pickle begins, and what joblib makes of one: zlib, gzip, bz2, xz, lzma, lz4.
_PICKLE_MAGIC = (b"\x80", b"x", b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"]\x00", b'\x04"M\x18')
PICKLED = (".pkl", ".pickle", ".joblib", ".p", ".sav")


def form_of(file: Path) -> str:
    """The name of its form; LoadError where none is known."""
    with file.open("rb") as opened:
        begin = opened.read(8)
    for name, form in _FORMS.items():
        if form.is_it(file, begin):
            return name
    raise LoadError(
        f"{file} is in no form that is known: expected a scikit-learn model, pickled or dumped with joblib; for "
        "others, MODEL_CLASS names a class of your own that loads it"
    )


def read_form(form: str, file: Path, features: list[str] | None) -> Model:
    """The model in a file; `features` are the names of its columns, where they are known beside it. A pickled file
    runs what is in it."""
    return _FORMS[form].read(file, features)


def _is_pickled(file: Path, begin: bytes) -> bool:
    return begin.startswith(_PICKLE_MAGIC) and (begin[:1] != b"x" or file.suffix in PICKLED)


def _read_pickled(file: Path, features: list[str] | None) -> Model:
    import joblib

    from .scikit_learn import ScikitLearn

    return ScikitLearn(joblib.load(file), features)


class _Form(NamedTuple):
    is_it: Callable[[Path, bytes], bool]
    read: Callable[[Path, list[str] | None], Model]


_FORMS = {"pickled": _Form(_is_pickled, _read_pickled)}
COMPILED_FROM = frozenset({"pickled"})
