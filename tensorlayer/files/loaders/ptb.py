"""Penn Treebank: a million words of newspaper text with a vocabulary of 10,000."""

from __future__ import annotations

import os

from tensorlayer.files.loaders.place import read_whole, unpack

__all__ = ["load_ptb_dataset"]

URL = "http://www.fit.vutbr.cz/~imikolov/rnnlm/"
ARCHIVE = "simple-examples.tgz"
CHECKSUM = "md5:30177ea32e27c525793142b6bf2c8e2d"
FOLDER = "simple-examples/data"


def load_ptb_dataset(
    path: str | os.PathLike[str] = "data",
) -> tuple[list[int], list[int], list[int], int]:
    """Load the Penn Treebank as word ids.

    Parameters
    ----------
    path
        Where ``simple-examples/data/ptb.train.txt`` and so on are, or ``simple-examples.tgz`` is,
        or is to be downloaded to (``path/ptb``).

    Returns
    -------
    tuple
        train, valid and test data as lists of ids, and the size of the vocabulary, 10,000. The end
        of each line is the word ``<eos>``; ids fall with the frequency in the training data.

    Raises
    ------
    DownloadFailed
        It is not there and cannot be downloaded.
    Corrupt
        The archive is damaged, or a text has words that the training text has not.

    References
    ----------
    T. Mikolov: Statistical language models based on neural networks. 2012.
    """
    from tensorlayer import nlp

    folder = unpack(path, "ptb", FOLDER, ARCHIVE, URL, CHECKSUM)
    with read_whole(folder, "a folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt"):
        train, valid, test = (
            nlp.read_words(folder / f"ptb.{part}.txt") for part in ("train", "valid", "test")
        )
        word_to_id = nlp.build_vocab(train)
        ids = [nlp.words_to_word_ids(each, word_to_id, "<unk>") for each in (train, valid, test)]
    return ids[0], ids[1], ids[2], len(word_to_id)
