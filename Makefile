# `make demo` and `make test` set up all they need. PYTHON=... chooses the interpreter, VENV=... the environment.
VENV ?= .venv
PY = $(VENV)/bin/python
# Processes that test side by side. Many tests wait for processes of their own: on two cores, three are faster than two.
TEST_WORKERS ?= 3

.PHONY: demo test test-slow lint docs clean

demo: $(VENV)/.ready
	$(VENV)/bin/blendmill render s2rda13 --out demo/s2rda13 --images 39 --seed 1
	$(VENV)/bin/blendmill inspect demo/s2rda13 --sheet demo/labels.png --contact demo/contact_sheet.png
	@echo "data set: demo/s2rda13   contact sheet: demo/contact_sheet.png   labels: demo/labels.png"

test: $(VENV)/.ready-dev
	$(PY) -m pytest -n $(TEST_WORKERS)

test-slow: $(VENV)/.ready-dev
	$(PY) -m pytest -m slow

lint: $(VENV)/.ready-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

# A link that leads nowhere is an error. The site needs neither Blender nor PyTorch.
docs: $(VENV)/.ready-docs
	$(PY) -m mkdocs build --strict
	@echo "site: build/site/index.html"

$(VENV)/.ready: pyproject.toml constraints.txt setup.sh
	sh setup.sh $(VENV) render
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	sh setup.sh $(VENV) render,farm,train,dev
	@touch $@

$(VENV)/.ready-docs: pyproject.toml constraints.txt setup.sh
	sh setup.sh $(VENV) docs
	@touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info
