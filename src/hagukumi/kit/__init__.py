"""What every room may use and what knows no room: clock, named SQL, Japanese text, tables, tokens, SMTP, words."""
