"""What is lost on the way makes the sender send less, and more again."""

from __future__ import annotations

from gateway.transport.losses import LossLimit


def test_much_loss_sends_less_and_little_loss_more_again():
    limit = LossLimit(300_000, 4_000_000)
    limit.report(0.2, 2_000_000)
    assert limit.bitrate == 1_800_000
    limit.report(0.05, 1_800_000)
    assert limit.bitrate == 1_800_000
    for _ in range(20):
        limit.report(0.0, limit.bitrate)
    assert limit.bitrate == 4_000_000


def test_a_line_that_loses_everything_does_not_take_the_way_back():
    limit = LossLimit(300_000, 4_000_000)
    for _ in range(30):
        limit.report(1.0, 2_000_000)
    assert limit.bitrate == 300_000
