"""Runs of teachers and students: killed between stages, and with a teacher that was trained elsewhere."""

import numpy as np
import pytest

from dislib_plus.cli import train
from dislib_plus.methods import Autoencoder
from support import runs
from support.kills import check_killed_run_goes_on
from support.recipes import ROOT, small

RECIPE = ROOT / "small/teacher_student.gin"
STEPS = 12


@pytest.fixture
def of_file(tmp_path):
    """Function (shape) -> (saved teacher of 2 units for images of that shape, its gin bindings)."""
    def make(shape):
        model = Autoencoder(latents=2)
        model.build((None, *shape))
        model.save(tmp_path / "teacher.keras")
        return model, ["teacher_student.teacher = @trained_model()",
                       f"trained_model.path = '{tmp_path / 'teacher.keras'}'"]
    return make


@pytest.mark.slow
@pytest.mark.parametrize("preset", ("pro_vlae", "lezama"))
def test_kill_9_between_stages(other_process, tmp_path, preset):
    """Each stage's process dies right after its last step, before or after the next one has begun."""
    bindings = [*small(RECIPE, STEPS), "model.checkpoint_steps = 5", f"teacher_student.preset = '{preset}'"]
    other_process()("train", tmp_path / "whole", RECIPE, bindings)
    check_killed_run_goes_on(RECIPE, bindings, (STEPS, STEPS + 1), tmp_path / "whole", tmp_path / "killed")


def test_a_teacher_from_a_file_stays_bit_for_bit(of_file, tmp_path):
    """Only the student is trained; the run's model holds the teacher with the weights of its file."""
    teacher, bindings = of_file((32, 32, 1))
    runs.train(tmp_path / "run", RECIPE, [*small(RECIPE, 2), *bindings, "teacher_student.preset = 'ms_vae'",
                                          "teacher_student.networks = 'gin'", "teacher_student.student_units = [4]"])
    assert {stage for stage, _, _ in runs.logged(tmp_path / "run")} == {"student_4"}
    found = [array for name, array in runs.state(tmp_path / "run").items()]
    for weight in teacher.weights:
        assert any(array.shape == weight.shape and np.array_equal(array, weight) for array in found), weight.path


def test_a_teacher_of_other_images_is_one_sentence(of_file, tmp_path, capsys):
    _, bindings = of_file((16, 16, 1))
    code = train.main(["--gin_config=small/teacher_student.gin", f"--model_dir={tmp_path / 'run'}",
                       *(f"--gin_bindings={line}" for line in bindings)])
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dislib_train: ")]
    assert code == 2 and "teacher was made for images (16, 16, 1); the data has (32, 32, 3)" in error[-1]
    assert not (tmp_path / "run").exists()
