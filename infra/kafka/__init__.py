"""Kafka: the topics, what a record looks like on the wire, the publisher, the horizon's reader."""
