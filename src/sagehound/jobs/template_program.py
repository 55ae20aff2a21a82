"""What a template's interpreter is told to run, and what it says when it is ready."""

#: What is forked from it comes back here, and goes on as the script.
PROGRAM = """\
import sys
_plain = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from sagehound.jobs.template import serve
_code, _namespace, _ended = serve(_plain, *sys.argv[2:])
try:
    exec(_code, _namespace)
except BaseException as _problem:
    _ended(_problem, sys._getframe().f_code)
    raise
"""
READY = "ready"
