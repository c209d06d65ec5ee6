"""What is the embedded stores' own; the rest is in tests/contracts."""

from leeway.backends import connect
from leeway.settings import Settings


def test_the_append_time_is_the_clock_cut_to_whole_seconds(home, clock):
    stream = connect.stream("s", Settings(home=home), clock)
    clock.advance(0.9)
    stream.append([("a", b"")])
    clock.advance(0.2)
    stream.append([("a", b"")])
    assert [m.appended for m in stream.read(0, 0, 2)] == [1_700_000_000, 1_700_000_001]
    stream.close()


def test_a_name_of_a_state_cannot_leave_the_home(home, tmp_path):
    connect.state(Settings(home=home), "../../x").commit({"a": b""})
    assert [path for path in tmp_path.rglob("*.db") if home not in path.parents] == []
    assert [path.name for path in home.rglob("*.db")] == ["x.db"]
