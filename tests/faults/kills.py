"""What the tests that kill processes share: a watched model on a laptop, and what must be true when all is over."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from leeway.settings import Settings, variable
from monitoring.decode import decode
from monitoring.queries import Queries
from tests.faults.laptop import WATCHING, Laptop, Replay
from tests.faults.outcome import outcome, undisturbed

VICTIMS = ("server", "drift", "supervisor")
_MODEL = """

class Up:
    def predict(self, rows):
        return [int(row[0] > 0.5) for row in rows]
"""


def deploy_server(laptop: Laptop, profile: bytes, folder: Path) -> None:
    """The model server, with a model that lies in `folder`."""
    folder.mkdir()
    (folder / "leeway-profile.json").write_bytes(profile)
    serving = {"SERVING_MODEL_a": str(folder), "MODEL_CLASS": "main.Up"}
    laptop.deploy("server", "functions/model_server/model_server.py", serving, _MODEL)


def deploy_drift(laptop: Laptop) -> None:
    """The function that watches it."""
    watching = {variable(name.replace("_", ".", 1)): str(value) for name, value in WATCHING.items()}
    laptop.deploy("drift", "functions/concept_drift/concept_drift.py", watching)


def check(laptop: Laptop, replay: Replay, empty: Path) -> None:
    """Each answered prediction and each truth that was taken is in the archive once, the counters add up, and one
    consumer that nothing disturbs makes the same of the stream's copy in embedded stores, in the folder `empty`."""
    stream = laptop.messages()
    sent = Counter(
        (record.op, record.request.id if record.op == "feedback" else record.id)
        for message in stream
        for record in decode(message.value)
        if record.op != "outbox_end"
    )
    found = outcome(laptop.settings)
    archived = Counter(row["id"] for row in found["tables"]["prediction"])
    told = Counter(row["request_id"] for row in found["tables"]["feedback"])
    assert set(replay.answered) <= set(archived), sorted(set(replay.answered) - set(archived))[:5]
    assert set(replay.told) <= set(told)
    assert set(archived.values()) == {1} and set(told.values()) == {1}
    counts = found["counts"]
    assert counts["predictions"]["counted"] == len(archived)
    assert counts["feedback"]["recorded"] == len(told) == counts["feedback"]["joined"] + counts["feedback"]["pending"]
    assert counts["repeated"] == sum(sent.values()) - len(archived) - len(told)
    assert (counts["lost"], counts["dead_lettered"], counts["dropped"]) == (0, 0, {})
    with Queries(laptop.settings) as queries:
        profiles = {key: value for key, value in queries._shared.scan("profile/").items()}
    embedded: Settings = replace(laptop.settings, home=empty, stream="", state="", series="", archive="")
    calm = undisturbed(embedded, profiles, stream)
    assert len(calm["verdicts"]) > 3
    for what in calm:
        assert found[what] == calm[what], what
