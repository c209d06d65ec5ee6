"""Joins truth that came too late for the stream's consumer to the predictions in the archive."""

from contextlib import closing

from leeway.backends import connect
from leeway.profile import Profile
from leeway.settings import Settings
from monitoring.erase import EraseList
from monitoring.error_level import error_of, mismatches
from monitoring.late_truth import errors_of, late_truth
from monitoring.unerased import Unerased


def join_late_truth(context, deployment):
    """Write what was joined to the archive (kind `late_truth`); log it as `late_truth`, and `late_rows` and, by
    endpoint, `late_error_rate`.

    :param deployment: stream key of the deployment, project/function/deployment
    """
    settings = Settings.read()
    with closing(connect.state(settings, "shared")) as shared:
        table = late_truth(Unerased(connect.archive(settings), EraseList(shared)), deployment)
        frame, rates = table.to_pandas(), {}
        for endpoint in sorted(set(frame.get("endpoint_id", []))):
            profile = shared.get(f"profile/{endpoint}")
            mine = table.filter((frame["endpoint_id"] == endpoint).to_numpy())
            rates[endpoint] = float(
                errors_of(mine, error_of(Profile.from_bytes(profile)) if profile else mismatches).mean()
            )
    context.log_result("late_rows", table.num_rows)
    context.log_result("late_error_rate", rates)
    context.log_dataset("late_truth", df=frame, format="parquet", index=False)
