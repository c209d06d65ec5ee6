"""The profile: what a model was trained on, and how often it erred where it was not fitted. Schema 1.

It travels with the model as `leeway-profile.json`. Long arrays are packed (base64 of little-endian bytes), so that a
profile of ten features stays below one megabyte. Reading one needs no numpy.
"""

import msgspec

from .errors import ProfileError
from .html_table import html_table

VERSION = 1

# The values of `FeatureProfile.kind` and of `Profile.task`.
NUMERIC, CATEGORICAL, BOOLEAN = "numeric", "categorical", "boolean"
CLASSIFICATION, MULTICLASS, REGRESSION = "classification", "multiclass", "regression"


class Effects(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a window of rows was from the reference, one quantity per kind of test. All are 0 where nothing moved.

    `distribution` is the Wasserstein distance, drawn in, in reference spreads (numeric) or the Jensen-Shannon distance
    (categorical, boolean); `missing`, `out_of_range`, `unseen` and `type_change` are differences of shares, 0 to 1.
    """

    distribution: float = 0.0
    missing: float = 0.0
    out_of_range: float = 0.0
    unseen: float = 0.0
    type_change: float = 0.0


class Inflation(msgspec.Struct, frozen=True, omit_defaults=True):
    """By how much autocorrelation inflates the variance of a mean over rows: n rows are worth n / inflation.

    `location` of the ranks, `shape` of the indicators of being below a quantile (the largest of several), or of being
    in a category (their mean), `missing` of the indicator of a missing value. 1 where rows are independent.
    """

    location: float = 1.0
    shape: float = 1.0
    missing: float = 1.0


class FeatureProfile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column of the reference, or the predictions.

    `rows` counts all rows and `missing` those without a value. Numeric: `edges` (K - 1 inner bin edges; a bin holds
    its upper edge) and `counts` (K), `sample` (float64, sorted, at most 5,000 evenly spaced order statistics), `low`,
    `high`, `spread` (see monitoring/feature_profile.py). Categorical and boolean: `categories` with their counts, the
    most frequent ones, `rest` rows outside of them, and `borderline` rows without any one of which its category would
    not be kept. `mode_share` is the share of the most frequent value. `types` names the value types seen ("number",
    "text"). `own` holds the largest effects between the reference's own windows and the whole.
    """

    name: str
    kind: str
    rows: int
    missing: int = 0
    constant: bool = False
    types: list[str] = []
    mode_share: float = 0.0
    edges: list[float] = []
    counts: list[int] = []
    sample: bytes = b""
    low: float | None = None
    high: float | None = None
    spread: float = 0.0
    categories: dict[str, int] = {}
    rest: int = 0
    borderline: int = 0
    inflation: Inflation = Inflation()
    own: Effects = Effects()

    @property
    def present(self) -> int:
        """Rows that have a value."""
        return self.rows - self.missing

    @property
    def missing_rate(self) -> float:
        return self.missing / self.rows if self.rows else 0.0


class ErrorLevel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often the model erred on `rows` rows that it was not fitted on.

    `sequence` holds the errors in time order, one bit each, the first in the highest bit. `inflation` is by how much
    autocorrelation inflates the variance of their mean (1: they look independent), `block` how many rows a block
    must have to outlast the correlation. `source` says where the rows came from: held_out or warming.
    """

    rows: int
    errors: int
    sequence: bytes
    inflation: float = 1.0
    block: int = 1
    source: str = "held_out"

    @property
    def level(self) -> float:
        """The error level, by the median of its posterior or near it: never 0 and never 1."""
        return (self.errors + 0.5) / (self.rows + 1)


class HeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """Class probabilities of rows that the model was not fitted on, with what it said and what was true.

    `classes` are named in column order; `probabilities` is float32, shape (rows, classes), row by row; `predicted`
    and `truth` are uint16 indices into `classes`.
    """

    classes: list[str]
    rows: int
    probabilities: bytes
    predicted: bytes
    truth: bytes


class PairProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How every two of the numeric columns `names` go together; see monitoring/detectors/pairwise.py.

    Float32, the part of a square matrix above its diagonal, row by row: `correlation`, `variance` (of Fisher's z of one
    row), `own` (the largest difference of z between the reference's own windows and all of it), and the `rows` that
    have both values. `inflation` of each column's squares: n rows of a pair are worth n over the root of both.
    """

    names: list[str]
    correlation: bytes
    variance: bytes
    own: bytes
    rows: bytes
    inflation: list[float]


class LossProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What the losses of a regression depend on, learnt on `rows` rows that it was not fitted on.

    `means` and `deviations` (what the table leaves unexplained) of |residual|, its square, and whether it exceeds the
    tolerance; `table` is float32, shape (3, features, 12): what each bin of each feature adds to them. See
    monitoring/performance/loss_table.py.
    """

    features: list[str]
    rows: int
    means: list[float]
    deviations: list[float]
    table: bytes


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What detectors compare the stream with.

    `prediction` profiles the model's answers to the same rows. `window_rows` is the size of the reference's own
    windows that `FeatureProfile.own` was found with. `tolerance` (regression): a larger |residual| is an error.
    `errors` is None where no row is known that the model was not fitted on, and with it `held_out` (classification)
    and `losses` (regression).
    """

    version: int = VERSION
    task: str
    rows: int
    window_rows: int
    features: list[FeatureProfile]
    prediction: FeatureProfile | None = None
    pairs: PairProfile | None = None
    tolerance: float | None = None
    errors: ErrorLevel | None = None
    held_out: HeldOut | None = None
    losses: LossProfile | None = None

    @property
    def feature_names(self) -> list[str]:
        """The columns of a row, in the model's order."""
        return [feature.name for feature in self.features]

    def _repr_html_(self) -> str:
        erred = "not known: the first labelled rows will tell"
        if self.errors is not None:
            erred = f"{self.errors.level:.1%} of {self.errors.rows:,} rows that the model was not fitted on"
        rows = [(one.name, one.kind, f"{one.missing_rate:.1%}", _span(one)) for one in self.features]
        title = f"{self.task}: {self.rows:,} rows; it erred on {erred}"
        return html_table(title, rows, ("feature", "kind", "missing", "values"))

    def to_bytes(self) -> bytes:
        """JSON."""
        return _encoder.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Profile":
        """From JSON; ProfileError where it is none, or of another version."""
        try:
            version = _version_decoder.decode(data).version
            if version != VERSION:
                raise ProfileError(
                    f"the profile has version {version}, this Leeway reads {VERSION}: train or profile the model again"
                )
            return _decoder.decode(data)
        except msgspec.MsgspecError as error:
            raise ProfileError(f"not a profile ({error}): write it with Profile.to_bytes") from None


def _span(feature: FeatureProfile) -> str:
    if feature.kind == NUMERIC and feature.low is not None:
        return f"{feature.low:.4g} to {feature.high:.4g}"
    return ", ".join(list(feature.categories)[:5])


class _Version(msgspec.Struct):
    version: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Profile)
_version_decoder = msgspec.json.Decoder(_Version)
