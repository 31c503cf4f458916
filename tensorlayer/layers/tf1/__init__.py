"""Networks in a graph of TensorFlow 1, as TensorLayer 1.x had them.

Over a placeholder a network is made once, of operations, and a session runs it as often as one
likes. So what an evaluation says elsewhere is said when the network is made, or fed:

- the probabilities of keeping of dropout are placeholders, ``net.all_drop``;
- what was only told by ``dropout=`` of a recurrent layer drops, unless ``is_train=False``;
- in ``variable_scope(..., reuse=True)`` *variables* are shared, so that the second network may be
  of another number of steps, or another activation;
- what a layer gives besides, such as ``net.final_state``, are tensors, to be fetched and fed.

None of it is done elsewhere: eagerly, in a ``tf.function`` and over declared inputs.
"""

from tensorlayer.layers.tf1.drops import (
    declared_mode,
    fed_keep,
    is_made_in_graph,
    note_drops,
    noting_drops,
)
from tensorlayer.layers.tf1.graphs import graph_of, require_one_graph
from tensorlayer.layers.tf1.networks import ForSessions, apart, making, side
from tensorlayer.layers.tf1.reuse import (
    require_shared,
    shared_code,
    shared_variable,
    sharing,
)
from tensorlayer.layers.tf1.sizes import plain_sizes

__all__ = [
    "ForSessions",
    "apart",
    "declared_mode",
    "fed_keep",
    "graph_of",
    "is_made_in_graph",
    "making",
    "note_drops",
    "noting_drops",
    "plain_sizes",
    "require_one_graph",
    "require_shared",
    "shared_code",
    "shared_variable",
    "sharing",
    "side",
]
