import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.clock import ManualClock
from leeway.outbox import Outbox
from leeway.outbox_sender import OutboxSender
from leeway.record import OUTBOX_END, decode
from leeway.settings import Settings

KEY = "leeway/model-server/elec_v1"


@pytest.fixture
def outbox(home, settings, clock):
    outbox = Outbox.create(home, settings, clock)
    yield outbox
    outbox.close()


def fill(outbox, count, key=KEY):
    for i in range(count):
        assert outbox.append(key, lambda origin, i=i: b"%d" % i)


def test_a_stream_that_takes_four_of_ten_gets_the_others_later_once(outbox, memory_stream, clock):
    fill(outbox, 10)
    sender = OutboxSender(outbox.file, clock)
    memory_stream.takes = 4
    assert [sender.send(memory_stream) for _ in range(4)] == [4, 4, 2, 0]
    assert memory_stream.kept == [(KEY, b"%d" % i) for i in range(10)]


def test_a_stream_that_takes_nothing_is_told_from_an_empty_outbox(outbox, memory_stream, clock):
    fill(outbox, 1)
    sender = OutboxSender(outbox.file, clock)
    memory_stream.takes = 0
    assert (sender.send(memory_stream), sender.is_done) == (0, False)
    memory_stream.takes = 1
    assert (sender.send(memory_stream), sender.is_done) == (1, True)


def test_a_record_larger_than_a_chunk_is_sent_whole(outbox, memory_stream, clock):
    outbox.append(KEY, lambda origin: b"x" * 700_000)
    fill(outbox, 1)
    sender = OutboxSender(outbox.file, clock)
    while sender.send(memory_stream):
        pass
    assert [len(value) for _, value in memory_stream.kept] == [700_000, 1]


def test_the_end_names_the_last_number_and_the_drops_of_each_key(outbox, memory_stream, clock):
    fill(outbox, 3)
    outbox.drop(KEY, "outbox_full")
    outbox.drop("p/f/only/dropped", "encode_error")
    sender = OutboxSender(outbox.file, clock)
    sender.send(memory_stream)
    assert sender.end(memory_stream)
    ends = [(key, decode(value)) for key, value in memory_stream.kept[3:]]
    assert [(key, end.op, end.origin.outbox, end.origin.seq, end.origin.dropped) for key, end in ends] == [
        (KEY, OUTBOX_END, outbox.id, 3, {"outbox_full": 1}),
        ("p/f/only/dropped", OUTBOX_END, outbox.id, 0, {"encode_error": 1}),
    ]
    assert [(end.project, end.function_uri, end.deployment, end.stream_key) for _, end in ends] == [
        ("leeway", "leeway/model-server", "elec_v1", KEY),
        ("p", "p/f", "only/dropped", "p/f/only/dropped"),
    ]
    assert ends[0][1].when == "2023-11-14T22:13:20.000000+00:00"


def test_one_end_for_each_key_when_the_stream_takes_one_at_a_time(outbox, memory_stream, clock):
    for key in ("p/f/a", "p/f/b", "p/f/c"):
        outbox.drop(key, "outbox_full")
    sender = OutboxSender(outbox.file, clock)
    memory_stream.takes = 1
    assert [sender.end(memory_stream) for _ in range(3)] == [False, False, True]
    assert [key for key, _ in memory_stream.kept] == ["p/f/a", "p/f/b", "p/f/c"]


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.integers(0, 2), max_size=60),
    batch=st.integers(1, 7),
    takes=st.lists(st.integers(0, 3), max_size=9),
)
def test_packed_records_arrive_in_the_order_of_their_key(tmp_path_factory, stream_type, keys, batch, takes):
    outbox, stream = Outbox.create(tmp_path_factory.mktemp("outbox"), Settings(), ManualClock()), stream_type()
    for i, key in enumerate(keys):
        outbox.append(f"p/f/{key}", lambda origin, i=i: b"%d" % i)
    sender = OutboxSender(outbox.file, ManualClock(), batch)
    for stream.takes in [*takes, None]:
        sender.send(stream)
    outbox.close()
    assert sender.is_done
    for key in range(3):
        found, seen = [], set()
        for _, value in (entry for entry in stream.kept if entry[0] == f"p/f/{key}"):
            numbers = msgspec.json.decode(value)
            numbers = numbers if batch > 1 else [numbers]
            assert 1 <= len(numbers) <= batch
            found += [number for number in numbers if number not in seen and not seen.add(number)]
        assert found == [i for i, each in enumerate(keys) if each == key]
