"""The processes behind the screens: the heart (beats), the job runner (imports), the sender (mail)."""
