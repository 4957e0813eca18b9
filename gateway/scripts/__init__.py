"""Makers' own JavaScript codecs, each in a process of its own that can do nothing but compute.

`worker` runs within that process, confined by `confine`, with the few things a codec may expect from `prelude.js` and
`buffer.js`; `sandbox` is its owner on our side; `mapping` turns what a codec says into our fields. `vendor` puts these
together into what can be asked of a codec, `answers` does so for a batch of lines, and the `shelf` holds those that are
kept beside the native ones.
"""
