"""Deploys concept_drift on a stream, with the parameters of the function of that name that MLRun's hub had."""

import mlrun

# What the retired function took, and what does its work now.
RETIRED = {
    "base_dataset": "the profile that travels with the model holds what it was trained on",
    "models": "every detector runs",
    "models_dest": "detectors keep their state in the State store",
    "pagehinkley_threshold": "LEEWAY_DETECTOR_ARL0 sets the price of a false alarm",
    "ddm_warning_level": "LEEWAY_DETECTOR_ARL0 sets the price of a false alarm",
    "ddm_out_control_level": "LEEWAY_DETECTOR_ARL0 sets the price of a false alarm",
    "label_col": "the profile knows it",
    "prediction_col": "records hold outputs apart from features",
    "output_tsdb": "LEEWAY_SERIES names the time-series store",
    "tsdb_batch_size": "LEEWAY_RANGE_ROWS says when what was read is committed",
    "callbacks": "incidents go to the stream <INFERENCE_STREAM>-events",
    "output_stream": "incidents go to the stream <INFERENCE_STREAM>-events",
    "consumer_group": "the function keeps its own positions",
    "fn_tag": "the tag stands in hub_url",
}


def concept_drift_deployer(
    context, input_stream, base_dataset=None, consumer_group=None, output_stream=None, output_tsdb=None,
    tsdb_batch_size=None, callbacks=None, models=None, models_dest=None, pagehinkley_threshold=None,
    ddm_warning_level=None, ddm_out_control_level=None, label_col=None, prediction_col=None,
    hub_url="hub://leeway/concept_drift", fn_tag=None, name="concept-drift", arl0=0,
):  # fmt: skip
    """Deploy `hub_url` as `name` on `input_stream`. Of the retired function's other parameters the log says, where one
    is given, what does its work now.

    :param input_stream: the stream of inferences, as INFERENCE_STREAM names it
    :param hub_url:      the function to deploy
    :param name:         its name in the project
    :param arl0:         labelled rows to one false alarm; 0 for the default
    """
    given = dict(locals())
    for parameter, instead in RETIRED.items():
        if given[parameter] is not None:
            context.logger.warn(f"{parameter} is not used any more: {instead}")
    function = mlrun.import_function(hub_url, new_name=name, project=context.project)
    function.set_envs({"INFERENCE_STREAM": input_stream, **({"LEEWAY_DETECTOR_ARL0": str(arl0)} if arl0 else {})})
    function.deploy()
    context.log_result("function", name)
    context.log_result("address", function.status.address)
