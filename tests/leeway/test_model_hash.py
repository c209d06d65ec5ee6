import hashlib

import pytest

from leeway.model_hash import model_hash


def test_a_file_has_the_hash_of_its_bytes(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"abc")
    assert model_hash(tmp_path / "model.pkl") == hashlib.sha256(b"abc").hexdigest()


def test_a_folder_has_that_of_its_files_in_the_order_of_their_paths(tmp_path):
    for name, data in (("b.txt", b"2"), ("a/z.txt", b"1")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert model_hash(tmp_path) == hashlib.sha256(b"12").hexdigest()


def test_what_is_not_there_has_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file, and no folder that holds one"):
        model_hash(tmp_path / "gone")
