"""Synthetic packets into frames."""

import random
from dataclasses import dataclass

import pytest

from gateway.transport.assembly import CAPACITY, Assembly

PACKETS = 3
"""Per frame."""


@dataclass
class Part:
    """A packet as `Assembly` sees it."""

    timestamp: int
    marker: int
    _data: bytes


def parts(frames: int, size: int = PACKETS, *, marked: bool = True) -> list[tuple[int, Part]]:
    made = []
    for n in range(frames):
        for k in range(size):
            marker = int(marked and k == size - 1)
            made.append((n * size + k, Part(n * 3000, marker, f"{n}.{k} ".encode())))
    return made


def text(n: int, size: int = PACKETS) -> bytes:
    return b"".join(f"{n}.{k} ".encode() for k in range(size))


def fed(assembly: Assembly, packets: list[tuple[int, Part]]) -> list[bytes]:
    return [whole.data for number, part in packets for whole in assembly.add(number, part)]


def test_a_frame_is_handed_over_with_its_last_packet():
    assembly = Assembly()
    counts = [len(assembly.add(number, part)) for number, part in parts(2)]
    assert counts == [0, 0, 1, 0, 0, 1]


def test_without_markers_it_is_handed_over_with_the_next_frame():
    assert fed(Assembly(), parts(3, marked=False)) == [text(0), text(1)]


def test_a_lost_marker_bit_costs_a_frames_time_and_nothing_else():
    packets = parts(3)
    packets[2][1].marker = 0
    assert fed(Assembly(), packets) == [text(0), text(1), text(2)]


@pytest.mark.parametrize("seed", range(20))
def test_reordered_and_doubled_packets_make_the_same_frames(seed: int):
    packets = parts(50)
    chance = random.Random(seed)
    # The first packet says where the video begins, so it stays in front.
    shuffled = sorted(packets[1:], key=lambda packet: packet[0] + chance.uniform(0, 12))
    doubled = [
        packets[0],
        *(copy for packet in shuffled for copy in [packet] * chance.choice((1, 2))),
    ]
    assembly = Assembly()
    assert fed(assembly, doubled) == [text(n) for n in range(50)]
    assert assembly.late == len(doubled) - len(packets)
    assert assembly.hole is None


def test_what_waits_behind_a_hole_comes_with_the_missing_packet():
    packets = parts(4)
    missing = packets.pop(4)
    assembly = Assembly()
    assert fed(assembly, packets) == [text(0)]
    assert assembly.hole == 4
    assert fed(assembly, [missing]) == [text(1), text(2), text(3)]
    assert assembly.hole is None


@pytest.mark.parametrize("lost", [3, 4, 5])
def test_a_hole_that_is_given_up_costs_the_frame_it_is_in(lost: int):
    packets = parts(4)
    late = packets.pop(lost)
    assembly = Assembly()
    fed(assembly, packets)
    rest = [whole.data for whole in assembly.skip()]
    # Whether a frame's first or the last frame's last packet is lost, nobody knows.
    assert rest == ([text(2), text(3)] if lost != 5 else [text(3)])
    assert fed(assembly, [late]) == []
    assert assembly.late == 1


def test_the_rest_of_a_torn_frame_is_dropped_when_it_comes_later():
    packets = parts(3)
    assembly = Assembly()
    fed(assembly, [packets[0], packets[2 - 0 + 2]])  # 0, then 4: 1 to 3 are lost
    assert assembly.skip() == []
    assert fed(assembly, packets[5:]) == [text(2)]


def test_padding_after_a_frame_is_no_frame():
    padded = [*parts(1), (3, Part(0, 0, b"")), (4, Part(0, 0, b""))]
    padded += [(number + 2, part) for number, part in parts(3)[3:]]
    assert fed(Assembly(), padded) == [text(0), text(1), text(2)]


def test_a_sender_that_marks_every_packet_is_understood_after_its_first_frame():
    packets = parts(5)
    for _, part in packets:
        part.marker = 1
    frames = fed(Assembly(), packets)
    assert frames[-3:] == [text(1), text(2), text(3)]


def test_what_waits_is_bounded():
    assembly = Assembly()
    for number, part in parts(CAPACITY // PACKETS + 2):
        if number != 1:
            assembly.add(number, part)
        if assembly.full:
            break
    assert assembly.full
    assembly.skip()
    assert not assembly.full
