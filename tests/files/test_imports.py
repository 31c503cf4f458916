"""What is imported when."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["files", "nlp", "iterate", "rein"])
def test_importing_loads_nothing_heavy(module):
    heavy = ["tensorflow", "h5py", "matplotlib", "PIL", "skimage", "sklearn", "scipy", "requests"]
    heavy += ["sacrebleu", "nltk", "requests", "pymongo"]
    code = f"import sys, tensorlayer.{module}; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
