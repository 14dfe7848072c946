"""What a bank installs: the wheel holds everything, works elsewhere, and leaks nothing."""

import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("cli", "connectors", "engine", "notifiers", "runtime")
CACHES = shutil.ignore_patterns("__pycache__", "*.pyc")


def modules() -> dict[str, Path]:
    """Import name → file, for every Python file of the folders that ship."""
    found = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(("belfry", *(part for part in parts if part != "__init__")))] = path
    return found


def test_every_folder_with_code_is_a_package_and_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = project["tool"]["setuptools"]["packages"]
    folders = {path.parent for path in modules().values()}
    packages = {"belfry." + ".".join(one.relative_to(ROOT).parts) for one in folders}
    assert sorted(packages) == listed
    assert all((folder / "__init__.py").exists() for folder in folders)


def test_every_top_folder_tells_type_checkers_that_it_is_typed() -> None:
    assert all((ROOT / folder / "py.typed").exists() for folder in FOLDERS)


def test_tools_and_packaging_agree_on_the_folders() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [f"belfry.{folder}" for folder in FOLDERS]
    assert sorted(project["tool"]["setuptools"]["package-dir"]) == names
    assert project["tool"]["mypy"]["packages"] == names
    assert project["tool"]["importlinter"]["root_packages"] == names
    assert project["tool"]["coverage"]["run"]["source"] == list(FOLDERS)


@dataclass
class Installed:
    """The wheel, and a clean environment that it was installed into."""

    wheel: Path
    environment: Path
    elsewhere: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        return subprocess.run(
            [self.environment / "bin" / program, *arguments],
            capture_output=True,
            text=True,
            cwd=self.elsewhere,
            env=clean,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, source / folder, ignore=CACHES)
    dist, environment, elsewhere = work / "dist", work / "environment", work / "elsewhere"
    elsewhere.mkdir()
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", dist, source]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = dist.glob("*.whl")
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    lock = ROOT / "requirements.lock"
    pip = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--require-hashes", "-r", lock], check=True, capture_output=True)
    subprocess.run([*pip, "--no-deps", wheel], check=True, capture_output=True)
    return Installed(wheel, environment, elsewhere)


@pytest.mark.packaging
def test_the_wheel_holds_every_module_and_nothing_beside_belfry(installed: Installed) -> None:
    inside = zipfile.ZipFile(installed.wheel).namelist()
    expected = {"belfry/" + path.relative_to(ROOT).as_posix() for path in modules().values()} | {
        f"belfry/{folder}/py.typed" for folder in FOLDERS
    }
    assert expected <= set(inside)
    assert {name.partition("/")[0].partition("-")[0] for name in inside} == {
        "belfry",
        "belfry_alerts",
    }


@pytest.mark.packaging
def test_the_command_works_from_another_directory(installed: Installed) -> None:
    assert installed.run("belfry", "--version").stdout.startswith("belfry, version ")
    helped = installed.run("belfry", "--help")
    assert helped.returncode == 0
    assert "Examples:" in helped.stdout


@pytest.mark.packaging
def test_every_module_can_be_imported_with_only_the_locked_dependencies(
    installed: Installed,
) -> None:
    lines = "\n".join(f"import {name}" for name in sorted(modules()))
    done = installed.run("python", "-W", "error", "-c", lines)
    assert done.returncode == 0, done.stderr


@pytest.mark.packaging
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folders_do_not_leak_as_top_level_packages(installed: Installed, folder: str) -> None:
    done = installed.run("python", "-c", f"import {folder}")
    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.packaging
def test_the_licence_travels_with_the_wheel(installed: Installed) -> None:
    inside = zipfile.ZipFile(installed.wheel).namelist()
    assert any(name.endswith("licenses/LICENSE") for name in inside)
