"""The room that stores: decode, gather, settle duplicates, write, and only then acknowledge."""
