# Every target that needs Python makes .venv itself; a second call finds it ready.
.DEFAULT_GOAL := help
PYTHON ?= python3.11 python3.12 python3.13 python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock"

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# $(call venv,FOLDER): a virtual environment of the first Python in PYTHON that is new enough
define venv
	@test -x $(1)/bin/python || { \
	    for python in $(PYTHON); do \
	        if "$$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	            echo "Creating $(1) with $$python (another one: make PYTHON=/path/to/python3 ...)" >&2; \
	            exec "$$python" -m venv $(1); \
	        fi; \
	    done; \
	    echo "Daypass needs Python 3.11 or later with its venv module (on Debian: apt install python3-venv)." >&2; \
	    echo "None found as: $(PYTHON). To choose one: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
	    exit 1; }
endef

# $(call install,FILE): the pinned, hashed packages of requirements/FILE.txt, and Daypass itself from this folder
define install
	$(call venv,$(VENV))
	@echo "Installing the packages of requirements/$(1).txt into $(VENV); the first time this takes about a minute." >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/$(1).txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/run.ready: requirements/run.txt pyproject.toml
	$(call install,run)

$(VENV)/dev.ready: requirements/dev.txt pyproject.toml
	$(call install,dev)
	@touch $(VENV)/run.ready

run: $(VENV)/run.ready  ## start Daypass here, on embedded parts (ARGS go to `daypass up`)
	@exec $(BIN)/daypass up $(ARGS)

up: $(VENV)/run.ready  ## start Daypass in containers (ARGS: --json)
	@exec $(BIN)/python -m deploy up $(ARGS)

down: $(VENV)/run.ready  ## remove the containers (ARGS: --volumes deletes the data too)
	@exec $(BIN)/python -m deploy down $(ARGS)

backup: $(VENV)/run.ready  ## write all data of the containers to one file, while they run: make backup FILE=shop.tar
	@exec $(BIN)/python -m deploy backup "$(FILE)" $(ARGS)

restore: $(VENV)/run.ready  ## put a backup in their place: make restore FILE=shop.tar (ARGS: --yes)
	@exec $(BIN)/python -m deploy restore "$(FILE)" $(ARGS)

images: $(VENV)/run.ready  ## make what plain docker-compose needs: images, secrets, .env
	@exec $(BIN)/python -m deploy images $(ARGS)

test: $(VENV)/dev.ready  ## run all tests, two at a time (ARGS go to pytest)
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadgroup --no-loadscope-reorder $(ARGS)

schema: $(VENV)/dev.ready  ## send thousands of requests made of the OpenAPI document, and hold the answers to it
	DAYPASS_TEST_SCHEMA_REQUESTS=100 $(BIN)/python -m pytest tests/e2e/test_schema.py $(ARGS)

coverage: $(VENV)/dev.ready  ## run the tests of this process and say which lines none of them reaches
	$(BIN)/python -m coverage run -m pytest tests/unit tests/integration $(ARGS)
	$(BIN)/python -m coverage report --skip-covered

check: $(VENV)/dev.ready  ## lint, types, layers, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit:  ## look the pinned packages up in an advisory service, where one can be reached
	$(call venv,build/audit)
	@build/audit/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/audit.txt
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/dev.txt

fix: $(VENV)/dev.ready  ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(VENV)/dev.ready  ## make the tables of docs/, the list of endpoints and the gateway's routes again
	$(BIN)/python -m docs.generate
	$(BIN)/python -m deploy.gateway.generate

lock: $(VENV)/dev.ready  ## pin the packages again, with hashes and without any index
	$(BIN)/python -m pip install -q uv
	$(LOCK) pyproject.toml --extra embedded --group build --group example --group test --group check --group bench -o requirements/dev.txt
	$(LOCK) pyproject.toml --extra embedded --group build --group example -c requirements/dev.txt -o requirements/run.txt
	$(LOCK) pyproject.toml --group build -c requirements/dev.txt -o requirements/runtime.txt
	$(LOCK) --group audit -o requirements/audit.txt

bench: $(VENV)/dev.ready  ## measure, into build/bench (ARGS: names, as tests/bench/__main__.py has them; default all)
	$(BIN)/python -m tests.bench $(ARGS)

model: $(VENV)/dev.ready  ## check the protocol of revocation with spin, and see broken ones refuted (ARGS: names)
	$(BIN)/python -m tests.model $(ARGS)

soak: $(VENV)/dev.ready  ## check the promise for long, while processes run (PROBES=1000000)
	$(BIN)/python -m tests.e2e.revocation $(PROBES)

clean:  ## remove what was built; data directories stay
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.PHONY: help run up down backup restore images test schema coverage check audit fix generate lock bench model soak clean
