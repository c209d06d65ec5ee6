"""Runs when MLRun loads the project: where no MLRun service is configured, the laptop takes its place."""

from pathlib import Path

import leeway

BUNDLE = "hub/functions/master/{}/latest/src/function.yaml"


def setup(project):
    """Make the project's functions deployable: here, or in the pods of the MLRun service that is configured."""
    if leeway.start() == "laptop":
        project.save_to_db()
    else:
        bring_code(project)
    return project


def bring_code(project):
    """A pod has MLRun's image and not this project. What is in the hub has its code inside; the jobs of the workflow
    load the project's source, where it is git or an archive, before they run."""
    project.spec.load_source_on_run = bool(project.spec.source)
    for function in list(project.spec.functions):
        name, bundle = function["name"], BUNDLE.format(function["name"].replace("-", "_"))
        if Path(project.spec.get_code_path(), bundle).exists():
            project.set_function(bundle, name)
        elif project.spec.source:
            given = {key: function[key] for key in ("kind", "image", "handler")}
            project.set_function(function["url"], name, with_repo=True, **given)
