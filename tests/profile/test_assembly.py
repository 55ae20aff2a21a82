from sagehound.profile.assembly import Assembler
from sagehound.profile.marks import BACKWARD, BEGIN, END, FORWARD, LOADER, OPTIMIZER, Mark
from sagehound.profile.step_record import StepRecord

BATCH: list[Mark] = [(BEGIN, 0, 0, None), (LOADER, 0, 2, None)]
LEARNT: list[Mark] = [(FORWARD, 3, 5, "TRAIN"), (BACKWARD, 5, 8, None), (OPTIMIZER, 8, 9, None)]


def later(marks: list[Mark], by: int) -> list[Mark]:
    return [(kind, start + by, end + by, more) for kind, start, end, more in marks]


def steps(marks: list[Mark]) -> list[StepRecord]:
    assembler = Assembler()
    return [*assembler.feed(marks), *assembler.close()]


def test_a_step_ends_where_the_next_begins_and_the_last_with_its_last_phase() -> None:
    found = steps(BATCH + LEARNT + later(BATCH + LEARNT, 10))
    phases = (("loader", 0, 2), ("forward", 3, 5), ("backward", 5, 8), ("optimizer", 8, 9))
    assert found[0] == StepRecord("TRAIN", 0, 0, 10, phases)
    assert (found[1].index, found[1].start_ns, found[1].end_ns) == (1, 10, 19)


def test_what_is_between_the_loops_belongs_to_no_step() -> None:
    found = steps([*BATCH, *LEARNT, (END, 12, 0, None), (FORWARD, 20, 30, "TRAIN"), *later(BATCH + LEARNT, 40)])
    assert [(one.start_ns, one.end_ns) for one in found] == [(0, 12), (40, 49)]


def test_batches_that_are_only_looked_at_are_no_steps() -> None:
    assert steps([*BATCH, *later(BATCH, 5), *later(BATCH, 10)]) == []
    assert [one.mode for one in steps([(BEGIN, 0, 0, "EVAL"), (LOADER, 0, 2, None)])] == ["EVAL"]


def test_modes_count_apart() -> None:
    seen: list[Mark] = [*BATCH, (FORWARD, 3, 5, "EVAL")]
    found = steps([*BATCH, *LEARNT, *later(seen, 10), *later(seen, 20), *later(BATCH + LEARNT, 30)])
    assert [(one.mode, one.index) for one in found] == [("TRAIN", 0), ("EVAL", 0), ("EVAL", 1), ("TRAIN", 1)]


def test_a_model_that_learns_in_evaluation_mode_trains() -> None:
    assert steps([*BATCH, (FORWARD, 3, 5, "EVAL"), (BACKWARD, 5, 8, None)])[0].mode == "TRAIN"


def test_phases_within_phases_are_cut_out() -> None:
    closure: list[Mark] = [(FORWARD, 4, 5, "TRAIN"), (BACKWARD, 5, 7, None), (OPTIMIZER, 3, 9, None)]
    found = steps([*BATCH, *closure])[0].phases
    assert found == (
        ("loader", 0, 2),
        ("optimizer", 3, 4),
        ("forward", 4, 5),
        ("backward", 5, 7),
        ("optimizer", 7, 9),
    )
