"""A function of MLRun's kind serving: the only workers that import mlrun."""

import json

import pytest

pytestmark = pytest.mark.slow

CODE = """
class Double:
    def do(self, event):
        event.body = {"doubled": [2 * value for value in event.body["inputs"]]}
        return event
"""
FOOTER = """
from mlrun.runtimes import nuclio_init_hook
def init_context(context):
    nuclio_init_hook(context, globals(), 'serving_v2')
async def handler(context, event):
    import asyncio
    result = context.mlrun_handler(context, event)
    return await result if asyncio.iscoroutine(result) else result
"""
STEP = {"kind": "task", "class_name": "Double", "handler": "do", "full_event": True, "after": [], "responder": True}
GRAPH = {"kind": "root", "engine": "async", "steps": {"double": STEP}}
SPEC = {
    "function_uri": "tests/flow", "version": "v2", "parameters": {}, "graph": GRAPH, "load_mode": None,
    "functions": {}, "graph_initializer": None, "error_stream": None, "track_models": False,
    "default_content_type": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "annotations"),
    [(CODE + FOOTER, {}), (CODE, {"leeway/mlrun-kind": "serving"})],
    ids=["footer", "annotation"],
)
def test_a_graph_is_served_with_mlruns_footer_or_the_annotation(laptop, code, annotations):
    env = {"SERVING_SPEC_ENV": json.dumps(SPEC)}
    status = laptop.deploy("flow", code, env=env, annotations=annotations)
    assert status["state"] == "ready", status["message"]
    answer = laptop.call("flow", "/", {"inputs": [1, 2]})
    assert (answer.status, answer.json) == (200, {"doubled": [2, 4]})
