"""Serves the modules of one bundle from memory. A copy of this file begins each bundle; it stands alone.

A bundle's modules live under a private name made of version and content, so that two versions, or an installed
leeway, can share a process with it. `from serving.x import y` in a bundled module finds the bundle's own: each
bundled module has builtins whose `__import__` puts the private name before ours.
"""

import base64
import builtins
import bz2
import hashlib
import importlib
import io
import json
import sys
from importlib.machinery import ModuleSpec

ROOTS = frozenset({"functions", "leeway", "monitoring", "serving"})


class Bundle:
    """Finder and loader of one bundle. `files` is {path: source}; `main_file` is the file that carries it.

    `[sys.executable, main_file, "serving.x", *argv]` runs `main(argv)` of a bundled module in a process of its own.
    """

    def __init__(self, version, data, main_file):
        name, digest = version.replace(".", "_"), hashlib.sha256(data.encode()).hexdigest()[:8]
        self.prefix = f"_leeway_{name}_{digest}"
        self.folder, self.main_file = f"leeway-{version}/", main_file
        self.files = json.loads(bz2.decompress(base64.b85decode(data)))
        self._packages = {path[:end] for path in self.files for end, sign in enumerate(path) if sign == "/"} | {""}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] != self.prefix:
            return None
        inner = self._inner(name)
        if inner not in self._packages and f"{inner}.py" not in self.files:
            return None
        spec = ModuleSpec(name, self, origin=self.folder + self._path(name), is_package=inner in self._packages)
        spec.has_location = True
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        code = compile(self.get_source(module.__name__), module.__file__, "exec", dont_inherit=True)
        module.__dict__["__builtins__"] = self._builtins
        exec(code, module.__dict__)

    def is_package(self, name):
        return self._inner(name) in self._packages

    def get_source(self, name):
        return self.files.get(self._path(name), "")

    def get_data(self, path):
        try:
            return self.files[path.removeprefix(self.folder)].encode()
        except KeyError:
            raise FileNotFoundError(path) from None

    def get_resource_reader(self, name):
        return Resources(self, self._inner(name))

    def _inner(self, name):
        return name[len(self.prefix) + 1 :].replace(".", "/")

    def _path(self, name):
        inner = self._inner(name)
        return f"{inner}/__init__.py".lstrip("/") if inner in self._packages else f"{inner}.py"

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        top = name.partition(".")[0]
        if level or top not in ROOTS:
            return builtins.__import__(name, globals, locals, fromlist, level)
        module = builtins.__import__(f"{self.prefix}.{name}", globals, locals, fromlist, 0)
        return module if fromlist else sys.modules[f"{self.prefix}.{top}"]


class Resources:
    """The files of one bundled package, for importlib.resources."""

    def __init__(self, bundle, package):
        self._bundle, self._start = bundle, f"{package}/"

    def open_resource(self, resource):
        return io.BytesIO(self._bundle.get_data(self._bundle.folder + self._start + resource))

    def resource_path(self, resource):
        raise FileNotFoundError(resource)

    def is_resource(self, name):
        return self._start + name in self._bundle.files

    def contents(self):
        return {
            path[len(self._start) :].partition("/")[0] for path in self._bundle.files if path.startswith(self._start)
        }


def install(version, data, main_file):
    """The bundle, findable by import; the same content twice in one process is one bundle."""
    bundle = Bundle(version, data, main_file)
    for other in sys.meta_path:
        if getattr(other, "prefix", None) == bundle.prefix:
            return other
    sys.meta_path.append(bundle)
    return bundle


def public(bundle, module):
    """The public names of a bundled module: what MLRun and Nuclio look for in the file that they load."""
    names = vars(importlib.import_module(f"{bundle.prefix}.{module}"))
    return {name: value for name, value in names.items() if not name.startswith("_")}


def run(bundle, argv):
    """Run `main(argv)` of the bundled module that argv names first."""
    if not argv:
        return f"usage: {bundle.main_file} MODULE [ARGUMENT...]: this file is deployed, or runs a module of its own"
    return importlib.import_module(f"{bundle.prefix}.{argv[0]}").main(argv[1:])
