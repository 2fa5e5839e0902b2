# make help says what there is.

PYTHON ?= python3
ARGS ?=
VENV := .venv/bin

INSTALLED := .venv/.installed
EMULATOR_INSTALLED := .local/emulator-venv/.installed
CLIENTS_INSTALLED := .local/clients-venv/.installed .local/clients-node/.installed
PROVE_INSTALLED := .local/prove-venv/.installed .local/prove-node/.installed
AUDIT_INSTALLED := .local/audit-venv/.installed
LOAD_INSTALLED := .local/load-venv/.installed
SCAN_INSTALLED := .local/scan-venv/.installed
PIP := -m pip install -qq --disable-pip-version-check

# The first interpreter that is new enough and can make virtual environments.
find_python = $$(for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& { command -v $$python; exit; }; \
	done; echo 'Engawa needs Python 3.11 or newer, with venv; PYTHON=... make names it.' >&2; echo false)

.DEFAULT_GOAL := help
.PHONY: help serve test chromium prove prove-contract prove-model prove-histories prove-clients nodejs coverage mutate bench load scale \
	check reference lint types format clean package deploy destroy scan audit lock

help:
	@echo 'make serve    serve on http://127.0.0.1:8000 (PORT=8001 make serve: there) with data in .local/'
	@echo 'make test     all tests; make test ARGS="-k quota" some'
	@echo 'make prove    the same for longer, with new random choices each time (docs/internals/quality.md)'
	@echo 'make coverage how much of the app tests run;  make mutate  whether they notice what is changed in its rules'
	@echo 'make bench    what requests cost, and cold starts'
	@echo 'make check    checks of a deployment: make check URL=https://api.example.com (docs/operating/operations.md)'
	@echo 'make load     60 seconds of load on a platform of its own: make load SECONDS=10 USERS=16 RATE=60'
	@echo 'make scale    how costs and latency grow with keys, friends, feeds and comments'
	@echo 'make package STAGE=prod    what runs on AWS, into build/;  make scan  its templates, for what is unsafe'
	@echo 'make deploy STAGE=prod     all of it to AWS;  BY=chalice  the functions alone;  make destroy  away with it'
	@echo 'make audit    asks for known weaknesses of what is installed;  make lock  writes the hashes of what the zip takes'
	@echo 'make reference    openapi.yaml into what /docs and /openapi.json serve'
	@echo 'make lint     style;  make types  types;  make format  correct the style'
	@echo 'make clean    remove .venv and caches; data and keys in .local/ stay'

serve: $(INSTALLED) $(EMULATOR_INSTALLED)
	@exec $(VENV)/python -m local

# A file's tests stay together, since those of tests/system share a platform; they wait for it more than they work.
WORKERS := -n 3 --dist loadfile --no-loadscope-reorder
test: $(INSTALLED) $(EMULATOR_INSTALLED) $(CLIENTS_INSTALLED) chromium
	@$(VENV)/python -m pytest -q $(WORKERS) $(ARGS)

# Tests of make test with more and with new examples; each prints what it has done.
prove: prove-contract prove-model prove-histories prove-clients

# DRAWS=1000: so many requests are drawn for each operation; all that its bounds give are sent.
DRAWS ?= 100
prove-contract: $(INSTALLED) $(EMULATOR_INSTALLED)
	@ENGAWA_CONTRACT_EXAMPLES=$(DRAWS) $(VENV)/python -m pytest -q tests/system/test_contract.py

# EXAMPLES=2000: so many sequences.
EXAMPLES ?= 400
prove-model: $(INSTALLED) $(EMULATOR_INSTALLED)
	@HYPOTHESIS_PROFILE=default MODEL_EXAMPLES=$(EXAMPLES) $(VENV)/python -m pytest -q -s tests/system/test_model.py

# HISTORIES=100: so many of each kind, of about 160 operations.
HISTORIES ?= 34
prove-histories: $(INSTALLED) $(EMULATOR_INSTALLED)
	@HISTORIES=$(HISTORIES) HISTORIES_SEED=$$(date +%s) $(VENV)/python -m pytest -q -s tests/system/test_histories.py

# What other generators and linters say of openapi.json, and whether what they make of it compiles.
prove-clients: $(INSTALLED) $(PROVE_INSTALLED)
	@$(VENV)/python -m tests.clients.proving

# npm, for the tests of generated clients. On other systems than Debian's: by hand.
nodejs:
	@command -v node > /dev/null && command -v npm > /dev/null && exit; \
	root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
	{ command -v apt-get && $$root true; } > /dev/null 2>&1 || { \
		echo 'The tests of generated clients need node and npm, and this cannot install them.' \
			'On Debian: apt-get install nodejs npm, as root.' >&2; exit 1; }; \
	echo 'Installing nodejs and npm ...'; \
	$$root apt-get -qq update && DEBIAN_FRONTEND=noninteractive $$root apt-get -qq -y install \
		--no-install-recommends nodejs npm > /dev/null

# The browser of the tests in tests/system, with a Japanese font. On other systems than Debian's: by hand.
chromium:
	@command -v chromium > /dev/null && command -v chromedriver > /dev/null && exit; \
	root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
	{ command -v apt-get && $$root true; } > /dev/null 2>&1 || { \
		echo 'The browser tests need chromium and chromedriver, and this cannot install them.' \
			'On Debian: apt-get install chromium chromium-driver fonts-noto-cjk, as root.' >&2; exit 1; }; \
	echo 'Installing chromium ...'; \
	$$root apt-get -qq update && DEBIAN_FRONTEND=noninteractive $$root apt-get -qq -y install \
		--no-install-recommends chromium chromium-driver fonts-noto-cjk > /dev/null

# ARGS=tests/system counts what those tests have the served platform run, too.
coverage: $(INSTALLED) $(EMULATOR_INSTALLED)
	@$(VENV)/coverage erase
	@$(VENV)/coverage run -m pytest -q $(WORKERS) tests/unit tests/integration tests/faults $(ARGS)
	@$(VENV)/coverage combine --quiet
	@$(VENV)/coverage report

# ARGS="window paging" for some modules of chalicelib/core.
mutate: $(INSTALLED)
	@$(VENV)/python -m tests.mutants $(ARGS)

bench: $(INSTALLED) $(EMULATOR_INSTALLED)
	@$(VENV)/python -m bench $(ARGS)

# Locust and matplotlib, in an environment of their own, since they bring sixty packages. ARGS=--docs: docs/internals/quality.md.
SECONDS ?= 60
USERS ?= 16
RATE ?= 60
load: $(INSTALLED) $(EMULATOR_INSTALLED) $(LOAD_INSTALLED)
	@$(VENV)/python -m bench.load --seconds '$(SECONDS)' --users '$(USERS)' --rate '$(RATE)' $(ARGS)

scale: $(INSTALLED) $(EMULATOR_INSTALLED) $(LOAD_INSTALLED)
	@$(VENV)/python -m bench.scale $(ARGS)

# ARCH=x86_64 for that processor, WARM=snapstart or WARM=<instances> against cold starts.
STAGE ?=
package deploy destroy: $(INSTALLED)
	@test -n '$(STAGE)' || { echo 'Which stage? As in make $@ STAGE=dev' >&2; exit 1; }
	@$(VENV)/python -m infra $@$(if $(filter deploy-chalice,$@-$(BY)),-by-chalice) '$(STAGE)'

# Checkov, in an environment of its own, since it pins a hundred packages.
scan: $(INSTALLED) $(SCAN_INSTALLED)
	@$(VENV)/python -m infra package prod > /dev/null
	@$(VENV)/cfn-lint build/prod/sam.yaml build/prod/global.yaml --regions ap-northeast-1
	@.local/scan-venv/bin/checkov --config-file infra/checkov.yaml

# Ends well where nobody can be asked, and says so; ARGS=--strict ends badly then.
audit: $(INSTALLED)
	@$(MAKE) -s $(AUDIT_INSTALLED) || true
	@$(VENV)/python -m infra.audit $(ARGS)

# After each change of requirements.txt, or of an .in file beside one.
lock: $(INSTALLED) $(AUDIT_INSTALLED)
	@$(VENV)/python -m infra.lock

check: $(INSTALLED)
	@test -n "$(URL)" || { echo 'Which platform? make check URL=https://api.example.com' >&2; exit 2; }
	@$(VENV)/python -m pytest -v --no-header --tb=short -p no:cacheprovider tests/checks --url="$(URL)" $(ARGS)

reference: $(INSTALLED)
	@$(VENV)/python -m infra.reference

lint: $(INSTALLED)
	@$(VENV)/ruff check --quiet .
	@$(VENV)/ruff format --quiet --check .

types: $(INSTALLED)
	@$(VENV)/mypy --no-error-summary

format: $(INSTALLED)
	@$(VENV)/ruff check --quiet --fix .
	@$(VENV)/ruff format --quiet .

clean:
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis mutants
	@find . -name __pycache__ -not -path './.local/*' -prune -exec rm -rf {} +

$(INSTALLED): requirements-dev.txt
$(EMULATOR_INSTALLED): local/requirements.txt
$(LOAD_INSTALLED): bench/requirements.txt
$(AUDIT_INSTALLED): infra/requirements-audit.txt
$(SCAN_INSTALLED): infra/requirements-scan.txt
.local/clients-venv/.installed: tests/clients/requirements.txt
.local/prove-venv/.installed: tests/clients/prove/requirements.txt
$(INSTALLED) $(EMULATOR_INSTALLED) $(LOAD_INSTALLED) $(AUDIT_INSTALLED) $(SCAN_INSTALLED) \
.local/clients-venv/.installed .local/prove-venv/.installed:
	@echo 'Installing $< into $(@D) ...'
	@mkdir -p -m 700 .local
	@$(find_python) -m venv $(@D)
	@$(@D)/bin/python $(PIP) --require-hashes -r $<
	@touch $@

.local/clients-node/.installed: tests/clients/package-lock.json
.local/prove-node/.installed: tests/clients/prove/package-lock.json
.local/clients-node/.installed .local/prove-node/.installed: | nodejs
	@echo 'Installing packages of npm into $(@D) ...'
	@mkdir -p -m 700 .local && mkdir -p $(@D)
	@cp $(<D)/package.json $(<D)/package-lock.json $(@D)
	@cd $(@D) && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@
