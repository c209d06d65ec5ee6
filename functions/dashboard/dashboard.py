"""Shows what the stores of one home hold: live pages for whoever was not there."""

from functools import partial

from leeway.log_lines import start_logging
from leeway.settings import Settings


def init_context(context):
    from monitoring.decide import decide
    from monitoring.pages.app import create_app

    settings = Settings.read()
    start_logging(settings, function=settings.function_name, worker=str(context.worker_id))
    context.user_data.application = create_app(settings, partial(decide, settings))
    context.platform.set_termination_callback(context.user_data.application.state.close)


async def handler(context, event):
    from monitoring.pages.bridge import respond

    status, headers, body = await respond(context.user_data.application, event)
    kind = headers.pop("content-type", "text/plain")
    return context.Response(body=body, headers=headers, content_type=kind, status_code=status)
