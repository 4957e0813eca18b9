"""What a broker's reason codes mean (MQTT 3.1.1, table 3.1; MQTT 5, table 2-6), for people who have to mend it."""

_WORDS = {
    0x00: "it says farewell",
    0x01: "it does not speak this version of MQTT",
    0x02: "it refuses our client id",
    0x03: "it is not available",
    0x04: "it does not accept the user name and password",
    0x05: "it does not let this user in",
    0x81: "it finds our packet malformed",
    0x82: "it finds that we broke the protocol",
    0x84: "it does not speak this version of MQTT",
    0x85: "it refuses our client id",
    0x86: "it does not accept the user name and password",
    0x87: "it does not let this user in",
    0x88: "it is not available",
    0x89: "it is busy",
    0x8A: "it has banned us",
    0x8B: "it is shutting down",
    0x8D: "it heard nothing from us in time",
    0x8E: "another client has taken over this session: no two processes may have the same client id",
    0x93: "it finds that we sent too much ahead of its acknowledgements",
    0x95: "it finds our packet too large",
    0x96: "it finds that we send too fast",
    0x97: "a quota of its own is used up",
    0x98: "an administrator ended it",
    0x9C: "we are to use another server",
    0x9D: "we are to use another server from now on",
    0x9F: "it finds that we connect too often",
}


def words(code: int) -> str:
    """A reason code in words, with its number."""
    return f"{_WORDS.get(code, 'it does not say why')} (reason {code:#04x})"
