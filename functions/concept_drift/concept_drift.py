"""Watches the models whose inferences one stream records: joins truth, detects concept and data drift, keeps history.

Stream events count once, whatever is delivered twice; HTTP answers what was found (`/metrics` for Prometheus).
"""

import asyncio
import json
import time
from calendar import timegm

import nuclio_sdk

from leeway.errors import LeewayError
from leeway.interfaces import Message
from leeway.settings import Settings


def init_context(context):
    context.user_data.settings = Settings.read()
    context.user_data.shards = context.user_data.queries = None


async def handler(context, event):
    if event.trigger.kind == "http":
        return _answer(context, event)
    shards = context.user_data.shards = context.user_data.shards or _start(context, event.topic)
    message = Message(event.shard_id, event.offset, timegm(event.timestamp.timetuple()), "", event.body)
    while shards.is_full(event.shard_id) or not shards.offer(message):
        await asyncio.sleep(0.1)


def _start(context, topic):
    from monitoring.shards import Shards, begin_anew, stream_of

    loop, settings = asyncio.get_running_loop(), context.user_data.settings

    def acknowledge(shard, position):  # may lag, as the consumer's own position is the truth
        offset = nuclio_sdk.QualifiedOffset(topic, shard, position - 1)
        asyncio.run_coroutine_threadsafe(context.platform.explicit_ack(offset), loop)

    stream = stream_of(topic, settings.inference_stream)
    shards = Shards(settings, stream, context.logger.warn, acknowledge, taken=begin_anew)
    context.platform.set_termination_callback(shards.close)
    context.platform.set_drain_callback(shards.release)
    return shards.start()


def _answer(context, event):
    from monitoring.metrics import metrics
    from monitoring.queries import Queries
    from monitoring.status import status

    try:
        queries = context.user_data.queries = context.user_data.queries or Queries(context.user_data.settings)
        if event.path.rstrip("/").endswith("/metrics"):
            body = metrics(queries, context.user_data.settings, int(time.time()))
            return context.Response(body=body, content_type="text/plain; version=0.0.4")
        return context.Response(body=json.dumps(status(queries)), content_type="application/json")
    except LeewayError as exc:
        return context.Response(body=json.dumps({"error": str(exc)}), content_type="application/json", status_code=503)
