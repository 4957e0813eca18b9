"""What a maker's codec may use; a message for which it would use more is refused."""

from dataclasses import dataclass

SOURCE_BYTES_MAX = 1024 * 1024
"""Of a codec's file; the largest published ones have about a tenth."""
REQUEST_BYTES_MAX = 64 * 1024
"""Of one message with all that goes with it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of one codec, all of one message's but the last two.

    Attributes:
        heap_bytes: of the engine, the parsed codec included.
        stack_bytes: of the engine.
        call_s: CPU time, parsing the codec included where it is parsed for each message.
        output_characters_max: of the answer as JSON.
        answer_s: real time until a worker without a word is ended; far more than `call_s`, for a busy machine.
        room_bytes: address space of the worker beyond its own.
        waiting_max: messages of one codec that wait; beyond it, whoever asks waits.
    """

    heap_bytes: int = 32 * 1024 * 1024
    stack_bytes: int = 1024 * 1024
    call_s: float = 0.1
    output_characters_max: int = 64 * 1024
    answer_s: float = 5.0
    room_bytes: int = 192 * 1024 * 1024
    waiting_max: int = 256

    def __post_init__(self) -> None:
        assert self.room_bytes >= 4 * self.heap_bytes, "a heap fits into the room with its output beside it"
        assert self.stack_bytes <= 4 * 1024 * 1024, "the system's own stack of 8 MiB is never reached"
        assert self.answer_s > 10 * self.call_s
