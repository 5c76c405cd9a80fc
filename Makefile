.PHONY: help install test lint types imports check lock image image-check bench

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install:  ## install wikiq and its development tools, at the locked versions
	pip install --require-hashes -r requirements-dev.lock
	pip install --no-deps -e .

test:  ## run the tests
	pytest

lint:  ## check style
	ruff check .
	ruff format --check .

types:  ## check types
	mypy

imports:  ## check who may import whom
	lint-imports

check: lint types imports test  ## everything that CI checks, but on the source tree

lock:  ## pin the newest versions that pyproject.toml allows
	uv pip compile -q --upgrade --universal --generate-hashes pyproject.toml -o requirements.lock
	uv pip compile -q --upgrade --universal --generate-hashes --extra dev pyproject.toml -o requirements-dev.lock
	uv pip compile -q --upgrade --universal --generate-hashes --extra bench -c requirements-dev.lock pyproject.toml -o requirements-bench.lock
	python3 -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | \
	  uv pip compile -q --upgrade --universal --generate-hashes --python-version 3.11 - -o requirements-build.lock

image:  ## build the image of this checkout with Docker, as wikiq:local
	docker buildx build --load --tag wikiq:local --build-arg REVISION=$$(git rev-parse HEAD) .

image-check:  ## build it twice with Buildah, look at every path, run it read-only (as root; minutes)
	WIKIQ_TEST_BUILDAH="$${WIKIQ_TEST_BUILDAH:-buildah}" pytest tests/test_image_build.py

bench:  ## all that docs/performance.md tells, measured anew and written there; needs redis-server; an hour and a half
	pip install '.[bench]'
	python -m bench
