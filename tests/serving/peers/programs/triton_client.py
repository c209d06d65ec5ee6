"""tritonclient[http] against a running endpoint: `triton_client.py <address>`."""

import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

CLIENT = triton.InferenceServerClient(sys.argv[1])
ROWS = np.array([[1, 2], [0, 1]], np.float32)


def given(binary=True):
    found = triton.InferInput("x", list(ROWS.shape), "FP32")
    found.set_data_from_numpy(ROWS, binary_data=binary)
    return [found]


def check_health_and_metadata():
    assert CLIENT.is_server_live() and CLIENT.is_server_ready() and CLIENT.is_model_ready("m")
    assert "binary_tensor_data" in CLIENT.get_server_metadata()["extensions"]
    known = CLIENT.get_model_metadata("m")
    assert known["name"] == "m" and CLIENT.is_model_ready("m", known["versions"][0])
    assert not CLIENT.is_model_ready("m", "9")
    assert CLIENT.get_model_repository_index()[0]["state"] == "READY"


def check_load_and_unload():
    CLIENT.unload_model("m")
    assert not CLIENT.is_model_ready("m") and CLIENT.get_model_repository_index()[0]["state"] == "UNAVAILABLE"
    CLIENT.load_model("m")
    assert CLIENT.is_model_ready("m") and CLIENT.get_model_repository_index()[0]["state"] == "READY"


def check_every_way_in_and_out():
    for binary_in in (True, False):
        for binary_out in (None, True, False):
            outputs = (
                binary_out
                if binary_out is None
                else [
                    triton.InferRequestedOutput("predict", binary_data=binary_out),
                    triton.InferRequestedOutput("predict_proba", binary_data=binary_out),
                ]
            )
            said = CLIENT.infer("m", given(binary_in), outputs=outputs, request_id="42")
            assert said.get_response()["id"] == "42"
            assert said.as_numpy("predict").tolist() == [1, 0]
            if outputs:
                assert said.as_numpy("predict_proba").shape == (2, 2)


def check_packed_bodies():
    for coding in ("gzip", "deflate"):
        for binary in (True, False):
            said = CLIENT.infer("m", given(binary), request_compression_algorithm=coding)
            assert said.as_numpy("predict").tolist() == [1, 0]


def check_columns_and_parameters():
    columns = []
    for i, name in enumerate("ab"):
        column = triton.InferInput(name, [2], "FP64")
        columns.append(column.set_data_from_numpy(ROWS[:, i].astype(float)))
    said = CLIENT.infer("m", columns, parameters={"purpose": "test"})
    assert said.as_numpy("predict").tolist() == [1, 0]


def check_text_is_refused_with_a_reason():
    text = triton.InferInput("s", [1, 2], "BYTES")
    text.set_data_from_numpy(np.array([[b"a", b"b"]], dtype=object))
    for model, inputs, says in (("m", [text], "expected a number"), ("nobody", given(), "no model")):
        try:
            CLIENT.infer(model, inputs)
        except InferenceServerException as error:
            assert says in error.message(), error
        else:
            raise AssertionError(says)


for name, check in list(globals().items()):
    if name.startswith("check_"):
        check()
        print(name)
