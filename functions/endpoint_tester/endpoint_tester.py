"""Tests a deployed model: status, schema, one answer per row, the expected labels, and how long it takes."""

import mlrun
from matplotlib.figure import Figure
from mlrun.artifacts import PlotArtifact

from leeway.traffic.client import Client
from leeway.traffic.probe import Probe

SHOWN = 5


def endpoint_tester(
    context, table, addr, label_column="label", model="", match_err=False, rows=20, batch_sizes=(1, 10), tolerance=0.0,
    fail=True, protocol="v1", timeout_s=30.0, seed=0,
):  # fmt: skip
    """Send rows of a test set one by one and in batches, all of them marked `purpose: test`.

    :param table:        test set (path, URL or input; csv or parquet)
    :param addr:         address of the function, host:port or a URL
    :param label_column: column of the expected outputs; where the table has none, outputs are not compared
    :param model:        the model's name in the function
    :param match_err:    fail the run where an output is not the expected one
    :param rows:         how many rows to draw; 0 for all
    :param batch_sizes:  each row is sent once for each of these numbers of rows a request
    :param tolerance:    how far a number may be from the expected one
    :param fail:         fail the run where an answer has the wrong status, schema or number of outputs
    :param protocol:     v1 (`/<model>/predict`) or v2 (`/v2/models/<model>/infer`)
    :param timeout_s:    how long an answer may take
    :param seed:         of the draw
    """
    frame = (mlrun.get_dataitem(table) if isinstance(table, str) else table).as_df()
    if rows and rows < len(frame):
        frame = frame.sample(rows, random_state=seed)
    columns = frame.drop(columns=label_column, errors="ignore").astype(object)
    values = columns.where(columns.notna(), None).to_numpy().tolist()
    labels = frame[label_column].tolist() if label_column in frame else None
    with Client(addr, timeout_s, patience_s=1.0) as client:
        report = Probe(client, model, protocol, tolerance).run(values, labels, batch_sizes)
    context.log_results(report.results())
    context.log_dataset("latency", df=report.latency, format="csv", index=False)
    context.log_artifact(PlotArtifact("latency_chart", body=_chart(report), title=f"Latency of {model or addr}"))
    for problem in report.problems[:SHOWN]:
        context.logger.warn(problem)
    if fail and report.problems:
        raise ValueError(f"{len(report.problems)} of {len(report.trials)} requests failed: {report.problems[0]}")
    if match_err and report.matched < report.rows:
        raise ValueError(f"{report.rows - report.matched} of {report.rows} outputs are not the expected ones")


def _chart(report):
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    for size in report.latency["rows"]:
        times = sorted(trial.latency_us / 1000 for trial in report.trials if trial.rows == size)
        shares = [i / len(times) for i in range(len(times) + 1)]
        axes.step([*times, times[-1]], shares, label=f"{size:g} rows a request")
    axes.set(xlabel="whole duration [ms]", ylabel="share of requests", ylim=(0, 1))
    axes.legend()
    return figure
