"""Dead letters on a stream of their own, for who reads brokers rather than stores: `<stream>-dead`."""

import msgspec

from leeway.interfaces import State, Stream

from .dead_letters import bounds, letter_key, read

_SENT = "dead-sent"


class DeadLetterTopic:
    """Sends those of one shard's state, in order and at least once. What went from the state before it could be sent,
    as there were too many, is not sent."""

    def __init__(self, state: State, stream: Stream):
        self._state, self._stream = state, stream
        sent = state.get(_SENT)
        self._sent = 0 if sent is None else msgspec.json.decode(sent, type=int)

    def send(self) -> None:
        """Send what was committed since the last time; StoreError where the broker or the state is away."""
        first, end = bounds(self._state.get)
        for number in range(max(first, self._sent), end):
            value = self._state.get(letter_key(number))
            if value is not None:
                letter = read(value)
                if self._stream.append([(letter.key, msgspec.json.encode(letter))]) != 1:
                    return
            self._sent = number + 1
            self._state.commit({_SENT: msgspec.json.encode(self._sent)})
