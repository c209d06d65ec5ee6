# A thin wrapper around the command `leeway`; each target installs into .venv first, where that is not done yet.
# SERVICE=1 uses the MLRun service that ~/.mlrun.env names, ROWS=6000 shortens the demo, PYTHON names the interpreter.

LEEWAY = .venv/bin/leeway
ifndef SERVICE
export MLRUN_IGNORE_ENV_FILE = 1
endif

.PHONY: help install demo test notebook notebooks docs hub lock bench bench-backends bench-serving bench-detection bench-newcomer engines
.PHONY: soak lint screenshots clean down
.DEFAULT_GOAL := help

help:
	@echo "make demo      install, then run the whole loop on a real data stream and show what it found"
	@echo "make test      install, then run every test"
	@echo "make notebook  JupyterLab in this folder"
	@echo "make down      stop everything that was started here"
	@echo "make notebooks run the tour, strip its outputs, render it into docs/notebooks"
	@echo "make docs      generate the reference in docs/ from the code"
	@echo "make hub       generate hub/ from functions/"
	@echo "make bench     measure, beside a calibration loop"
	@echo "make engines   put real servers into build/engines, so that make test leaves nothing out"
	@echo "make bench-backends   what each backend takes and answers"
	@echo "make bench-serving   requests a second beside MLServer, LitServe and the bare host (wrk is Debian's)"
	@echo "make bench-newcomer   from a clone and an empty environment to a model of one's own that is watched"
	@echo "make bench-detection   false alarms, delays and power of the detectors; ERRORS=FILE.csv, or"
	@echo "               FRAME=FILE.parquet REFERENCE=FILE.parquet, judges your own stream or rows instead"
	@echo "make soak      the long tests, and what millions of rows and of pending labels cost"
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

# On a home of its own, so that the tour shows what it does from a clean state.
notebooks: install
	@rm -rf docs/notebooks build/tour
	@LEEWAY_HOME="$(CURDIR)/build/tour" .venv/bin/jupyter nbconvert --log-level WARN --to markdown --execute \
		--output-dir docs/notebooks notebooks/*.ipynb; LEEWAY_HOME="$(CURDIR)/build/tour" $(LEEWAY) down
	@sed -i -e 's#Writing /.*/#Writing #' -e 's/[ \t]*$$//' docs/notebooks/*.md
	@.venv/bin/jupyter nbconvert --log-level WARN --clear-output --inplace notebooks/*.ipynb

docs: install
	@.venv/bin/python docs/generate.py

hub: install
	@$(LEEWAY) hub build

bench: install
	@for script in $(filter-out %/bench_backends.py %/bench_kafka_trigger.py %/bench_detection.py %/bench_windows.py %/bench_throughput.py %/bench_many_rows.py %/bench_newcomer.py,$(wildcard tests/bench/bench_*.py)); do \
		.venv/bin/python "$$script" || exit 1; done

bench-backends: install
	@sh tests/engines/install.sh
	@.venv/bin/python tests/bench/bench_backends.py $(ARGS)
	@.venv/bin/python tests/bench/bench_kafka_trigger.py

bench-serving: install
	@tests/serving/peers/prepare.sh bench
	@.venv/bin/python tests/bench/bench_throughput.py $(ARGS)
	@.venv/bin/python tests/bench/bench_protocols.py

bench-detection: install
	@$(if $(FRAME),,.venv/bin/python tests/bench/bench_detection.py $(if $(ERRORS),--errors $(ERRORS)) $(ARGS))
	@$(if $(ERRORS),,.venv/bin/python tests/bench/bench_windows.py $(if $(FRAME),--frame $(FRAME) --reference $(REFERENCE)))

bench-newcomer: install
	@.venv/bin/python tests/bench/bench_newcomer.py

engines: install
	@sh tests/engines/install.sh

soak: install
	@.venv/bin/python -m pytest -m soak
	@.venv/bin/python tests/bench/bench_pending_labels.py
	@.venv/bin/python tests/bench/bench_many_rows.py

lint: install
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports

screenshots: install
	@.venv/bin/python -m pytest tests/e2e/test_demo.py -k the_dashboard_shows
	@cp build/screenshots/demo-overview.png docs/dashboard-overview.png
	@cp build/screenshots/demo-endpoint.png docs/dashboard-endpoint.png

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
