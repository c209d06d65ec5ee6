"""Deploys concept_drift on a stream, with the parameters of the function of that name that MLRun's hub had."""

import mlrun

# What the retired function took: the settings that take it now, and what does the work of the rest.
SETTINGS = {
    "models": "LEEWAY_DETECTOR_ALSO",
    "pagehinkley_threshold": "LEEWAY_PAGEHINKLEY_THRESHOLD",
    "ddm_warning_level": "LEEWAY_DDM_WARNING_LEVEL",
    "ddm_out_control_level": "LEEWAY_DDM_OUT_CONTROL",
    "arl0": "LEEWAY_DETECTOR_ARL0",
}
RETIRED = {
    "base_dataset": "the profile that travels with the model holds what it was trained on",
    "models_dest": "detectors keep their state in the State store",
    "label_col": "the profile knows it",
    "prediction_col": "records hold outputs apart from features",
    "output_tsdb": "LEEWAY_SERIES names the time-series store",
    "tsdb_batch_size": "LEEWAY_RANGE_ROWS says when what was read is committed",
    "callbacks": "LEEWAY_NOTIFY_WEBHOOK names who is told of incidents",
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
    """Deploy `hub_url` as `name` on `input_stream`. Of what the retired function took besides, the log says, where it
    is given, what does its work now.

    :param input_stream:          the stream of inferences, as INFERENCE_STREAM names it
    :param hub_url:               the function to deploy
    :param name:                  its name in the project
    :param models:                detectors beside our own: ddm, eddm, pagehinkley, hddm_a, hddm_w
    :param pagehinkley_threshold: Page-Hinkley's threshold
    :param ddm_warning_level:     deviations after which DDM warns
    :param ddm_out_control_level: deviations after which DDM alarms
    :param arl0:                  labelled rows to one false alarm of our own detector; 0 for the default
    """
    given = dict(locals())
    for parameter, instead in RETIRED.items():
        if given[parameter] is not None:
            context.logger.warn(f"{parameter} is not used any more: {instead}")
    function = mlrun.import_function(hub_url, new_name=name, project=context.project)
    given["models"] = ",".join(models) if isinstance(models, list) else models
    settings = {variable: str(given[parameter]) for parameter, variable in SETTINGS.items() if given[parameter]}
    function.set_envs({"INFERENCE_STREAM": input_stream, **settings})
    function.deploy()
    context.log_result("function", name)
    context.log_result("address", function.status.address)
