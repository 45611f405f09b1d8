# Development verbs that are not worth a command of their own.

# Pin all dependencies anew: versions and hashes, for every platform; never an address.
LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --quiet \
	--custom-compile-command "make lock" \
	--extra agent --extra coordinator --extra postgresql --extra slicing --extra setup

.PHONY: lock
lock:
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra dev --extra step --extra wasm --constraints requirements.lock --output-file requirements-dev.lock

# Write down the shapes of the API's answers for the page.
.PHONY: shapes
shapes:
	.venv/bin/python -m coordinator.dashboard.describe_shapes
