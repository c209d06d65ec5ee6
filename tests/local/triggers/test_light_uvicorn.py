import subprocess
import sys

import pytest

PROGRAM = """
import sys
from leeway.local.triggers import http
assert not {"click", "uvicorn.main"} & set(sys.modules), "the command line is there"
import uvicorn
from uvicorn import Server, run
assert Server is http.Server and run is uvicorn.main.callback.__globals__["run"]
try:
    uvicorn.walk
except AttributeError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_worker_has_no_command_line_and_a_function_that_asks_for_it_gets_it():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "uvicorn" in ran.stdout and "walk" in ran.stdout
