"""WMT from a few sentences."""

from tensorlayer import files
from tests.files.loaders import samples


def test_wmt_as_paths_without_endings(put, tmp_path):
    train, dev = files.load_wmt_en_fr_dataset(put(samples.WMT))
    assert (train, dev) == (
        str(tmp_path / "wmt_en_fr/giga-fren.release2.fixed"),
        str(tmp_path / "wmt_en_fr/dev/newstest2013"),
    )
    assert files.read_file(train + ".fr") == "Bonjour .\nÀ bientôt .\n"
    assert files.read_file(train + ".en").encode() == samples.ENGLISH
    assert files.read_file(dev + ".fr") == "Un chat .\n"


def test_wmt_unpacked_by_an_earlier_release(tmp_path):
    names = ["giga-fren.release2.fixed", "newstest2013"]
    for name in names:
        for language in ("en", "fr"):
            (tmp_path / f"{name}.{language}").touch()
    assert files.load_wmt_en_fr_dataset(tmp_path) == tuple(str(tmp_path / n) for n in names)
