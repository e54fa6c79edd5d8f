# Everything a fresh machine needs is made here: a virtual environment in .venv, and what goes into it.
PYTHON ?= python3
DATA ?= $(or $(CUELENS_DATA),../shared/data)
BIN := .venv/bin
SHIPPED := models/cuelens_models/shipped
CORE := tests/device tests/models/bundle tests/test_house.py tests/test_rooms.py
PARALLEL := -n auto --dist loadscope
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo demo-picture test quick check coverage mutants site house plots schema settings reference completion wiring \
  wearer bystanders safety speed reliability shipped-bundle \
  image image-again image-base image-lock image-test update-bundle \
  release-check install-units uninstall-units deb arm64-roots clean

demo: .venv/.demo ## set up what the demo needs and run it (no TensorFlow)
	$(BIN)/cuelens demo

demo-picture: .venv/.demo ## draw the picture of README, docs/demo.png, again
	$(BIN)/python tools/demo_picture.py

test: .venv/.dev ## set up everything and run all tests, one process a core
	$(BIN)/python -m pytest $(PARALLEL)

quick: check ## lint, types, and the tests of what runs on the glasses
	$(BIN)/python -m pytest $(PARALLEL) -q -m "not slow" $(CORE)
	@echo "left out: training, conversion, reports, benchmarks, and tests marked slow; make test runs them"

check: .venv/.dev ## lint, types, and code that nothing uses
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/vulture

coverage: .venv/.dev ## which lines and branches no test runs, those of child processes included (slow)
	$(BIN)/python -m pytest $(PARALLEL) -q --cov --cov-report=term tests/device tests/models tests/convert tests/test_house.py

site: .venv/.dev ## the documentation as a site in build/site; a link to nothing is an error, no network is needed
	rm -rf build/site build/site-pages
	$(BIN)/python -m sphinx -q -E -W --keep-going -n -c docs/site -d build/site-pages . build/site
	@echo "build/site/index.html; links to other hosts, which nothing fetched: build/site/outside-links.txt"

mutants: .venv/.dev ## change the pure rooms place by place, and count what their tests notice (pip install cosmic-ray; slow)
	$(BIN)/python benchmarks/mutants.py

house: .venv/.dev ## draw the rooms and the imports between them into docs/house.svg
	$(BIN)/python tools/house.py

plots: .venv/.dev ## draw the plots of the documentation from the figures in docs/results
	$(BIN)/python -m benchmarks.plots

schema: .venv/.dev ## write the JSON Schema of a profile into docs/profile.schema.json
	$(BIN)/python tools/profile_schema.py

settings: .venv/.dev ## write the page of the settings and a file with all of them, from their descriptions
	$(BIN)/python tools/settings_reference.py

completion: .venv/.dev ## write what completes the commands in bash and zsh, from their arguments
	$(BIN)/python tools/completion.py

reference: .venv/.dev ## write docs/reference: profile, events, bundle and commands, from the code
	$(BIN)/python tools/reference.py

wiring: .venv/.dev ## draw how the glasses are wired, and list the pins, from the settings as they are
	$(BIN)/python tools/wiring.py

wearer: .venv/.dev ## draw the lights and the presses for the child's page, from the profile and the gestures
	$(BIN)/python tools/wearer_pictures.py

bystanders: .venv/.dev ## write the card for bystanders and its QR codes, in each language
	$(BIN)/python tools/bystanders.py

safety: .venv/.dev ## compute how bright, loud and warm the glasses may be, and write the tables of docs/safety.md
	$(BIN)/python tools/safety.py

speed: .venv/.dev ## write docs/speed.md from the figures that were measured on boards and workstations
	$(BIN)/python benchmarks/speed.py

reliability: .venv/.dev ## inject every fault into running glasses, and write what came of it into docs/reliability.md
	$(BIN)/python tools/reliability.py

shipped-bundle: .venv/.dev ## make the shipped bundle again from its .keras, and compare their content
	mkdir -p build
	$(BIN)/convert-model $(SHIPPED)/cuelens.keras --data $(DATA) -o build/cuelens.tflite --expect $(SHIPPED)/cuelens.tflite
	@echo "the same content, but for rounding, as $(SHIPPED)/cuelens.tflite"

release-check: .venv/.dev build/release-tools/.made ## everything that a release needs: a list with ticks, or with what is missing
	$(BIN)/python tools/release.py

build/release-tools/.made: tools/release.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r tools/release.txt
	@touch $@

install-units uninstall-units: ## units and what else the operating system reads (DESTDIR=, PREFIX=, REBOOT=1), and away again
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' REBOOT='$(REBOOT)' systemd/install-units $(@:-units=)

deb: .venv/.made ## the packages for the glasses, in build/deb (docs/makers/install.md)
	rm -rf build/deb
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/deb .
	packaging/make-deb build/deb/cuelens-*.whl build/deb

arm64-roots: .venv/.made ## what tests/install needs and never fetches: both releases, emulated (once, as root, a quarter of an hour)
	$(BIN)/python tests/install/roots.py

FLAVOUR ?= emulator
IMAGE := cd device && $(PYTHON) -m image --flavour $(FLAVOUR)

image: ## the file that is written to a memory card (FLAVOUR=board: needs the archive of Raspberry Pi OS)
	$(IMAGE) build

image-again: ## build the image once more, and compare
	$(IMAGE) again

image-base: ## fill the cache of the image: tools and base layer (five to thirty minutes)
	$(IMAGE) fill

image-lock: ## take the packages that the archives have now into the lock files (FLAVOUR=board: those of a board)
	$(IMAGE) lock

image-test: .venv/.dev ## boot the image in an emulator, and use it
	CUELENS_IMAGE_TEST=1 $(BIN)/python -m pytest -n 2 --dist loadfile -rP tests/image
	$(IMAGE) tried

update-bundle: ## the signed update for glasses in use (CUELENS_KEY=, CUELENS_CERTIFICATE=)
	$(IMAGE) update

clean: ## remove what was made
	rm -rf .venv build dist

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "cuelens needs Python 3.11 to 3.13: run make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.demo: pyproject.toml | .venv/.made
	@echo "setting up the demo in .venv (about a minute) ..."
	$(PIP) -e '.[demo]'
	@touch $@

.venv/.dev: pyproject.toml | .venv/.made
	@echo "setting up everything in .venv, TensorFlow included (a few minutes) ..."
	$(PIP) -e '.[dev]'
	@touch $@ .venv/.demo
