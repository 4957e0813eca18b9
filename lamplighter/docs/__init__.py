"""The pages of `docs/` that are written from the code, each by the module of its name; a test compares them."""
