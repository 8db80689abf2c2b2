"""What can be known of a lead: its columns, how a file's headings name them, how a value is cleaned; own fields.

Tables: field.
"""
