# Signalpost. `make run` starts a server to play with; `make help` lists the rest.
#
# Everything lives in .venv, from lock files with hashes. A stamp file in there says what is done.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WEB    := sdk/web
JAVA   := sdk/android
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS   ?=
PAGE   := src/signalpost/gateway/console/index.html
SCRIPT := src/signalpost/gateway/script/signal.js

.DEFAULT_GOAL := help
.PHONY: help run test test-python test-far test-cluster test-web test-android soak check check-python check-web check-android format api jar bench bench-cluster bench-client bench-web bench-android reference codes openapi lock page script wheel clean

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

run: $(VENV)/.installed browser-if-possible ## a server on port 8080 that takes any App ID and token (ARGS="--port 9000")
	@exec $(BIN)/signalpost serve --dev --port 8080 $(ARGS)

# Several at once, each printed whole when it ends: what waits leaves the processor to the others.
TOGETHER := @+$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target

# Python's tests come first, alone, for they keep all processors busy.
test: test-python ## all tests (ARGS="tests/domain -k calls": of Python, these)
	$(if $(ARGS),,$(TOGETHER) test-page test-web test-android)

test-python: $(VENV)/.developed $(if $(ARGS),,$(SCRIPT) $(JAVA)/target/.classes) programs
	$(BIN)/python -m pytest -q -n 2 $(ARGS)
	$(if $(ARGS),,FAR_ENGINE=tick $(FAR) $(FAR_SAMPLE))
	$(if $(ARGS),,CLUSTER=3 $(FAR) -m 'not one_node' $(CLUSTER_SAMPLE))

# The same with the engine far away, as tests/support/far.py does it; a sample of it is in `test-python`.
FAR := $(BIN)/python -m pytest -q -n 2
FAR_SAMPLE := tests/services/test_sessions.py tests/services/test_calls.py tests/services/test_inbox.py \
	tests/services/test_channels.py tests/system/test_devices.py tests/system/test_order.py

test-far: $(VENV)/.developed programs ## the services and the server with an engine that is far away (ARGS="tests/system")
	FAR_ENGINE=none $(FAR) $(or $(ARGS),tests/system)
	FAR_ENGINE=tick $(FAR) $(or $(ARGS),tests/services tests/system)
	FAR_ENGINE=2 $(FAR) $(or $(ARGS),tests/system)

# The same server as three nodes over a PostgreSQL and a Redis (tests/support/cluster_server.py), each connection to
# the next of them, without what is about one process, its disk or its start; then what can fail between them.
CLUSTER := tests/system/test_calls.py tests/system/test_order.py tests/system/test_presence.py
CLUSTER_SAMPLE := tests/system/test_presence.py

test-cluster: $(VENV)/.developed programs ## the server as three nodes, and what can fail between them (FAULTS=3: times)
	$(if $(ARGS),,CLUSTER=3 $(FAR) -m 'not one_node' $(CLUSTER))
	FAULTS=$(or $(FAULTS),3) $(BIN)/python -m pytest -q $(or $(ARGS),tests/cluster)

test-web: $(VENV)/.installed $(SCRIPT) programs ## the tests of the web SDK (ARGS="tests/core")
	cd $(WEB) && npm test -- $(ARGS)

test-android: $(VENV)/.installed $(SCRIPT) java ## the tests of the Java SDK (ARGS="-Dtest=LoopTest")
	cd $(JAVA) && $(MVN) test $(ARGS)

check: $(VENV)/.developed $(WEB)/node_modules/.installed java ## format, lint, types, layers, generated files
	$(TOGETHER) check-android check-python check-page check-web

check-python: $(VENV)/.developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict src protocol
	$(BIN)/lint-imports
	$(BIN)/python protocol/gen.py --check
	$(BIN)/python -m signalpost.api.openapi | cmp - docs/openapi.json

check-web: $(WEB)/dist/.built
	cd $(WEB) && npm run --silent check

check-android: $(VENV)/.installed java ## of the Java SDK: format, compiler, Android 21, R8, javadoc, API
	cd $(JAVA) && $(CHECKED)
	$(BIN)/python $(JAVA)/scripts/api.py $(JAVA)/$(CHECKS) --check
	$(BIN)/python $(JAVA)/scripts/phone.py $(JAVA)/$(CHECKS)

format: $(VENV)/.developed $(WEB)/node_modules/.installed console/node_modules/.installed java ## let the formatters format and sort what they can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	npm --prefix console run --silent format
	cd $(WEB) && npm run --silent format
	cd $(JAVA) && $(MVN) spotless:apply

api: $(VENV)/.installed java ## write down the public API of the Java SDK, which make check compares
	cd $(JAVA) && $(MVN) package -Doutputs=$(CHECKS) -Dmaven.test.skip
	$(BIN)/python $(JAVA)/scripts/api.py $(JAVA)/$(CHECKS) --write

jar: java ## the Java SDK with its sources and Javadoc, into the local Maven repository
	cd $(JAVA) && $(MVN) package source:jar-no-fork javadoc:jar install:install -Dmaven.test.skip

soak: $(VENV)/.developed ## whether memory comes back after minutes of a mixed load (SECONDS=300)
	SOAK_SECONDS=$(or $(SECONDS),120) $(BIN)/python -m pytest -q tests/soak $(ARGS)

bench: $(VENV)/.installed ## the measurements (ARGS="--quick")
	$(BIN)/python bench/run.py $(ARGS)

bench-cluster: $(VENV)/.installed ## nodes on PostgreSQL and Redis, beside an embedded one (ARGS="--rounds 1 --seconds 1")
	$(BIN)/python bench/cluster.py $(ARGS)

bench-client: $(VENV)/.installed ## the same for the Python client (ARGS="--rounds 1")
	$(BIN)/python bench/client.py $(ARGS)

bench-web: $(VENV)/.installed $(WEB)/dist/.built ## the same for the web SDK in Chromium (ARGS="5": rounds)
	node bench/web.mjs $(ARGS)

bench-android: $(VENV)/.installed $(JAVA)/target/.classes ## the same for the Java SDK (ARGS="5": rounds)
	java -XX:+UseSerialGC -cp "$(JAVA)/target/classes:$$(cat $(JAVA)/target/test-classpath.txt)" bench/Android.java $(ARGS)

reference: $(WEB)/node_modules/.installed ## write docs/reference/web again, from the web SDK's comments
	cd $(WEB) && npm run --silent reference

codes: $(VENV)/.installed ## render protocol/codes.toml again
	$(BIN)/python protocol/gen.py

# UPGRADE=1 takes the newest versions instead of keeping the locked ones.
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

openapi: $(VENV)/.installed ## write docs/openapi.json again, from the API's table
	$(BIN)/python -m signalpost.api.openapi > docs/openapi.json

lock: $(VENV)/.developed ## resolve the dependencies of pyproject.toml again (UPGRADE=1)
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock

page: $(PAGE) ## build the page that the server shows at / (needs Node.js 20.19 or newer)

script: $(SCRIPT) ## build the drop-in that the server has at /signal.js (needs the same)

wheel: $(VENV)/.installed $(PAGE) $(SCRIPT) ## the Python package with page and script in it, in dist/
	@rm -rf build
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

clean: ## remove what was made, the environment included
	rm -rf console/node_modules $(dir $(PAGE) $(SCRIPT)) dist build $(JAVA)/target
	rm -rf $(VENV) $(WEB)/node_modules $(WEB)/dist bench/build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests protocol bench -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the tests run besides ----------------------------------------------------------------

# By what each is found, and the package that has it. Debian keeps PostgreSQL's server off the path.
PROGRAMS := openssl:openssl chromium:chromium firefox-esr:firefox-esr \
	redis-server:redis-server postgres:postgresql systemd-analyze:systemd
OFF_PATH := /usr/lib/postgresql/*/bin

# RUNLEVEL=1: nothing that is installed here is started; the tests run servers of their own.
.PHONY: programs
programs:
	@PATH="$$PATH:$$(echo $(OFF_PATH) | tr ' ' ':')"; missing=; \
	for each in $(PROGRAMS); do command -v "$${each%:*}" >/dev/null || missing="$$missing $${each#*:}"; done; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing$$missing" >&2; \
		{ apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; } >&2; \
	else \
		echo "The tests need$$missing: on Debian, apt-get install$$missing" >&2; exit 1; \
	fi

# --- the environment ---------------------------------------------------------------------------

# Debian splits venv from Python; whoever may install packages gets it, others are told what to do.
$(BIN)/pip:
	@set -e; \
	ready() { $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; }; \
	if ! ready && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'installing python3-venv' >&2; \
		{ apt-get update -qq && apt-get install -y -qq python3 python3-venv; } >&2; \
	fi; \
	if ! ready; then \
		echo 'Python with venv is needed: on Debian, apt-get install python3 python3-venv' >&2; exit 1; \
	fi; \
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ...' >&2; exit 1; \
	fi; \
	echo 'creating $(VENV)' >&2; \
	$(PYTHON) -m venv --clear $(VENV)

PACKAGE := $(PIP) install --no-deps --no-build-isolation --editable .

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/pip
	@echo 'installing from requirements.lock' >&2
	@$(PIP) install --require-hashes --requirement requirements.lock >&2
	@$(PACKAGE) >&2
	@touch $@

$(VENV)/.developed: requirements-dev.lock pyproject.toml | $(BIN)/pip
	@echo 'installing from requirements-dev.lock' >&2
	@$(PIP) install --require-hashes --requirement requirements-dev.lock >&2
	@$(PACKAGE) >&2
	@touch $@ $(VENV)/.installed

# --- the web SDK -------------------------------------------------------------------------------

$(WEB)/node_modules/.installed: $(WEB)/package.json $(WEB)/package-lock.json
	@set -e; \
	if ! command -v npm >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'installing nodejs and npm' >&2; \
		{ apt-get update -qq && apt-get install -y -qq nodejs npm; } >&2; \
	fi; \
	if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a * 100 + +b < 2019 ? 1 : 0)'; then \
		echo 'The web SDK needs Node 20.19 or newer, with npm' >&2; exit 1; \
	fi
	@echo 'installing from $(WEB)/package-lock.json' >&2
	@cd $(WEB) && npm ci --silent >&2
	@touch $@

$(WEB)/dist/.built: $(WEB)/node_modules/.installed $(shell find $(WEB)/src -type f) $(wildcard $(WEB)/*.config.ts $(WEB)/tsconfig*.json)
	@echo 'building $(WEB)' >&2
	@cd $(WEB) && npm run --silent build >&2
	@touch $@

$(SCRIPT): $(WEB)/dist/.built
	@mkdir -p $(@D)
	@cp $(WEB)/dist/umd/signal.js.map $(WEB)/dist/umd/signal.js $(@D)
	@touch $@

# --- the page at / ------------------------------------------------------------------------------

PAGE_SOURCES := $(shell find console/src sdk/web/src -type f) \
	$(addprefix console/,index.html package.json tsconfig.json vite.config.ts)
NODE_READY := node -e 'const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null && command -v npm >/dev/null

.PHONY: node browser-if-possible test-page check-page
node:
	@$(NODE_READY) || { echo 'Node.js 20.19 or newer, with npm, is needed to build the page' >&2; exit 1; }

console/node_modules/.installed: console/package-lock.json | node
	@echo 'installing from console/package-lock.json' >&2
	@npm --prefix console ci --silent >&2
	@touch $@

$(PAGE): $(PAGE_SOURCES) | console/node_modules/.installed
	@echo 'building the page' >&2
	@npm --prefix console run --silent build -- --logLevel warn >&2

# The server does without: it has a plain page, too, and says how to build the script.
browser-if-possible:
	@if ! { $(NODE_READY); }; then \
		echo 'Node.js 20.19 or newer is not there: the server shows a plain page, and has no /signal.js' >&2; \
	elif ! $(MAKE) --no-print-directory page script; then \
		echo 'The page or the script could not be built: the server shows what there is' >&2; \
	fi

test-page: $(PAGE) $(VENV)/.installed programs
	npm --prefix console run --silent test

check-page: console/node_modules/.installed
	npm --prefix console run --silent check

# --- the Java SDK --------------------------------------------------------------------------------

# Quiet: .mvn/jvm.config lets through warnings, and what the tests counted.
MVN := mvn -B -ntp

# Compiled on its own each time: what was compiled without the checks would not be compiled again.
CHECKS  := target/check
CHECKED := rm -rf $(CHECKS) && $(MVN) -Pcheck -Doutputs=$(CHECKS) verify

# The classes of the SDK and its tests, and their class path: what tests in Python run.
$(JAVA)/target/.classes: $(JAVA)/pom.xml $(shell find $(JAVA)/src -type f) | java
	@echo 'compiling $(JAVA)' >&2
	@cd $(JAVA) && $(MVN) test-compile dependency:build-classpath -Dmdep.outputFile=target/test-classpath.txt >&2
	@touch $@

.PHONY: java
java:
	@ready() { command -v mvn >/dev/null && javac -version 2>/dev/null | \
		awk '{ split($$2, version, "."); exit !(version[1] >= 17) } END { if (!NR) exit 1 }'; }; \
	ready && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'installing openjdk-17-jdk-headless and maven' >&2; \
		{ apt-get update -qq && apt-get install -y -qq openjdk-17-jdk-headless maven; } >&2; \
	fi; \
	ready || { echo 'The Java SDK needs a JDK 17 or newer, and Maven: on Debian, apt-get install openjdk-17-jdk-headless maven' >&2; exit 1; }
