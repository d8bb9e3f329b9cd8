"""One encoder for all with the same needs; nobody waits for anybody, no chain is torn."""

from itertools import pairwise

from gateway.renditions.ladder import HOLD
from gateway.renditions.viewer import BEHIND
from tests.gateway.audience import Sender, Stage, soon, stage


def rates(made: Stage) -> list[tuple[int, int]]:
    """kbit/s and viewers of every rendition."""
    return sorted((each.kbit, each.viewers) for each in made.pool.seating())


def whole(sender: Sender) -> bool:
    """Whether every frame follows a key frame of its encoder and the one before it there."""
    chain: tuple[int, int] | None = None
    for sent in sender.sent:
        if not sent.key and chain != (sent.encoder, sent.composite - 1):
            return False
        chain = sent.encoder, sent.composite
    return True


async def test_who_needs_the_same_shares_one_encoder_that_takes_each_composite_once():
    async with stage() as made:
        senders = [await made.enter() for _ in range(5)]
        await made.show(10)
        (encoder,) = made.encoders
        assert encoder.taken == list(range(10))
        for sender in senders:
            assert [each.composite for each in sender.sent] == list(range(10))
            assert [each.key for each in sender.sent] == [True, *[False] * 9]
        assert (made.departures.encoded, made.departures.keys) == (10, 1)
        assert rates(made) == [(2500, 5)]


async def test_each_codec_has_an_encoder_of_its_own():
    async with stage() as made:
        await made.enter("VP8")
        await made.enter("H264")
        await made.enter("H264")
        await made.show(2)
        assert [encoder.codec for encoder in made.encoders] == ["VP8", "H264"]
        assert sorted(each.viewers for each in made.pool.seating()) == [1, 2]


async def test_a_newcomer_begins_with_a_key_frame_and_takes_everything_from_there():
    async with stage() as made:
        first = await made.enter()
        await made.show(20)
        second = await made.enter()
        await made.show(5)
        assert len(made.encoders) == 1
        assert [(each.composite, each.key) for each in second.sent][:2] == [(20, True), (21, False)]
        assert [each.composite for each in first.sent] == list(range(25))
        assert whole(first)
        assert whole(second)


async def test_key_frames_are_not_more_than_two_a_second_however_many_ask():
    async with stage() as made:
        senders = [await made.enter() for _ in range(3)]
        for _ in range(46):
            for sender in senders:
                sender.viewer.need_key_frame()
            await made.show()
        keys = [each.composite for each in senders[0].sent if each.key]
        assert keys == [0, 15, 30, 45]


async def test_who_comes_soon_after_a_key_frame_is_answered_by_the_next_allowed_one():
    async with stage() as made:
        await made.enter()
        await made.show(3)
        late = await made.enter()
        later = await made.enter()
        await made.show(17)
        assert late.sent[0].composite == later.sent[0].composite == 15
        assert made.departures.keys == 2


async def test_a_request_that_a_key_frame_in_the_making_answers_costs_no_second_one():
    async with stage() as made:
        sender = await made.enter()
        await made.show(20)
        (encoder,) = made.encoders
        encoder.working.clear()
        encoder.free.clear()
        sender.viewer.need_key_frame()
        made.put()
        await soon(encoder.working.is_set)
        sender.viewer.need_key_frame()
        encoder.free.set()
        await soon(lambda: len(sender.frames) == 21)
        await made.show(40)
        assert [each.composite for each in sender.sent if each.key] == [0, 20]


async def test_whose_line_becomes_slow_moves_down_at_a_key_frame_and_slows_nobody():
    async with stage() as made:
        fast, slow = await made.enter(), await made.enter()
        await made.show(5)
        slow.estimate(500_000)
        assert rates(made) == [(500, 1), (2500, 1)]
        await made.show(5)
        assert [each.encoder for each in fast.sent] == [0] * 10
        assert not any(each.key for each in fast.sent[1:])
        moved = [each.encoder for each in slow.sent].index(1)
        assert slow.sent[moved].key
        assert moved in (5, 6), "at once"
        assert whole(slow)


async def test_until_the_key_frame_comes_who_moves_keeps_the_frames_of_before():
    async with stage() as made:
        slow = await made.enter()
        slow.estimate(500_000)
        await made.show(20)
        other = await made.enter()
        slow.viewer.need_key_frame()
        await made.show()
        # The slow rendition has just made a key frame: the next one is half a second away.
        other.estimate(500_000)
        await made.show(20)
        assert rates(made) == [(500, 2)]
        before = [each for each in other.sent if each.encoder == 1]
        after = [each for each in other.sent if each.encoder == 0]
        assert [each.composite for each in before][-15:] == list(range(20, 35))
        assert [each.composite for each in after] == list(range(35, 41))
        assert whole(other)
        assert [encoder.closed for encoder in made.encoders] == [False, True]


async def test_times_ascend_and_pictures_are_counted_without_a_gap_over_every_change():
    async with stage() as made:
        await made.enter()
        wanderer = await made.enter()
        for bitrate in (500_000, 1_200_000, 300_000, 2_500_000):
            await made.show(4)
            for _ in range(3):
                wanderer.estimate(bitrate)
                made.clock.now += HOLD / 2
        await made.show(20)
        sent = wanderer.sent
        assert len({each.encoder for each in sent}) > 1
        assert all(a.timestamp < b.timestamp for a, b in pairwise(sent))
        first = sent[0].picture
        assert [each.picture for each in sent] == [
            (first + n) % (1 << 15) for n in range(len(sent))
        ]


async def test_who_may_move_up_joins_the_others_and_the_encoder_left_alone_is_closed():
    async with stage() as made:
        fast, slow = await made.enter(), await made.enter()
        slow.estimate(500_000)
        await made.show(20)
        slow.estimate(2_600_000)
        await made.show(20)
        assert len(rates(made)) == 2, "not yet"
        made.clock.now += HOLD
        slow.estimate(2_600_000)
        await made.show(20)
        assert rates(made) == [(2500, 2)]
        assert slow.sent[-1].encoder == fast.sent[-1].encoder == 0
        assert made.encoders[1].closed
        assert whole(slow)
        assert whole(fast)


async def test_who_sits_alone_has_an_encoder_that_follows_the_line_without_key_frames():
    async with stage() as made:
        alone = await made.enter()
        for bitrate in (500_000, 3_000_000, 7_900_000, 310_000):
            await made.show(2)
            alone.estimate(bitrate)
            await made.show()
            assert made.encoders[0].target_bitrate == bitrate
        assert len(made.encoders) == 1
        assert made.departures.keys == 1


async def test_those_whose_lines_rise_together_go_up_together_without_key_frames():
    async with stage() as made:
        senders = [await made.enter() for _ in range(3)]
        await made.show(2)
        for bitrate in range(2_600_000, 8_000_000, 150_000):
            for sender in senders:
                sender.estimate(bitrate)
            await made.show()
        assert len(made.encoders) == 1
        assert made.departures.keys == 1
        assert made.encoders[0].target_bitrate > 7_500_000


async def test_the_slowest_of_those_on_a_rung_decides_the_rate():
    async with stage() as made:
        first, second = await made.enter(), await made.enter()
        first.estimate(3_000_000)
        second.estimate(2_450_000)
        await made.show()
        assert made.encoders[0].target_bitrate == 2_450_000
        second.viewer.stop()
        await made.show()
        assert made.encoders[0].target_bitrate == 3_000_000


async def test_much_loss_on_one_line_moves_that_line_down_alone():
    async with stage() as made:
        good, bad = await made.enter(), await made.enter()
        await made.show(2)
        for _ in range(4):
            bad.encoder.lost(0.5)
            good.encoder.lost(0.0)
        await made.show(2)
        assert good.sent[-1].encoder == 0
        assert bad.sent[-1].encoder == 1
        assert made.encoders[0].target_bitrate == 2_500_000
        assert made.encoders[1].target_bitrate < 1_500_000


async def test_a_sender_that_falls_behind_goes_on_at_a_key_frame_and_holds_up_nobody():
    async with stage() as made:
        quick, held = await made.enter(), await made.enter()
        await made.show(16)
        held.free.clear()
        await made.show(BEHIND + 6)
        assert [each.composite for each in quick.sent] == list(range(BEHIND + 22))
        assert made.departures.behind > BEHIND
        assert len(held.viewer._queued) <= BEHIND
        held.free.set()
        await made.show(20)
        assert whole(held)
        assert held.sent[-1].composite == quick.sent[-1].composite
        again = next(each for each in held.sent[1:] if each.key)
        assert again.composite > 16
        assert made.departures.keys == 2


async def test_without_viewers_nothing_is_encoded_and_the_next_one_gets_the_newest_at_once():
    async with stage() as made:
        sender = await made.enter()
        await made.show(3)
        sender.viewer.stop()
        await sender.task
        assert made.pool.seating() == []
        await made.show(5)
        assert made.encoders[0].taken == [0, 1, 2]
        again = await made.enter()
        await soon(lambda: again.sent)
        assert (again.sent[0].composite, again.sent[0].key) == (7, True)
        assert made.encoders[0].closed
        again.viewer.stop()
        # Even where nothing has come since: a frozen stream has a picture for whoever comes.
        third = await made.enter()
        await soon(lambda: bool(third.sent))
        assert third.sent[0].key


async def test_when_the_stream_is_handed_over_nothing_from_before_is_sent():
    async with stage() as made:
        watcher, held = await made.enter(), await made.enter()
        await made.show(4)
        held.free.clear()
        await made.show(4)
        assert held.viewer._queued
        before = len(held.sent)
        made.pool.cut()
        backdrop = made.composites.value
        assert backdrop is not None
        made.composites.put(backdrop)
        held.free.set()
        await soon(lambda: rates(made) == [(2500, 2)])
        await made.show(3)
        assert held.sent[before:]
        assert all(each.encoder == 1 for each in held.sent[before:])
        assert watcher.sent[8].encoder == 1
        assert watcher.sent[8].key
        assert made.encoders[0].closed
        assert rates(made) == [(2500, 2)]
        times = [each.timestamp for each in watcher.sent]
        assert times == sorted(set(times))
