"""Content: the pieces that can be downloaded, their files, and the signed links that lead to them.

Tables: content. Verbs: services.keep_file, services.download_link, services.open_link.
"""
