"""Serves models over HTTP and leaves one record of every answer.

MLRun v1 (`POST /<model>/predict`, `instances`) and V2 (`POST /v2/models/<model>/infer`, `inputs`); labels that come
later by `POST /<model>/feedback`; `GET /metrics` for Prometheus.
"""

from leeway.settings import Settings
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings


def init_context(context):
    function = NuclioFunction.start(ServingSettings.read(), Settings.read(), str(context.worker_id))
    context.user_data.function = function
    context.platform.set_termination_callback(function.close)


def handler(context, event):
    return context.user_data.function.answer(context, event)
