"""What a PostgreSQL server must and must not be set to: each setting with its reason in one clause.

`SAFE_SETTINGS` are set by us on the embedded server, and asked of every other. `QUIET_SETTINGS` are right in a server
nobody has touched, and asked all the same: each of them would bring statements or values into the server's log, take
damage for data, or keep a password badly. Settings of extensions count only where the extension is set up.
"""

from typing import Final

SAFE_SETTINGS: Final = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # Values travel as parameters only; these keep them out of the server's own log as well.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
    "log_error_verbosity": "terse",
}
QUIET_SETTINGS: Final = {
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "debug_print_parse": "off",
    "debug_print_rewritten": "off",
    "debug_print_plan": "off",
    "zero_damaged_pages": "off",
    "ignore_checksum_failure": "off",
    "password_encryption": "scram-sha-256",
    "auto_explain.log_min_duration": "-1",
    "pgaudit.log_parameter": "off",
}
_VALUES: Final = "would be written to the server's log with their values"
WHY: Final = {
    "fsync": "an acknowledged change could be lost with the power",
    "full_page_writes": "a page torn by a power cut could not be mended",
    "synchronous_commit": "evidence would be answered for before it is durable",
    "log_statement": "statements would be written to the server's log",
    "log_min_error_statement": "a failing statement would be written to the server's log",
    "log_parameter_max_length_on_error": "the values of a failing statement would be written to the server's log",
    "log_min_duration_statement": f"slow statements {_VALUES}",
    "log_error_verbosity": "a violated constraint would write its values to the server's log",
    "log_min_duration_sample": f"some of the slow statements {_VALUES}",
    "log_transaction_sample_rate": f"the statements of some transactions {_VALUES}",
    "log_min_messages": "the server's inner workings would be written to its log",
    "debug_print_parse": "parsed statements would be written to the server's log",
    "debug_print_rewritten": "rewritten statements would be written to the server's log",
    "debug_print_plan": "plans would be written to the server's log",
    "zero_damaged_pages": "a damaged page would be read as an empty one, and what was in it would be gone unseen",
    "ignore_checksum_failure": "damaged data would be read as if it were whole",
    "password_encryption": "a new database password would be kept as an MD5 sum",
    "auto_explain.log_min_duration": f"plans of slow statements {_VALUES}",
    "pgaudit.log_parameter": f"audited statements {_VALUES}",
}
ALSO_FINE: Final = {"synchronous_commit": ("remote_apply",)}
TALKATIVE: Final = ("debug5", "debug4", "debug3", "debug2", "debug1")
"""Values of `log_min_messages` that are refused."""
