"""`endpoint_tester` under the name and with the parameters of MLRun's hub."""

from functions.endpoint_tester.endpoint_tester import endpoint_tester


def v2_model_tester(context, table, addr, label_column="label", model="", match_err=False, rows=20):
    """Send rows of a test set to `/v2/models/<model>/infer`, one by one and in batches.

    :param table:        test set (path, URL or input; csv or parquet)
    :param addr:         address of the function, host:port or a URL
    :param label_column: column of the expected outputs
    :param model:        the model's name in the function
    :param match_err:    fail the run where an output is not the expected one
    :param rows:         how many rows to draw; 0 for all
    """
    endpoint_tester(context, table, addr, label_column, model, match_err, rows, protocol="v2")
