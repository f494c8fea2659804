"""The private servers of the tests keep their data through a kill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

if TYPE_CHECKING:
    from tests.servers.kafka import KafkaServer
    from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.cluster


def test_the_database_comes_back_with_its_data(
    postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("create table kept as select 1 as one")
    postgresql_server.restart()
    with psycopg.connect(postgresql_url) as connection:
        assert connection.execute("select one from kept").fetchall() == [(1,)]


def test_the_broker_comes_back_with_its_records(
    kafka_server: KafkaServer, kafka_topics_prefix: str
) -> None:
    servers = {"bootstrap.servers": kafka_server.bootstrap}
    admin = AdminClient(servers)
    (made,) = admin.create_topics([NewTopic(kafka_topics_prefix, 1)]).values()
    made.result(30)
    producer = Producer(servers)
    producer.produce(kafka_topics_prefix, b"kept")
    assert producer.flush(30) == 0
    kafka_server.kill()
    kafka_server.start()
    consumer = Consumer({**servers, "group.id": kafka_topics_prefix})
    consumer.assign([TopicPartition(kafka_topics_prefix, 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    assert message.value() == b"kept"
