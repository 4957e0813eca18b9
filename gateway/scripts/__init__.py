"""Makers' own JavaScript codecs, each in a process of its own that can do nothing but compute.

`worker` runs within that process, confined by `confine`, with the few things a codec may expect from `prelude.js`;
`sandbox` is its owner on our side; `mapping` turns what a codec says into our fields; `vendor` puts these together
into what the gateway asks of a codec.
"""
