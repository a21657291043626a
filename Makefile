# Aliases: `python3 scripts/bootstrap.py demo` is the same where there is no make.
PYTHON ?= python3

.PHONY: help setup demo test check clean
help:
	@$(PYTHON) scripts/bootstrap.py
setup demo test check:
	@$(PYTHON) scripts/bootstrap.py $@
clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
