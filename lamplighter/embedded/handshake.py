"""Is a broker ready? One MQTT 3.1.1 CONNECT with our credentials, answered, and a farewell.

An open port proves nothing: a broker may listen and serve nobody.
"""

from collections.abc import Sequence

from bus.address import parse_address
from bus.connection import Connection, Refused, Terms, connect
from bus.packets import Arrivals

__all__ = ["Refused", "shake_hands"]


async def shake_hands(url: str, timeout_s: float = 2.0, filters: Sequence[str] = (), client_id: str = "") -> None:
    """Connect to the broker at `url`, subscribe to what is given, and leave again.

    Without a `client_id` the broker chooses one. Whatever it keeps for a session of that name it forgets.

    Raises:
        BadAddress: the URL is none.
        Refused: the broker said no; it is an `OSError` too.
        OSError: nobody listens, the broker is not the one that it should be, there is no answer in time, or it refuses
            a subscription.
    """
    terms = Terms(client_id, tuple(filters), clean=True)
    connection = await connect(4, parse_address(url), terms, _nothing_is_asked_for, timeout_s)
    connection.leave()


def _nothing_is_asked_for(connection: Connection, arrivals: Arrivals) -> None:
    """Messages without a subscription are left unread."""
