"""The features of a window as HTML."""

from collections.abc import Sequence

from markupsafe import Markup

from leeway.profile import Profile
from leeway.record import Verdict

from .features import features_of
from .render import small_multiples
from .source import Source


def drawn_features(
    source: Source, profile: Profile, window: Verdict, key: str, only: Sequence[str] | None = None
) -> Markup:
    """As features_of finds them; drawn once for all who look."""
    views = features_of(source, profile, window, key, only)
    name = ("drawn", None if only is None else tuple(only))
    return source.of_window(window, name, lambda: small_multiples(views) if views else Markup())
