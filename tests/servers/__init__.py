"""Private servers for the tests: a Kafka broker and a PostgreSQL, on free ports."""
