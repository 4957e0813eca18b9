"""The cellar of messages: MQTT sessions that reconnect, resubscribe and acknowledge by hand.

`inbox` receives at a high rate and acknowledges when told; `session` publishes and listens at a human rate.
"""
