"""What can go wrong in the ground. Each message says what was wrong, the value, and what to do."""


class LeewayError(Exception):
    """The root of every error that Leeway raises on purpose."""


class SettingError(LeewayError):
    """A setting has a value that it cannot have."""


class StoreError(LeewayError):
    """A store could not do what was asked: unknown scheme, other schema version, gone, full."""


class TooLarge(StoreError):
    """A stream was given a message, the first of an append, that is larger than it takes."""


class Conflict(StoreError):
    """A compare-and-set found another value than the one it expected: somebody else was here."""


class PlatformError(LeewayError):
    """The laptop's platform could not do what was asked."""


class ProfileError(LeewayError):
    """A profile cannot be read, or data cannot be profiled."""


class BundleError(LeewayError):
    """A function cannot be made into one file: an import that is not there, an item that lacks a field, too large."""
