"""Files taken in, from upload to result.

Tables: import_file, import_reject. Verbs: draft, start, run, ask_cancel; `command` from the shell.
"""
