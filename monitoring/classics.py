"""The detectors of the literature that a setting asks for, by the names that MLRun's hub gave them."""

from leeway.errors import SettingError
from leeway.settings import Settings

from .detectors.classic import ClassicDetector
from .detectors.ddm import DDM
from .detectors.eddm import EDDM
from .detectors.hddm_a import HddmA
from .detectors.hddm_w import HddmW
from .detectors.page_hinkley import PageHinkley


def classics(settings: Settings) -> dict[str, ClassicDetector]:
    """New detectors by name, in the order of `detector.also`; SettingError for a name that is none."""
    makers = {
        "ddm": lambda: DDM(warning_level=settings.ddm_warning_level, out_control_level=settings.ddm_out_control),
        "eddm": EDDM,
        "pagehinkley": lambda: PageHinkley(threshold=settings.pagehinkley_threshold),
        "hddm_a": HddmA,
        "hddm_w": HddmW,
    }
    names = [name.strip().lower() for name in settings.detector_also.split(",") if name.strip()]
    unknown = [name for name in names if name not in makers]
    if unknown:
        raise SettingError(f"detector.also names {', '.join(unknown)}: expected some of {', '.join(makers)}")
    return {name: makers[name]() for name in dict.fromkeys(names)}
