"""The three workloads of the paper's Table 1, each declared with every library that is compared."""
