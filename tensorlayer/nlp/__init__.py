"""Text: vocabularies, tokens, batches for word embeddings, sampling, BLEU."""

from __future__ import annotations

from tensorlayer.nlp.bleu import moses_multi_bleu
from tensorlayer.nlp.sampling import sample, sample_nucleus, sample_top
from tensorlayer.nlp.skip_gram import generate_skip_gram_batch
from tensorlayer.nlp.token_files import (
    as_bytes,
    as_text,
    basic_tokenizer,
    create_vocabulary,
    data_to_token_ids,
    initialize_vocabulary,
    sentence_to_token_ids,
)
from tensorlayer.nlp.vocabulary import (
    SimpleVocabulary,
    Vocabulary,
    create_vocab,
    process_sentence,
)
from tensorlayer.nlp.words import (
    build_reverse_dictionary,
    build_vocab,
    build_words_dataset,
    read_analogies_file,
    read_words,
    save_vocab,
    simple_read_words,
    word_ids_to_words,
    words_to_word_ids,
)

__all__ = [
    "SimpleVocabulary",
    "Vocabulary",
    "as_bytes",
    "as_text",
    "basic_tokenizer",
    "build_reverse_dictionary",
    "build_vocab",
    "build_words_dataset",
    "create_vocab",
    "create_vocabulary",
    "data_to_token_ids",
    "generate_skip_gram_batch",
    "initialize_vocabulary",
    "moses_multi_bleu",
    "process_sentence",
    "read_analogies_file",
    "read_words",
    "sample",
    "sample_nucleus",
    "sample_top",
    "save_vocab",
    "sentence_to_token_ids",
    "simple_read_words",
    "word_ids_to_words",
    "words_to_word_ids",
]
