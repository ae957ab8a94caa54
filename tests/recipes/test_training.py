from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from vbench_lite.recipes.training import Average, MuonWithAdam, Stage, data_seed, forget_paths, learning_rate


def test_the_learning_rate_rises_stays_and_falls() -> None:
    rates = [learning_rate(step, 1000) for step in range(1000)]
    assert rates[0] < 0.05
    assert rates[50] == rates[600] == 1
    assert rates[-1] == pytest.approx(0.02, abs=0.01)


def make_stage(work: Path, steps: int) -> tuple[Stage, nn.Module]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.LazyLinear(3))
    net(torch.zeros(1, 2, 6, 6))
    optimiser = MuonWithAdam([net], 0.02, 1e-2, lambda name: name.startswith("2."))
    stage = Stage("fit", work, steps, {"net": net}, optimiser, Average({"net": net}, 0.9), save_every=5, log_every=5)
    return stage, net


class Interrupted(Exception):
    pass


def fit(stage: Stage, net: nn.Module, stop_at: int | None = None) -> None:
    def loss(step: int) -> dict[str, Tensor]:
        if step == stop_at:
            raise Interrupted
        x = torch.randn(16, 2, 6, 6, generator=torch.Generator().manual_seed(step))
        return {"loss": (net(x) - x[:, 0, :3, 0]).square().mean()}

    stage.run(loss)


def test_training_lowers_the_loss_and_writes_its_curve(tmp_path: Path) -> None:
    stage, net = make_stage(tmp_path, 60)
    fit(stage, net)
    losses = [float(line.split(",")[2]) for line in (tmp_path / "fit.csv").read_text().splitlines()[1:]]
    assert losses[-1] < 0.5 * losses[0]


def test_an_interrupted_stage_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole, whole_net = make_stage(tmp_path / "whole", 20)
    fit(whole, whole_net)
    first, first_net = make_stage(tmp_path / "parts", 20)
    with pytest.raises(Interrupted):
        fit(first, first_net, stop_at=12)
    second, second_net = make_stage(tmp_path / "parts", 20)
    fit(second, second_net)
    for mine, theirs in zip(second_net.parameters(), whole_net.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_resumed_stage_draws_other_data_than_at_its_beginning(tmp_path: Path) -> None:
    assert data_seed(tmp_path, "fit", 7) == 7
    stage, net = make_stage(tmp_path, 10)
    with pytest.raises(Interrupted):
        fit(stage, net, stop_at=7)
    resumed_at_5 = data_seed(tmp_path, "fit", 7)
    assert resumed_at_5 == data_seed(tmp_path, "fit", 7) != 7
    fit(*make_stage(tmp_path, 10))
    assert data_seed(tmp_path, "fit", 7) not in (7, resumed_at_5)
    assert data_seed(tmp_path, "other", 7) == 7


def test_an_exported_model_does_not_name_the_folder_that_it_was_loaded_from(tmp_path: Path) -> None:
    (tmp_path / "vae").mkdir()
    config = tmp_path / "vae" / "config.json"
    config.write_text('{"_name_or_path": "/home/someone/vae", "layers": 2}')
    forget_paths(tmp_path)
    assert config.read_text() == '{\n  "layers": 2\n}\n'
