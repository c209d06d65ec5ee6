import http.client
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).parent / "programs"
ENVIRONMENTS = {
    "seldon_client": "seldon",
    "kserve_client": "kserve",
    "triton_client": "inference",
    "mlserver_types": "inference",
}


@pytest.mark.parametrize("program", ENVIRONMENTS)
def test_the_client_works_unchanged(program, peer, deployed):
    path = PROGRAMS / f"{program}.py"
    ran = peer(ENVIRONMENTS[program]).run("python", str(path), deployed["linear"], deployed["own"])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.split() == re.findall(r"^(?:async )?def (check_\w+)", path.read_text(), re.MULTILINE)


def test_every_program_has_its_environment():
    assert sorted(ENVIRONMENTS) == sorted(path.stem for path in PROGRAMS.glob("*.py"))


@pytest.mark.parametrize(
    "paths", [("--exclude-path-regex", "/unload$"), ("--include-path-regex", "/v2/repository/")], ids=["most", "unload"]
)
def test_schemathesis_finds_nothing(peer, deployed, paths):
    """Whatever is sent to the documented paths is answered as the document says. What unloads the model is left to a
    run of its own."""
    config = str(Path(__file__).with_name("schemathesis.toml"))
    document = f"http://{deployed['linear']}/docs/openapi.json"
    options = ("--no-color", "--max-examples", "6", "--seed", "1", *paths)
    ran = peer("schemathesis").run("schemathesis", "--config-file", config, "run", document, *options)
    loaded = http.client.HTTPConnection(deployed["linear"], timeout=30)
    loaded.request("POST", "/v2/repository/models/m/load")
    assert loaded.getresponse().status == 200
    loaded.close()
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert re.search(r"([1-9]\d+) generated, \1 passed", ran.stdout), ran.stdout[-2000:]
