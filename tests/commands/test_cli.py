"""What all commands have in common."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from leeway.cli import main

ROOT = Path(__file__).parents[2]
CONTEXT = click.Context(main)
COMMANDS = main.list_commands(CONTEXT)


def leaves():
    for name in COMMANDS:
        command = main.get_command(CONTEXT, name)
        if isinstance(command, click.Group):
            yield from ((name, inner) for inner in command.list_commands(CONTEXT))
        else:
            yield (name,)


def python(*arguments, **given):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, **given)


@pytest.mark.parametrize("path", list(leaves()), ids=" ".join)
def test_each_command_says_in_its_help_how_it_is_used(leeway, path):
    result = leeway(*path, "--help")
    assert result.exit_code == 0
    assert f"Examples:\n    leeway {path[0]}" in result.stdout or "\n    LEEWAY_HOME=" in result.stdout
    if path != ("completion",):
        assert "--json" in result.stdout


def test_help_and_every_command_load_neither_mlrun_nor_pandas():
    program = (
        "import sys\nfrom leeway.cli import main\nimport click\n"
        "for name in main.list_commands(None): main.get_command(None, name)\n"
        "print(sorted({'mlrun', 'pandas', 'numpy', 'pyarrow', 'rich', 'httpx', 'sklearn'} & set(sys.modules)))"
    )
    assert python("-c", program).stdout == "[]\n"


def test_python_m_leeway_is_the_command():
    result = python("-m", "leeway", "--help")
    assert result.returncode == 0
    assert all(f"\n  {name} " in result.stdout for name in COMMANDS)


@pytest.mark.parametrize("where", [(), ("--debug",)], ids=["plain", "debug"])
def test_an_error_is_one_line_on_stderr_unless_debug_asks_for_more(tmp_path, where):
    environ = {**os.environ, "LEEWAY_HOME": str(tmp_path), "LEEWAY_WINDOW_ROWS": "many"}
    result = python("-m", "leeway", *where, "status", env=environ)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "LEEWAY_WINDOW_ROWS='many'" in result.stderr
    assert result.stderr.count("\n") == 1 if not where else "Traceback" in result.stderr


def test_an_unknown_command_is_refused_with_its_name(leeway):
    result = leeway("deplyo")
    assert result.exit_code == 2
    assert "No such command 'deplyo'" in result.stderr


@pytest.mark.parametrize("shell, mark", [("bash", "complete -o"), ("zsh", "#compdef leeway"), ("fish", "complete ")])
def test_completion_prints_the_script_of_the_shell(leeway, shell, mark):
    result = leeway("completion", shell)
    assert result.exit_code == 0
    assert mark in result.stdout
    assert "_LEEWAY_COMPLETE" in result.stdout


@pytest.mark.slow
def test_an_old_environment_file_of_mlrun_is_ignored_unless_service_is_given(tmp_path):
    (tmp_path / ".mlrun.env").write_text("FROM_AN_OLD_FILE=yes\n")
    program = (
        "import os, sys\nfrom leeway.commands.options import prepare_mlrun\n"
        "prepare_mlrun(sys.argv[1] == 'service')\nimport mlrun\nprint(os.environ.get('FROM_AN_OLD_FILE', 'no'))"
    )
    environ = {key: value for key, value in os.environ.items() if not key.startswith("MLRUN_")}
    environ |= {"HOME": str(tmp_path), "MLRUN_ENV_FILE": str(tmp_path / ".mlrun.env")}
    assert python("-c", program, "laptop", env=environ).stdout == "no\n"
    assert python("-c", program, "service", env=environ).stdout == "yes\n"
