# The bench: every target works first try on a fresh clone. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-domain fuzz check check-code check-web built format web web-dev site site-dev bench bench-curves tools try-image dist release clean
SHELL := /bin/bash

# Tools come with the lock file; only uv has to exist, and where it doesn't, the first target that needs it
# installs it into a folder of its own. Set UV to use another one.
BOOTSTRAP := .venv-bootstrap
UV ?= $(shell uv --version >/dev/null 2>&1 && echo uv || echo $(BOOTSTRAP)/bin/uv)
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
TOOLS := .tools/.ready
WEB := src/tallymark/web/dist/index.html
SITE := docs/site/build/site/index.html
SITE_SOURCES := CHANGELOG.md $(shell find docs -type f -not -path 'docs/site/node_modules/*' -not -path 'docs/site/build/*' -not -path 'docs/site/.docusaurus/*')
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/build/*' -not -name '*.test.*')
export UV_PYTHON_DOWNLOADS ?= never
unexport VIRTUAL_ENV

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY) $(WEB) ## install everything; leaves the command at .venv/bin/tallymark

run: $(READY) $(WEB) ## start everything (api, worker, scheduler, database) on http://127.0.0.1:8787
	@exec $(BIN)/tallymark up $(ARGS)

demo: $(READY) $(WEB) ## live a year of a cloud company with 60 customers under a test clock, to look around in
	@exec $(BIN)/tallymark demo $(ARGS)

built: $(WEB) $(SITE) $(TOOLS)

test: $(READY) built ## run all tests
	$(BIN)/python web/build.py test
	$(BIN)/pytest -n auto $(ARGS)

test-domain: $(READY) ## run the tests that need no database: seconds
	$(BIN)/pytest tests/domain tests/architecture $(ARGS)

MINUTES ?= 30
fuzz: $(READY) ## send what nobody would think of to every operation, for MINUTES=30
	TALLYMARK_FUZZ_MINUTES=$(MINUTES) $(BIN)/pytest -s tests/contract $(ARGS)

check: check-code check-web ## formatting, lint, types, import contracts

check-code: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

check-web: $(READY)
	$(BIN)/python web/build.py --types
	$(BIN)/python web/build.py check

format: $(READY) ## format, and mend what the linter can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/python web/build.py format

web: $(READY) $(WEB) ## build the web app into the package

web-dev: $(READY) ## serve the web app as it is edited, beside a running server
	$(BIN)/python web/build.py --types
	$(BIN)/python web/build.py dev

site: $(READY) ## build the documentation site into docs/site/build/site, with every link in it checked
	$(BIN)/python docs/site/make.py

site-dev: $(READY) ## serve the documentation site as it is edited
	$(BIN)/python docs/site/make.py dev

bench: $(READY) ## measure ingest, usage, billing and documents on this machine
	$(BIN)/python -m bench $(ARGS)

bench-curves: $(READY) ## draw cost by size and ingest over ten minutes into docs/measured: an hour, a quiet machine
	$(UV) sync --frozen --quiet --group bench
	$(BIN)/python -m bench.curves $(ARGS)

tools: $(TOOLS) ## get helm, hadolint, actionlint, the CDK, the schema of compose files and Stripe's description, which tests use

try-image: $(READY) ## perform the Dockerfile's steps in a root that debootstrap makes, and try what comes out: as root, minutes
	$(BIN)/python -m deploy.container.try_in_a_root $(ARGS)

dist: $(READY) ## build what is released, the sdist and the wheel with the web app in it, into dist
	rm -rf dist
	$(UV) build --quiet --out-dir dist
	$(BIN)/python -m zipfile --list dist/tallymark-*.whl | grep tallymark/web/dist/index.html >/dev/null

release: $(READY) ## turn what is unreleased into VERSION=1.4.0, in CHANGELOG.md and wherever the version is named, and keep a world of its schema
	@$(BIN)/python -m deploy.worlds.make
	@$(PYTHON) deploy/release.py cut $(VERSION)

clean: ## remove what the targets above made; data directories stay
	rm -rf web/node_modules web/build docs/site/node_modules docs/site/build docs/site/.docusaurus src/tallymark/web/dist .venv $(BOOTSTRAP) .tools build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml uv.lock | uv
	$(UV) sync --frozen --quiet --compile-bytecode
	@$(BIN)/python -m compileall -q src
	@touch $@

$(WEB): $(WEB_SOURCES) | $(READY)
	$(BIN)/python web/build.py

$(TOOLS): deploy/tools.py deploy/tools.txt uv.lock | $(READY)
	$(BIN)/python deploy/tools.py $(UV)
	@touch $@

$(SITE): $(SITE_SOURCES) | $(READY)
	$(BIN)/python docs/site/make.py

.PHONY: uv
uv:
	@$(UV) --version >/dev/null 2>&1 || $(MAKE) --no-print-directory $(BOOTSTRAP)/bin/uv

$(BOOTSTRAP)/bin/uv:
	@echo "Installing uv into $(BOOTSTRAP) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tallymark needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@rm -rf $(BOOTSTRAP)
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; \
	then $(PYTHON) -m venv $(BOOTSTRAP) && $(BOOTSTRAP)/bin/pip install --quiet --disable-pip-version-check uv; \
	else $(PYTHON) -m pip install --quiet --disable-pip-version-check --target $(BOOTSTRAP) uv; \
	fi || { rm -rf $(BOOTSTRAP); echo "Could not install uv: it needs Python's venv module or pip." >&2; exit 1; }
