"""A script that is forked from a template behaves as one that Python was started for."""

import json

import pytest

from sagehound.jobs.process import ProcessLauncher
from tests.jobs.warm_jobs import HEAD, NOTE, TORCH_HEAD, a_job, seen, was_warm

SCRIPTS = {
    "ends": "print('done')",
    "exit code": "import sys; print('x'); sys.exit(3)",
    "exit text": "import sys; sys.exit('no such class')",
    "exit without finalizers": "import os, atexit; atexit.register(print, 'no'); print('out', flush=True); os._exit(5)",
    "exception": "def f(x):\n    return 1 / x\nf(0)",
    "exception with a cause": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('no a') from e",
    "exception group": "raise ExceptionGroup('several', [ValueError('a'), KeyError('b')])",
    "recursion": "import sys\nsys.setrecursionlimit(150)\ndef f(): f()\nf()",
    "syntax": "print('never')\ndef f(:\n    pass",
    "syntax of what it runs": "exec('def f(:')",
    "not utf-8": "# -*- coding: latin-1 -*-\nprint(ascii('\u00e9'))",
    "keyboard interrupt": "import atexit; atexit.register(print, 'bye'); raise KeyboardInterrupt",
    "interrupted": "import os, signal; os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(9)",
    "terminated": "import os, signal; print('x'); os.kill(os.getpid(), signal.SIGTERM)",
    "aborted": "import os; os.abort()",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "handles": "import os, signal, sys\nsignal.signal(15, lambda *_: sys.exit(7))\nos.kill(os.getpid(), 15)",
    "dispositions": "import signal\nfor n in sorted(signal.valid_signals()): print(n, signal.getsignal(n))\n"
    "print([l for l in open('/proc/self/status') if l.startswith('Sig') and not l.startswith('SigQ')])",
    "streams": "import sys\nfor n in range(40): print(n, file=(sys.stdout, sys.stderr)[n % 2])\n"
    "print('no end', end=''); print(sys.stdout.encoding, sys.stdout.errors, sys.stdin.read() == '')",
    "exit order": "import atexit, threading, time\natexit.register(print, 'atexit')\n"
    "def late(): time.sleep(0.1); print('thread')\nthreading.Thread(target=late).start(); print('end')",
    "thread fails": "import threading\ndef f(): raise ValueError('in a thread')\n"
    "t = threading.Thread(target=f, name='t'); t.start(); t.join()",
    "at exit fails": "import atexit\ndef f(): raise ValueError('at exit')\natexit.register(f)",
    "own hook": "import sys\nsys.excepthook = lambda k, v, t: print('hook', k.__name__, t.tb_lineno)\n1 / 0",
    "main": "import __main__, sys\nprint(__main__.__name__, __main__ is sys.modules['__main__'], __file__, __spec__,"
    " sorted(globals()), type(__loader__).__name__, __builtins__)",
    "interpreter": "import sys, os, site, sysconfig\nprint(sys.argv, sys.orig_argv, sys.path, sys.flags, sys.prefix,"
    " sys.base_prefix, sys.exec_prefix, sys.executable, sys.warnoptions, site.PREFIXES, site.ENABLE_USER_SITE,"
    " sysconfig.get_paths(), os.getcwd(), sorted(os.listdir('/proc/self/fd')), os.getpid() == os.getsid(0),"
    " os.getpid() == os.getpgid(0), open('/proc/self/oom_score_adj').read())",
    "environment": "import os, subprocess\nprint(sorted(os.environ.items()))\n"
    "print(sorted(subprocess.check_output(['env'], text=True).splitlines()))",
    "modules": "import sys\nprint('numpy' in sys.modules, 'torch' in sys.modules, 'sagehound' in sys.modules,"
    " __import__('importlib.util').util.find_spec('torch').origin)",
    "warns": "import warnings; warnings.warn('old')",
    "numbers differ": "import random, numpy\nprint(random.random() != 0.5, numpy.random.rand() != 0.5)",
    "pickles its own": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)",
    "fork": "import os\np = os.fork()\nif not p:\n    print('child', flush=True); os._exit(4)\n"
    "print(os.waitpid(p, 0)[1])",
    "subprocess": "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'import sys, numpy;"
    " print(sys.prefix, numpy.__name__)'], capture_output=True, text=True))",
    "pool": "import multiprocessing as m\ndef f(x): return x * x\nclass A:\n    def g(self, x): return f(x)\n"
    "if __name__ == '__main__':\n    for way in ('fork', 'spawn', 'forkserver'):\n"
    "        with m.get_context(way).Pool(2) as pool: print(way, pool.map(A().g, range(5)))",
    "executor": "from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor\nimport numpy as np\n"
    "with ThreadPoolExecutor(2) as p: print([a.shape for a in p.map(np.eye, range(3))])",
    "asyncio": "import asyncio\nasync def f(): await asyncio.sleep(0); print('in')\nasyncio.run(f())",
    "tempfile": "import tempfile, os; print(os.path.dirname(tempfile.mkdtemp()))",
    "opt ml": "open('/opt/ml/model/x', 'w').write('1'); import os; print(os.listdir('/opt/ml/model'))",
    "imports its own": "import mine, sys; print(mine.VALUE, mine.__file__)",
    "imports a package": "from package.part import VALUE; print(VALUE)",
    "faulthandler": "import faulthandler; print(faulthandler.is_enabled())",
    "reads source": "import inspect\ndef f(): pass\nprint(inspect.getsource(f), inspect.getsourcefile(f))",
    "deletes": "class A:\n    def __del__(self): print('deleted')\na = A()",
    "matmul": "import numpy as np, os\na = np.ones((900, 900)); a @ a; print(len(os.listdir('/proc/self/task')))",
}
#: How a script may come to a copy of its own, past what the reading of its source sees.
ANEW = {
    "its own copy": "import sys as s; s.path.insert(0, '/opt/ml/code/vendor')\n"
    "import numpy, numpy.linalg, PIL; print(numpy.__file__, numpy.linalg.__file__, PIL.__file__)",
    "a submodule of its own copy": "import sys as s; s.path.insert(0, '/opt/ml/code/vendor')\n"
    "import numpy.linalg; print(numpy.linalg.MINE)",
    "reloads": "import PIL, importlib; PIL.mark = 1; print(importlib.reload(PIL) is PIL); print(len(PIL._plugins))",
    "anew": "import PIL, sys as s; first = s.modules.pop('PIL'); import PIL as second; print(first is second)",
}
TORCH_SCRIPTS = {
    "threads": "torch.ones(800, 800) @ torch.ones(800, 800)\nimport os; print(torch.get_num_threads(),"
    " torch.get_num_interop_threads(), len(os.listdir('/proc/self/task')) > 1)\nfrom concurrent.futures import"
    " ThreadPoolExecutor as T\nprint(T(1).submit(torch.get_num_threads).result())",
    "trains": "torch.manual_seed(0)\nm = timm.create_model('test_resnet', num_classes=3)\n"
    "o = torch.optim.SGD(m.parameters(), 0.1)\nfor _ in range(3):\n    l = m(torch.ones(4, 3, 8, 8)).square().mean()\n"
    "    o.zero_grad(); l.backward(); o.step(); print(round(l.item(), 4))",
    "loaders": "class D(torch.utils.data.Dataset):\n    def __len__(self): return 8\n    def __getitem__(self, i):"
    " return torch.full((2,), float(i))\nif __name__ == '__main__':\n    for way in ('fork', 'spawn'):\n"
    "        for b in torch.utils.data.DataLoader(D(), 4, num_workers=2, multiprocessing_context=way): print(way, b)",
    "gloo": "import torch.distributed as d\nd.init_process_group('gloo', init_method='tcp://127.0.0.1:0', rank=0,"
    " world_size=1)\nx = torch.ones(3); d.all_reduce(x); print(x); d.destroy_process_group()",
    "fails in a backward": "x = torch.ones(1, requires_grad=True)\ny = x * 2\ny.backward(); y.backward()",
    "state": "print(torch.cuda.is_initialized(), torch.utils.data.get_worker_info(), torch.is_grad_enabled(),"
    " torchvision.__version__, timm.__version__)",
}


@pytest.fixture(scope="module")
def plainly():
    return ProcessLauncher(warm=False)


@pytest.fixture(scope="module")
def warm():
    launcher = ProcessLauncher()
    yield launcher
    launcher.warm.close()


@pytest.fixture(scope="module")
def ready(warm, tmp_path_factory):
    """A launcher whose template has what the scripts import."""
    seen(warm, a_job(tmp_path_factory.mktemp("first") / "job", HEAD))
    assert warm.warm.await_ready(60)
    return warm


@pytest.fixture(scope="module")
def torch_ready(tmp_path_factory):
    launcher = ProcessLauncher()
    seen(launcher, a_job(tmp_path_factory.mktemp("first") / "job", TORCH_HEAD))
    assert launcher.warm.await_ready(120)
    yield launcher
    launcher.warm.close()


BESIDE = {
    "mine.py": "VALUE = 5",
    "package/__init__.py": "",
    "package/part.py": "from . import other\nVALUE = other.V",
    "package/other.py": "V = 6",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_does_the_same(name, plainly, ready, tmp_path):
    script = HEAD + SCRIPTS[name]
    one = seen(plainly, a_job(tmp_path / "one", script, files=BESIDE, arguments=("--lr", "0.1")))
    two = seen(ready, a_job(tmp_path / "two", script, files=BESIDE, arguments=("--lr", "0.1")))
    assert two == one
    if name != "syntax":
        assert was_warm(tmp_path / "two")


@pytest.mark.parametrize("name", ANEW)
def test_a_script_gets_what_it_would_find(name, plainly, ready, tmp_path):
    mine = {"vendor/numpy/__init__.py": "", "vendor/numpy/linalg.py": "MINE = 1"}
    script = f"if 0: import numpy\n{NOTE}\n{ANEW[name]}"
    one = seen(plainly, a_job(tmp_path / "one", script, files=mine))
    two = seen(ready, a_job(tmp_path / "two", script, files=mine))
    assert one[0] == 0
    assert two == one
    assert was_warm(tmp_path / "two")


@pytest.mark.parametrize("name", TORCH_SCRIPTS)
def test_a_training_does_the_same(name, plainly, torch_ready, tmp_path):
    script = TORCH_HEAD + TORCH_SCRIPTS[name]
    one = seen(plainly, a_job(tmp_path / "one", script))
    two = seen(torch_ready, a_job(tmp_path / "two", script))
    assert two == one
    assert was_warm(tmp_path / "two")


def test_jobs_of_one_template_have_random_numbers_of_their_own(torch_ready, tmp_path):
    script = TORCH_HEAD + (
        "import random, uuid, tempfile, numpy, secrets, multiprocessing as m\n"
        "for n in (random.random(), numpy.random.rand(), torch.rand(1).item(), torch.initial_seed(), uuid.uuid1().hex,"
        " tempfile.mktemp(), secrets.token_hex(), m.current_process().authkey[:].hex()): print(n)"
    )
    one, two = (seen(torch_ready, a_job(tmp_path / name, script))[3] for name in ("one", "two"))
    assert len(one) == len(two) == 8
    assert set(one).isdisjoint(two)
    assert was_warm(tmp_path / "one")
    assert was_warm(tmp_path / "two")


def test_what_a_job_asks_of_its_imports_is_heard(plainly, torch_ready, tmp_path):
    script = (
        "import sys; print('torch' in sys.modules, 'sagehound.debug' in sys.modules)\n"
        f"{TORCH_HEAD}print([f'sagehound.{{part}}.automatic' in sys.modules for part in ('debug', 'profile')])\n"
        "m = torch.nn.Linear(2, 1)\no = torch.optim.SGD(m.parameters(), 0.1)\n"
        "for _ in range(5): torch.nn.functional.mse_loss(m(torch.ones(4, 2)), torch.ones(4, 1)).backward(); o.step()\n"
    )
    config = {"S3OutputPath": "s3://bucket/x", "CollectionConfigurations": [{"CollectionName": "losses"}]}
    results = []
    for name, launcher in (("plain", plainly), ("warm", torch_ready)):
        wanted = {"SAGEHOUND_AUTO_HOOK": "1", "SAGEHOUND_AUTO_PROFILE": "1"}
        launch = a_job(tmp_path / name, script, environment=wanted)
        (tmp_path / name / "algo-1/input/config/debughookconfig.json").write_text(json.dumps(config))
        code, _, reason, lines = seen(launcher, launch)
        assert code == 0, reason
        places = sorted(path.name for path in (tmp_path / name / "algo-1/output/tensors").rglob("*") if path.is_file())
        results.append((lines, len(places)))
    assert results[0][0][:2] == ["False False", "[True, True]"]
    assert results[0][1] > 0
    assert results[1] == results[0]
    assert was_warm(tmp_path / "warm")
