"""How much less independent rows in time order are worth than as many independent ones."""

import numpy as np

_LARGEST_ORDER = 100
_LONGEST = 50_000


def inflation(series: np.ndarray) -> np.ndarray:
    """The variance of the mean of each series against that of independent values, shape (k, n) -> (k,).

    At least 1; 1 for a series that does not vary. Each series is described by an autoregression, its order (at most
    100) chosen by Akaike's criterion, and the inflation is the spectral density of that model at frequency zero over
    the variance. At most the last 50,000 values are looked at.

    P. Heidelberger and P. D. Welch, A spectral method for confidence interval generation and run length control in
    simulations, CACM 24 (1981); the autoregressive form as in R's coda, spectrum0.ar.

    >>> import numpy as np
    >>> from monitoring.detectors.autocorrelation import inflation
    >>> noise = np.random.default_rng(0).normal(size=5_000)
    >>> ar = noise.copy()
    >>> for i in range(1, 5_000):
    ...     ar[i] += 0.8 * ar[i - 1]
    >>> inflation(np.array([noise, ar])).round(1).tolist()  # in theory 1 and 9
    [1.0, 8.9]
    """
    x = np.atleast_2d(series)[:, -_LONGEST:].astype(float)
    n = x.shape[1]
    found = np.ones(len(x))
    order = min(_LARGEST_ORDER, n // 10)
    moved = np.ptp(x, axis=1) > 0 if n else np.zeros(len(x), bool)
    if order and moved.any():
        covariances = _autocovariances(x[moved], order)
        found[moved] = np.maximum(_at_zero(covariances, n), 1.0)
    return found


def _autocovariances(x: np.ndarray, order: int) -> np.ndarray:
    """Autocovariances for lags 0 to `order`, shape (k, n) -> (k, order + 1)."""
    n = x.shape[1]
    size = 1 << (n + order).bit_length()
    spectrum = np.fft.rfft(x - x.mean(axis=1, keepdims=True), size)
    return np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[:, : order + 1] / n


def _at_zero(covariances: np.ndarray, n: int) -> np.ndarray:
    """Spectral density at zero over the variance, for the best order by Akaike's criterion (Levinson's recursion)."""
    k, orders = covariances.shape
    error, best = covariances[:, 0].copy(), np.ones(k)
    lowest = n * np.log(error)
    phi = np.zeros((k, 0))
    for p in range(1, orders):
        reflection = (covariances[:, p] - (phi * covariances[:, p - 1 : 0 : -1]).sum(axis=1)) / error
        phi = np.column_stack([phi - reflection[:, None] * phi[:, ::-1], reflection])
        error = np.maximum(error * (1 - reflection**2), covariances[:, 0] * 1e-12)
        criterion = n * np.log(error) + 2 * p
        better = criterion < lowest
        gain = np.maximum((1 - phi.sum(axis=1)) ** 2, 1e-12)
        best = np.where(better, error * n / (n - p) / gain / covariances[:, 0], best)
        lowest = np.where(better, criterion, lowest)
    return best
