"""Replays a labelled table to a deployed model over HTTP: in order, faster than real time, the labels coming later."""

from datetime import datetime, timedelta
from functools import partial

import mlrun

from leeway.errors import LeewayError
from leeway.progress import tell
from leeway.traffic.client import Client
from leeway.traffic.replay import Replay


def replay(
    context, data, addr, model, run, rows=0, label="price_up", lag=48, begin="1996-05-07T00:00:00+00:00", step_s=1800
):
    """One request a row over one keep-alive connection, with the id `<run>-<row>`; each row's truth `lag` rows later.

    :param data:   the table (path, URL or input), one row per event in the order of time
    :param addr:   address of the function
    :param model:  the model's name in the function
    :param run:    what the ids of the requests begin with
    :param rows:   how many rows, from the first; 0 for all
    :param label:  column that holds the truth
    :param lag:    how many rows later the truth of a row is known
    :param begin:  time of the first row (ISO 8601); each further row is `step_s` seconds later
    """
    table = (mlrun.get_dataitem(data) if isinstance(data, str) else data).as_df()
    table = table.head(rows) if rows else table
    plan = Replay(model, run, label, lag, datetime.fromisoformat(begin), timedelta(seconds=step_s))
    with Client(addr) as client:
        predictions, feedback = plan.send(client, table, partial(tell, "replay"))
    context.log_results(
        {
            "requests_sent": predictions.sent,
            "requests_answered": predictions.answered,
            "feedback_sent": feedback.sent,
            "feedback_answered": feedback.answered,
        }
    )
    if refused := predictions.refused + feedback.refused:
        raise LeewayError(f"{addr} did not answer {sum(refused.values())} requests well: {dict(refused)} (by status)")
