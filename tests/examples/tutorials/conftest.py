"""The scripts of this folder are run by tests; they are no tests, and are not to be imported."""

collect_ignore_glob = ["tutorial_*.py"]
