"""Scripts are run by the test beside this folder, not imported."""

collect_ignore_glob = ["*.py"]
