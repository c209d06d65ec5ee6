import os
import threading

import pytest

from leeway.backends.sqlite_database import SqliteDatabase
from leeway.errors import StoreError

INSERT = "INSERT INTO item VALUES (?)"


@pytest.fixture
def database(home):
    database = SqliteDatabase(home / "x.db", "CREATE TABLE item (name TEXT)")
    yield database
    database.close()


def names(database):
    with database.reading() as connection:
        return [name for (name,) in connection.execute("SELECT name FROM item ORDER BY rowid").fetchall()]


def test_a_forked_child_keeps_what_it_commits_after_its_parent_has_gone(database):
    """With inherited locks, which are none, the parent would remove the log that its child goes on to write."""
    names(database)
    to_parent, to_child = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for text in ("before", "after"):
                with database.writing() as connection:
                    connection.execute(INSERT, (text,))
                os.write(to_parent[1], b".")
                os.read(to_child[0], 1)
            os._exit(0)
        finally:
            os._exit(1)
    os.read(to_parent[0], 1)
    database.close()
    os.write(to_child[1], b"..")
    assert os.waitpid(pid, 0)[1] == 0
    assert names(database) == ["before", "after"]
    for end in (*to_parent, *to_child):
        os.close(end)


def test_a_thread_does_not_see_into_the_transaction_of_another(database):
    seen = []
    with database.writing() as connection:
        connection.execute(INSERT, ("a",))
        thread = threading.Thread(target=lambda: seen.extend(names(database)))
        thread.start()
        thread.join()
    assert seen == [] and names(database) == ["a"]


def test_an_exception_rolls_back_and_the_next_transaction_works(database):
    with pytest.raises(KeyboardInterrupt), database.writing() as connection:
        connection.execute(INSERT, ("a",))
        raise KeyboardInterrupt
    with database.writing() as connection:
        connection.execute(INSERT, ("b",))
    assert names(database) == ["b"]


def test_what_sqlite_refuses_names_the_file(database):
    with pytest.raises(StoreError, match=r"x\.db: no such table: nowhere"), database.reading() as connection:
        connection.execute("SELECT * FROM nowhere")


def test_many_threads_that_open_it_first_make_one_file(home):
    start, failed = threading.Barrier(8), []

    def open_it():
        try:
            start.wait()
            own = SqliteDatabase(home / "new.db", "CREATE TABLE item (name TEXT)")
            with own.writing() as connection:
                connection.execute(INSERT, ("x",))
            own.close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert names(SqliteDatabase(home / "new.db", "CREATE TABLE item (name TEXT)")) == ["x"] * 8


def test_an_older_file_is_migrated_once_and_in_order(home):
    made = ["CREATE TABLE item (name TEXT)", "ALTER TABLE item ADD COLUMN size INTEGER; UPDATE item SET size = 7"]
    made.append("CREATE TABLE size AS SELECT size FROM item; CREATE INDEX sizes ON item (size)")
    oldest = SqliteDatabase(home / "x.db", *made[:1])
    with oldest.writing() as connection:
        connection.execute(INSERT, ("a",))
    oldest.close()
    for _ in range(2):
        newest = SqliteDatabase(home / "x.db", *made)
        with newest.reading() as connection:
            assert connection.execute("SELECT name, size FROM item").fetchall() == [("a", 7)]
            assert connection.execute("SELECT size FROM size").fetchall() == [(7,)]
            assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        newest.close()
    with pytest.raises(StoreError, match="version 3, this Leeway knows 1 to 2: use the Leeway that wrote it"):
        names(SqliteDatabase(home / "x.db", *made[:2]))


def test_a_migration_that_fails_leaves_the_file_as_it_was(home):
    oldest = SqliteDatabase(home / "x.db", "CREATE TABLE item (name TEXT)")
    names(oldest)
    oldest.close()
    broken = SqliteDatabase(home / "x.db", "CREATE TABLE item (name TEXT)", "CREATE TABLE a (b); CREATE TABLE a (b)")
    with pytest.raises(StoreError, match="table a already exists"):
        names(broken)
    assert names(oldest) == []
    oldest.close()
