"""Codecs of the uCIFI data model, which makers share."""
