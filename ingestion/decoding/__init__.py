"""From the bytes of a source to frames: JSON rows, Influx line protocol, MQTT messages."""
