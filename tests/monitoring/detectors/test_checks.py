import pytest

from monitoring.detectors.base import BatchDetector, StreamDetector
from monitoring.detectors.bernoulli_cusum import BernoulliCusum
from monitoring.detectors.checks import checks, detectors
from monitoring.detectors.data_drift import DataDrift

CHECKS = dict(checks())


@pytest.mark.parametrize("name", CHECKS)
def test_a_detector_does_what_every_detector_must(name):
    CHECKS[name]()


def test_no_detector_is_overlooked():
    assert BernoulliCusum in detectors(StreamDetector)
    assert DataDrift in detectors(BatchDetector)


def test_a_detector_that_forgets_its_state_does_not_pass():
    class Forgetful(BernoulliCusum):
        def restore(self, kept):
            self.statistic = 0.0

        @classmethod
        def example(cls):
            return cls(level=0.1)

    broken = next(check for name, check in checks() if name == "BernoulliCusum-a_restored_copy_goes_on_alike")
    with pytest.raises(AssertionError):
        broken.func(Forgetful)
