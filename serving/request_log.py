"""A log line for a request: who was asked, under which ids, and how it went; never what, unless that is wanted."""

import logging

from leeway.log_context import trace_id
from leeway.settings import Settings

from .types import Exchange

NONE, FAILED, ALL = "none", "failed", "all"
_log = logging.getLogger("leeway.requests")


class RequestLog:
    """Watches exchanges. By `log.requests` it tells of those that the server failed (5xx), of all or of none, and with
    `log.bodies` also the rows that were asked and answered."""

    def __init__(self, settings: Settings):
        self._least = {NONE: 1_000, FAILED: 500, ALL: 0}[settings.log_requests]
        self._bodies = settings.log_bodies

    def see(self, exchange: Exchange) -> None:
        if exchange.status < self._least:
            return
        level = logging.ERROR if exchange.status >= 500 else logging.INFO
        about = {
            "deployment": exchange.deployment,
            "request_id": exchange.id,
            "trace_id": trace_id(exchange.trace),
            "operation": str(exchange.operation),
            "status": exchange.status,
            "microsec": exchange.microsec,
            "reason": str(exchange.error) if exchange.error is not None else "",
        }
        if self._bodies:
            about["asked"] = exchange.request.rows if exchange.request is not None else None
            about["answered"] = exchange.response.prediction.outputs if exchange.response is not None else None
        _log.log(level, "%s %s", exchange.operation, exchange.status, extra={"with": about})
