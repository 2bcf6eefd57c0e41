"""A replica that stands still cannot hold up revocations for long, and knows nothing old when it goes on."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from appwrite.client import Client
from appwrite.id import ID
from appwrite.services.tables_db import TablesDB
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.sdk import call, refusal, server, with_jwt, with_session

pytestmark = pytest.mark.topology("processes")


class Story:
    """A table that signed-in users may read, a session, a JWT of it, and who asks each replica of data with that."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.database = ID.unique()
        tables = TablesDB(server(instance))
        tables.create(self.database, "Stopped")
        tables.create_table(self.database, "notes", "Notes", ['read("users")'])
        self.user = Users(server(instance)).create(ID.unique(), f"{ID.unique()}@x.org").id
        self.secret = str(Users(server(instance)).create_session(self.user).secret)
        jwt = str(call(with_session(instance, self.secret), "post", "/account/jwts")["jwt"])
        self.callers = [with_jwt(replace(instance, endpoint=one.endpoint), jwt) for one in instance.replicas]

    def list(self, caller: Client) -> float:
        return TablesDB(caller).list_rows(self.database, "notes").total

    def sign_out(self) -> str:
        """Delete the session; return the receipt."""
        headers = {"X-Appwrite-Project": self.instance.project, "X-Appwrite-Session": self.secret}
        url = f"{self.instance.endpoint}/account/sessions/current"
        answer = requests.delete(url, headers=headers, timeout=60)
        assert answer.status_code == 204, answer.text
        return answer.headers["Daypass-Receipt"]


@pytest.fixture
def story(processes: Instance) -> Iterator[Story]:
    yield Story(processes)
    for replica in processes.replicas:
        os.kill(replica.pid, signal.SIGCONT)


def test_a_replica_stopped_before_the_delete_is_fenced_and_wakes_up_without_the_session(story: Story) -> None:
    running, stopped = story.callers
    assert [story.list(caller) for caller in story.callers] == [0, 0]

    os.kill(story.instance.replicas[1].pid, signal.SIGSTOP)
    receipt = story.sign_out()
    assert refusal(story.list, running) == (401, "user_unauthorized")
    os.kill(story.instance.replicas[1].pid, signal.SIGCONT)

    assert "fenced=1" in receipt
    for _ in range(20):
        assert refusal(story.list, stopped) == (401, "user_unauthorized")


def test_a_replica_stopped_and_continued_before_the_delete_is_one_like_the_others(story: Story) -> None:
    os.kill(story.instance.replicas[1].pid, signal.SIGSTOP)
    os.kill(story.instance.replicas[1].pid, signal.SIGCONT)
    assert [story.list(caller) for caller in story.callers] == [0, 0]
    story.sign_out()

    assert [refusal(story.list, caller) for caller in story.callers] == [(401, "user_unauthorized")] * 2
