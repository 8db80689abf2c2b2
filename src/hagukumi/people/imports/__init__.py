"""Files taken in, from upload to result.

Tables: import_file, import_row, import_reject, import_notice. Verbs: draft, start, run, ask_cancel; `results` says how
each row came out; `command` from the shell.
"""
