"""The containers of configs/compose, by podman: its image built, its services run as they say."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import yaml

from tests.proofs.debian_tree import call, hold, make_tree

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "configs" / "compose"
IMAGE, BASE, BROKER = "localhost/farmhand", "localhost/farmhand-base", "localhost/farmhand-broker"
# Authorities that this machine was told to trust, for whoever builds behind such a proxy.
OWN_AUTHORITIES = Path("/usr/local/share/ca-certificates")
UID = "8150"
# Podman asks for more than its own by default, which not every root may.
LIMITS = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024")
# The coordinator's, which Mosquitto shares: loopback, and nothing beyond.
NETWORK = ("--network", "none", "--add-host", "mosquitto:127.0.0.1")
# Names that compose.yaml wants from .env; both are this machine, as nobody else is in its network.
ANSWERS = {"FARM_URL": "https://localhost:8150", "FARM_BROKER_URL": "mqtts://localhost:8883"}


class Engine:
    """Podman with a store of its own, so that nothing of this machine's is touched."""

    def __init__(self, store: Path) -> None:
        """Take the folder for images, containers and volumes."""
        places = "--root", str(store / "images"), "--runroot", str(store / "running")
        self._command = ("podman", *places, "--cgroup-manager", "cgroupfs")

    def call(self, *words: str, timeout_s: float | None = None) -> str:
        return call(*self._command, *words, timeout_s=timeout_s)

    def made_base(self, folder: Path) -> str:
        """Return the name of a Debian image that trusts whom this machine trusts."""
        if BASE in self.call("images", "--format", "{{.Repository}}"):
            return BASE
        make_tree(folder, include=("ca-certificates",))
        to = folder / "usr/local/share/ca-certificates"
        shutil.copytree(OWN_AUTHORITIES, to, dirs_exist_ok=True)
        call("chroot", str(folder), "update-ca-certificates")
        bundle = "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"
        with subprocess.Popen(
            ("tar", "-C", str(folder), "-c", "."), stdout=subprocess.PIPE
        ) as files:
            made = subprocess.run(
                (*self._command, "import", "--change", f"ENV {bundle}", "-", BASE),
                stdin=files.stdout,
                capture_output=True,
                text=True,
                check=False,
            )
        hold(made.returncode == 0, f"podman import: {made.stderr}")
        return BASE

    def build(self, file: Path, image: str, base: str) -> None:
        """Build an image as `docker build` would; chroot is enough isolation for our own files."""
        self.call(
            "build", "--isolation", "chroot", "--network", "host", "--build-arg", f"BASE={base}",
            "--file", str(file), "--ignorefile", str(ROOM / "Dockerfile.dockerignore"),
            "--tag", image, str(ROOT),
        )  # fmt: skip

    def size_mb(self, image: str) -> float:
        return int(self.call("image", "inspect", "--format", "{{.Size}}", image)) / 1e6

    def end(self, *, keep: bool) -> None:
        """Take away what was made, but for the images where these are to be kept."""
        if not keep:
            self.call("system", "reset", "--force")


class Composed:
    """The containers of compose.yaml, by podman's flags."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Take what runs them, and a folder for the secret."""
        self._engine = engine
        self._services = yaml.safe_load((ROOM / "compose.yaml").read_text())["services"]
        self._secret = folder / "broker_password"
        self._secret.write_text("a password of the broker's")
        self._secret.chmod(0o400)
        os.chown(self._secret, int(UID), int(UID))

    def flags(self, service: str) -> list[str]:
        """Return what compose.yaml says of a service, as podman wants it said."""
        told = self._services[service]
        found = ["--cgroups", "disabled", *LIMITS]
        for name, value in told.get("environment", {}).items():
            asked = next((name for name in ANSWERS if f"${{{name}:" in str(value)), "")
            found += ["--env", f"{name}={ANSWERS.get(asked, value)}"]
        for mount in told["volumes"]:
            source, _, rest = mount.partition(":")
            found += [
                "--volume",
                f"{(ROOM / source).resolve() if source[0] == '.' else source}:{rest}",
            ]
        for secret in told.get("secrets", ()):
            found += ["--volume", f"{self._secret}:/run/secrets/{secret}:ro"]
        for place in told.get("tmpfs", ()):
            found += ["--tmpfs", place]
        if told.get("read_only"):
            found.append("--read-only")
        for capability in told.get("cap_drop", ()):
            found += ["--cap-drop", capability]
        for option in told.get("security_opt", ()):
            found += ["--security-opt", option.removesuffix(":true")]
        return found

    def start(self) -> None:
        """Run both, as `docker compose up -d` does."""
        command = self._services["coordinator"]["command"]
        flags = self.flags("coordinator")
        self._engine.call(
            "run", "--detach", "--name", "coordinator", *NETWORK, *flags, IMAGE, *command
        )
        program, *rest = self._services["mosquitto"]["entrypoint"]
        shared = ("--network", "container:coordinator", "--entrypoint", program)
        flags = self.flags("mosquitto")
        self._engine.call("run", "--detach", "--name", "mosquitto", *shared, *flags, BROKER, *rest)

    def run_once(self, *words: str) -> str:
        """Run the command in a container of its own, as `docker compose run --rm` does."""
        flags = self.flags("coordinator")
        return self._engine.call("run", "--rm", *NETWORK, *flags, IMAGE, *words)

    def inside(self, *words: str) -> str:
        """Run something beside the coordinator, as `docker compose exec` does."""
        return self._engine.call("exec", "coordinator", *words)

    def stop(self) -> float:
        """Stop both as `docker compose down` does; return how long the coordinator took."""
        self._engine.call("stop", "mosquitto")
        grace = self._services["coordinator"]["stop_grace_period"].removesuffix("s")
        began = time.monotonic()
        self._engine.call("stop", "--time", grace, "coordinator")
        took_s = time.monotonic() - began
        code = self._engine.call(
            "inspect", "--format", "{{.State.ExitCode}}", "coordinator"
        ).strip()
        hold(code == "0", f"the coordinator ended with {code} on SIGTERM, after {took_s:.1f} s")
        self._engine.call("rm", "mosquitto")
        self._engine.call("rm", "coordinator")
        return took_s

    def end(self) -> None:
        """Take both containers and their volumes away, whatever became of them."""
        for name in ("mosquitto", "coordinator"):  # the one in the other's network first
            self._engine.call("rm", "--force", "--ignore", "--time", "0", name)
        self._engine.call("volume", "rm", "--all", "--force")

    @property
    def check(self) -> list[str]:
        """The health check's command."""
        return [str(word) for word in self._services["coordinator"]["healthcheck"]["test"][1:]]

    def pid(self) -> str:
        return self._engine.call("inspect", "--format", "{{.State.Pid}}", "coordinator").strip()

    def log(self) -> str:
        return self._engine.call("logs", "--tail", "20", "coordinator")
