# What one can do here. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
export PYTHONPATH := $(CURDIR)/platform:$(CURDIR)/apps:$(CURDIR)
# pytest rewrites every test it collects, unless it may keep what it wrote the last time.
unexport PYTHONDONTWRITEBYTECODE

# Folders are named because collecting everything takes as long as some of these tests;
# tests/conftest.py refuses a browser's test that stands elsewhere.
IN_PAGES := $(addprefix tests/flows/test_,accessibility.py full_fitting.py)
IN_PAGES += tests/faults $(filter-out $(IN_PAGES),$(wildcard tests/flows/test_*.py tests/flows/*/test_*.py))

LONG_ONES := $(addprefix tests/,deploy/ servers/ media_worker/ consilium/ faults/ foundation/)
SHORT_ONES := $(filter-out $(LONG_ONES) tests/__pycache__/,$(wildcard tests/*/))

AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo --preserve-env env PYTHONDONTWRITEBYTECODE=1)

# Each stamp is newer than the file it was made from: a second run has nothing to do.
BASE := $(VENV)/installed-base
DEV := $(VENV)/installed-dev
NODE := node_modules/installed

# Tools speak English whoever runs them: what they say is compared and quoted.
comma := ,
heading = @printf '\n== %s ==\n' "$(1)"

.PHONY: help run test check bench lock wire messages clean packages
.PHONY: on-postgresql beside-the-worker of-maltreated-recordings at-a-cable

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(BASE) ## the whole platform on this machine, with made-up people, until Ctrl-C
	@CONSILIUM_DEMO=$${CONSILIUM_DEMO-1} exec $(PY) -m consilium.supervisor

test: packages ## everything a change must pass: checks, tests, browsers (installs what it needs)
	@$(MAKE) check
	$(call heading,tests)
	@# Three on two processors: a third of the time they wait for a server or for a clock. Files that
	@# take long come first, here and below, so that none is left alone at the end.
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not browser and not cable" \
		$(LONG_ONES) $(SHORT_ONES) $(PYTEST)
	$(call heading,tests of what is kept on PostgreSQL$(comma) and browsers without pages of ours)
	@$(TWO_AT_ONCE) on-postgresql beside-the-worker
	$(call heading,tests in browsers)
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
		-m "browser and not cable and not timed" $(IN_PAGES) $(PYTEST)
	$(call heading,tests in browsers that nothing else may disturb)
	@$(PY) -m pytest -m "browser and not cable and timed" tests/flows $(PYTEST)
	$(call heading,recordings that are maltreated$(comma) and calls at the end of a cable)
	@$(TWO_AT_ONCE) of-maltreated-recordings at-a-cable

# Each prints when it is over.
TWO_AT_ONCE = $(MAKE) --jobs=2 --output-sync=target --keep-going

on-postgresql:
	@CONSILIUM_TEST_DATABASE=postgresql $(PY) -m pytest -m "not browser and not cable" \
		$(ON_POSTGRESQL) $(PYTEST)

# These live on an event loop of the test's, Playwright on its own.
beside-the-worker: export CONSILIUM_TEST_LANE = gw9
beside-the-worker:
	@$(PY) -m pytest -m "browser and not cable" tests/media_worker tests/recordings $(PYTEST)

of-maltreated-recordings:
	@$(PY) -m pytest -m "browser and timed" tests/faults $(PYTEST)

# Network namespaces take root.
at-a-cable: export CONSILIUM_TEST_LANE = gw9
at-a-cable:
	@$(AS_ROOT) $(PY) -m pytest -m cable -p no:cacheprovider tests/flows/cable tests/servers $(PYTEST); \
		status=$$?; $(if $(AS_ROOT),sudo chown -R $$(id -u) build;) exit $$status

# Management commands of the checks must not touch the data of an installation that lies here.
check wire messages: export CONSILIUM_DATA := $(CURDIR)/build/no-installation
check: $(DEV) $(NODE) ## style, types, imports, generated files
	$(call heading,ruff check)
	@$(VENV)/bin/ruff check
	$(call heading,ruff format)
	@$(VENV)/bin/ruff format --check
	$(call heading,mypy)
	@$(VENV)/bin/mypy
	$(call heading,import-linter)
	@$(VENV)/bin/lint-imports --no-cache
	$(call heading,tsc)
	@node_modules/.bin/tsc --noEmit -p tsconfig.json
	$(call heading,wire: generated types)
	@$(PY) manage.py makewire --check
	$(call heading,migrations)
	@$(PY) manage.py makemigrations --check --dry-run
	$(call heading,translations)
	@deploy/native/check-catalogues.sh
	$(call heading,deploy)
	@$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose/compose.yaml
	@$(VENV)/bin/hadolint deploy/images/Dockerfile

bench: $(DEV) ## measure; ONLY=group picks one group (installs what it needs)
	@deploy/native/packages.sh bench
	@$(PY) tests/benchmarks/run.py $(ONLY)

lock: $(DEV) ## renew requirements/*.txt from the *.in; UPGRADE=1 takes newer versions
	@$(PIP_COMPILE) requirements/base.in --output-file requirements/base.txt
	@$(PIP_COMPILE) requirements/dev.in --constraint requirements/base.txt --output-file requirements/dev.txt

wire: $(DEV) ## write the JSON Schema and the browser's types from the message definitions
	@$(PY) manage.py makewire

messages: $(DEV) ## collect texts to translate and compile the translations
	@$(PY) manage.py makemessages --all --no-wrap $(UNTRANSLATED)
	@$(PY) manage.py makemessages --all --no-wrap --domain djangojs $(UNTRANSLATED)
	@$(PY) manage.py compilemessages --ignore '.venv/*'

clean: ## remove what can be made again; data/ and the virtual environment stay
	@rm -rf build node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find apps media_worker platform tests -name __pycache__ -type d -prune -exec rm -rf {} +

packages:
	@deploy/native/packages.sh test

# What leans on the database most: locks, constraints, triggers, its clock. The same variable takes the
# whole of the tests there.
ON_POSTGRESQL := tests/access/test_action.py tests/audit tests/outbox tests/media/test_paths.py \
	tests/meetings/test_takeover.py tests/recordings/test_at_once.py tests/consilium/test_parts.py

PIP_COMPILE = $(VENV)/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11 $(if $(UPGRADE),--upgrade)
UNTRANSLATED = --ignore 'build/*' --ignore 'data/*' --ignore 'node_modules/*' --ignore 'static/vendor/*' --ignore 'tests/*'

$(PY):
	@python=$$(deploy/native/python.sh); \
	printf '\n== making a virtual environment in $(VENV) ==\n'; \
	rm -rf $(VENV); "$$python" -m venv $(VENV)

# The development packages contain the others at the same versions, so this takes nothing away.
$(BASE): requirements/base.txt | $(PY)
	$(call heading,installing the platform: the first time only$(comma) a minute or two$(comma) in silence)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

$(DEV): requirements/dev.txt requirements/base.txt | $(PY)
	$(call heading,installing the development tools: the first time only$(comma) a minute or two$(comma) in silence)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@ $(BASE)

$(NODE): package.json package-lock.json .npmrc
	@deploy/native/packages.sh check
	$(call heading,installing the type checker (the first time only))
	@npm ci --loglevel=error
	@touch $@
