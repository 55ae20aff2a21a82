from sagehound.cli.findings import say_findings

VANISHING = {
    "rule": "VanishingGradient",
    "step": 10,
    "mode": "TRAIN",
    "tensor": "gradient/Net_fc.weight",
    "module": "fc",
    "message": "the mean absolute gradient is 3e-09, below 1e-07 " * 4,
    "why": "the layer hardly learns",
    "change": "use nn.ReLU()",
}


def test_a_finding_is_read_top_to_bottom(capsys):
    say_findings([VANISHING, {"rule": "Labels", "step": 3, "message": "constant", "why": "w", "change": "c"}])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "1. VanishingGradient: gradient/Net_fc.weight (module fc), TRAIN step 10"
    assert all(len(line) < 120 for line in lines)
    assert [line.split(":")[0].strip() for line in lines if ": " in line] == [
        "1. VanishingGradient",
        "Why",
        "Change",
        "2. Labels",
        "Why",
        "Change",
    ]


def test_a_profilers_finding_has_no_place_but_a_gain(capsys):
    slow = {
        "rule": "LoaderBound",
        "message": "each step waits",
        "change": "Use workers.",
        "code": "DataLoader(num_workers=2)",
        "gain_s": 12.34,
        "estimate": "the waiting itself",
    }
    say_findings([slow])
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[1:]] == [
        "1. LoaderBound",
        "each step waits",
        "Change: Use workers.",
        "DataLoader(num_workers=2)",
        "Gain: about 12.3 s; the waiting itself",
    ]
