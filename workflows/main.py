"""The project's main workflow: from a table to a drift alarm, and a report that shows how it came about."""

import uuid

import mlrun

from leeway.progress import Steps


def pipeline(
    data="data/elec2.parquet", rows=0, stream="users/admin/elec", deployment="elec", settings=None, marks=None
):
    """Train, deploy, test, replay, and report.

    :param data:       the table: its first rows train the model, and all of it (or `rows` of it) is replayed
    :param rows:       how many rows to replay; 0 for all
    :param stream:     where the inferences are recorded
    :param deployment: the model's name
    :param settings:   {variable: value} for the drift function, for example {"LEEWAY_WINDOW_ROWS": 500}
    :param marks:      {what happened: row} of moments that the report shows
    """
    project, steps = mlrun.get_current_project(), Steps()
    run = f"{deployment}-{uuid.uuid4().hex[:6]}"

    with steps.step("train"):
        # Another seed makes another version of the model: an endpoint of its own, with its own windows and incidents.
        seed = len(project.list_models(deployment, tag="*"))
        trained = project.run_function("train", inputs={"data": data}, params={"db_key": deployment, "seed": seed})

    with steps.step("deploy model_server"):
        server = project.get_function("model-server")
        server.set_envs({f"SERVING_MODEL_{deployment}": trained.outputs["model"], "INFERENCE_STREAM": stream})
        addr = project.deploy_function(server).function.status.address

    with steps.step("deploy concept_drift"):
        drift = project.get_function("concept-drift")
        drift.set_envs({"INFERENCE_STREAM": stream, **(settings or {})})
        project.deploy_function(drift)

    with steps.step("deploy dashboard"):
        pages = project.deploy_function("dashboard").function.status.address

    with steps.step("settle"):
        key = f"{project.metadata.name}/{server.metadata.name}/{deployment}"
        settled = project.run_function("report", handler="settle", params={"stream": stream, "key": key})

    with steps.step("test"):
        tested = project.run_function(
            "endpoint-tester",
            inputs={"table": trained.outputs["test_set"]},
            params={"addr": addr, "model": deployment, "label_column": "price_up", "rows": 100},
        )

    with steps.step("replay"):
        replayed = project.run_function(
            "replay",
            inputs={"data": data},
            params={"addr": addr, "model": deployment, "run": run, "rows": rows},
        )

    with steps.step("report"):
        return project.run_function(
            "report",
            handler="report",
            params={
                "baseline": settled.status.results["baseline"],
                "requests": _requests(tested.status.results, replayed.status.results),
                "feedback_sent": replayed.status.results["feedback_sent"],
                "endpoints": {
                    server.metadata.name: f"http://{addr}",
                    "dashboard": f"http://{pages}/",
                    deployment: f"http://{addr}/{deployment}/predict",
                },
                "seconds": steps.seconds,
                "marks": marks,
            },
        )


def _requests(tested, replayed):
    return {
        "sent": tested["total_tests"] + replayed["requests_sent"],
        "answered": tested["total_tests"] - tested["errors"] + replayed["requests_answered"],
    }
