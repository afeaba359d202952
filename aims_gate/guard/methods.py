"""The public methods of MLflow's registry stores, as the guard knows them.

An MLflow that has others may write past the guard: it then refuses everything that it guards.
"""

from __future__ import annotations

import inspect

GUARDED = {
    "create_model_version": (
        *("name", "source", "run_id", "tags", "run_link", "description", "local_model_path"),
        "model_id",
    ),
    "delete_model_version": ("name", "version"),
    "delete_model_version_tag": ("name", "version", "key"),
    "delete_registered_model": ("name",),
    "delete_registered_model_alias": ("name", "alias"),
    "rename_registered_model": ("name", "new_name"),
    "set_model_version_tag": ("name", "version", "tag"),
    "set_registered_model_alias": ("name", "alias", "version"),
    "transition_model_version_stage": ("name", "version", "stage", "archive_existing_versions"),
}
"""Methods by which something goes live, or what proves it changes, each with its parameters."""
THROUGH_GUARDED = frozenset(
    {
        *("copy_model_version", "create_prompt", "create_prompt_version", "delete_prompt"),
        *("delete_prompt_alias", "delete_prompt_version", "delete_prompt_version_tag"),
        *("link_prompt_version_to_model", "link_prompt_version_to_run", "link_prompts_to_trace"),
        *("set_prompt_alias", "set_prompt_version_tag"),
    }
)
"""Methods that write to versions by calling those that are guarded."""
ELSEWHERE = frozenset(
    {
        *("create_registered_model", "update_registered_model", "update_model_version"),
        *("set_registered_model_tag", "delete_registered_model_tag"),
        *("set_prompt_tag", "delete_prompt_tag"),
        *("create_webhook", "update_webhook", "delete_webhook", "test_webhook"),
    }
)
"""Methods that write what neither goes live nor proves anything."""
READS = frozenset(
    {
        *("get_latest_versions", "get_model_version", "get_model_version_by_alias"),
        *("get_model_version_download_uri", "get_prompt", "get_prompt_version"),
        *("get_prompt_version_by_alias", "get_registered_model", "get_webhook", "list_webhooks"),
        *("list_webhooks_by_event", "search_model_versions", "search_prompt_versions"),
        *("search_prompts", "search_registered_models", "supports_workspaces"),
    }
)
KNOWN = frozenset(GUARDED) | THROUGH_GUARDED | ELSEWHERE | READS


def unknown(store: type) -> tuple[str, ...]:
    """Public methods of a store that are not in these tables, or take other parameters."""
    public = {
        name
        for name in dir(store)
        if not name.startswith("_")
        and (callable(found := getattr(store, name)) or isinstance(found, property))
        and not isinstance(found, type)
    }
    strange = public - KNOWN
    for name, known in GUARDED.items():
        found = tuple(inspect.signature(getattr(store, name)).parameters) if name in public else ()
        if found[1:] != known:
            strange.add(name)
    return tuple(sorted(strange))
