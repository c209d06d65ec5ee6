"""Serves models over HTTP and leaves one record of every answer.

The Open Inference Protocol and MLRun V2 (`POST /v2/models/<model>/infer`), MLRun v1 (`POST /<model>/predict`),
TensorFlow Serving (`POST /v1/models/<model>:predict`), Seldon Core v1 (`POST /api/v1.0/predictions`); labels that come
later by `POST /<model>/feedback`; `GET /metrics` for Prometheus, `GET /docs/openapi.json` for tools.
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
