"""The wheel: built, checked for manylinux, installed into an empty environment, and used there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MATURIN = shutil.which("maturin", path=str(Path(sys.executable).parent))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or not MATURIN or not shutil.which("cargo"),
        reason="needs Linux, maturin and cargo",
    ),
]

SESSION = """
import numpy as np, tacit
from tacit import _native
from pathlib import Path
assert Path(tacit.__file__).is_relative_to({environment!r}), tacit.__file__
assert Path(_native.__file__).is_relative_to({environment!r}), _native.__file__
with tacit.local("replicated3", processes=True) as mpc:
    x = mpc.share(np.array([1.5, -2.0, 0.25]), owner="alice")
    y = mpc.share(np.array([2.0, 3.0, 4.0]), owner="bob")
    assert abs(tacit.relu(x * y).reveal(to="all") - [3.0, 0.0, 1.0]).max() < 1e-3
print("computed")
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds the wheel and nothing of this checkout."""

    folder: Path

    def run(self, *command: str) -> str:
        """Run a program of the environment, away from the checkout and without its paths."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
        done = subprocess.run(
            [self.folder / "bin" / command[0], *command[1:]],
            cwd=self.folder,
            env=clean,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the compiler's results of the editable installation where they fit."""
    out = tmp_path_factory.mktemp("wheel")
    assert MATURIN
    options = ["--release", "--quiet", "--out", str(out), "--interpreter", sys.executable]
    # Fails unless every library and symbol it needs is one of a manylinux platform.
    options += ["--compatibility", "pypi", "--auditwheel", "check"]
    done = subprocess.run(
        [MATURIN, "build", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An empty environment into which the wheel was installed with all that it asks for.

    Without a package index it borrows its dependencies from this environment.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    # Python itself compiles what is used, a small part of all that.
    pip += ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10"]
    pip += ["--no-compile"]
    done = subprocess.run([*pip, str(wheel)], capture_output=True, text=True, check=False)
    if done.returncode:
        alone = subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=False)
        assert alone.returncode == 0, done.stderr
        (packages,) = folder.glob("lib/python*/site-packages")
        import numpy

        borrowed = Path(numpy.__file__).parents[1]
        (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    yield Environment(folder)
    shutil.rmtree(folder)


def test_the_wheel_is_for_manylinux_and_any_later_python(wheel: Path) -> None:
    assert re.fullmatch(r"tacit-[0-9.]+-cp311-abi3-manylinux_2_\d+_\w+\.whl", wheel.name)


def test_the_wheel_holds_the_package_and_says_what_it_needs(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        fields = Parser().parsestr(archive.read(metadata).decode())
    needed = [line.replace(" ", "") for line in fields.get_all("Requires-Dist", [])]
    always = [line for line in needed if "extra==" not in line]
    assert sorted(always) == sorted(project["dependencies"])
    extras = {line.partition(";")[0] for line in needed if "extra==" in line}
    assert extras == {line for lines in project["optional-dependencies"].values() for line in lines}
    sources = {path.relative_to(ROOT / "src").as_posix() for path in ROOT.glob("src/tacit/**/*.py")}
    assert sources <= names
    assert {"tacit/_native.abi3.so", "tacit/_native.pyi", "tacit/py.typed"} <= names
    strangers = {n for n in names if not n.startswith(("tacit/", f"tacit-{project['version']}."))}
    assert not strangers


def test_the_installed_wheel_computes_in_processes(environment: Environment) -> None:
    code = SESSION.format(environment=str(environment.folder))
    assert environment.run("python", "-c", code) == "computed\n"


def test_the_installed_command_shows_its_help(environment: Environment) -> None:
    text = environment.run("tacit", "--help")
    for command in ("train", "check", "demo"):
        assert command in text
