"""Every code that a problem may carry, with its status and what it means.

A code is for ever: people's scripts hold it. Others than these come only from a printer's driver,
as the answer to a command.
"""

from collections.abc import Collection, Mapping

# By status.
_WORDS: Mapping[int, Mapping[str, str]] = {
    400: {
        "bad_request": "The request is no good HTTP, or lacks what this address wants.",
        "broken_form": "The multipart form ends early or is malformed.",
        "idempotency_key_invalid": "Idempotency-Key is 1 to 255 printable ASCII characters.",
    },
    401: {
        "log_in_failed": "Name or password are wrong.",
        "no_credential": "No credential came with the request, or one that nobody knows.",
    },
    403: {
        "foreign_page": "Another site's page had the browser send this.",
        "not_a_user": "The provider knows you, but this farm does not let you in.",
        "not_your_account": "Only an administrator sees to the keys of others.",
        "not_your_model": "Only its owner or an operator changes a model.",
        "not_your_project": "Only its owner or an operator changes a project.",
        "not_your_job": "Only an operator steers the jobs of others.",
        "not_leased": "No run of this plate is leased to a printer of this agent.",
        "not_permitted": "The credential lacks the permission that this address wants.",
        "priority_not_permitted": "Only an operator puts a job before those of others.",
    },
    404: {
        "no_such_route": "There is nothing at this address.",
        "unknown_agent": "No such agent has enrolled.",
        "unknown_artifact": "There is no such file.",
        "unknown_code": "There is no problem of this name.",
        "unknown_key": "There is no such key.",
        "unknown_session": "There is no such session.",
        "unknown_token": "The token to enrol with is gone.",
        "unknown_user": "There is no such user.",
        "unknown_webhook": "There is no such webhook.",
        "unknown_job": "There is no such job.",
        "unknown_model": "There is no such model.",
        "unknown_printer": "There is no such printer.",
        "unknown_project": "There is no such project.",
        "unknown_run": "There is no such run.",
        "unknown_version": "The model has no such version.",
    },
    405: {"method_not_allowed": "The address is known, but not with this method."},
    409: {
        "webhook_behind": "A webhook was not told yet of lines that are to be archived.",
        "archived_meanwhile": "These lines of history left for another archive: archive anew.",
        "epoch_raised": "Somebody leased the printer meanwhile: try again.",
        "events_archived": "The lines left for an archive: begin behind them.",
        "foreign_print": "The printer prints what no agent started.",
        "in_flight": "The same request, with the same key, is being answered now.",
        "job_ended": "The job has ended.",
        "job_not_pausable": "The job has ended, or is ending.",
        "job_not_paused": "The job is not paused.",
        "job_not_waiting": "The job does not wait to be approved.",
        "never_seen": "The printer was never connected.",
        "not_clearing": "Nobody said that they are clearing this bed.",
        "printer_cannot_pause": "A printer that works for the job can't pause a print.",
        "printer_offline": "The printer's agent is not connected.",
        "run_live": "A run is on the printer.",
        "spool_loaded": "What the printer holds is what is on its spool: unload that first.",
        "run_not_lost": "Nobody doubts how this run ended.",
    },
    412: {"changed_meanwhile": "If-Match names an older version: look at it again."},
    413: {
        "field_too_large": "A field of the form is too long.",
        "too_large": "The file, or the request, is larger than this address takes.",
        "too_many_fields": "The form has too many fields.",
    },
    415: {
        "compressed": "The file came compressed.",
        "not_a_form": "A multipart form is wanted.",
    },
    416: {"range_outside": "The artifact does not have these bytes."},
    422: {
        "agent_id_invalid": "This can't name an agent.",
        "agent_id_reserved": "The coordinator itself has this name at the broker.",
        "agent_id_taken": "An agent of this name has enrolled before.",
        "broker_local": "The broker listens on the coordinator's machine only.",
        "no_broker_username": "The settings give no name for the coordinator at the broker.",
        "token_expired": "The token to enrol with was not used in time.",
        "token_for_another": "The token enrols an agent of another name.",
        "token_used": "Somebody has enrolled with this token.",
        "ttl_out_of_range": "A token is not valid for so short, or so long.",
        "address_not_allowed": "The farm does not send to this address.",
        "description_too_long": "The description is too long.",
        "no_such_printers": "No printer has the group and the tags that are asked for.",
        "no_such_event": "The history has no line of this number yet.",
        "too_many_webhooks": "There are as many webhooks as there may be.",
        "types_out_of_range": "A webhook has at least one type, and not more than there may be.",
        "unknown_type": "No message is of such a type.",
        "class_not_stated": "Nothing says for which printer class this binary G-code is.",
        "copies_out_of_range": "So many copies are not made.",
        "empty_file": "The file is empty.",
        "expiry_past": "A key can't end before it begins.",
        "head_archived": "Only an archive can tell of this line.",
        "history_broken": "A history that can't be trusted is not archived.",
        "idempotency_key_reused": "The key came before, with another request.",
        "invalid_fields": "A field of the body is wrong; `errors` names it.",
        "invalid_query": "A part of the query is wrong; `errors` names it.",
        "limit_out_of_range": "So many lines are not given at once.",
        "model_broken": "The model's file is cut off or contradicts itself.",
        "model_empty": "The model has no triangles.",
        "model_missing": "The model's file can't be read.",
        "model_too_complex": "The model is beyond a limit on bytes, triangles or memory.",
        "model_too_large": "The model fits no bed.",
        "model_unprintable": "An engine finds nothing in the model that it can lay down.",
        "model_unsupported": "The file is no model, or of a kind that is not read.",
        "name_taken": "Somebody or something has this name, or had it.",
        "name_unfit": "A name has 1 to 64 letters, digits and . _ @ + -",
        "no_account": "The farm's own token has no password.",
        "no_provider": "The farm has no OpenID provider.",
        "oidc_forgotten": "This log in took too long, or began in another browser.",
        "oidc_refused": "The OpenID provider logged nobody in, or can't be believed.",
        "password_unfit": "The password is too short, or too near to the name.",
        "quota_filament": "The user's filament for this month is used up.",
        "quota_jobs_open": "The user has as many open jobs as they may.",
        "refresh_refused": "The token is not good any more: log in again.",
        "scope_too_wide": "A key can't reach farther than its user and its maker.",
        "too_many_keys": "The user has as many keys as there may be.",
        "no_file": "The form has no file.",
        "not_gcode": "The file holds no G-code command.",
        "nothing_to_archive": "No line from before that time is left to be archived.",
        "other_archive": "That is not the archive of these lines.",
        "plate_rejected": "What the engine wrote is no good.",
        "plate_unfit": "The G-code must not run on its class of printers; `facts` has the lines.",
        "printer_of_other_class": "The printer that is named is of another class.",
        "profile_invalid": "A profile in the configuration is wrong.",
        "profile_unknown": "There is no such profile.",
        "repeated_field": "A field of the form comes twice.",
        "request_invalid": "The slicer was asked what it does not understand.",
        "setting_invalid": "There is no such setting, or not with this value.",
        "settings_refused": "Each setting is known, but together they can't work.",
        "tags_out_of_range": "So many tags, or such long ones, are not kept.",
        "text_not_stored": "The binary G-code has no text.",
        "two_files": "The form has more than one file.",
        "unknown_command": "The printer knows no such command.",
        "unknown_file_type": "The file is neither a model nor G-code.",
        "unknown_material": "There is no such material.",
        "unknown_outcome": "A run ends finished, failed or reprint.",
        "unknown_printer_class": "There is no such printer class.",
        "unknown_quality": "There is no such quality.",
    },
    429: {"too_many_requests": "Too many came before: wait as long as Retry-After says."},
    500: {
        "failed": "The coordinator failed; its log tells more under the request's id.",
        "internal": "The coordinator failed; its log tells more under the request's id.",
        "settings_invalid": "The configuration is wrong.",
    },
    503: {
        "broker_unreachable": "No agent can be reached: the broker does not answer.",
        "cancelled": "Slicing was stopped: ask again.",
        "disk_full": "The disk is full.",
        "engine_failed": "The slicer failed.",
        "engine_missing": "The slicer is not installed.",
        "engine_timed_out": "The slicer took too long.",
        "engine_unknown": "No engine of that name is registered.",
        "no_answer": "The printer gave no answer; it may still have been done.",
        "oidc_unreachable": "The OpenID provider does not answer.",
        "output_unwritable": "The slicer can't write its file.",
        "slicer_crashed": "The slicer's process crashed.",
        "slicer_garbled": "The slicer's process said what nobody understands.",
        "slicer_not_started": "The slicer's process can't be started.",
        "slicing_timed_out": "Slicing took too long.",
        "storage_unusable": "The store of files can't be used.",
        "store_locked": "Another program holds the database.",
        "store_unreachable": "The database's server does not answer.",
        "store_unusable": "The database can't be used.",
        "too_many_watch": "As many live connections are open as there may be.",
        "verifying_unknown": "Slicing can't verify G-code.",
    },
}

# What each means, and the status that it comes with.
CODES: Mapping[str, tuple[int, str]] = {
    code: (status, words) for status, each in _WORDS.items() for code, words in each.items()
}

# Any other code is possible too, with the statuses of those that are named.
OPEN = "*"

# Every route may fail so; `store_*` and `disk_full` are its database's.
ALWAYS = (
    "bad_request",
    "internal",
    "failed",
    "too_many_requests",
    "disk_full",
    "store_locked",
    "store_unreachable",
    "store_unusable",
)
GUARDED = ("foreign_page", "no_credential", "not_permitted")

# An order is looked at by the slicer before it is taken.
ORDER = (
    *(code for code in _WORDS[422] if code.startswith(("model_", "profile_", "setting"))),
    *(code for code in _WORDS[503] if code.startswith(("engine_", "slic"))),
    *(code for code in (*_WORDS[413], *_WORDS[415])),
    "broken_form",
    "cancelled",
    "class_not_stated",
    "copies_out_of_range",
    "empty_file",
    "invalid_fields",
    "no_file",
    "no_such_printers",
    "tags_out_of_range",
    "not_gcode",
    "output_unwritable",
    "plate_rejected",
    "plate_unfit",
    "printer_of_other_class",
    "priority_not_permitted",
    "quota_filament",
    "quota_jobs_open",
    "repeated_field",
    "request_invalid",
    "storage_unusable",
    "text_not_stored",
    "two_files",
    "422:unknown_printer",
    "unknown_file_type",
    "unknown_material",
    "unknown_printer_class",
    "unknown_quality",
    "verifying_unknown",
)


def statuses_of(codes: Collection[str]) -> Mapping[int, list[str]]:
    """Return codes by their status, in order; `OPEN` is left out.

    `422:unknown_printer` is a code that comes with another status than usual.
    """
    found: dict[int, list[str]] = {}
    for said in sorted(set(codes) - {OPEN}):
        other, _, code = said.rpartition(":")
        found.setdefault(int(other) if other else CODES[code][0], []).append(code)
    return dict(sorted(found.items()))
