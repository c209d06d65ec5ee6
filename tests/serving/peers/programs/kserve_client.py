"""KServe's client, both protocols, against a running endpoint: `kserve_client.py <address> <one that explains>`."""

import asyncio
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

LINEAR, OWN = (f"http://{address}" for address in sys.argv[1:3])
ROWS = [[1.0, 2.0], [0.0, 1.0]]


async def check_v2():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(LINEAR)
    assert await client.is_server_ready(LINEAR)
    assert await client.is_model_ready(LINEAR, "m")
    for binary in (False, True):
        given = InferInput("x", [2, 2], "FP32")
        given.set_data_from_numpy(np.array(ROWS, np.float32), binary_data=binary)
        request = InferRequest(model_name="m", infer_inputs=[given], request_id="42")
        said = await client.infer(LINEAR, request, model_name="m")
        assert said.id == "42" and said.model_name == "m"
        assert said.outputs[0].as_numpy().tolist() == [1, 0]
    plain = {"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": ROWS}]}
    said = await client.infer(LINEAR, plain, model_name="m")
    assert said.outputs[0].as_numpy().tolist() == [1, 0]


async def check_v1():
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await client.is_server_live(LINEAR)
    assert await client.is_model_ready(LINEAR, "m")
    said = await client.infer(LINEAR, {"instances": ROWS}, model_name="m")
    assert said == {"predictions": [1, 0]}, said
    said = await client.explain(OWN, "m", {"instances": ROWS})
    assert said["predictions"] == [{"values": row} for row in ROWS], said


for name, check in list(globals().items()):
    if name.startswith("check_"):
        asyncio.run(check())
        print(name)
