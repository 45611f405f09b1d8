# Development verbs that are not worth a command of their own.

# Pin all dependencies anew: versions and hashes, for every platform; never an address.
LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --quiet \
	--custom-compile-command "make lock" \
	--extra agent --extra coordinator --extra postgresql --extra slicing --extra setup

# The two cannot share an environment: each wants another kernel under the same name.
CAD = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --quiet --custom-compile-command "make lock" --output-file

# What a package brings along, and the pip that installs it without a network.
BROUGHT = uv pip compile pyproject.toml systemd/packages/locks/installer.in --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	--quiet --custom-compile-command "make lock" --constraints requirements.lock --output-file

.PHONY: lock
lock:
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra dev --extra step --extra wasm --constraints requirements.lock --output-file requirements-dev.lock
	$(CAD) coordinator/adapters/rendering/locks/build123d.txt coordinator/adapters/rendering/locks/build123d.in
	$(CAD) coordinator/adapters/rendering/locks/cadquery.txt coordinator/adapters/rendering/locks/cadquery.in
	$(BROUGHT) systemd/packages/locks/agent.txt --extra agent
	$(BROUGHT) systemd/packages/locks/coordinator.txt --extra coordinator --extra postgresql --extra slicing

# Write down the shapes of the API's answers for the page.
.PHONY: shapes
shapes:
	.venv/bin/python -m coordinator.dashboard.describe_shapes
