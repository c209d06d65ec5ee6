"""An incident as an event of MLRun's alerts."""

from leeway.record import Incident


def raise_mlrun_alert(incident: Incident) -> None:
    """Post the event that alert configurations of the incident's project listen to: data-drift-detected,
    concept-drift-detected, and so on. MLRun's errors where its service refuses or is away.

    The events stream of a drift function (`<INFERENCE_STREAM>-events`) has the incidents, one JSON object a message.
    """
    import mlrun
    from mlrun.common.schemas.alert import Event, EventEntities, EventEntityKind, EventKind

    project, verdict = incident.endpoint.partition("/")[0], incident.opened
    kind = EventKind[f"{incident.kind}_detected".upper()]
    entity = EventEntities(kind=EventEntityKind.MODEL_ENDPOINT_RESULT, project=project, ids=[incident.endpoint])
    values = {
        "incident": incident.id, "detector": incident.detector, "features": incident.features,
        "statistic": verdict.statistic, "threshold": verdict.threshold, "rows": verdict.rows,
    }  # fmt: skip
    mlrun.get_run_db().generate_event(kind.value, Event(kind=kind, entity=entity, value_dict=values), project)
