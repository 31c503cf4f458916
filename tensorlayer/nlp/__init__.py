"""Text: vocabularies, tokens, batches for word embeddings, sampling, BLEU."""

from __future__ import annotations

from tensorlayer.nlp import bleu, sampling, skip_gram, token_files, vocabulary, words
from tensorlayer.nlp.bleu import *
from tensorlayer.nlp.sampling import *
from tensorlayer.nlp.skip_gram import *
from tensorlayer.nlp.token_files import *
from tensorlayer.nlp.vocabulary import *
from tensorlayer.nlp.words import *

__all__ = [
    *bleu.__all__,
    *sampling.__all__,
    *skip_gram.__all__,
    *token_files.__all__,
    *vocabulary.__all__,
    *words.__all__,
]
