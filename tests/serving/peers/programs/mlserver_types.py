"""MLServer's types read what a running endpoint says, and write what it is asked: `mlserver_types.py <address>`."""

import http.client
import json
import sys

from mlserver.types import (
    InferenceErrorResponse,
    InferenceRequest,
    InferenceResponse,
    MetadataModelResponse,
    MetadataServerResponse,
    RepositoryIndexResponse,
    RequestInput,
    RequestOutput,
)


def ask(method, path, body=None):
    connection = http.client.HTTPConnection(sys.argv[1], timeout=30)
    connection.request(method, path, body, {"content-type": "application/json"} if body else {})
    answer = connection.getresponse()
    said = json.loads(answer.read())
    connection.close()
    return answer.status, said


def check_metadata():
    assert MetadataServerResponse.model_validate(ask("GET", "/v2")[1]).extensions
    known = MetadataModelResponse.model_validate(ask("GET", "/v2/models/m")[1])
    assert known.name == "m" and known.inputs
    index = RepositoryIndexResponse.model_validate(ask("POST", "/v2/repository/index", "{}")[1])
    assert index[0].name == "m"


def check_infer():
    given = RequestInput(name="x", shape=[2, 2], datatype="FP64", data=[1.0, 2.0, 0.0, 1.0])
    wanted = [RequestOutput(name="predict"), RequestOutput(name="predict_proba")]
    body = InferenceRequest(id="7", inputs=[given], outputs=wanted).model_dump_json(exclude_none=True)
    status, said = ask("POST", "/v2/models/m/infer", body)
    answer = InferenceResponse.model_validate(said)
    assert (status, answer.id, answer.model_name) == (200, "7", "m")
    assert list(answer.outputs[0].data) == [1, 0] and answer.outputs[1].shape == [2, 2]


def check_errors():
    body = json.dumps({"inputs": [{"name": "x", "shape": [1], "datatype": "FP128", "data": [1]}]})
    for path, sent, expected in (("/v2/models/m/infer", body, 400), ("/v2/models/nobody/infer", body, 404)):
        status, said = ask("POST", path, sent)
        assert status == expected
        assert InferenceErrorResponse.model_validate(said).error


for name, check in list(globals().items()):
    if name.startswith("check_"):
        check()
        print(name)
