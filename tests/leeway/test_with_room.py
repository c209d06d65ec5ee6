import resource
import threading

import pytest

from leeway.with_room import with_room

CALLS, DEPTHS = 300, 150


def inner():
    return [inner_most() for _ in range(3)]


def inner_most():
    return 1


def most_faults():
    """Of that many calls, at the depth of the stack where they meet most pages of memory that are new."""

    def at(depth):
        if depth:
            return at(depth - 1)
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        for _ in range(CALLS):
            inner()
        return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before

    return max(at(depth) for depth in range(DEPTHS))


@pytest.fixture
def in_a_thread():
    """What a function returns in a thread of its own, whose stack is empty."""

    def run(work, *args):
        found = []
        thread = threading.Thread(target=lambda: found.append(work(*args)))
        thread.start()
        thread.join()
        return found[0]

    return run


def test_no_depth_of_the_stack_fetches_memory_with_every_call(in_a_thread):
    assert in_a_thread(most_faults) >= CALLS, "this Python does not need it"
    assert in_a_thread(with_room, most_faults) < CALLS / 3


def test_what_is_returned_and_raised_passes():
    assert with_room(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        with_room(divmod, 7, 0)
