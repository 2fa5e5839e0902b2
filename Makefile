# The text after `##` is what `make help` prints.

PYTHON ?= python3
ARGS ?=
VENV := .venv/bin

SERVE_INSTALLED := .venv/.serve
INSTALLED := .venv/.installed
EMULATOR_INSTALLED := .local/emulator-venv/.installed
CLIENTS_INSTALLED := .local/clients-venv/.installed .local/clients-node/.installed
PROVE_INSTALLED := .local/prove-venv/.installed .local/prove-node/.installed
AUDIT_INSTALLED := .local/audit-venv/.installed
LOAD_INSTALLED := .local/load-venv/.installed
SCAN_INSTALLED := .local/scan-venv/.installed
PIP_OPTIONS = -qq --disable-pip-version-check

# The first interpreter that is new enough and can make virtual environments.
find_python = $$(for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& { command -v $$python; exit; }; \
	done; echo 'Engawa needs Python 3.11 or newer, with venv; select it with PYTHON=...' >&2; echo false)

.DEFAULT_GOAL := help
.PHONY: help install serve test test-lambda chromium prove prove-rules prove-contract prove-model prove-histories prove-signals prove-clients nodejs film lighthouse coverage mutate bench load scale \
	quick check reference lint types format clean settings package deploy rollback destroy scan audit lock

help:  ## list the targets
	@sed -En 's/^([a-z -]+):[^#]*## (.*)/make \1\t\2/p' Makefile | expand -t 30

install: $(SERVE_INSTALLED) $(EMULATOR_INSTALLED)  ## install what make serve, chalice local and python -m admin need

# The ports are checked first: an installation takes a while.
serve:  ## serve on http://127.0.0.1:8000, or on PORT=8001, with data in .local/; REQUESTS=off prints no requests
	@$(find_python) -m local.ports
	@$(MAKE) -s --no-print-directory install
	@exec $(VENV)/python -m local

# Hundreds of processes start during the tests; without bytecode on disk, each would compile all modules.
test test-lambda quick: export PYTHONDONTWRITEBYTECODE =
# The tests of a file run in one process, since those of tests/system share a platform; they wait more than they compute.
WORKERS := -n 3 --dist loadfile --no-loadscope-reorder
test: $(INSTALLED) $(EMULATOR_INSTALLED) $(CLIENTS_INSTALLED) chromium  ## run all tests; ARGS="-k quota" selects some of them
	@$(VENV)/python -m pytest -q $(WORKERS) $(ARGS)

# The bytecode in the zip is that of this Python; the other tests run on the one of .venv.
test-lambda: $(INSTALLED)  ## run the unit and integration tests on Lambda's Python, if this machine has it
	@python=$$($(VENV)/python -c 'from infra.bundle import target_python; print(target_python() or "")'); \
	if [ -z "$$python" ]; then echo 'This machine does not have the Python of Lambda, so its tests are left out.'; exit; fi; \
	$(MAKE) -s PYTHON="$$python" .local/lambda-venv/.installed && \
	.local/lambda-venv/bin/python -m pytest -q $(WORKERS) -p no:cacheprovider -m 'not moto' tests/unit tests/integration

quick: lint types  ## check style and types, and run the unit tests and the integration tests of changed files
	@$(VENV)/python -m pytest -q -n 2 tests/unit $$({ git diff --name-only --diff-filter=d HEAD; \
		git ls-files --others --exclude-standard; } | grep '^tests/integration/test_')

# Tests of make test, with more and with new examples; each prints what it has done.
prove: prove-rules prove-contract prove-model prove-histories prove-signals prove-clients  ## run the random tests longer, with new choices each time (docs/internals/quality.md)

prove-rules: $(INSTALLED)  ## run the unit and integration tests with more random examples, which are new each time
	@HYPOTHESIS_PROFILE=default $(VENV)/python -m pytest -q $(WORKERS) tests/unit tests/integration

# The requests at the bounds of openapi.yaml are sent as well, besides the drawn ones.
DRAWS ?= 100
prove-contract: $(INSTALLED) $(EMULATOR_INSTALLED)  ## send requests drawn from openapi.yaml; DRAWS=1000 sets how many for each operation
	@ENGAWA_CONTRACT_EXAMPLES=$(DRAWS) $(VENV)/python -m pytest -q tests/system/test_contract.py

EXAMPLES ?= 400
prove-model: $(INSTALLED) $(EMULATOR_INSTALLED)  ## compare the server with a model; EXAMPLES=2000 sets how many sequences
	@HYPOTHESIS_PROFILE=default MODEL_EXAMPLES=$(EXAMPLES) $(VENV)/python -m pytest -q -s tests/system/test_model.py

# A history has about 160 operations.
HISTORIES ?= 34
prove-histories: $(INSTALLED) $(EMULATOR_INSTALLED)  ## check concurrent histories; HISTORIES=100 sets how many of each kind
	@HISTORIES=$(HISTORIES) HISTORIES_SEED=$$(date +%s) $(VENV)/python -m pytest -q -s tests/system/test_histories.py

PAIRS ?= 300
prove-signals: $(INSTALLED)  ## send pairs of signals to processes that must end; PAIRS=1000 sets how many
	@SIGNAL_PAIRS=$(PAIRS) $(VENV)/python -m pytest -q tests/system/test_stopping.py -k pair

# Third-party linters check openapi.json; third-party generators make clients from it, which must compile.
prove-clients: $(INSTALLED) $(PROVE_INSTALLED)  ## check openapi.yaml with third-party linters and generators
	@$(VENV)/python -m tests.clients.proving

# $(call on_debian,commands,packages,reason): install the packages unless all the commands exist.
define on_debian
	@$(foreach command,$(1),command -v $(command) > /dev/null &&) exit; \
	root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
	{ command -v apt-get && $$root true; } > /dev/null 2>&1 || { \
		echo '$(3), and make cannot install them here. On Debian, run as root: apt-get install $(2)' >&2; exit 1; }; \
	echo 'Installing $(2) ...'; \
	$$root apt-get -qq update && DEBIAN_FRONTEND=noninteractive $$root apt-get -qq -y install \
		--no-install-recommends $(2) > /dev/null
endef

# For the tests of generated clients. On systems other than Debian, install them by hand.
nodejs:
	$(call on_debian,node npm,nodejs npm,The tests of generated clients need node and npm)

# The browser for tests/system, with a Japanese font. On systems other than Debian, install it by hand.
chromium:
	$(call on_debian,chromium chromedriver,chromium chromium-driver fonts-noto-cjk,The browser tests need chromium and chromedriver)

film: $(INSTALLED) $(EMULATOR_INSTALLED) chromium  ## take screenshots of the web pages into .local/film; ARGS=story or ARGS=pages takes a part
	@$(VENV)/python -m tests.film .local/film $(ARGS)

lighthouse: $(INSTALLED) $(EMULATOR_INSTALLED) .local/lighthouse-node/.installed chromium  ## let Lighthouse score the web pages
	@$(VENV)/python -m tests.lighthouse.measure

coverage: $(INSTALLED) $(EMULATOR_INSTALLED)  ## measure how much of the app the tests run; ARGS=tests/system adds the served platform
	@$(VENV)/coverage erase
	@$(VENV)/coverage run -m pytest -q $(WORKERS) tests/unit tests/integration tests/faults $(ARGS)
	@$(VENV)/coverage combine --quiet
	@$(VENV)/coverage report

mutate: $(INSTALLED)  ## check whether tests notice changes in the rules; ARGS="window paging" for some modules
	@$(VENV)/python -m tests.mutants $(ARGS)

bench: $(INSTALLED) $(EMULATOR_INSTALLED)  ## count what requests cost, and measure cold starts
	@$(VENV)/python -m bench $(ARGS)

# Locust and matplotlib, in an environment of their own, since they bring sixty packages. ARGS=--docs updates docs/internals/quality.md.
SECONDS ?= 60
USERS ?= 16
RATE ?= 60
load: $(INSTALLED) $(EMULATOR_INSTALLED) $(LOAD_INSTALLED)  ## start a platform and put it under load: SECONDS=10 USERS=16 RATE=60
	@$(VENV)/python -m bench.load --seconds '$(SECONDS)' --users '$(USERS)' --rate '$(RATE)' $(ARGS)

scale: $(INSTALLED) $(EMULATOR_INSTALLED) $(LOAD_INSTALLED)  ## measure how costs grow with keys, friends, feeds, comments and users
	@$(VENV)/python -m bench.scale $(ARGS)

# engawa.toml has the settings of stages (engawa.example.toml). For one run: FRONT=url uses a function URL instead of API
# Gateway; ARCH=x86_64 selects that processor; WARM=snapstart or WARM=<instances> avoids cold starts.
STAGE ?=
settings package deploy destroy: $(SERVE_INSTALLED)  ## show the settings of the stage STAGE=dev, build, deploy or delete it; BY=chalice deploys only the functions
	@test -n '$(STAGE)' || { echo 'Name the stage, as in: make $@ STAGE=dev' >&2; exit 1; }
	@$(VENV)/python -m infra $@$(if $(filter deploy-chalice,$@-$(BY)),-by-chalice) '$(STAGE)'

rollback: $(SERVE_INSTALLED)  ## go back to the release before: STAGE=prod; TO=2026-11-24T03:00:00.000Z selects an older one
	@test -n '$(STAGE)' || { echo 'Name the stage, as in: make $@ STAGE=dev' >&2; exit 1; }
	@$(VENV)/python -m infra rollback '$(STAGE)' $(if $(TO),--to '$(TO)')

# Checkov, in an environment of its own, since it pins a hundred packages.
scan: $(INSTALLED) $(SCAN_INSTALLED)  ## search the built templates for unsafe settings
	@$(VENV)/python -m infra package prod > /dev/null
	@$(VENV)/cfn-lint $(addprefix build/prod/,sam.yaml global.yaml edge_watch.yaml copy.yaml) --regions ap-northeast-1
	@.local/scan-venv/bin/checkov --config-file infra/checkov.yaml

# If the vulnerability service does not answer, it says so and succeeds; with ARGS=--strict it fails.
audit: $(INSTALLED)  ## check installed packages for known weaknesses; ARGS=--strict fails if that cannot be checked
	@$(MAKE) -s $(AUDIT_INSTALLED) || true
	@$(VENV)/python -m infra.audit $(ARGS)

lock: $(AUDIT_INSTALLED)  ## write the lock files, after a change of requirements.txt or of an .in file
	@.local/audit-venv/bin/python -m infra.lock

check: $(INSTALLED)  ## check a deployment: URL=https://api.example.com (docs/operating/operations.md)
	@test -n "$(URL)" || { echo 'Name the platform, as in: make check URL=https://api.example.com' >&2; exit 2; }
	@$(VENV)/python -m pytest -v --no-header --tb=short -p no:cacheprovider tests/checks --url="$(URL)" $(ARGS)

reference: $(SERVE_INSTALLED)  ## generate /openapi.json from openapi.yaml, and the pages of /docs
	@$(VENV)/python -m infra.reference
	@$(VENV)/python -m infra.site

lint: $(INSTALLED)  ## check the style
	@$(VENV)/ruff check --quiet .
	@$(VENV)/ruff format --quiet --check .

types: $(INSTALLED)  ## check the types
	@$(VENV)/mypy --no-error-summary

format: $(INSTALLED)  ## fix the style
	@$(VENV)/ruff check --quiet --fix .
	@$(VENV)/ruff format --quiet .

clean:  ## remove .venv and caches; data and keys in .local/ stay
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis mutants
	@find . -name __pycache__ -not -path './.local/*' -prune -exec rm -rf {} +

# $(call installed,pip): install the packages of $< into the environment $(@D) with this pip, and say how long it took.
define installed
	@printf 'Installing %s packages into %s ... ' "$$(grep '^[A-Za-z].*==' $< | grep -vc win32)" '$(@D)'; \
	started=$$(date +%s); mkdir -p -m 700 .local; \
	$(find_python) -m venv $(2) $(@D) || exit 1; \
	$(1) install $(PIP_OPTIONS) --require-hashes -r $< || { $(not_installed); exit 1; }; \
	echo "$$(($$(date +%s) - started)) s"
endef

not_installed = printf '\n%s\n' 'The packages of $< could not be installed. They are needed once, from PyPI or from another index, which' \
	'PIP_INDEX_URL=... names. Without a network: get them on a machine of the same kind that has one, with' \
	'  python3 -m pip download --require-hashes -r $< -d wheels' \
	'copy the folder wheels to this machine, and call make with PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels.' >&2

# The packages of make serve are compiled when they are first used, which is half of their installation.
$(SERVE_INSTALLED): PIP_OPTIONS += --no-compile
$(SERVE_INSTALLED): local/requirements-serve.txt
	$(call installed,$(@D)/bin/python -m pip)
	@touch $@

$(INSTALLED): requirements-dev.txt
	$(call installed,$(@D)/bin/python -m pip)
	@touch $(SERVE_INSTALLED) $@

# It has no pip of its own, which is a fifth of its size.
$(EMULATOR_INSTALLED): PIP_OPTIONS += --no-compile
$(EMULATOR_INSTALLED): local/requirements.txt | $(SERVE_INSTALLED)
	$(call installed,$(VENV)/python -m pip --python $(@D)/bin/python,--without-pip)
	@touch $@

.local/lambda-venv/.installed: requirements-dev.txt
$(LOAD_INSTALLED): bench/requirements.txt
$(AUDIT_INSTALLED): infra/requirements-audit.txt
$(SCAN_INSTALLED): infra/requirements-scan.txt
.local/clients-venv/.installed: tests/clients/requirements.txt
.local/prove-venv/.installed: tests/clients/prove/requirements.txt
$(LOAD_INSTALLED) $(AUDIT_INSTALLED) $(SCAN_INSTALLED) \
.local/lambda-venv/.installed .local/clients-venv/.installed .local/prove-venv/.installed:
	$(call installed,$(@D)/bin/python -m pip)
	@touch $@

.local/clients-node/.installed: tests/clients/package-lock.json
.local/prove-node/.installed: tests/clients/prove/package-lock.json
.local/lighthouse-node/.installed: tests/lighthouse/package-lock.json
.local/clients-node/.installed .local/prove-node/.installed .local/lighthouse-node/.installed: | nodejs
	@echo 'Installing packages of npm into $(@D) ...'
	@mkdir -p -m 700 .local && mkdir -p $(@D)
	@cp $(<D)/package.json $(<D)/package-lock.json $(@D)
	@cd $(@D) && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@
