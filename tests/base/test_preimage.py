"""Putting a store file back to the state before a commit."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from statek.base.preimage import PAGE, PreImage, pre_image_path
from statek.exceptions import StoreError

SCRIPT = Path(__file__).with_name("box_store.py")
IMAGES = 40


def run_script(*args: str) -> list[str]:
    """Output lines of the box store application; fails when it crashes or hangs."""
    root = str(SCRIPT.parents[2])
    command = [sys.executable, str(SCRIPT), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, env={**os.environ, "PYTHONPATH": root})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store file `before` and `after` a large commit, and `p.db0.pre` saved before it."""
    folder = tmp_path_factory.mktemp("scene")
    run_script("make", str(folder / "store"), "6000", "1")
    run_script("change", str(folder / "store"), "2", str(folder))
    shutil.copyfile(pre_image_path(folder / "store" / "p.db0"), folder / "p.db0.pre")
    return folder


def place(scene: Path, folder: Path, content: bytes) -> Path:
    """A store folder holding `content` as its file, with the pre-image beside it."""
    folder.mkdir()
    (folder / "p.db0").write_bytes(content)
    shutil.copyfile(scene / "p.db0.pre", folder / "p.db0.pre")
    return folder / "p.db0"


def torn(before: bytes, after: bytes, rnd: random.Random) -> bytes:
    """The file as a cut inside the commit may leave it: any changed pages old, any new, any part of the new end."""
    share = rnd.random()
    image = bytearray(after)
    for at in range(0, len(before), PAGE):
        if rnd.random() < share:
            image[at : at + PAGE] = before[at : at + PAGE]
    return bytes(image[: rnd.randrange(len(before), len(after) + 1)])


def test_every_torn_image_opens_with_the_state_before_the_commit(scene: Path, tmp_path: Path) -> None:
    """Whatever part of a commit reached the disk, the store opens as it was before it, and can be rewritten."""
    before, after = (scene / "before").read_bytes(), (scene / "after").read_bytes()
    rnd = random.Random(3)
    for n in range(IMAGES):
        store = place(scene, tmp_path / str(n), torn(before, after, rnd))
        assert PreImage(store, "s1").restore()
    place(scene, tmp_path / "right", before)
    digests = run_script("check", str(tmp_path / "right"), *(str(tmp_path / str(n)) for n in range(IMAGES)))
    assert [digests[0]] * (IMAGES + 1) == digests


def test_a_commit_changes_no_old_bytes_that_are_not_saved(scene: Path, tmp_path: Path) -> None:
    """Of the bytes that held something before a commit, it changes none that restoring does not bring back."""
    before = (scene / "before").read_bytes()
    store = place(scene, tmp_path / "one", (scene / "after").read_bytes())
    PreImage(store, "s1").restore()
    content = store.read_bytes()
    assert len(before) == len(content)
    pages = (slice(at, at + PAGE) for at in range(0, len(before), PAGE))
    assert [page for page in pages if before[page] != content[page] and any(before[page])] == []


def test_restoring_is_done_once(scene: Path, tmp_path: Path) -> None:
    """A pre-image that was put back is void: a second restore finds none."""
    pre_image = PreImage(place(scene, tmp_path / "one", (scene / "after").read_bytes()), "s1")
    assert [pre_image.restore(), pre_image.restore()] == [True, False]


def test_a_void_pre_image_is_not_put_back(scene: Path, tmp_path: Path) -> None:
    """After a commit that went well, its pre-image changes nothing."""
    after = (scene / "after").read_bytes()
    store = place(scene, tmp_path / "one", after)
    PreImage(store, "s1").void()
    assert not PreImage(store, "s1").restore()
    assert after == store.read_bytes()


def test_a_pre_image_of_another_store_is_not_put_back(scene: Path, tmp_path: Path) -> None:
    """The store id decides which pre-image belongs to a file."""
    store = place(scene, tmp_path / "one", (scene / "after").read_bytes())
    assert not PreImage(store, "s2").restore()


@pytest.mark.parametrize("damage", [0, 13, 40, 200, 70_000, -1])
def test_a_damaged_pre_image_is_not_put_back(scene: Path, tmp_path: Path, damage: int) -> None:
    """One wrong byte anywhere in a pre-image is noticed."""
    store = place(scene, tmp_path / "one", (scene / "after").read_bytes())
    content = bytearray((scene / "p.db0.pre").read_bytes())
    content[damage] ^= 1
    pre_image_path(store).write_bytes(content)
    assert PreImage(store, "s1").saved_seq() is None
    assert not PreImage(store, "s1").restore()


def test_a_cut_off_pre_image_is_not_put_back(scene: Path, tmp_path: Path) -> None:
    """A pre-image whose saving was interrupted is noticed."""
    store = place(scene, tmp_path / "one", (scene / "after").read_bytes())
    os.truncate(pre_image_path(store), pre_image_path(store).stat().st_size // 2)
    assert not PreImage(store, "s1").restore()


def test_a_store_file_that_lost_its_end_is_left_alone(scene: Path, tmp_path: Path) -> None:
    """A file shorter than at the time of saving is not the saved one: nothing is written into it."""
    short = (scene / "before").read_bytes()[:-PAGE]
    store = place(scene, tmp_path / "one", short)
    assert not PreImage(store, "s1").restore()
    assert short == store.read_bytes()


def test_saving_again_replaces_what_was_saved(scene: Path, tmp_path: Path) -> None:
    """The newest save counts, also over a longer, voided one."""
    store = place(scene, tmp_path / "one", (scene / "after").read_bytes())
    PreImage(store, "s1").save(77)
    assert PreImage(store, "s1").saved_seq() == 77


def test_a_file_by_dbzero_has_the_known_layout(scene: Path) -> None:
    """The layout this module relies on is the one that the installed dbzero writes."""
    assert PreImage.layout_is_known(scene / "before")


@pytest.mark.parametrize("at", [0, 10, 15, 35, 58, 63, 75])
def test_another_header_is_not_the_known_layout(scene: Path, tmp_path: Path, at: int) -> None:
    """Any other magic, version, block size, stream address or extra stream turns the pre-image off."""
    content = bytearray((scene / "before").read_bytes()[:PAGE])
    content[at] ^= 1
    (tmp_path / "p.db0").write_bytes(content)
    assert not PreImage.layout_is_known(tmp_path / "p.db0")


def test_a_short_file_is_not_the_known_layout(tmp_path: Path) -> None:
    """A file without a whole header has no layout."""
    (tmp_path / "p.db0").write_bytes(b"\0" * 40)
    assert not PreImage.layout_is_known(tmp_path / "p.db0")


def test_a_chain_that_leads_nowhere_is_refused(scene: Path, tmp_path: Path) -> None:
    """Saving stops when an address in the file cannot be a block, instead of saving something else."""
    content = bytearray((scene / "before").read_bytes())
    content[4096 + 16384 - 8 : 4096 + 16384] = (5000).to_bytes(8, "little")
    store = place(scene, tmp_path / "one", bytes(content))
    with pytest.raises(StoreError, match="leads to 5000"):
        PreImage(store, "s1").save(1)
