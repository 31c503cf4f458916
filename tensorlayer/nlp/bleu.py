"""BLEU, the usual measure of translations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tensorlayer.errors import InvalidArgument, LibraryMissing

__all__ = ["moses_multi_bleu"]


def moses_multi_bleu(
    hypotheses: Sequence[str], references: Sequence[str], lowercase: bool = False
) -> np.float32:
    r"""BLEU of a corpus, as the Moses script ``multi-bleu.perl`` computes it.

    $$
    100\,\min(1, e^{1-r/c})\,\Big(\prod_{n=1}^4 p_n\Big)^{1/4}
    $$

    with the precisions $p_n$ of n-grams, the length $c$ of all hypotheses and
    $r$ of all references. Computed by sacreBLEU; TensorLayer 1.x and 2.x downloaded the
    script.

    Parameters
    ----------
    hypotheses
        Sentences, already tokenised: words separated by blanks.
    references
        The right sentence for each, tokenised in the same way.
    lowercase
        Ignore the case.

    Returns
    -------
    float32
        From 0 to 100; 0 if there are no sentences, or no four words in a row that are right.

    Raises
    ------
    InvalidArgument
        The numbers of sentences differ.
    LibraryMissing
        The extra ``text`` is not installed.

    References
    ----------
    K. Papineni, S. Roukos, T. Ward, W. Zhu: BLEU, a method for automatic evaluation of machine
    translation. ACL 2002.

    Examples
    --------
    >>> moses_multi_bleu(["a bird is flying in the sky"], ["a bird is flying in the sky"]).item()
    100.0
    """
    if len(hypotheses) != len(references):
        raise InvalidArgument(
            f"moses_multi_bleu: there are {len(hypotheses)} hypotheses and {len(references)} "
            "references. Give one reference for each."
        )
    if not len(hypotheses):
        return np.float32(0)
    try:
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        raise LibraryMissing(
            "moses_multi_bleu needs sacrebleu. Install it with: pip install tensorlayer[text]"
        ) from error
    # The sentences are tokenised, which sacreBLEU would warn about without force.
    bleu = BLEU(lowercase=lowercase, tokenize="none", smooth_method="none", force=True)
    score = bleu.corpus_score(list(hypotheses), [list(references)]).score
    return np.float32(min(score, 100.0))  # rounding in its logarithms may exceed it by 1e-14
