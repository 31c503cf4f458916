"""Well-known datasets, one file each.

Every loader takes ``path``. Files that lie in it, or in its folder of the dataset's name, are taken
as they are and nothing is downloaded; what is missing is downloaded into that folder.
"""
