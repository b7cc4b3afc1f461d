"""What may be used of a machine: also where control groups take most of it away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deepenough.errors import OptionError
from deepenough.racing import machine as machines
from deepenough.racing.machine import (
    build_of,
    cores,
    cpu_name,
    cpu_quota,
    doctor,
    energy_meters,
    free_disk_bytes,
    gpu_names,
    gpu_visible,
    machine,
    memory_bytes,
    packages,
    parse_bytes,
)

GIB = 2**30


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    write(tmp_path / "proc/meminfo", "MemTotal: 16777216 kB\nMemFree: 1 kB\nMemAvailable: 8388608 kB\n")
    return tmp_path / "proc"


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    (tmp_path / "groups").mkdir()
    return tmp_path / "groups"


def test_without_limits_the_machine_counts(proc: Path, groups: Path) -> None:
    assert memory_bytes(proc, groups) == (16 * GIB, 8 * GIB)
    assert cpu_quota(proc, groups) is None


def test_limits_of_version_two_and_of_the_groups_around(proc: Path, groups: Path) -> None:
    write(proc / "self/cgroup", "0::/outer/inner\n")
    write(groups / "outer/cpu.max", "150000 100000\n")
    write(groups / "outer/inner/cpu.max", "max 100000\n")
    write(groups / "outer/memory.max", f"{4 * GIB}\n")
    write(groups / "outer/memory.current", f"{3 * GIB}\n")
    write(groups / "outer/memory.stat", f"anon 5\ninactive_file {GIB}\n")
    write(groups / "outer/inner/memory.max", "max\n")
    assert cpu_quota(proc, groups) == 1.5
    assert cores(proc, groups) == 1
    assert memory_bytes(proc, groups) == (4 * GIB, 2 * GIB)


def test_limits_of_version_one(proc: Path, groups: Path) -> None:
    write(proc / "self/cgroup", "4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n")
    write(groups / "cpu,cpuacct/box/cpu.cfs_quota_us", "50000\n")
    write(groups / "cpu,cpuacct/box/cpu.cfs_period_us", "100000\n")
    write(groups / "memory/box/memory.limit_in_bytes", f"{2 * GIB}\n")
    write(groups / "memory/box/memory.usage_in_bytes", f"{GIB}\n")
    assert cpu_quota(proc, groups) == 0.5
    assert cores(proc, groups) == 1
    assert memory_bytes(proc, groups) == (2 * GIB, GIB)


def test_version_one_says_no_limit_by_a_huge_number(proc: Path, groups: Path) -> None:
    write(proc / "self/cgroup", "4:memory:/box\n1:cpu:/box\n")
    write(groups / "memory/box/memory.limit_in_bytes", "9223372036854771712\n")
    write(groups / "cpu/box/cpu.cfs_quota_us", "-1\n")
    write(groups / "cpu/box/cpu.cfs_period_us", "100000\n")
    assert memory_bytes(proc, groups)[0] == 16 * GIB
    assert cpu_quota(proc, groups) is None


def test_within_a_container_the_root_holds_the_limit(proc: Path, groups: Path) -> None:
    write(proc / "self/cgroup", "0::/docker/0123456789\n")
    write(groups / "memory.max", f"{GIB}\n")
    assert memory_bytes(proc, groups) == (GIB, GIB)


def test_a_group_that_is_full_has_nothing_free(proc: Path, groups: Path) -> None:
    write(proc / "self/cgroup", "0::/\n")
    write(groups / "memory.max", f"{GIB}\n")
    write(groups / "memory.current", f"{2 * GIB}\n")
    assert memory_bytes(proc, groups)[1] == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4GB", 4 * 10**9),
        ("4 gb", 4 * 10**9),
        ("512MiB", 512 * 2**20),
        ("1.5G", 1_500_000_000),
        ("2ki", 2048),
        ("1_000", 1000),
        ("7B", 7),
        (12345, 12345),
    ],
)
def test_amounts_of_memory(text: str | int, expected: int) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "4XB", "4 GB please", "0", "1e9", "nan", "_"])
def test_what_is_no_amount_says_how_to_write_one(text: str) -> None:
    with pytest.raises(OptionError, match="4GB"):
        parse_bytes(text)


def test_the_processors_name(tmp_path: Path) -> None:
    write(tmp_path / "cpuinfo", "processor\t: 0\nmodel name\t: A Fast One @ 3 GHz\n")
    assert cpu_name(tmp_path) == "A Fast One @ 3 GHz"
    assert cpu_name(tmp_path / "nowhere")


def test_gpus_are_read_from_the_drivers_list(tmp_path: Path) -> None:
    for index in range(2):
        write(tmp_path / f"driver/nvidia/gpus/0000:0{index}:00.0/information", f"Model: \t\t Big {index}\nIRQ: 5\n")
    assert gpu_names(tmp_path) == ["Big 0", "Big 1"]
    assert gpu_names(tmp_path / "nowhere") == []


@pytest.mark.parametrize(("value", "visible"), [(None, True), ("0,1", True), ("", False), ("-1", False)])
def test_gpus_can_be_hidden(value: str | None, visible: bool) -> None:
    assert gpu_visible({} if value is None else {"CUDA_VISIBLE_DEVICES": value}) is visible


def test_the_build_of_torch() -> None:
    assert build_of("cuda: Optional[str] = '13.0'\n") == "cuda 13.0"
    assert build_of("cuda = None\nhip: Optional[str] = None\n") == "cpu"
    assert build_of("") == "cpu"


def test_how_energy_will_be_known(tmp_path: Path) -> None:
    assert energy_meters(tmp_path, tmp_path / "driver") == {"cpu": "modelled: no counter here"}
    zone = tmp_path / "intel-rapl:0"
    write(zone / "name", "package-0")
    assert "only root may read it" in energy_meters(tmp_path, tmp_path / "driver")["cpu"]
    write(zone / "energy_uj", "1")
    write(zone / "max_energy_range_uj", "100")
    write(tmp_path / "driver", "NVRM")
    meters = energy_meters(tmp_path, tmp_path / "driver")
    assert meters["cpu"].startswith("measured") and "NVML" in meters["gpu"]


def test_this_machine_is_described_in_plain_values() -> None:
    about = machine()
    assert json.loads(json.dumps(about)) == about
    assert about["cores"] >= 1
    assert 0 < about["memory_free_bytes"] <= about["memory_bytes"]


def test_packages_have_versions() -> None:
    import numpy

    found = packages()
    assert found["numpy"] == numpy.__version__ and "deepenough" in found
    assert all(found.values())


def test_the_doctor_says_what_is_missing_and_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from deepenough import kinds
    from tests.stubs.kind import StubKind, entry
    from tests.stubs.supervised import Classical, Deep

    absent = kinds.Entry("deep", "stub", "deep", Deep, ("no-such-package",))
    monkeypatch.setattr(kinds, "find", lambda: {"stub": StubKind()})
    monkeypatch.setattr(kinds, "find_learners", lambda kind: [entry(Classical), absent])
    monkeypatch.setattr(machines, "MATTERS", ("numpy", "no-such-package"))
    found = doctor()
    learners = found["learners"]["stub"]
    assert learners["classical"] == ["classical"] and learners["deep"] == []
    assert learners["absent"] == [{"learner": "deep", "family": "deep", "missing": "no-such-package"}]
    assert learners["install"] == "pip install 'deepenough[dev]'"
    assert found["absent_packages"] == ["no-such-package"]
    assert json.loads(json.dumps(found)) == found


def test_free_disk_of_a_folder_that_is_yet_to_be_made(tmp_path: Path) -> None:
    assert free_disk_bytes(tmp_path / "a" / "b") > 0


def test_nothing_heavy_is_imported_to_describe_the_machine() -> None:
    code = (
        "import sys\nfrom deepenough.racing.machine import machine, packages\nmachine(), packages()\n"
        "print([n for n in ('torch', 'pandas', 'scipy', 'sklearn', 'lightgbm', 'duckdb') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
