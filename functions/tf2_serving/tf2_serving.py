"""The model server under the name that MLRun's guide has for TensorFlow 2."""

from leeway.settings import Settings
from serving.models.tensorflow import refuse_tensorflow
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings


def init_context(context):
    serving = ServingSettings.read()
    refuse_tensorflow(serving)
    function = NuclioFunction.start(serving, Settings.read(), str(context.worker_id))
    context.user_data.function = function
    context.platform.set_termination_callback(function.close)


def handler(context, event):
    return context.user_data.function.answer(context, event)
