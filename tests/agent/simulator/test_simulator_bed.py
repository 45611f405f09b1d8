"""The picture of a simulated bed shows what was printed there, and only that."""

import io
from pathlib import Path

from PIL import Image

from agent.cameras import HttpCamera
from agent.simulator.bed import Bed
from agent.simulator.camera import Camera
from agent.simulator.faults import Faults
from agent.simulator.firmware import Firmware
from agent.simulator.profiles import Board
from protocols.gcode.lines import encode

BARE, GRID, HEAD = (30, 36, 48), (46, 54, 70), (240, 246, 255)
MM = (250.0, 210.0, 210.0)


def seen(bed: Bed) -> Image.Image:
    picture = Image.open(io.BytesIO(bed.picture((0.0, 0.0, 0.0, 0.0))))
    picture.load()
    return picture.convert("RGB")


def at(picture: Image.Image, x_mm: float, y_mm: float) -> object:
    scale = picture.width / MM[0]
    return picture.getpixel((round(x_mm * scale), picture.height - 1 - round(y_mm * scale)))


def test_a_line_shows_where_it_was_laid_and_the_newest_layer_is_brightest() -> None:
    bed = Bed(MM)
    bed.lay((50, 105, 0.2, 0), (150, 105, 0.2, 1))
    first = at(seen(bed), 110, 105)
    for layer in range(2, 12):
        bed.lay((50, 110, 0.2 * layer, 1), (150, 110, 0.2 * layer, 2))
    picture = seen(bed)
    assert picture.size == (320, 269)
    assert at(picture, 110, 107.5) == BARE
    assert at(picture, 0, 0) == HEAD
    faded, newest = at(picture, 110, 105), at(picture, 110, 110)
    assert isinstance(faded, tuple)
    assert isinstance(newest, tuple)
    assert sum(faded) < sum(newest)
    assert first not in (BARE, faded)


def test_a_part_stays_in_view_until_the_next_print_begins_on_an_empty_bed() -> None:
    bed = Bed(MM)
    bed.lay((50, 105, 0.2, 0), (150, 105, 0.2, 1))
    bed.homed()
    assert at(seen(bed), 110, 105) != BARE
    bed.lay((50, 125, 0.2, 0), (150, 125, 0.2, 1))
    assert at(seen(bed), 110, 105) == BARE


def test_what_lies_beside_the_bed_is_not_seen_and_harms_nothing() -> None:
    bed = Bed(MM)
    bed.lay((-40, -5, 0.2, 0), (300, 400, 0.2, 1))
    assert seen(bed).size == (320, 269)


def test_a_firmware_lays_what_it_extrudes_while_hot_and_no_travel() -> None:
    bed = Bed(MM)
    firmware = Firmware(Board(boot_s=0.0, bed=bed), Faults(1))
    lines = ["G28", "M109 S200", "G1 X50 Y100 Z0.2 F6000", "G1 X150 Y100 E5", "G0 X150 Y150"]
    now_s = 1.0
    for number, line in enumerate(lines, 1):
        firmware.receive(encode(number, line), now_s)
        now_s += 600.0
        firmware.advance(now_s)
    picture = seen(bed)
    assert at(picture, 110, 100) not in (BARE, GRID)
    assert at(picture, 150, 125) == BARE


async def test_an_agents_camera_sees_the_bed(tmp_path: Path) -> None:
    bed, address = Bed(MM), tmp_path / "camera"
    camera = Camera(address, lambda: bed.picture((0.0, 0.0, 0.0, 0.0)))
    await camera.open()
    try:
        assert await HttpCamera(address.read_text().strip()).picture() == bed.picture((0, 0, 0, 0))
    finally:
        camera.close()
    assert not address.exists()
