"""Where a person finds the dashboard."""

from leeway.settings import Settings

from .platform_functions import platform_functions

_NAME = "dashboard"


def dashboard_link(settings: Settings) -> str:
    """The URL that the settings name, else that of the platform's function dashboard or <project>-dashboard; "" where
    neither is known."""
    if settings.notify_dashboard:
        return settings.notify_dashboard
    for name, about in sorted(platform_functions(settings)[0].items()):
        addresses = (about.get("status") or {}).get("externalInvocationUrls") or []
        if addresses and (name == _NAME or name.endswith(f"-{_NAME}")):
            return f"http://{addresses[0]}/"
    return ""
