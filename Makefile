# make help says what there is.

PYTHON ?= python3
ARGS ?=
VENV := .venv/bin
EMULATOR := .local/emulator-venv

INSTALLED := .venv/.installed
EMULATOR_INSTALLED := $(EMULATOR)/.installed
PIP := -m pip install -qq --disable-pip-version-check

# The first interpreter that is new enough and can make virtual environments.
find_python = $$(for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& { command -v $$python; exit; }; \
	done; echo 'Engawa needs Python 3.11 or newer, with venv; PYTHON=... make names it.' >&2; echo false)

.DEFAULT_GOAL := help
.PHONY: help serve test chromium bench lint types format clean

help:
	@echo 'make serve    serve on http://127.0.0.1:8000 (PORT=8001 make serve: there) with data in .local/'
	@echo 'make test     all tests; make test ARGS="-k quota" some'
	@echo 'make bench    what requests cost'
	@echo 'make lint     style;  make types  types;  make format  correct the style'
	@echo 'make clean    remove .venv and caches; data and keys in .local/ stay'

serve: $(INSTALLED) $(EMULATOR_INSTALLED)
	@exec $(VENV)/python -m local

test: $(INSTALLED) $(EMULATOR_INSTALLED) chromium
	@$(VENV)/python -m pytest -q -n 2 --dist loadgroup $(ARGS)

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

bench: $(INSTALLED) $(EMULATOR_INSTALLED)
	@$(VENV)/python -m bench $(ARGS)

lint: $(INSTALLED)
	@$(VENV)/ruff check --quiet .
	@$(VENV)/ruff format --quiet --check .

types: $(INSTALLED)
	@$(VENV)/mypy --no-error-summary

format: $(INSTALLED)
	@$(VENV)/ruff check --quiet --fix .
	@$(VENV)/ruff format --quiet .

clean:
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.local/*' -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt requirements-dev.txt
	@echo 'Installing into .venv ...'
	@$(find_python) -m venv .venv
	@$(VENV)/python $(PIP) -r requirements-dev.txt
	@touch $@

$(EMULATOR_INSTALLED): local/requirements.txt
	@echo 'Installing the embedded AWS into $(EMULATOR) ...'
	@mkdir -p -m 700 .local
	@$(find_python) -m venv $(EMULATOR)
	@$(EMULATOR)/bin/python $(PIP) -r local/requirements.txt
	@touch $@
