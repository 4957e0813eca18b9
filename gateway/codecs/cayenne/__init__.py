"""Cayenne (myDevices), author of a payload format that many makers use."""
