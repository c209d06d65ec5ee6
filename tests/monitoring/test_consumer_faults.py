"""A consumer that is away for a while, dies anywhere, or is not alone: every record counts once."""

import msgspec
import pytest

from leeway.errors import Conflict, StoreError
from monitoring.queries import Queries
from tests.faults.outcome import outcome


def counts(reader):
    with Queries(reader.settings) as queries:
        return queries.counts()


class Refusing:
    """A state that refuses whatever `refuse` names: what is read, or what is scanned."""

    def __init__(self, state):
        self._state, self.refuse = state, set()

    def __getattr__(self, name):
        if name in self.refuse:
            raise StoreError(f"{name}: the store is away")
        return getattr(self._state, name)


def half_of_a_range(consumer, states):
    """Let a consumer fail in the midst of its first range: the profile of the endpoint that comes second is away."""
    whole = consumer._pipeline._profile_of

    def profile_of(endpoint):
        if endpoint.startswith("shop/server/b"):
            for state in states:
                state.refuse.add("scan")
            raise StoreError("the profile is away")
        return whole(endpoint)

    consumer._pipeline._profile_of = profile_of


def test_what_was_half_worked_out_is_never_gone_on_with_though_the_state_is_away_too(make_reader, maker):
    for i in range(6):
        maker.predict("ab"[i % 2], f"r{i}")
    reader = make_reader()
    state = Refusing(reader.state)
    reader.state = state
    consumer = reader.consumer()
    half_of_a_range(consumer, [state])
    for _ in range(2):
        with pytest.raises(StoreError, match="away"):
            consumer.consume(maker.messages)
    state.refuse.clear()
    consumer.close()
    found = counts(reader)
    assert (found["predictions"]["counted"], found["repeated"]) == (6, 0)
    assert len(reader.table("prediction")) == 6


def test_a_consumer_that_must_start_anew_stops_where_another_one_went_on(make_reader, maker):
    for i in range(6):
        maker.predict("ab"[i % 2], f"r{i}")
    reader = make_reader()
    first = reader.consumer()
    half_of_a_range(first, [])
    with pytest.raises(StoreError, match="away"):
        first.consume(maker.messages)
    reader.consumer().consume(maker.messages)
    with pytest.raises(Conflict, match="another consumer has it"):
        first.close()
    found = counts(reader)
    assert (found["predictions"]["counted"], found["repeated"]) == (6, 0)
    assert len(reader.table("prediction")) == 6


def test_of_two_consumers_that_plan_at_once_one_goes_on(make_reader, maker):
    """Both have taken messages when the first of them plans; the other one, which has taken more, would plan more."""
    for i in range(6):
        maker.predict("a", str(i))
    reader = make_reader()
    one, other = reader.consumer(), reader.consumer()
    for message in maker.messages[:4]:
        one.offer(message)
    for message in maker.messages:
        other.offer(message)
    plan = one._make_plan()
    with pytest.raises(Conflict):
        other.close()
    assert reader.state.get("plan") == msgspec.json.encode(plan)
    one.close()
    assert (one.position, counts(reader)["predictions"]["counted"]) == (4, 4)
    reader.consumer().consume(maker.messages)
    assert counts(reader)["predictions"]["counted"] == len(reader.table("prediction")) == 6


class Dying:
    """Lets a process die before or after the n-th thing that it does to its stores."""

    def __init__(self, at, after):
        self.left, self.after = at, after

    def around(self, store, names):
        dying = self

        class Around:
            def __getattr__(self, name):
                return dying._counted(getattr(store, name)) if name in names else getattr(store, name)

        return Around()

    def _counted(self, act):
        def acting(*arguments, **named):
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Died
            found = act(*arguments, **named)
            if self.left == 0:
                raise Died
            return found

        return acting


class Died(BaseException):
    """The process is gone."""


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_a_restart_at_every_step_of_a_range_shows_in_nothing(make_reader, eventful, after):
    stream = eventful[:60]
    calm = make_reader(range_rows=40)
    calm.consumer().consume(stream)
    expected, at = outcome(calm.settings), 0
    while True:
        at += 1
        reader, dying = make_reader(range_rows=40), Dying(at, after)
        state, shared, series, archive = reader.state, reader.shared, reader.series, reader.archive
        reader.state, reader.shared = dying.around(state, {"commit"}), dying.around(shared, {"commit"})
        reader.series, parts = dying.around(series, {"write"}), {"archive": dying.around(archive, {"write"})}
        try:
            reader.consumer(**parts).consume(stream)
        except Died:
            reader.state, reader.shared, reader.series = state, shared, series
            reader.consumer().consume(stream)
            assert outcome(reader.settings) == expected, at
        else:
            break
    assert at > 15
