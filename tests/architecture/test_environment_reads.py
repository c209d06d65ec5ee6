"""The environment is read by settings modules. Whoever starts processes hands it on."""

import ast

SETTINGS = {"leeway/settings.py", "serving/settings.py"}
# These start processes or MLRun, which take their settings from the environment: they change it or hand it on.
HAND_ON = {"leeway/local/", "leeway/commands/options.py"}
NAMES = {"environ", "getenv", "putenv", "environb"}


def test_only_settings_read_the_environment(product):
    found = []
    for source in product:
        if source.path in SETTINGS or source.path.startswith(tuple(HAND_ON)):
            continue
        lines = {node.lineno for node in ast.walk(source.tree) if _name(node) in NAMES}
        found += [f"{source.path}:{line}" for line in sorted(lines)]
    assert found == []


def _name(node):
    return getattr(node, "attr", None) or getattr(node, "id", None)
