"""What a module lacks of a process: the folder that it was started in, and the name that it was given.

The library inside begins in the root, whatever the folder; so the script is named by its whole path,
and this stands in for `sitecustomize` of the untraced program. `FOLDER` and `GIVEN` are set by lines
before these. Leaves no trace in `sys.path`, `sys.modules` or the environment.
"""
import os
import sys


def _place(folder, given):
    own = __file__.rpartition("/")[0]
    sys.path[:] = [entry for entry in sys.path if entry != own]
    sys.path_importer_cache.pop(own, None)
    os.environ.pop("PYTHONPATH", None)
    os.chdir(folder)
    sys.orig_argv[sys.orig_argv.index(sys.argv[0])] = given
    sys.argv[0] = given


_place(FOLDER, GIVEN)  # noqa: F821
del _place
sys.modules.pop("sitecustomize", None)
import sitecustomize  # noqa: E402,F401
