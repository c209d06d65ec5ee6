"""A URL as it may be shown: in logs, errors and on pages."""

import re

_PASSWORD = re.compile(r"(://[^/@:]*):[^/]*@")


def redacted(url: str) -> str:
    """Without the password and without what follows a question mark, where options may hold secrets.

    >>> redacted("postgresql://me:se@cret@db/leeway?sslpassword=x")
    'postgresql://me:***@db/leeway?***'
    """
    shown, options, _ = url.partition("?")
    return _PASSWORD.sub(r"\1:***@", shown) + ("?***" if options else "")
