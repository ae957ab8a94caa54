"""Adapters: each runs one kind of generator. A new adapter needs one file and one line here."""

ADAPTERS = {
    "token-transformer": "vbench_lite.adapters.models.token_transformer:TokenTransformer",
    "diffusers": "vbench_lite.adapters.models.diffusers:DiffusersPipeline",
    "hybrid": "vbench_lite.adapters.models.hybrid:Hybrid",
    "command": "vbench_lite.adapters.command:Command",
    "http": "vbench_lite.adapters.hosted.adapter:HostedService",
    "recorded": "vbench_lite.adapters.recorded:RecordedClips",
    "simulated": "vbench_lite.adapters.simulated:Simulated",
}

CHECKS = {
    "token-transformer": "vbench_lite.adapters.models.settings:check_token_transformer",
    "diffusers": "vbench_lite.adapters.models.settings:check_diffusers",
    "hybrid": "vbench_lite.adapters.models.settings:check_hybrid",
    "command": "vbench_lite.adapters.command:CommandSettings.of",
    "http": "vbench_lite.adapters.hosted.clip_form:check_definition",
}
"""Functions that check a definition before a run is planned, without loading a model. They raise UsageError. The
function of the hybrid adapter also receives the definitions of its parts."""
