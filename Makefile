# A thin wrapper around the command `leeway`; each target installs into .venv first, where that is not done yet.
# SERVICE=1 uses the MLRun service that ~/.mlrun.env names, ROWS=6000 shortens the demo, PYTHON names the interpreter.

LEEWAY = .venv/bin/leeway
ifndef SERVICE
export MLRUN_IGNORE_ENV_FILE = 1
endif

.PHONY: help install demo test notebook hub lock bench bench-detection soak lint screenshots clean down
.DEFAULT_GOAL := help

help:
	@echo "make demo      install, then run the whole loop on a real data stream and show what it found"
	@echo "make test      install, then run every test"
	@echo "make notebook  JupyterLab in this folder"
	@echo "make down      stop everything that was started here"
	@echo "make hub       generate hub/ from functions/"
	@echo "make bench     measure, beside a calibration loop"
	@echo "make bench-detection   false alarms and delays of the detectors, some 15 minutes"
	@echo "make soak      the long tests"
	@echo "make lint      style, and the arrows between the packages"
	@echo "make screenshots  the README's pictures of the dashboard, anew"
	@echo "make lock      resolve requirements.lock anew"
	@echo "make clean     remove .venv and caches; what was recorded stays in .leeway"

# $(error) keeps what went wrong to one line; a failing recipe would add make's own.
install:
	$(eval wrong := $(shell PYTHON="$(PYTHON)" sh .ci/install.sh))$(if $(wrong),$(error $(wrong)))@:

demo: install
	@$(LEEWAY) demo $(if $(ROWS),--rows $(ROWS)) $(if $(SERVICE),--service)

test: install
	@.venv/bin/python -m pytest

notebook: install
	@PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

hub: install
	@$(LEEWAY) hub build

bench: install
	@for script in $(filter-out %/bench_detection.py,$(wildcard tests/bench/bench_*.py)); do \
		.venv/bin/python "$$script" || exit 1; done

bench-detection: install
	@.venv/bin/python tests/bench/bench_detection.py $(ARGS)

soak: install
	@.venv/bin/python -m pytest -m soak

lint: install
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports

screenshots: install
	@.venv/bin/python -m pytest tests/e2e/test_dashboard.py -k 'works_fits and (light-1280-overview or dark-1280-endpoint)'
	@cp build/screenshots/overview-light-1280.png docs/dashboard-overview.png
	@cp build/screenshots/endpoint-dark-1280.png docs/dashboard-endpoint.png

# The lock names no package index and no host; an old one would be preferred where it fits, so it goes first.
lock: install
	@rm -f requirements.lock
	@.venv/uv/bin/uv pip compile pyproject.toml --all-extras --no-emit-index-url --no-header --universal \
		--python-version 3.11.5 --generate-hashes --quiet --output-file requirements.lock

down:
	@if [ -x $(LEEWAY) ]; then $(LEEWAY) down; else echo "nothing was installed here"; fi

clean: down
	rm -rf .venv build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.leeway/*' -prune -exec rm -rf {} +
