"""The model server under the name that MLRun's guide has for TensorFlow 2."""

from leeway.settings import Settings
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings


def init_context(context):
    function = NuclioFunction.start(ServingSettings.read(), Settings.read(), str(context.worker_id))
    context.user_data.function = function
    context.platform.set_termination_callback(function.close)


def handler(context, event):
    return context.user_data.function.answer(context, event)
