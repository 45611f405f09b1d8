"""Servers that many have, as rows of data under what the settings say of them."""

from collections.abc import Mapping
from typing import Any

from coordinator.errors import SettingsInvalid

# Generators that run in the answer to one request hold it for minutes.
_GENERATING_S = 900.0

# The contract of our own; README.md of this folder has it whole.
_FARM_GEN_V1: dict[str, Any] = {
    "auth": "bearer",
    "kinds": ["text", "image", "multiview"],
    "pictures_max": 8,
    "again": "same_key",
    "submit": {
        "path": "/v1/jobs",
        "headers": {"Idempotency-Key": "${key}"},
        "body_mode": "multipart",
        "busy_statuses": [429, 503],
        "body": {
            "request": {
                "prompt": "${prompt}",
                "seed": "${seed}",
                "size_mm": "${size_mm}",
                "callback_url": "${callback_url}",
            },
            "image[]": "${image_files}",
        },
    },
    "status": {
        "path": "/v1/jobs/${task_id}",
        "progress": "/progress",
        "queue_position": "/queue_position",
    },
    "result": {"files": "/artifacts", "url": "/url", "name": "/name", "size": "/size"},
    "words": {
        "code": "/error/code",
        "message": "/error/message",
        "blames": {"content_blocked": "content_blocked", "invalid_input": "invalid_input"},
    },
    "cancel": {"method": "DELETE", "path": "/v1/jobs/${task_id}"},
    "delete": {"method": "DELETE", "path": "/v1/jobs/${task_id}"},
    "health": {"path": "/healthz"},
    "cost": {"seconds": "/cost/seconds"},
}

_HUNYUAN_OPTIONS: dict[str, Any] = {
    "octree_resolution": {"type": "integer", "words": "fineness, 16 to 512"},
    "num_inference_steps": {"type": "integer", "words": "5 is fast, 50 is good"},
    "guidance_scale": {"type": "number", "words": "how closely it keeps to the picture"},
    "face_count": {"type": "integer", "words": "triangles at most"},
}


def _hunyuan_body(kind: str) -> dict[str, Any]:
    return {
        "image": "${image_b64}",
        "text": "${prompt}",
        "seed": "${seed}",
        "texture": False,
        "type": kind,
        **{name: f"${{option.{name}}}" for name in _HUNYUAN_OPTIONS},
    }


# Tencent/Hunyuan3D-2 `api_server.py`. Every error is a 404; /status tells of failures as it tells
# of work that goes on, so that a deadline ends them; and it finds nothing but GLB.
_HUNYUAN: dict[str, Any] = {
    "kinds": ["image"],
    "options": _HUNYUAN_OPTIONS,
    "words": {"message": "/text", "code": "/error_code"},
    "patience_s": _GENERATING_S,
    "submit": {"path": "/send", "task_id": "/uid", "body": _hunyuan_body("glb")},
    "status": {"path": "/status/${task_id}", "missing": "running"},
    "result": {"data": "/model_base64", "format": ".glb"},
}

# The same in one request: tells of failures and gives an STL, but a restart here loses the answer.
_HUNYUAN_SYNC: dict[str, Any] = {
    **{name: _HUNYUAN[name] for name in ("kinds", "options", "words", "patience_s")},
    "submit": {
        "path": "/generate",
        "answers": "file",
        "body": _hunyuan_body("stl"),
        "within_s": _GENERATING_S,
        "failed_statuses": [404],
    },
    "result": {"format": ".stl"},
}

# The Open Inference Protocol: KServe, Triton, OpenVINO, Seldon. BYTES in JSON are texts, so that
# pictures and the mesh go as base64. Inputs are called `prompt` and `image`, the output `mesh`.
_KSERVE_V2: dict[str, Any] = {
    "kinds": ["text", "image"],
    "constants": {"model": "model"},
    "patience_s": _GENERATING_S,
    "submit": {
        "path": "/v2/models/${model}/infer",
        "answers": "document",
        "within_s": _GENERATING_S,
        "busy_statuses": [429, 503],
        "body": {
            "id": "${key}",
            "inputs": [
                {
                    "$if": "prompt",
                    "name": "prompt",
                    "shape": [1],
                    "datatype": "BYTES",
                    "data": ["${prompt}"],
                },
                {
                    "$if": "image_b64",
                    "name": "image",
                    "shape": [1],
                    "datatype": "BYTES",
                    "data": ["${image_b64}"],
                },
            ],
            "outputs": [{"name": "mesh"}],
        },
    },
    "result": {"data": "/outputs/0/data/0"},
    "health": {"path": "/v2/health/ready"},
}

# TorchServe gives whatever its handler does; here the picture goes in and the file comes out.
_TORCHSERVE: dict[str, Any] = {
    "kinds": ["image"],
    "constants": {"model": "model"},
    "patience_s": _GENERATING_S,
    "submit": {
        "path": "/predictions/${model}",
        "body_mode": "raw",
        "answers": "file",
        "within_s": _GENERATING_S,
        "busy_statuses": [429, 503],
        "failed_statuses": [507],
    },
    "health": {"path": "/ping"},
}

PRESETS: dict[str, dict[str, Any]] = {
    "farm-gen-v1": _FARM_GEN_V1,
    "hunyuan3d-2": _HUNYUAN,
    "hunyuan3d-2-sync": _HUNYUAN_SYNC,
    "kserve-v2": _KSERVE_V2,
    "torchserve": _TORCHSERVE,
}


def with_preset(name: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what a server is called, and its options laid over those of its preset.

    Raises:
        SettingsInvalid: there is no such preset.
    """
    given = dict(options)
    preset = given.pop("preset", None)
    if preset is None:
        return "http", given
    if preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise SettingsInvalid(f"the provider {name!r}: there is no preset of that name: {known}")
    return str(preset), _over(PRESETS[preset], given)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, tables within tables; `body` and lists are replaced whole."""
    merged = dict(below)
    for name, value in above.items():
        mine = below.get(name)
        if isinstance(mine, Mapping) and isinstance(value, Mapping) and name != "body":
            value = _over(mine, value)
        merged[name] = value
    return merged
