"""Published vectors whose word is not ours: vector, their path, and the verdict of the maker's data sheet.

Each entry has to be a real difference: one that agrees by now fails the tests and is to be removed. A path of
`refused` stands for a vector that expects a refusal where we decode, or the other way round; `bytes` and `port` for
a downlink's.
"""

CONFLICTS: dict[tuple[str, str], str] = {
    ("bosch__tps110#akenza-uplink-8", "start_up.debug"): (
        "The debug information has 12 bytes (0 to 11); akenza's parser keeps the first 10. Ours keeps all."
    ),
}
