"""What the laptop cannot do, said in one way: what was asked for, why not, and what to do instead."""

from typing import NoReturn

import requests
from mlrun.errors import MLRunBadRequestError

_SERVICE = "set MLRUN_DBPATH to the URL of an MLRun service"
_MONITORING = f"deploy hub://leeway/concept_drift on the function's stream, or {_SERVICE}"
_LOCAL = f"run it here (local=True, engine='local'), or {_SERVICE}"
_INSTEAD = {
    "submit_job": _LOCAL,
    "submit_workflow": _LOCAL,
    "deploy_nuclio_function": f"deploy one of kind nuclio or serving, or {_SERVICE}",
    "enable_model_monitoring": _MONITORING,
    "set_model_monitoring_credentials": _MONITORING,
    "list_model_endpoints": _MONITORING,
    "get_model_endpoint": _MONITORING,
    "create_model_endpoint": _MONITORING,
    "store_api_gateway": f"call the function's own address (fn.invoke), or {_SERVICE}",
    "store_alert_config": f"read the events of hub://leeway/concept_drift, or {_SERVICE}",
}


def refuse(method: str, what: str = "") -> NoReturn:
    """MLRunBadRequestError. Its response of 400 is what MLRun looks for where it would swallow any other error."""
    asked = f"{what} ({method})" if what else method
    text = f"the laptop cannot do this: {asked} needs an MLRun service; {_INSTEAD.get(method, _SERVICE)}"
    response = requests.Response()
    response.status_code, response._content = 400, text.encode()
    raise MLRunBadRequestError(text, response=response)
